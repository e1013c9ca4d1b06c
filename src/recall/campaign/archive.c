/* SPDX-License-Identifier: Apache-2.0 */
#include "campaign/archive.h"

#include "core/files.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK_SIZE (128 * 1024)
#define MAX_PATH_LENGTH 512
#define MAX_DEPTH 16
#define MAX_ENTRIES 1000000
#define TAR_END 1024 /* two blocks of zeros end a tar */

struct _RbArchive {
  char *path;
  guint64 size;
  guint64 position;
  guint64 entries;
  char *current;
  /* a tar */
  struct archive *tar;
  gboolean compressed;
  /* a folder */
  GPtrArray *names; /* of char *, in the order of a bundle */
  int fd;
};

static gboolean
archive_error (RbReason reason, GError **error, const char *text, const char *name)
{
  return rb_reason_deny (error, RB_CAMPAIGN_ERROR, reason, "%s%s%s%s", text, name == NULL ? "" : " “",
                         name == NULL ? "" : name, name == NULL ? "" : "”");
}

static gboolean
name_is_allowed (const char *path)
{
  g_auto (GStrv) parts = g_strsplit (path, "/", -1);
  return strlen (path) <= MAX_PATH_LENGTH && g_utf8_validate (path, -1, NULL) && rb_files_path_is_safe (path)
         && g_strv_length (parts) <= MAX_DEPTH;
}

/* A tar that is cut between two entries lacks only its end mark. */
static gboolean
check_tar_end (RbArchive *self, int fd, GError **error)
{
  guint8 end[TAR_END];
  gboolean zero = self->size >= TAR_END && pread (fd, end, TAR_END, (off_t) (self->size - TAR_END)) == TAR_END;
  for (gsize i = 0; zero && i < TAR_END; i++)
    zero = end[i] == 0;
  return zero || archive_error (RB_REASON_BUNDLE_TRUNCATED, error, "the end of the file is missing", NULL);
}

static gboolean
check_file (RbArchive *self, GError **error)
{
  static const guint8 zstd[] = { 0x28, 0xB5, 0x2F, 0xFD };
  guint8 head[4] = { 0 };
  struct stat status;
  int fd = open (self->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0 || fstat (fd, &status) != 0 || !S_ISREG (status.st_mode)) {
    RbReason reason = fd < 0 && errno == ENOENT ? RB_REASON_NOT_FOUND : RB_REASON_IO;
    archive_error (reason, error, fd < 0 ? g_strerror (errno) : "neither a file nor a folder", NULL);
    if (fd >= 0)
      close (fd);
    return FALSE;
  }
  self->size = (guint64) status.st_size;
  self->compressed = pread (fd, head, sizeof head, 0) == sizeof head && memcmp (head, zstd, sizeof zstd) == 0;
  gboolean whole = self->compressed || check_tar_end (self, fd, error);
  close (fd);
  return whole;
}

static gboolean
tar_failed (RbArchive *self, GError **error)
{
  const char *text = archive_error_string (self->tar);
  gboolean truncated = text == NULL || strstr (text, "runcated") != NULL;
  return archive_error (truncated ? RB_REASON_BUNDLE_TRUNCATED : RB_REASON_MALFORMED, error,
                        truncated ? "the file is cut off" : text, NULL);
}

static gboolean
open_tar (RbArchive *self, GError **error)
{
  if (!check_file (self, error))
    return FALSE;
  self->tar = archive_read_new ();
  g_assert (self->tar != NULL);
  int filter
    = self->compressed ? archive_read_support_filter_zstd (self->tar) : archive_read_support_filter_none (self->tar);
  if (filter < ARCHIVE_WARN || archive_read_support_format_tar (self->tar) != ARCHIVE_OK
      || archive_read_open_filename (self->tar, self->path, BLOCK_SIZE) != ARCHIVE_OK)
    return tar_failed (self, error);
  return TRUE;
}

static gboolean
next_in_tar (RbArchive *self, RbArchiveEntry *entry, GError **error)
{
  struct archive_entry *header = NULL;
  do {
    int status = archive_read_next_header (self->tar, &header);
    if (status == ARCHIVE_EOF)
      return TRUE;
    if (status != ARCHIVE_OK)
      return tar_failed (self, error);
    if (++self->entries > MAX_ENTRIES)
      return archive_error (RB_REASON_TOO_LARGE, error, "too many files", NULL);
  } while (archive_entry_filetype (header) == AE_IFDIR);
  const char *name = archive_entry_pathname (header);
  if (name == NULL || !name_is_allowed (name))
    return archive_error (RB_REASON_PATH, error, "a file’s name is not allowed:", name == NULL ? "" : name);
  if (archive_entry_filetype (header) != AE_IFREG || archive_entry_hardlink (header) != NULL
      || archive_entry_symlink (header) != NULL || archive_entry_sparse_count (header) > 0)
    return archive_error (RB_REASON_PATH, error, "only plain files are allowed, not", name);
  if (!archive_entry_size_is_set (header) || archive_entry_size (header) < 0)
    return archive_error (RB_REASON_MALFORMED, error, "no size is given for", name);
  self->current = g_strdup (name);
  entry->size = (guint64) archive_entry_size (header);
  return TRUE;
}

static gboolean collect (RbArchive *self, const char *inner, guint depth, GError **error);

static gboolean
collect_one (RbArchive *self, const char *inner, guint depth, GError **error)
{
  struct stat status;
  g_autofree char *path = g_build_filename (self->path, inner, NULL);
  if (!name_is_allowed (inner))
    return archive_error (RB_REASON_PATH, error, "a file’s name is not allowed:", inner);
  if (g_lstat (path, &status) != 0)
    return archive_error (RB_REASON_IO, error, g_strerror (errno), inner);
  if (S_ISDIR (status.st_mode))
    return depth < MAX_DEPTH ? collect (self, inner, depth + 1, error)
                             : archive_error (RB_REASON_PATH, error, "folders are nested too deeply:", inner);
  if (!S_ISREG (status.st_mode))
    return archive_error (RB_REASON_PATH, error, "only plain files are allowed, not", inner);
  if (self->names->len >= MAX_ENTRIES)
    return archive_error (RB_REASON_TOO_LARGE, error, "too many files", NULL);
  self->size += (guint64) status.st_size;
  g_ptr_array_add (self->names, g_strdup (inner));
  return TRUE;
}

static gboolean
collect (RbArchive *self, const char *inner, guint depth, GError **error)
{
  g_autofree char *path = g_build_filename (self->path, inner, NULL);
  g_auto (GStrv) names = rb_files_list (path, error);
  if (names == NULL)
    return FALSE;
  for (guint i = 0; names[i] != NULL; i++) {
    g_autofree char *next = g_build_filename (inner, names[i], NULL);
    if (!collect_one (self, next, depth, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
open_folder (RbArchive *self, GError **error)
{
  static const char *const parts[] = { "service", "director", "image/metadata", "scopes", "vins", "image/targets" };
  g_autofree char *pack = g_build_filename (self->path, RB_PACK_FILE, NULL);
  self->names = g_ptr_array_new_with_free_func (g_free);
  if (rb_files_exists (pack) && !collect_one (self, RB_PACK_FILE, 1, error))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++) {
    struct stat status;
    g_autofree char *path = g_build_filename (self->path, parts[i], NULL);
    if (g_lstat (path, &status) != 0)
      continue;
    if (!S_ISDIR (status.st_mode))
      return archive_error (RB_REASON_PATH, error, "a folder is expected at", parts[i]);
    if (!collect (self, parts[i], 1, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
next_in_folder (RbArchive *self, RbArchiveEntry *entry, GError **error)
{
  struct stat status;
  if (self->fd >= 0)
    close (self->fd);
  self->fd = -1;
  if (self->entries >= self->names->len)
    return TRUE;
  const char *name = self->names->pdata[self->entries++];
  g_autofree char *path = g_build_filename (self->path, name, NULL);
  self->fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (self->fd < 0 || fstat (self->fd, &status) != 0)
    return archive_error (RB_REASON_IO, error, g_strerror (errno), name);
  self->current = g_strdup (name);
  entry->size = (guint64) status.st_size;
  return TRUE;
}

RbArchive *
rb_archive_open (const char *path, GError **error)
{
  g_autoptr (RbArchive) self = g_new0 (RbArchive, 1);
  self->path = g_strdup (path);
  self->fd = -1;
  gboolean ok = rb_files_is_folder (path) ? open_folder (self, error) : open_tar (self, error);
  return ok ? g_steal_pointer (&self) : NULL;
}

void
rb_archive_free (RbArchive *self)
{
  if (self == NULL)
    return;
  if (self->tar != NULL)
    archive_read_free (self->tar);
  if (self->fd >= 0)
    close (self->fd);
  g_clear_pointer (&self->names, g_ptr_array_unref);
  g_free (self->current);
  g_free (self->path);
  g_free (self);
}

gboolean
rb_archive_next (RbArchive *self, RbArchiveEntry *entry, GError **error)
{
  g_clear_pointer (&self->current, g_free);
  gboolean ok = self->tar != NULL ? next_in_tar (self, entry, error) : next_in_folder (self, entry, error);
  entry->path = ok ? self->current : NULL;
  return ok;
}

gssize
rb_archive_read (RbArchive *self, gpointer buffer, gsize length, GError **error)
{
  gssize got = self->tar != NULL ? archive_read_data (self->tar, buffer, length) : read (self->fd, buffer, length);
  if (got >= 0) {
    self->position += (guint64) got;
    return got;
  }
  if (self->tar != NULL)
    tar_failed (self, error);
  else
    archive_error (RB_REASON_IO, error, g_strerror (errno), self->current);
  return -1;
}

gboolean
rb_archive_is_compressed (RbArchive *self)
{
  return self->compressed;
}

guint64
rb_archive_position (RbArchive *self)
{
  return self->tar != NULL ? (guint64) MAX (0, archive_filter_bytes (self->tar, -1)) : self->position;
}

guint64
rb_archive_size (RbArchive *self)
{
  return self->size;
}
