/* SPDX-License-Identifier: Apache-2.0 */
/* Where there is no libFuzzer: each file of a corpus folder (or each file named) once, none, and every prefix of the
 * first. */
#include "fuzz.h"

#include <string.h>

static guint replayed;

static void
replay (const char *data, gsize length)
{
  g_autofree uint8_t *copy = g_malloc (MAX (length, 1)); /* its own block: reading past the end shows */
  memcpy (copy, data, length);
  LLVMFuzzerTestOneInput (copy, length);
  replayed++;
}

static void
replay_file (const char *path, gboolean prefixes)
{
  g_autofree char *data = NULL;
  g_autoptr (GError) error = NULL;
  gsize length = 0;
  if (!g_file_get_contents (path, &data, &length, &error))
    g_error ("%s", error->message);
  for (gsize i = 0; prefixes && i < MIN (length, 512); i++)
    replay (data, i);
  g_print ("# %s\n", path);
  replay (data, length);
}

static void
replay_folder (const char *path)
{
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  const char *name;
  gboolean first = TRUE;
  if (folder == NULL)
    g_error ("%s: no such folder", path);
  while ((name = g_dir_read_name (folder)) != NULL) {
    g_autofree char *inner = g_build_filename (path, name, NULL);
    replay_file (inner, first);
    first = FALSE;
  }
}

int
main (int argc, char **argv)
{
  for (int i = 1; i < argc; i++)
    if (g_file_test (argv[i], G_FILE_TEST_IS_DIR))
      replay_folder (argv[i]);
    else
      replay_file (argv[i], FALSE);
  g_print ("%u inputs\n", replayed);
  return replayed > 0 ? 0 : 1;
}
