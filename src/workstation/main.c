/* SPDX-License-Identifier: Apache-2.0 */
#include "core/advice.h"
#include "workstation/application.h"

int
main (int argc, char **argv)
{
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *folder = g_path_get_dirname (program == NULL ? argv[0] : program);
  rb_advice_set_language (folder);
  g_autoptr (RbApplication) application = rb_application_new ();
  return g_application_run (G_APPLICATION (application), argc, argv);
}
