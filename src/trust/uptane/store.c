/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/store.h"

#include "core/files.h"
#include "core/json.h"
#include "uptane/form.h"
#include "uptane/store-files.h"

#include <string.h>

#define MAX_ROOT (1024 * 1024)

/* files->state: {"root": {"version", "sha256"}, "roles": {ROLE: {"version", "sha256"}}, "delegated": {"PARENT\nROLE":
 * {"version", "sha256", "keys"}}, "counters": {SERIAL: {"counter", "carrier", "keys"}}, "time"} */
struct _RbStore {
  char *folder; /* NULL: in memory only */
  RbStoreFiles *files;
  RbMetadata *root; /* files->root parsed */
  gboolean changed; /* since it was read or saved */
};

static json_t *
table (RbStore *self, const char *name)
{
  json_t *object = json_object_get (self->files->state, name);
  if (json_is_object (object))
    return object;
  rb_json_set (self->files->state, name, json_object ());
  return json_object_get (self->files->state, name);
}

/* Of a table that may not be there, and is not made. */
static const json_t *
entry_of (RbStore *self, const char *name, const char *key)
{
  return json_object_get (json_object_get (self->files->state, name), key);
}

static RbStore *
new_store (const char *folder, RbStoreFiles *files)
{
  RbStore *self = g_new0 (RbStore, 1);
  self->folder = g_strdup (folder);
  self->files = files;
  return self;
}

RbStore *
rb_store_new_in_memory (void)
{
  return new_store (NULL, rb_store_files_new ());
}

void
rb_store_free (RbStore *self)
{
  g_free (self->folder);
  rb_store_files_free (self->files);
  g_clear_pointer (&self->root, rb_metadata_free);
  g_free (self);
}

static gboolean
parse_root (RbStore *self, GError **error)
{
  if (self->files->root != NULL)
    self->root = rb_metadata_parse (self->files->root, RB_METADATA_ROOT, MAX_ROOT, error);
  return self->files->root == NULL || self->root != NULL;
}

static RbStore *
open_folder (const char *folder, GError **error)
{
  g_autoptr (GError) failure = NULL;
  RbStoreFiles *files = rb_files_make_folder (folder, error) ? rb_store_files_read (folder, error) : NULL;
  g_autoptr (RbStore) self = files == NULL ? NULL : new_store (folder, files);
  if (self == NULL)
    return NULL;
  if (!parse_root (self, &failure)) {
    rb_reason_deny (error, RB_UPTANE_ERROR, RB_REASON_STORE_DAMAGED, "the newest root: %s", failure->message);
    return NULL;
  }
  self->changed = files->damaged->len > 0;
  return g_steal_pointer (&self);
}

RbStore *
rb_store_open (const char *folder, GError **error)
{
  RbStore *self = open_folder (folder, error);
  if (self == NULL)
    g_prefix_error (error, "trusted metadata in %s: ", folder);
  return self;
}

GPtrArray *
rb_store_damaged (RbStore *self)
{
  return self->files->damaged;
}

gboolean
rb_store_save (RbStore *self, GError **error)
{
  if (self->folder != NULL && self->changed && !rb_store_files_write (self->files, self->folder, error))
    return FALSE;
  self->changed = FALSE;
  return TRUE;
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
  add_bytes (object, "root", self->files->root);
  add_bytes (object, "timestamp", rb_store_file (self, "timestamp"));
  add_bytes (object, "snapshot", rb_store_file (self, "snapshot"));
  rb_json_set (object, "versions", json_deep_copy (self->files->state));
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
  const json_t *versions = json_object_get (json, "versions");
  self->files->root = read_bytes (json, "root");
  if (!parse_root (self, error))
    return NULL;
  for (guint i = 0; i < G_N_ELEMENTS (files); i++) {
    GBytes *bytes = read_bytes (json, files[i]);
    if (bytes != NULL)
      g_hash_table_insert (self->files->files, g_strdup (files[i]), bytes);
  }
  if (json_is_object (versions)) {
    json_decref (self->files->state);
    self->files->state = json_deep_copy (versions);
  }
  return g_steal_pointer (&self);
}

gboolean
rb_store_has_root (RbStore *self)
{
  return self->root != NULL;
}

static json_t *
version_entry (const RbMetadata *metadata)
{
  json_t *entry = json_object ();
  rb_json_set_integer (entry, "version", metadata->version);
  rb_json_set_string (entry, "sha256", metadata->sha256);
  return entry;
}

static void
forget (RbStore *self, const char *role)
{
  json_object_del (table (self, "roles"), role);
  g_hash_table_remove (self->files->files, role);
}

gboolean
rb_store_add_root (RbStore *self, GBytes *root, const char *const *dropped, GError **error)
{
  g_autoptr (RbMetadata) parsed = rb_metadata_parse (root, RB_METADATA_ROOT, MAX_ROOT, error);
  if (parsed == NULL)
    return FALSE;
  for (guint i = 0; dropped != NULL && dropped[i] != NULL; i++)
    forget (self, dropped[i]);
  g_clear_pointer (&self->files->root, g_bytes_unref);
  self->files->root = g_bytes_ref (root);
  rb_json_set (self->files->state, "root", version_entry (parsed));
  if (self->folder != NULL && !rb_store_files_write_root (self->files, self->folder, parsed->version, error))
    return FALSE;
  self->changed = TRUE;
  g_clear_pointer (&self->root, rb_metadata_free);
  self->root = g_steal_pointer (&parsed);
  return TRUE;
}

/* A root that its own threshold has signed. */
static gboolean
check_self_signed (GBytes *root, GError **error)
{
  g_autoptr (RbMetadata) parsed = rb_metadata_parse (root, RB_METADATA_ROOT, MAX_ROOT, error);
  return parsed != NULL && rb_metadata_verify_by_root (parsed, parsed, "root", error);
}

gboolean
rb_store_anchor (RbStore *self, GBytes *root, GError **error)
{
  if (self->root != NULL)
    return TRUE;
  return check_self_signed (root, error) && rb_store_add_root (self, root, NULL, error) && rb_store_save (self, error);
}

static gboolean
remove_all (RbStore *self, GError **error)
{
  g_auto (GStrv) names = self->folder == NULL ? g_new0 (char *, 1) : rb_files_list (self->folder, error);
  for (guint i = 0; names != NULL && names[i] != NULL; i++) {
    g_autofree char *path = g_build_filename (self->folder, names[i], NULL);
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
  g_hash_table_remove_all (self->files->files);
  json_object_clear (self->files->state);
  return rb_store_add_root (self, root, NULL, error) && rb_store_save (self, error);
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
  return g_hash_table_lookup (self->files->files, role);
}

/* The role's name of a key of the table "delegated". */
static const char *
delegated_name (const char *delegation)
{
  const char *end = strchr (delegation, '\n');
  return end == NULL ? delegation : &end[1];
}

static const json_t *
newest_delegated (RbStore *self, const char *role)
{
  const json_t *newest = NULL;
  const char *delegation;
  json_t *entry;
  json_object_foreach (table (self, "delegated"), delegation, entry) {
    if (strcmp (delegated_name (delegation), role) == 0
        && (newest == NULL || rb_json_integer_or (entry, "version", 0) > rb_json_integer_or (newest, "version", 0)))
      newest = entry;
  }
  return newest;
}

gint64
rb_store_version (RbStore *self, const char *role, const char **sha256)
{
  const json_t *entry = rb_form_is_top_level (role) ? entry_of (self, "roles", role) : newest_delegated (self, role);
  if (sha256 != NULL)
    *sha256 = rb_json_string_or (entry, "sha256", NULL);
  return rb_json_integer_or (entry, "version", 0);
}

GStrv
rb_store_roles (RbStore *self)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  const char *name;
  json_t *value;
  json_object_foreach (table (self, "roles"), name, value) {
    g_strv_builder_add (names, name);
  }
  json_object_foreach (table (self, "delegated"), name, value) {
    if (g_hash_table_add (seen, (gpointer) delegated_name (name)))
      g_strv_builder_add (names, delegated_name (name));
  }
  return g_strv_builder_end (names);
}

/* Members of a table whose text, or whose key where member is NULL, names the role. */
static void
forget_by_role (RbStore *self, const char *name, const char *member, const char *role)
{
  json_t *object = table (self, name);
  const char *key;
  json_t *value;
  void *next;
  json_object_foreach_safe (object, next, key, value) {
    const char *carrier = member == NULL ? key : rb_json_string_or (value, member, "");
    if (strcmp (delegated_name (carrier), role) == 0)
      json_object_del (object, key);
  }
}

gboolean
rb_store_drop (RbStore *self, const char *role, GError **error)
{
  if (rb_form_is_top_level (role))
    forget (self, role);
  else
    forget_by_role (self, "delegated", NULL, role);
  forget_by_role (self, "counters", "carrier", role);
  self->changed = TRUE;
  return rb_store_save (self, error);
}

/* Sets a member, and notes whether it is news. */
static void
set (RbStore *self, const char *name, const char *key, json_t *entry)
{
  json_t *object = table (self, name);
  if (json_equal (json_object_get (object, key), entry)) {
    json_decref (entry);
    return;
  }
  rb_json_set (object, key, entry);
  self->changed = TRUE;
}

void
rb_store_accept (RbStore *self, const char *role, const RbMetadata *metadata)
{
  gboolean whole = metadata->type == RB_METADATA_TIMESTAMP || metadata->type == RB_METADATA_SNAPSHOT;
  set (self, "roles", role, version_entry (metadata));
  self->changed = self->changed || (whole && rb_store_file (self, role) == NULL); /* was damaged */
  if (whole)
    g_hash_table_insert (self->files->files, g_strdup (role), g_bytes_ref (metadata->bytes));
}

char *
rb_store_delegation (const char *parent, const char *role)
{
  g_autofree char *escaped = g_uri_escape_string (parent, NULL, FALSE); /* no other "\n" before the role */
  return g_strdup_printf ("%s\n%s", escaped, role);
}

void
rb_store_accept_delegated (RbStore *self, const char *parent, const char *role, const char *keys,
                           const RbMetadata *metadata)
{
  g_autofree char *delegation = rb_store_delegation (parent, role);
  json_t *entry = version_entry (metadata);
  rb_json_set_string (entry, "keys", keys);
  set (self, "delegated", delegation, entry);
}

gint64
rb_store_delegated (RbStore *self, const char *parent, const char *role, const char **keys)
{
  g_autofree char *delegation = rb_store_delegation (parent, role);
  const json_t *entry = entry_of (self, "delegated", delegation);
  if (keys != NULL)
    *keys = rb_json_string_or (entry, "keys", NULL);
  return rb_json_integer_or (entry, "version", 0);
}

const char *
rb_store_carrier_keys (RbStore *self, const char *carrier)
{
  return rb_json_string_or (entry_of (self, "delegated", carrier), "keys", NULL);
}

gint64
rb_store_counter (RbStore *self, const char *serial, const char **carrier, const char **keys)
{
  const json_t *entry = entry_of (self, "counters", serial);
  if (carrier != NULL)
    *carrier = rb_json_string_or (entry, "carrier", NULL);
  if (keys != NULL)
    *keys = rb_json_string_or (entry, "keys", NULL);
  return rb_json_integer_or (entry, "counter", -1);
}

void
rb_store_set_counter (RbStore *self, const char *serial, gint64 counter, const char *carrier, const char *keys)
{
  json_t *entry = json_object ();
  rb_json_set_integer (entry, "counter", counter);
  rb_json_set_string (entry, "carrier", carrier);
  rb_json_set_string (entry, "keys", keys);
  set (self, "counters", serial, entry);
}

gint64
rb_store_time (RbStore *self)
{
  return rb_json_integer_or (self->files->state, "time", 0);
}

void
rb_store_set_time (RbStore *self, gint64 moment)
{
  if (moment <= rb_store_time (self))
    return;
  rb_json_set_integer (self->files->state, "time", moment);
  self->changed = TRUE;
}
