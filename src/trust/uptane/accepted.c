/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/accepted.h"

#include "core/files.h"

struct _RbAccepted {
  char *folder;
  GHashTable *held; /* role → GBytes put, or NULL dropped; NULL: the folder is written */
};

static void
bytes_free (gpointer bytes)
{
  if (bytes != NULL)
    g_bytes_unref (bytes);
}

RbAccepted *
rb_accepted_new (const char *folder, gboolean in_memory)
{
  RbAccepted *self = g_new0 (RbAccepted, 1);
  self->folder = g_strdup (folder);
  self->held = in_memory ? g_hash_table_new_full (g_str_hash, g_str_equal, g_free, bytes_free) : NULL;
  return self;
}

void
rb_accepted_free (RbAccepted *self)
{
  if (self == NULL)
    return;
  g_clear_pointer (&self->held, g_hash_table_unref);
  g_free (self->folder);
  g_free (self);
}

/* TUF client specification §4: quoted as Python's quote(role, safe="") does. */
char *
rb_accepted_file_name (const char *role)
{
  g_autofree char *quoted = g_uri_escape_string (role, NULL, FALSE);
  return g_strconcat (quoted, ".json", NULL);
}

static char *
path_of (RbAccepted *self, const char *role)
{
  g_autofree char *name = rb_accepted_file_name (role);
  return g_build_filename (self->folder, name, NULL);
}

GBytes *
rb_accepted_get (RbAccepted *self, const char *role, gsize max, GError **error)
{
  gpointer held = NULL;
  if (self->held != NULL && g_hash_table_lookup_extended (self->held, role, NULL, &held))
    return held == NULL ? NULL : g_bytes_ref (held);
  if (self->folder == NULL)
    return NULL;
  g_autoptr (GError) failure = NULL;
  g_autofree char *path = path_of (self, role);
  GBytes *bytes = rb_files_read (path, max, &failure);
  if (bytes == NULL && rb_reason_of (failure) != RB_REASON_NOT_FOUND)
    g_propagate_error (error, g_steal_pointer (&failure));
  return bytes;
}

gboolean
rb_accepted_has (RbAccepted *self, const char *role)
{
  if (self->held != NULL && g_hash_table_contains (self->held, role))
    return g_hash_table_lookup (self->held, role) != NULL;
  g_autofree char *path = self->folder == NULL ? NULL : path_of (self, role);
  return path != NULL && rb_files_exists (path);
}

void
rb_accepted_hold (RbAccepted *self, const char *role, GBytes *bytes)
{
  g_hash_table_insert (self->held, g_strdup (role), g_bytes_ref (bytes));
}

gboolean
rb_accepted_put (RbAccepted *self, const char *role, GBytes *bytes, GError **error)
{
  if (self->held != NULL) {
    rb_accepted_hold (self, role, bytes);
    return TRUE;
  }
  g_autofree char *path = path_of (self, role);
  return rb_files_write_private (path, bytes, error);
}

gboolean
rb_accepted_drop (RbAccepted *self, const char *role, GError **error)
{
  if (self->held != NULL) {
    g_hash_table_insert (self->held, g_strdup (role), NULL);
    return TRUE;
  }
  g_autofree char *path = path_of (self, role);
  return rb_files_remove_tree (path, error);
}
