/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/store.h"

#include "core/files.h"
#include "core/json.h"
#include "uptane/metadata.h"

#include <string.h>

#define MAX_ROOT (1024 * 1024)
#define MAX_FILE (64 * 1024 * 1024)

struct _RbStore {
  char *folder; /* NULL: in memory only */
  RbMetadata *root;
  json_t *versions; /* {"roles": {ROLE: {"version","sha256"}}, "counters": {SERIAL: n}, "keys": {"PARENT\nROLE": fingerprint}} */
  GHashTable *files; /* "timestamp", "snapshot" → GBytes */
};

static char *
path_of (RbStore *self, const char *name)
{
  return g_build_filename (self->folder, name, NULL);
}

static gboolean
write_file (RbStore *self, const char *name, GBytes *bytes, GError **error)
{
  if (self->folder == NULL)
    return TRUE;
  g_autofree char *path = path_of (self, name);
  return rb_files_write_private (path, bytes, error);
}

static json_t *
table (RbStore *self, const char *name)
{
  json_t *object = json_object_get (self->versions, name);
  if (json_is_object (object))
    return object;
  rb_json_set (self->versions, name, json_object ());
  return json_object_get (self->versions, name);
}

/* The newest N.root.json; roots are only ever added, so the largest N counts. */
static gboolean
load_root (RbStore *self, GError **error)
{
  g_auto (GStrv) names = rb_files_list (self->folder, error);
  gint64 newest = 0;
  if (names == NULL)
    return FALSE;
  for (guint i = 0; names[i] != NULL; i++)
    if (g_str_has_suffix (names[i], ".root.json"))
      newest = MAX (newest, g_ascii_strtoll (names[i], NULL, 10));
  if (newest == 0)
    return TRUE;
  g_autofree char *name = g_strdup_printf ("%" G_GINT64_FORMAT ".root.json", newest);
  g_autofree char *path = path_of (self, name);
  g_autoptr (GBytes) bytes = rb_files_read (path, MAX_ROOT, error);
  if (bytes == NULL)
    return FALSE;
  self->root = rb_metadata_parse (bytes, RB_METADATA_ROOT, MAX_ROOT, error);
  return self->root != NULL;
}

static gboolean
load_file (RbStore *self, const char *role, GError **error)
{
  g_autofree char *name = g_strconcat (role, ".json", NULL);
  g_autofree char *path = path_of (self, name);
  if (!rb_files_exists (path))
    return TRUE;
  GBytes *bytes = rb_files_read (path, MAX_FILE, error);
  if (bytes == NULL)
    return FALSE;
  g_hash_table_insert (self->files, g_strdup (role), bytes);
  return TRUE;
}

static gboolean
load_versions (RbStore *self, GError **error)
{
  g_autofree char *path = path_of (self, "versions.json");
  self->versions = rb_files_exists (path) ? rb_json_load (path, MAX_FILE, error) : json_object ();
  return self->versions != NULL;
}

static RbStore *
new_store (const char *folder)
{
  RbStore *self = g_new0 (RbStore, 1);
  self->folder = g_strdup (folder);
  self->files = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
  return self;
}

RbStore *
rb_store_new_in_memory (void)
{
  RbStore *self = new_store (NULL);
  self->versions = json_object ();
  return self;
}

RbStore *
rb_store_open (const char *folder, GError **error)
{
  g_autoptr (RbStore) self = new_store (folder);
  if (!rb_files_make_folder (folder, error) || !load_root (self, error) || !load_file (self, "timestamp", error)
      || !load_file (self, "snapshot", error) || !load_versions (self, error)) {
    g_prefix_error (error, "trusted metadata in %s: ", folder);
    return NULL;
  }
  return g_steal_pointer (&self);
}

static void
add_bytes (json_t *object, const char *member, GBytes *bytes)
{
  gsize length = 0;
  const guint8 *data = bytes == NULL ? NULL : g_bytes_get_data (bytes, &length);
  g_autofree char *text = g_base64_encode (data, length);
  if (bytes != NULL)
    rb_json_set_string (object, member, text);
}

json_t *
rb_store_to_json (RbStore *self)
{
  json_t *object = json_object ();
  add_bytes (object, "root", self->root == NULL ? NULL : self->root->bytes);
  add_bytes (object, "timestamp", rb_store_file (self, "timestamp"));
  add_bytes (object, "snapshot", rb_store_file (self, "snapshot"));
  rb_json_set (object, "versions", json_deep_copy (self->versions));
  return object;
}

static GBytes *
read_bytes (const json_t *object, const char *member)
{
  const char *text = rb_json_string_or (object, member, NULL);
  gsize length = 0;
  guchar *data = text == NULL ? NULL : g_base64_decode (text, &length);
  return data == NULL ? NULL : g_bytes_new_take (data, length);
}

RbStore *
rb_store_from_json (const json_t *json, GError **error)
{
  static const char *const files[] = { "timestamp", "snapshot" };
  g_autoptr (RbStore) self = rb_store_new_in_memory ();
  g_autoptr (GBytes) root = read_bytes (json, "root");
  const json_t *versions = json_object_get (json, "versions");
  if (root != NULL && !rb_store_add_root (self, root, error))
    return NULL;
  for (guint i = 0; i < G_N_ELEMENTS (files); i++) {
    GBytes *bytes = read_bytes (json, files[i]);
    if (bytes != NULL)
      g_hash_table_insert (self->files, g_strdup (files[i]), bytes);
  }
  if (json_is_object (versions)) {
    json_decref (self->versions);
    self->versions = json_deep_copy (versions);
  }
  return g_steal_pointer (&self);
}

void
rb_store_free (RbStore *self)
{
  g_free (self->folder);
  g_clear_pointer (&self->root, rb_metadata_free);
  json_decref (self->versions);
  g_hash_table_unref (self->files);
  g_free (self);
}

gboolean
rb_store_has_root (RbStore *self)
{
  return self->root != NULL;
}

gboolean
rb_store_add_root (RbStore *self, GBytes *root, GError **error)
{
  g_autoptr (RbMetadata) parsed = rb_metadata_parse (root, RB_METADATA_ROOT, MAX_ROOT, error);
  if (parsed == NULL)
    return FALSE;
  g_autofree char *name = g_strdup_printf ("%" G_GINT64_FORMAT ".root.json", parsed->version);
  if (!write_file (self, name, root, error))
    return FALSE;
  g_clear_pointer (&self->root, rb_metadata_free);
  self->root = g_steal_pointer (&parsed);
  return TRUE;
}

/* A root that its own threshold has signed. */
static gboolean
check_self_signed (GBytes *root, GError **error)
{
  g_autoptr (RbMetadata) parsed = rb_metadata_parse (root, RB_METADATA_ROOT, MAX_ROOT, error);
  g_autoptr (RbMetadataRole) role = parsed == NULL ? NULL : rb_metadata_root_role (parsed, "root", error);
  if (parsed != NULL && role == NULL && error != NULL && *error == NULL)
    g_set_error_literal (error, RB_UPTANE_ERROR, RB_REASON_MALFORMED, "root: it names no root role");
  return role != NULL && rb_metadata_verify (parsed, role, error);
}

gboolean
rb_store_anchor (RbStore *self, GBytes *root, GError **error)
{
  if (self->root != NULL)
    return TRUE;
  return check_self_signed (root, error) && rb_store_add_root (self, root, error);
}

static gboolean
save_versions (RbStore *self, GError **error)
{
  g_autoptr (GBytes) bytes = rb_json_to_bytes (self->versions);
  return write_file (self, "versions.json", bytes, error);
}

static gboolean
remove_file (RbStore *self, const char *role, GError **error)
{
  g_hash_table_remove (self->files, role);
  if (self->folder == NULL)
    return TRUE;
  g_autofree char *name = g_strconcat (role, ".json", NULL);
  g_autofree char *path = path_of (self, name);
  return rb_files_remove_tree (path, error);
}

gboolean
rb_store_drop (RbStore *self, const char *role, GError **error)
{
  json_object_del (table (self, "roles"), role);
  /* release counters fall with the Director's targets, which carried them */
  if (strcmp (role, "targets") == 0)
    json_object_clear (table (self, "counters"));
  return remove_file (self, role, error) && save_versions (self, error);
}

static gboolean
remove_all (RbStore *self, GError **error)
{
  g_auto (GStrv) names = self->folder == NULL ? g_new0 (char *, 1) : rb_files_list (self->folder, error);
  for (guint i = 0; names != NULL && names[i] != NULL; i++) {
    g_autofree char *path = path_of (self, names[i]);
    if (!rb_files_remove_tree (path, error))
      return FALSE;
  }
  return names != NULL;
}

gboolean
rb_store_reanchor (RbStore *self, GBytes *root, GError **error)
{
  if (!check_self_signed (root, error) || !remove_all (self, error))
    return FALSE;
  g_hash_table_remove_all (self->files);
  json_object_clear (self->versions);
  return rb_store_add_root (self, root, error);
}

const RbMetadata *
rb_store_root_metadata (RbStore *self)
{
  return self->root;
}

gint64
rb_store_root_version (RbStore *self)
{
  return self->root == NULL ? 0 : self->root->version;
}

const char *
rb_store_root_sha256 (RbStore *self)
{
  return self->root == NULL ? NULL : self->root->sha256;
}

GBytes *
rb_store_file (RbStore *self, const char *role)
{
  return g_hash_table_lookup (self->files, role);
}

gint64
rb_store_version (RbStore *self, const char *role, const char **sha256)
{
  const json_t *entry = json_object_get (table (self, "roles"), role);
  if (sha256 != NULL)
    *sha256 = rb_json_string_or (entry, "sha256", NULL);
  return rb_json_integer_or (entry, "version", 0);
}

GStrv
rb_store_roles (RbStore *self)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  const char *name;
  json_t *value;
  json_object_foreach (table (self, "roles"), name, value) {
    g_strv_builder_add (names, name);
  }
  return g_strv_builder_end (names);
}

gboolean
rb_store_accept (RbStore *self, const char *role, const RbMetadata *metadata, GError **error)
{
  json_t *entry = json_object ();
  rb_json_set_integer (entry, "version", metadata->version);
  rb_json_set_string (entry, "sha256", metadata->sha256);
  rb_json_set (table (self, "roles"), role, entry);
  if (metadata->type == RB_METADATA_TIMESTAMP || metadata->type == RB_METADATA_SNAPSHOT) {
    g_autofree char *name = g_strconcat (role, ".json", NULL);
    g_hash_table_insert (self->files, g_strdup (role), g_bytes_ref (metadata->bytes));
    if (!write_file (self, name, metadata->bytes, error))
      return FALSE;
  }
  return save_versions (self, error);
}

gint64
rb_store_counter (RbStore *self, const char *serial)
{
  return rb_json_integer_or (table (self, "counters"), serial, -1);
}

gboolean
rb_store_set_counter (RbStore *self, const char *serial, gint64 counter, GError **error)
{
  rb_json_set_integer (table (self, "counters"), serial, counter);
  return save_versions (self, error);
}

const char *
rb_store_keys (RbStore *self, const char *delegation)
{
  return rb_json_string_or (table (self, "keys"), delegation, NULL);
}

gboolean
rb_store_set_keys (RbStore *self, const char *delegation, const char *fingerprint, GError **error)
{
  rb_json_set_string (table (self, "keys"), delegation, fingerprint);
  return save_versions (self, error);
}
