/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/store-files.h"

#include "core/files.h"
#include "core/json.h"
#include "crypto/digest.h"

#include <string.h>

#define MAX_ROOT (1024 * 1024)
#define MAX_FILE (64 * 1024 * 1024)
#define COPY "copy"

static const char *const roles[] = { "timestamp", "snapshot" };

RbStoreFiles *
rb_store_files_new (void)
{
  RbStoreFiles *self = g_new0 (RbStoreFiles, 1);
  self->state = json_object ();
  self->files = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
  self->damaged = g_ptr_array_new_with_free_func (g_free);
  return self;
}

void
rb_store_files_free (RbStoreFiles *self)
{
  json_decref (self->state);
  g_clear_pointer (&self->root, g_bytes_unref);
  g_hash_table_unref (self->files);
  g_ptr_array_unref (self->damaged);
  g_free (self);
}

/* The digest of a state without its member "sha256". (transfer full) */
static char *
state_digest (const json_t *state)
{
  g_autoptr (json_t) copy = json_copy ((json_t *) state);
  json_object_del (copy, "sha256");
  g_autofree char *text = rb_json_to_text (copy);
  return rb_digest_sha256_hex (text, strlen (text));
}

/* NULL where it is not there, or not as it was written. */
static json_t *
read_state (const char *folder)
{
  g_autofree char *path = g_build_filename (folder, "versions.json", NULL);
  g_autoptr (json_t) state = rb_files_exists (path) ? rb_json_load (path, MAX_FILE, NULL) : NULL;
  g_autofree char *digest = json_is_object (state) ? state_digest (state) : NULL;
  return digest != NULL && g_strcmp0 (digest, rb_json_string_or (state, "sha256", NULL)) == 0 ? g_steal_pointer (&state)
                                                                                              : NULL;
}

static char *
root_name (gint64 version)
{
  return g_strdup_printf ("%" G_GINT64_FORMAT ".root.json", version);
}

static gint64
number_of (const char *name)
{
  return g_str_has_suffix (name, ".root.json") ? g_ascii_strtoll (name, NULL, 10) : 0;
}

static gint64
newest_number (char **names)
{
  gint64 newest = 0;
  for (guint i = 0; names[i] != NULL; i++)
    newest = MAX (newest, number_of (names[i]));
  return newest;
}

/* NULL where it is not there, or not those bytes. */
static GBytes *
read_exactly (const char *folder, const char *name, gsize max, const char *sha256)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autoptr (GBytes) bytes = rb_files_exists (path) ? rb_files_read (path, max, NULL) : NULL;
  g_autofree char *digest = bytes == NULL ? NULL : rb_digest_sha256_hex_of (bytes);
  return digest != NULL && g_strcmp0 (digest, sha256) == 0 ? g_steal_pointer (&bytes) : NULL;
}

/* From the store, else from its copy. */
static GBytes *
read_either (RbStoreFiles *self, const char *folder, const char *name, const char *copied_name, gsize max,
             const char *sha256)
{
  g_autofree char *copy = g_build_filename (folder, COPY, NULL);
  GBytes *bytes = read_exactly (folder, name, max, sha256);
  if (bytes == NULL)
    g_ptr_array_add (self->damaged, g_strdup (name));
  return bytes != NULL ? bytes : read_exactly (copy, copied_name, max, sha256);
}

static gboolean
damaged (const char *folder, const char *what, GError **error)
{
  return rb_reason_deny (error, RB_UPTANE_ERROR, RB_REASON_STORE_DAMAGED,
                         "%s: the store of trusted metadata is damaged: %s", folder, what);
}

/* A store that has accepted nothing yet beside its roots. */
static gboolean
read_first_root (RbStoreFiles *self, const char *folder, char **names, GError **error)
{
  gint64 newest = newest_number (names);
  if (g_strv_contains ((const char *const *) names, "versions.json")
      || g_strv_contains ((const char *const *) names, "timestamp.json")
      || g_strv_contains ((const char *const *) names, "snapshot.json"))
    return damaged (folder, "versions.json and its copy", error);
  if (newest == 0)
    return TRUE;
  g_autofree char *name = root_name (newest);
  g_autofree char *path = g_build_filename (folder, name, NULL);
  self->root = rb_files_read (path, MAX_ROOT, error);
  return self->root != NULL;
}

static gboolean
read_root (RbStoreFiles *self, const char *folder, GError **error)
{
  const json_t *entry = json_object_get (self->state, "root");
  g_autofree char *name = root_name (rb_json_integer_or (entry, "version", 0));
  if (entry == NULL)
    return TRUE;
  self->root = read_either (self, folder, name, "root.json", MAX_ROOT, rb_json_string_or (entry, "sha256", NULL));
  return self->root != NULL || damaged (folder, name, error);
}

/* A file that is damaged in both places is fetched again; its version is known. */
static void
read_role (RbStoreFiles *self, const char *folder, const char *role)
{
  const json_t *entry = json_object_get (json_object_get (self->state, "roles"), role);
  g_autofree char *name = g_strconcat (role, ".json", NULL);
  if (entry == NULL)
    return;
  GBytes *bytes = read_either (self, folder, name, name, MAX_FILE, rb_json_string_or (entry, "sha256", NULL));
  if (bytes != NULL)
    g_hash_table_insert (self->files, g_strdup (role), bytes);
}

/* The newer of both states; FALSE: neither is intact. */
static gboolean
choose_state (RbStoreFiles *self, const char *folder)
{
  g_autofree char *copy = g_build_filename (folder, COPY, NULL);
  g_autoptr (json_t) first = read_state (folder), second = read_state (copy);
  gboolean newer
    = first == NULL || rb_json_integer_or (second, "sequence", 0) > rb_json_integer_or (first, "sequence", 0);
  if (first == NULL && second == NULL)
    return FALSE;
  if (first == NULL)
    g_ptr_array_add (self->damaged, g_strdup ("versions.json"));
  json_decref (self->state);
  self->state = json_incref (newer ? second : first);
  return TRUE;
}

RbStoreFiles *
rb_store_files_read (const char *folder, GError **error)
{
  g_autoptr (RbStoreFiles) self = rb_store_files_new ();
  g_auto (GStrv) names = rb_files_list (folder, error);
  if (names == NULL)
    return NULL;
  if (!choose_state (self, folder))
    return read_first_root (self, folder, names, error) ? g_steal_pointer (&self) : NULL;
  if (!read_root (self, folder, error))
    return NULL;
  for (guint i = 0; i < G_N_ELEMENTS (roles); i++)
    read_role (self, folder, roles[i]);
  return g_steal_pointer (&self);
}

/* Nothing is written where the file is that already. */
static gboolean
write_file (const char *folder, const char *name, GBytes *bytes, GError **error)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autoptr (GBytes) before = rb_files_exists (path) ? rb_files_read (path, MAX_FILE, NULL) : NULL;
  return (before != NULL && g_bytes_equal (before, bytes)) || rb_files_write_private (path, bytes, error);
}

static gboolean
remove_file (const char *folder, const char *name, GError **error)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  return rb_files_remove_tree (path, error);
}

static gboolean
write_role (RbStoreFiles *self, const char *folder, const char *role, GError **error)
{
  GBytes *bytes = g_hash_table_lookup (self->files, role);
  g_autofree char *name = g_strconcat (role, ".json", NULL);
  return bytes == NULL ? remove_file (folder, name, error) : write_file (folder, name, bytes, error);
}

static gboolean
write_set (RbStoreFiles *self, const char *folder, const char *root, GError **error)
{
  g_autoptr (GBytes) state = rb_json_to_bytes (self->state);
  if (!rb_files_make_folder (folder, error) || (self->root != NULL && !write_file (folder, root, self->root, error)))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (roles); i++)
    if (!write_role (self, folder, roles[i], error))
      return FALSE;
  return write_file (folder, "versions.json", state, error);
}

static void
number_state (RbStoreFiles *self)
{
  rb_json_set_integer (self->state, "sequence", rb_json_integer_or (self->state, "sequence", 0) + 1);
  g_autofree char *digest = state_digest (self->state);
  rb_json_set_string (self->state, "sha256", digest);
}

/* A root that no state names was written before a power cut, and was not accepted. */
static gboolean
remove_newer_roots (const char *folder, gint64 newest, GError **error)
{
  g_auto (GStrv) names = rb_files_list (folder, error);
  for (guint i = 0; names != NULL && names[i] != NULL; i++)
    if (number_of (names[i]) > newest && !remove_file (folder, names[i], error))
      return FALSE;
  return names != NULL;
}

static void
sweep (const char *folder, const char *root)
{
  const char *const written[] = { "timestamp.json", "snapshot.json", "versions.json", root };
  for (guint i = 0; i < G_N_ELEMENTS (written); i++) {
    g_autofree char *path = g_build_filename (folder, written[i], NULL);
    rb_files_sweep (path);
  }
}

gboolean
rb_store_files_write_root (RbStoreFiles *self, const char *folder, gint64 version, GError **error)
{
  g_autofree char *name = root_name (version);
  number_state (self);
  return write_set (self, folder, name, error);
}

gboolean
rb_store_files_write (RbStoreFiles *self, const char *folder, GError **error)
{
  g_autofree char *copy = g_build_filename (folder, COPY, NULL);
  gint64 version = rb_json_integer_or (json_object_get (self->state, "root"), "version", 0);
  g_autofree char *name = root_name (version);
  number_state (self);
  if (!write_set (self, copy, "root.json", error) || !write_set (self, folder, name, error))
    return FALSE;
  sweep (folder, name);
  sweep (copy, "root.json");
  return remove_newer_roots (folder, version, error);
}
