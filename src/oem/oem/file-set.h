/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "oem/error.h"

/* Files in the order they are to be packed or written. */
typedef struct _RbFileSet RbFileSet;
RbFileSet *rb_file_set_new (void);
void rb_file_set_free (RbFileSet *self);
/* Takes a reference on bytes. */
void rb_file_set_add (RbFileSet *self, GBytes *bytes, const char *format, ...) G_GNUC_PRINTF (3, 4);
/* The same, for the owner's eyes only (mode 0600) when it is written to a folder. */
void rb_file_set_add_private (RbFileSet *self, GBytes *bytes, const char *name);
/* A file that is read when the tar is written. */
void rb_file_set_add_file (RbFileSet *self, const char *path, const char *name);
/* Every file of a table name → GBytes below prefix, sorted by name. */
void rb_file_set_add_table (RbFileSet *self, GHashTable *files, const char *prefix);
/* One POSIX tar, every file with that time; by the rule of core/sink.h. */
gboolean rb_file_set_write_tar (RbFileSet *self, const char *path, gint64 moment, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Every file below folder. */
gboolean rb_file_set_write_folder (RbFileSet *self, const char *folder, GError **error) G_GNUC_WARN_UNUSED_RESULT;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbFileSet, rb_file_set_free)
