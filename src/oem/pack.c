/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/pack.h"

#include "core/files.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdarg.h>
#include <string.h>

typedef struct {
  char *name;
  GBytes *bytes;
  gboolean private;
} Entry;

struct _RbPack {
  GPtrArray *entries; /* of Entry */
};

static void
entry_free (Entry *self)
{
  g_free (self->name);
  g_bytes_unref (self->bytes);
  g_free (self);
}

RbPack *
rb_pack_new (void)
{
  RbPack *self = g_new0 (RbPack, 1);
  self->entries = g_ptr_array_new_with_free_func ((GDestroyNotify) entry_free);
  return self;
}

void
rb_pack_free (RbPack *self)
{
  g_ptr_array_unref (self->entries);
  g_free (self);
}

void
rb_pack_add (RbPack *self, GBytes *bytes, const char *format, ...)
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
rb_pack_add_private (RbPack *self, GBytes *bytes, const char *name)
{
  rb_pack_add (self, bytes, "%s", name);
  ((Entry *) self->entries->pdata[self->entries->len - 1])->private = TRUE;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (a, b);
}

void
rb_pack_add_table (RbPack *self, GHashTable *files, const char *prefix)
{
  g_autoptr (GList) names = g_list_sort (g_hash_table_get_keys (files), compare_names);
  for (GList *i = names; i != NULL; i = i->next)
    rb_pack_add (self, g_hash_table_lookup (files, i->data), "%s/%s", prefix, (const char *) i->data);
}

static gboolean
archive_failed (struct archive *archive, const char *path, GError **error)
{
  g_set_error (error, RB_OEM_ERROR, RB_REASON_IO, "%s: %s", path, archive_error_string (archive));
  return FALSE;
}

static gboolean
write_entry (struct archive *archive, const Entry *entry, gint64 moment)
{
  gsize length = 0;
  gconstpointer data = g_bytes_get_data (entry->bytes, &length);
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

gboolean
rb_pack_write_tar (RbPack *self, const char *path, gint64 moment, GError **error)
{
  struct archive *archive = archive_write_new ();
  gboolean good = archive_write_set_format_pax_restricted (archive) == ARCHIVE_OK
                  && archive_write_open_filename (archive, path) == ARCHIVE_OK;
  for (guint i = 0; good && i < self->entries->len; i++)
    good = write_entry (archive, self->entries->pdata[i], moment);
  good = good && archive_write_close (archive) == ARCHIVE_OK;
  if (!good)
    archive_failed (archive, path, error);
  archive_write_free (archive);
  return good;
}

gboolean
rb_pack_write_folder (RbPack *self, const char *folder, GError **error)
{
  for (guint i = 0; i < self->entries->len; i++) {
    const Entry *entry = self->entries->pdata[i];
    g_autofree char *path = g_build_filename (folder, entry->name, NULL);
    g_autofree char *parent = g_path_get_dirname (path);
    if (!rb_files_make_folder (parent, error)
        || !(entry->private ? rb_files_write_private : rb_files_write) (path, entry->bytes, error))
      return FALSE;
  }
  return TRUE;
}
