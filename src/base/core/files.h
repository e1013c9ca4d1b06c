/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * Files and folders. Writing is atomic and durable (temporary file, fsync, rename, fsync of the
 * folder). Names that come from outside pass rb_files_name_is_safe() or rb_files_path_is_safe() first.
 * Errors: RB_CORE_ERROR or G_FILE_ERROR/G_IO_ERROR, prefixed with the path.
 */

/* The whole file; too-large beyond max bytes, not-found when it is not there. (transfer full) */
GBytes *rb_files_read (const char *path, gsize max, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The file mapped read-only; no size limit but max. (transfer full) */
GBytes *rb_files_map (const char *path, gsize max, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_files_write (const char *path, GBytes *bytes, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_files_write_text (const char *path, const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same with mode 0600, for keys and for everything in a data directory. */
gboolean rb_files_write_private (const char *path, GBytes *bytes, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_files_write_private_text (const char *path, const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A file that a person named: a new one gets mode less the umask, an existing one is replaced and keeps its mode, and
 * what is not a regular file (device, pipe, symbolic link) or has several names is written to. Errors: no-space, io. */
gboolean rb_files_write_output (const char *path, GBytes *bytes, int mode, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A folder of the user's own data, and what is in it, is for its owner only afterwards. Deep in it only where a folder
 * was open to others. */
gboolean rb_files_keep_private (const char *folder, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Removes what writers of that file left beside it when they were killed. For who keeps other writers out meanwhile. */
void rb_files_sweep (const char *path);
/* With parents, mode 0700; existing is fine. */
gboolean rb_files_make_folder (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Follows no symbolic link; a missing tree is fine. */
gboolean rb_files_remove_tree (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Copies regular files and folders; anything else is refused (path). */
gboolean rb_files_copy_tree (const char *from, const char *to, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Sorted names in a folder, NULL-terminated; error when it cannot be read. (transfer full) */
GStrv rb_files_list (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_files_is_folder (const char *path);
gboolean rb_files_exists (const char *path);
/* One path component: not empty, no '/', not "." or "..", no NUL or control character, <= 255 bytes. */
gboolean rb_files_name_is_safe (const char *name);
/* Relative path of safe components joined by single slashes. */
gboolean rb_files_path_is_safe (const char *path);
/* Free bytes on the file system that holds path. */
gboolean rb_files_space_left (const char *path, guint64 *bytes, GError **error) G_GNUC_WARN_UNUSED_RESULT;
