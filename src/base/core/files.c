/* SPDX-License-Identifier: Apache-2.0 */
#include "core/files.h"

#include "core/reason.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static void
set_errno_error (GError **error, const char *path, int code)
{
  RbReason reason = code == ENOENT                     ? RB_REASON_NOT_FOUND
                    : code == ENOSPC || code == EDQUOT ? RB_REASON_NO_SPACE
                                                       : RB_REASON_IO;
  g_set_error (error, RB_CORE_ERROR, (int) reason, "%s: %s", path, g_strerror (code));
}

static gboolean
size_allowed (const char *path, gsize max, GError **error)
{
  GStatBuf status;
  if (g_stat (path, &status) != 0) {
    set_errno_error (error, path, errno);
    return FALSE;
  }
  if (!S_ISREG (status.st_mode)) {
    g_set_error (error, RB_CORE_ERROR, RB_REASON_IO, "%s: not a regular file", path);
    return FALSE;
  }
  if ((guint64) status.st_size > max) {
    g_set_error (error, RB_CORE_ERROR, RB_REASON_TOO_LARGE,
                 "%s: %" G_GINT64_FORMAT " bytes, at most %" G_GSIZE_FORMAT " are read", path, (gint64) status.st_size,
                 max);
    return FALSE;
  }
  return TRUE;
}

GBytes *
rb_files_read (const char *path, gsize max, GError **error)
{
  g_autofree char *data = NULL;
  gsize length = 0;
  if (!size_allowed (path, max, error) || !g_file_get_contents (path, &data, &length, error))
    return NULL;
  if (length > max) {
    g_set_error (error, RB_CORE_ERROR, RB_REASON_TOO_LARGE, "%s: grew while it was read", path);
    return NULL;
  }
  return g_bytes_new_take (g_steal_pointer (&data), length);
}

GBytes *
rb_files_map (const char *path, gsize max, GError **error)
{
  if (!size_allowed (path, max, error))
    return NULL;
  g_autoptr (GMappedFile) file = g_mapped_file_new (path, FALSE, error);
  return file == NULL ? NULL : g_mapped_file_get_bytes (file);
}

/* DURABLE: GLib syncs the file, and after the rename the folder too. */
static gboolean
write_with_mode (const char *path, GBytes *bytes, int mode, GError **error)
{
  return g_file_set_contents_full (path, g_bytes_get_data (bytes, NULL), (gssize) g_bytes_get_size (bytes),
                                   G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, mode, error);
}

gboolean
rb_files_write (const char *path, GBytes *bytes, GError **error)
{
  return write_with_mode (path, bytes, 0644, error);
}

gboolean
rb_files_write_text (const char *path, const char *text, GError **error)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
  return rb_files_write (path, bytes, error);
}

gboolean
rb_files_write_private_text (const char *path, const char *text, GError **error)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
  return rb_files_write_private (path, bytes, error);
}

gboolean
rb_files_write_private (const char *path, GBytes *bytes, GError **error)
{
  return write_with_mode (path, bytes, 0600, error);
}

static gboolean
write_all (int fd, GBytes *bytes)
{
  gsize length = 0;
  const char *data = g_bytes_get_data (bytes, &length);
  while (length > 0) {
    ssize_t n = write (fd, data, length);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return FALSE;
    data += n;
    length -= (gsize) n;
  }
  /* pipes and devices cannot be synchronised */
  return fsync (fd) == 0 || errno == EINVAL || errno == EROFS || errno == ENOTSUP;
}

/* A device, a pipe and what a link points to stay what they are. */
static gboolean
write_into (const char *path, GBytes *bytes, int mode, GError **error)
{
  int fd = open (path, O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY | O_CLOEXEC, mode);
  int code = fd >= 0 && write_all (fd, bytes) ? 0 : errno;
  if (fd >= 0 && close (fd) != 0 && code == 0)
    code = errno;
  if (code != 0)
    set_errno_error (error, path, code);
  return code == 0;
}

gboolean
rb_files_write_output (const char *path, GBytes *bytes, int mode, GError **error)
{
  GStatBuf status;
  gboolean exists = g_lstat (path, &status) == 0;
  if (exists && (!S_ISREG (status.st_mode) || status.st_nlink > 1))
    return write_into (path, bytes, mode, error);
  if (!write_with_mode (path, bytes, exists ? (int) (status.st_mode & 07777) : mode, error))
    return FALSE;
  /* the umask is for new files */
  if (!exists || chmod (path, status.st_mode & 07777) == 0)
    return TRUE;
  set_errno_error (error, path, errno);
  return FALSE;
}

/* *wrong: it was open to others. Files of other owners are left to them. */
static gboolean
mend_mode (const char *path, GStatBuf *status, gboolean *wrong)
{
  mode_t mode = S_ISDIR (status->st_mode) ? 0700 : 0600;
  if ((!S_ISDIR (status->st_mode) && !S_ISREG (status->st_mode)) || (status->st_mode & 07777) == mode
      || status->st_uid != geteuid ())
    return TRUE;
  *wrong = TRUE;
  return chmod (path, mode) == 0;
}

/* Two levels down in any case, further where a folder was open. */
static gboolean
mend_tree (const char *path, guint levels, GError **error)
{
  GStatBuf status;
  gboolean wrong = FALSE;
  if (g_lstat (path, &status) != 0 || !mend_mode (path, &status, &wrong)) {
    set_errno_error (error, path, errno);
    return FALSE;
  }
  if (!S_ISDIR (status.st_mode) || (levels == 0 && !wrong))
    return TRUE;
  g_auto (GStrv) names = rb_files_list (path, error);
  for (guint i = 0; names != NULL && names[i] != NULL; i++) {
    g_autofree char *inner = g_build_filename (path, names[i], NULL);
    if (!mend_tree (inner, wrong ? MAX (levels, 1) : levels - 1, error) && rb_files_exists (inner))
      return FALSE;
  }
  return names != NULL;
}

gboolean
rb_files_keep_private (const char *folder, GError **error)
{
  return mend_tree (folder, 2, error);
}

/* g_file_set_contents() writes to NAME.XXXXXX beside NAME, then renames. */
static gboolean
is_leftover (const char *name, const char *base)
{
  gsize length = strlen (base);
  if (strncmp (name, base, length) != 0 || name[length] != '.' || strlen (name) != length + 7)
    return FALSE;
  for (gsize i = length + 1; name[i] != '\0'; i++)
    if (!g_ascii_isalnum (name[i]))
      return FALSE;
  return TRUE;
}

void
rb_files_sweep (const char *path)
{
  g_autofree char *parent = g_path_get_dirname (path);
  g_autofree char *base = g_path_get_basename (path);
  g_auto (GStrv) names = rb_files_list (parent, NULL);
  for (guint i = 0; names != NULL && names[i] != NULL; i++) {
    g_autofree char *leftover = g_build_filename (parent, names[i], NULL);
    if (is_leftover (names[i], base) && g_unlink (leftover) != 0)
      g_warning ("%s: %s", leftover, g_strerror (errno));
  }
}

gboolean
rb_files_make_folder (const char *path, GError **error)
{
  if (g_mkdir_with_parents (path, 0700) == 0)
    return TRUE;
  set_errno_error (error, path, errno);
  return FALSE;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

GStrv
rb_files_list (const char *path, GError **error)
{
  g_autoptr (GDir) folder = g_dir_open (path, 0, error);
  if (folder == NULL)
    return NULL;
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  const char *name;
  while ((name = g_dir_read_name (folder)) != NULL)
    g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_names);
  g_ptr_array_add (names, NULL);
  return (GStrv) g_ptr_array_free (g_steal_pointer (&names), FALSE);
}

gboolean
rb_files_remove_tree (const char *path, GError **error)
{
  GStatBuf status;
  if (g_lstat (path, &status) != 0) {
    if (errno == ENOENT)
      return TRUE;
    set_errno_error (error, path, errno);
    return FALSE;
  }
  if (S_ISDIR (status.st_mode)) {
    g_auto (GStrv) names = rb_files_list (path, error);
    for (guint i = 0; names != NULL && names[i] != NULL; i++) {
      g_autofree char *inner = g_build_filename (path, names[i], NULL);
      if (!rb_files_remove_tree (inner, error))
        return FALSE;
    }
    if (names == NULL)
      return FALSE;
  }
  if (g_remove (path) == 0)
    return TRUE;
  set_errno_error (error, path, errno);
  return FALSE;
}

static gboolean
copy_file (const char *from, const char *to, GError **error)
{
  g_autoptr (GFile) source = g_file_new_for_path (from);
  g_autoptr (GFile) target = g_file_new_for_path (to);
  return g_file_copy (source, target, G_FILE_COPY_OVERWRITE | G_FILE_COPY_NOFOLLOW_SYMLINKS, NULL, NULL, NULL, error);
}

gboolean
rb_files_copy_tree (const char *from, const char *to, GError **error)
{
  GStatBuf status;
  if (g_lstat (from, &status) != 0) {
    set_errno_error (error, from, errno);
    return FALSE;
  }
  if (S_ISREG (status.st_mode))
    return copy_file (from, to, error);
  if (!S_ISDIR (status.st_mode)) {
    g_set_error (error, RB_CORE_ERROR, RB_REASON_PATH, "%s: neither file nor folder", from);
    return FALSE;
  }
  g_auto (GStrv) names = rb_files_list (from, error);
  if (names == NULL || !rb_files_make_folder (to, error))
    return FALSE;
  for (guint i = 0; names[i] != NULL; i++) {
    g_autofree char *inner_from = g_build_filename (from, names[i], NULL);
    g_autofree char *inner_to = g_build_filename (to, names[i], NULL);
    if (!rb_files_copy_tree (inner_from, inner_to, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
rb_files_is_folder (const char *path)
{
  return g_file_test (path, G_FILE_TEST_IS_DIR);
}

gboolean
rb_files_exists (const char *path)
{
  return g_file_test (path, G_FILE_TEST_EXISTS);
}

gboolean
rb_files_name_is_safe (const char *name)
{
  gsize length = strlen (name);
  if (length == 0 || length > 255 || strcmp (name, ".") == 0 || strcmp (name, "..") == 0)
    return FALSE;
  for (gsize i = 0; i < length; i++)
    if (name[i] == '/' || (guchar) name[i] < 0x20 || name[i] == 0x7f)
      return FALSE;
  return TRUE;
}

gboolean
rb_files_path_is_safe (const char *path)
{
  g_auto (GStrv) parts = g_strsplit (path, "/", -1);
  for (guint i = 0; parts[i] != NULL; i++)
    if (!rb_files_name_is_safe (parts[i]))
      return FALSE;
  return parts[0] != NULL;
}

gboolean
rb_files_space_left (const char *path, guint64 *bytes, GError **error)
{
  struct statvfs status;
  if (statvfs (path, &status) != 0) {
    set_errno_error (error, path, errno);
    return FALSE;
  }
  *bytes = (guint64) status.f_bavail * status.f_frsize;
  return TRUE;
}
