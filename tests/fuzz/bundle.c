/* SPDX-License-Identifier: Apache-2.0 */
/* A bundle's archive, in memory. What an auditor does with it writes folders, so it is done only with the corpus as it
 * is. */
#include "campaign/archive.h"
#include "campaign/bundle.h"
#include "core/files.h"
#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

static int file = -1;

static char *
path_of (const uint8_t *data, size_t size)
{
  if (file < 0)
    file = memfd_create ("bundle", 0);
  if (file < 0 || ftruncate (file, 0) != 0 || pwrite (file, data, size, 0) != (ssize_t) size)
    g_error ("the memory file cannot be written");
  return g_strdup_printf ("/proc/self/fd/%d", file);
}

static void
read_archive (const char *path)
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
  g_autofree char *path = path_of (data, size);
  read_archive (path);
#ifndef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
  g_autoptr (RbContents) contents = rb_bundle_open (path, NULL, NULL);
#endif
  return 0;
}
