/* SPDX-License-Identifier: Apache-2.0 */
#include "link/can-preset.h"
#include "link/can-service.h"
#include "link/channel.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

static int
usage (FILE *out)
{
  fprintf (out,
           "Usage: recall-can-setup                        the service org.recallbay.CanSetup1, which D-Bus starts\n"
           "       recall-can-setup set INTERFACE PRESET   set a CAN interface up, by one's own right\n"
           "       recall-can-setup restart INTERFACE      the same after bus-off, without setting anything\n\n"
           "PRESET is one of %s.\n",
           rb_can_preset_names ());
  return out == stdout ? 0 : 2;
}

static int
apply (const char *interface, const char *preset)
{
  g_autoptr (GError) error = NULL;
  if (rb_can_setup_apply (interface, preset, &error))
    return 0;
  fprintf (stderr, "recall-can-setup: %s [%s]\n", error->message, rb_reason_word (rb_reason_of (error)));
  return rb_reason_of (error) == RB_REASON_USAGE ? 2 : 1;
}

int
main (int argc, char **argv)
{
  const char *verb = argc > 1 ? argv[1] : "";
  setlocale (LC_ALL, "");
  if (argc == 1)
    return rb_can_service_run ();
  if (strcmp (verb, "--version") == 0)
    return puts ("recall-can-setup " RB_VERSION) < 0;
  if (strcmp (verb, "--help") == 0)
    return usage (stdout);
  if (argc == 4 && strcmp (verb, "set") == 0)
    return apply (argv[2], argv[3]);
  return argc == 3 && strcmp (verb, "restart") == 0 ? apply (argv[2], NULL) : usage (stderr);
}
