/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/file-set.h"

#include "core/files.h"
#include "core/sink.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

typedef struct {
  char *name;
  GBytes *bytes; /* or */
  char *path; /* of a file */
  gboolean private;
} Entry;

struct _RbFileSet {
  GPtrArray *entries; /* of Entry */
};

static void
entry_free (Entry *self)
{
  g_free (self->name);
  g_clear_pointer (&self->bytes, g_bytes_unref);
  g_free (self->path);
  g_free (self);
}

RbFileSet *
rb_file_set_new (void)
{
  RbFileSet *self = g_new0 (RbFileSet, 1);
  self->entries = g_ptr_array_new_with_free_func ((GDestroyNotify) entry_free);
  return self;
}

void
rb_file_set_free (RbFileSet *self)
{
  g_ptr_array_unref (self->entries);
  g_free (self);
}

void
rb_file_set_add (RbFileSet *self, GBytes *bytes, const char *format, ...)
{
  Entry *entry = g_new0 (Entry, 1);
  va_list arguments;
  va_start (arguments, format);
  entry->name = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  entry->bytes = g_bytes_ref (bytes);
  g_ptr_array_add (self->entries, entry);
}

void
rb_file_set_add_private (RbFileSet *self, GBytes *bytes, const char *name)
{
  rb_file_set_add (self, bytes, "%s", name);
  ((Entry *) self->entries->pdata[self->entries->len - 1])->private = TRUE;
}

void
rb_file_set_add_file (RbFileSet *self, const char *path, const char *name)
{
  Entry *entry = g_new0 (Entry, 1);
  entry->name = g_strdup (name);
  entry->path = g_strdup (path);
  g_ptr_array_add (self->entries, entry);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (a, b);
}

void
rb_file_set_add_table (RbFileSet *self, GHashTable *files, const char *prefix)
{
  g_autoptr (GList) names = g_list_sort (g_hash_table_get_keys (files), compare_names);
  for (GList *i = names; i != NULL; i = i->next)
    rb_file_set_add (self, g_hash_table_lookup (files, i->data), "%s/%s", prefix, (const char *) i->data);
}

typedef struct {
  RbSink *sink;
  GError **error;
} Target;

static la_ssize_t
write_to_sink (struct archive *archive, void *data, const void *buffer, size_t length)
{
  const Target *target = data;
  if (rb_sink_write (target->sink, buffer, length, *target->error == NULL ? target->error : NULL))
    return (la_ssize_t) length;
  archive_set_error (archive, EIO, "not written");
  return -1;
}

static gboolean
write_entry (struct archive *archive, const Entry *entry, GBytes *bytes, gint64 moment)
{
  gsize length = 0;
  gconstpointer data = g_bytes_get_data (bytes, &length);
  struct archive_entry *header = archive_entry_new ();
  archive_entry_set_pathname (header, entry->name);
  archive_entry_set_size (header, (la_int64_t) length);
  archive_entry_set_filetype (header, AE_IFREG);
  archive_entry_set_perm (header, 0644);
  archive_entry_set_mtime (header, moment, 0);
  gboolean written = archive_write_header (archive, header) == ARCHIVE_OK
                     && (length == 0 || archive_write_data (archive, data, length) == (la_ssize_t) length);
  archive_entry_free (header);
  return written;
}

static gboolean
write_entries (RbFileSet *self, struct archive *archive, gint64 moment, GError **error)
{
  gboolean good = TRUE;
  for (guint i = 0; good && i < self->entries->len; i++) {
    const Entry *entry = self->entries->pdata[i];
    g_autoptr (GBytes) bytes
      = entry->bytes != NULL ? g_bytes_ref (entry->bytes) : rb_files_map (entry->path, G_MAXSIZE, error);
    good = bytes != NULL && write_entry (archive, entry, bytes, moment);
  }
  return good;
}

gboolean
rb_file_set_write_tar (RbFileSet *self, const char *path, gint64 moment, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (RbSink) sink = rb_sink_open (path, 0644, error);
  if (sink == NULL)
    return FALSE;
  Target target = { sink, &failure };
  struct archive *archive = archive_write_new ();
  gboolean good = archive_write_set_format_pax_restricted (archive) == ARCHIVE_OK
                  && archive_write_set_bytes_in_last_block (archive, 1) == ARCHIVE_OK
                  && archive_write_open (archive, &target, NULL, write_to_sink, NULL) == ARCHIVE_OK
                  && write_entries (self, archive, moment, &failure) && archive_write_close (archive) == ARCHIVE_OK;
  if (!good && failure == NULL)
    rb_reason_deny (&failure, RB_OEM_ERROR, RB_REASON_IO, "%s: %s", path, archive_error_string (archive));
  archive_write_free (archive);
  if (good)
    return rb_sink_finish (sink, error);
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

gboolean
rb_file_set_write_folder (RbFileSet *self, const char *folder, GError **error)
{
  for (guint i = 0; i < self->entries->len; i++) {
    const Entry *entry = self->entries->pdata[i];
    g_autofree char *path = g_build_filename (folder, entry->name, NULL);
    g_autofree char *parent = g_path_get_dirname (path);
    if (entry->path != NULL)
      continue;
    if (!rb_files_make_folder (parent, error)
        || !(entry->private ? rb_files_write_private : rb_files_write) (path, entry->bytes, error))
      return FALSE;
  }
  return TRUE;
}
