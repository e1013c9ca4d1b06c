/* SPDX-License-Identifier: Apache-2.0 */
/* A bundle's archive, and the bundle as an auditor opens it. */
#include "campaign/archive.h"
#include "campaign/bundle.h"
#include "core/files.h"
#include "fuzz.h"

#include <stdio.h>
#include <unistd.h>

static char *path;

static void
remove_path (void)
{
  unlink (path);
}

static void
prepare (void)
{
  path = g_strdup_printf ("%s/rb-fuzz-bundle-%d.recall", g_get_tmp_dir (), (int) getpid ());
  atexit (remove_path);
}

static void
read_archive (void)
{
  RbArchiveEntry entry = { NULL, 0 };
  char buffer[4096];
  g_autoptr (RbArchive) archive = rb_archive_open (path, NULL);
  while (archive != NULL && rb_archive_next (archive, &entry, NULL) && entry.path != NULL) {
    if (!rb_files_path_is_safe (entry.path))
      g_error ("“%s” came through", entry.path);
    while (rb_archive_read (archive, buffer, sizeof buffer, NULL) > 0)
      continue;
  }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  if (path == NULL)
    prepare ();
  FILE *file = fopen (path, "w");
  if (file == NULL || fwrite (data, 1, size, file) != size || fclose (file) != 0)
    g_error ("%s cannot be written", path);
  read_archive ();
  g_autoptr (RbContents) contents = rb_bundle_open (path, NULL, NULL);
  return 0;
}
