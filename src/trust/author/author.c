/* SPDX-License-Identifier: Apache-2.0 */
#include "author/author.h"

#include "core/bytes.h"
#include "core/json.h"
#include "core/moment.h"
#include "crypto/digest.h"

#include <string.h>

#define VERSION_MAX (((gint64) 1 << 31) - 2)
#define ENVELOPE_MAX (64 * 1024 * 1024)
#define SPEC_VERSION "1.0.31"

/* OLPC form: only '"' and '\' stay escaped. jansson has sorted, compacted and escaped already. */
static GBytes *
without_escapes (const char *text)
{
  GString *out = g_string_new (NULL);
  for (gsize i = 0; text[i] != '\0'; i++) {
    if (text[i] != '\\' || text[i + 1] == '"' || text[i + 1] == '\\') {
      g_string_append_c (out, text[i]);
      if (text[i] == '\\')
        g_string_append_c (out, text[++i]);
      continue;
    }
    switch (text[++i]) {
    case 'n': g_string_append_c (out, '\n'); break;
    case 'r': g_string_append_c (out, '\r'); break;
    case 't': g_string_append_c (out, '\t'); break;
    case 'b': g_string_append_c (out, '\b'); break;
    case 'f': g_string_append_c (out, '\f'); break;
    default: /* \u00XX: the other control characters */
      g_string_append_c (out, (char) (16 * g_ascii_xdigit_value (text[i + 3]) + g_ascii_xdigit_value (text[i + 4])));
      i += 4;
    }
  }
  return g_string_free_to_bytes (out);
}

static GBytes *
canonical (RbDialect dialect, const json_t *value)
{
  if (dialect == RB_DIALECT_UPTANE)
    return rb_json_to_bytes (value);
  g_autofree char *text = rb_json_to_text (value);
  return without_escapes (text);
}

static const char *
key_type_name (RbDialect dialect, RbKeyType type)
{
  switch (type) {
  case RB_KEY_ED25519: return dialect == RB_DIALECT_TUF ? "ed25519" : "ED25519";
  case RB_KEY_RSA: return dialect == RB_DIALECT_TUF ? "rsa" : "RSA";
  case RB_KEY_EC_P256: return dialect == RB_DIALECT_TUF ? "ecdsa" : "ECPRIME256V1";
  }
  return "";
}

static const char *
scheme_name (RbKeyType type)
{
  switch (type) {
  case RB_KEY_ED25519: return "ed25519";
  case RB_KEY_RSA: return "rsassa-pss-sha256";
  case RB_KEY_EC_P256: return "ecdsa-sha2-nistp256";
  }
  return "";
}

static char *
key_text (RbDialect dialect, RbPublicKey *key)
{
  if (rb_key_public_type (key) == RB_KEY_ED25519) {
    g_autoptr (GBytes) raw = rb_key_public_ed25519 (key);
    return rb_bytes_hex (raw);
  }
  if (dialect == RB_DIALECT_UPTANE && rb_key_public_type (key) == RB_KEY_EC_P256)
    return rb_bytes_hex (rb_key_public_spki (key));
  return rb_key_public_pem (key);
}

static json_t *
key_object (RbDialect dialect, RbPublicKey *key)
{
  g_autofree char *text = key_text (dialect, key);
  json_t *object = json_object ();
  json_t *value = json_object ();
  rb_json_set_string (value, "public", text);
  rb_json_set_string (object, "keytype", key_type_name (dialect, rb_key_public_type (key)));
  rb_json_set (object, "keyval", value);
  if (dialect == RB_DIALECT_TUF)
    rb_json_set_string (object, "scheme", scheme_name (rb_key_public_type (key)));
  return object;
}

char *
rb_author_key_id (RbDialect dialect, RbPublicKey *key)
{
  if (dialect == RB_DIALECT_UPTANE)
    return g_strdup (rb_key_public_id (key));
  g_autoptr (json_t) object = key_object (dialect, key);
  g_autoptr (GBytes) bytes = canonical (dialect, object);
  return rb_digest_sha256_hex_of (bytes);
}

/* Adds keys to the table of key objects and gives the list of their ids. */
static json_t *
key_ids (RbDialect dialect, GPtrArray *keys, json_t *table)
{
  json_t *ids = json_array ();
  for (guint i = 0; i < keys->len; i++) {
    g_autofree char *id = rb_author_key_id (dialect, keys->pdata[i]);
    rb_json_set (table, id, key_object (dialect, keys->pdata[i]));
    json_array_append_new (ids, json_string (id));
  }
  return ids;
}

static json_t *
signed_part_new (RbDialect dialect, const char *type, gint64 version, gint64 expires)
{
  g_autofree char *own_type = g_strdup (type);
  json_t *part = json_object ();
  if (dialect == RB_DIALECT_TUF) {
    own_type[0] = g_ascii_tolower (own_type[0]);
    rb_json_set_string (part, "spec_version", SPEC_VERSION);
  }
  rb_json_set_string (part, "_type", own_type);
  rb_json_set_integer (part, "version", version);
  rb_json_set_moment (part, "expires", expires);
  return part;
}

json_t *
rb_author_root (RbDialect dialect, gint64 version, gint64 expires, const RbAuthorRole *roles, guint n)
{
  json_t *part = signed_part_new (dialect, "Root", version, expires);
  json_t *keys = json_object ();
  json_t *table = json_object ();
  for (guint i = 0; i < n; i++) {
    json_t *role = json_object ();
    rb_json_set (role, "keyids", key_ids (dialect, roles[i].keys, keys));
    rb_json_set_integer (role, "threshold", roles[i].threshold);
    rb_json_set (table, roles[i].name, role);
  }
  rb_json_set_boolean (part, "consistent_snapshot", FALSE);
  rb_json_set (part, "keys", keys);
  rb_json_set (part, "roles", table);
  return part;
}

static json_t *
strings (const char *const *list)
{
  json_t *array = json_array ();
  for (guint i = 0; list != NULL && list[i] != NULL; i++)
    json_array_append_new (array, json_string (list[i]));
  return array;
}

static json_t *
delegations_object (RbDialect dialect, const RbAuthorDelegation *delegations, guint n)
{
  json_t *keys = json_object ();
  json_t *roles = json_array ();
  for (guint i = 0; i < n; i++) {
    json_t *role = json_object ();
    rb_json_set_string (role, "name", delegations[i].name);
    rb_json_set (role, "keyids", key_ids (dialect, delegations[i].keys, keys));
    rb_json_set_integer (role, "threshold", delegations[i].threshold);
    rb_json_set (role, "paths", strings ((const char *const *) delegations[i].paths));
    rb_json_set_boolean (role, "terminating", delegations[i].terminating);
    if (delegations[i].hardware_ids != NULL)
      rb_json_set (role, "hardwareIds", strings ((const char *const *) delegations[i].hardware_ids));
    json_array_append_new (roles, role);
  }
  json_t *object = json_object ();
  rb_json_set (object, "keys", keys);
  rb_json_set (object, "roles", roles);
  return object;
}

json_t *
rb_author_targets (RbDialect dialect, gint64 version, gint64 expires, json_t *targets,
                   const RbAuthorDelegation *delegations, guint n, json_t *extra)
{
  json_t *part = signed_part_new (dialect, "Targets", version, expires);
  rb_json_set (part, "targets", json_incref (targets));
  if (n > 0)
    rb_json_set (part, "delegations", delegations_object (dialect, delegations, n));
  if (extra != NULL)
    json_object_update_missing (part, extra);
  return part;
}

static json_t *
file_object (GBytes *bytes)
{
  g_autofree char *sha256 = rb_digest_sha256_hex_of (bytes);
  json_t *object = json_object ();
  json_t *hashes = json_object ();
  rb_json_set_string (hashes, "sha256", sha256);
  rb_json_set (object, "hashes", hashes);
  rb_json_set_integer (object, "length", (gint64) g_bytes_get_size (bytes));
  return object;
}

json_t *
rb_author_target (GBytes *image, json_t *custom)
{
  json_t *object = file_object (image);
  if (custom != NULL)
    rb_json_set (object, "custom", json_incref (custom));
  return object;
}

/* An entry of "meta": the file's own version, length and hash. The files were made here, so a malformed one is a bug.
 */
static json_t *
meta_object (GBytes *envelope)
{
  g_autoptr (json_t) parsed = rb_json_parse (envelope, ENVELOPE_MAX, "metadata", NULL);
  g_assert (parsed != NULL);
  json_t *object = file_object (envelope);
  rb_json_set_integer (object, "version", rb_json_integer_or (json_object_get (parsed, "signed"), "version", 0));
  return object;
}

json_t *
rb_author_snapshot (RbDialect dialect, gint64 version, gint64 expires, GHashTable *files)
{
  json_t *part = signed_part_new (dialect, "Snapshot", version, expires);
  json_t *meta = json_object ();
  GHashTableIter iter;
  gpointer name, envelope;
  g_hash_table_iter_init (&iter, files);
  while (g_hash_table_iter_next (&iter, &name, &envelope))
    rb_json_set (meta, name, meta_object (envelope));
  rb_json_set (part, "meta", meta);
  return part;
}

json_t *
rb_author_timestamp (RbDialect dialect, gint64 version, gint64 expires, GBytes *snapshot)
{
  json_t *part = signed_part_new (dialect, "Timestamp", version, expires);
  json_t *meta = json_object ();
  rb_json_set (meta, "snapshot.json", meta_object (snapshot));
  rb_json_set (part, "meta", meta);
  return part;
}

gboolean
rb_author_check (RbDialect dialect, const json_t *part, GPtrArray *keys, GError **error)
{
  gint64 version = rb_json_integer_or (part, "version", 0);
  if (version < 1 || version > VERSION_MAX) {
    g_set_error (error, RB_UPTANE_ERROR, RB_REASON_MALFORMED,
                 "version %" G_GINT64_FORMAT " is not within 1…%" G_GINT64_FORMAT ": nothing could come after it",
                 version, VERSION_MAX);
    return FALSE;
  }
  for (guint i = 0; i < keys->len; i++)
    if (dialect == RB_DIALECT_UPTANE && rb_key_public_type (keys->pdata[i]) == RB_KEY_EC_P256) {
      g_set_error (error, RB_UPTANE_ERROR, RB_REASON_UNSUPPORTED,
                   "ECUs in the field refuse metadata that names an ECDSA key: sign with Ed25519 or RSA");
      return FALSE;
    }
  return TRUE;
}

GBytes *
rb_author_message (RbDialect dialect, const json_t *part)
{
  return canonical (dialect, part);
}

json_t *
rb_author_signature (RbDialect dialect, RbPublicKey *public, GBytes *signature)
{
  g_autofree char *id = rb_author_key_id (dialect, public);
  g_autofree char *text = dialect == RB_DIALECT_TUF ? rb_bytes_hex (signature) : rb_bytes_to_base64 (signature);
  json_t *object = json_object ();
  rb_json_set_string (object, "keyid", id);
  rb_json_set_string (object, "sig", text);
  if (dialect == RB_DIALECT_UPTANE)
    rb_json_set_string (object, "method", scheme_name (rb_key_public_type (public)));
  return object;
}

GBytes *
rb_author_envelope (json_t *part, json_t *signatures)
{
  g_autoptr (json_t) envelope = json_object ();
  rb_json_set (envelope, "signatures", json_incref (signatures));
  rb_json_set (envelope, "signed", json_incref (part));
  return rb_json_to_bytes (envelope);
}

static json_t *
signature_object (RbDialect dialect, GBytes *message, RbPrivateKey *key, GError **error)
{
  g_autoptr (GBytes) signature = rb_key_sign (key, g_bytes_get_data (message, NULL), g_bytes_get_size (message), error);
  return signature == NULL ? NULL : rb_author_signature (dialect, rb_key_private_public (key), signature);
}

static gboolean
is_repeated (GPtrArray *keys, guint index)
{
  for (guint i = 0; i < index; i++)
    if (rb_key_public_equal (rb_key_private_public (keys->pdata[i]), rb_key_private_public (keys->pdata[index])))
      return TRUE;
  return FALSE;
}

static GPtrArray *
public_halves (GPtrArray *keys)
{
  GPtrArray *halves = g_ptr_array_new ();
  for (guint i = 0; i < keys->len; i++)
    g_ptr_array_add (halves, rb_key_private_public (keys->pdata[i]));
  return halves;
}

GBytes *
rb_author_sign (RbDialect dialect, json_t *signed_part, GPtrArray *keys, GError **error)
{
  g_autoptr (GPtrArray) halves = public_halves (keys);
  if (!rb_author_check (dialect, signed_part, halves, error))
    return NULL;
  g_autoptr (GBytes) message = canonical (dialect, signed_part);
  g_autoptr (json_t) signatures = json_array ();
  for (guint i = 0; i < keys->len; i++) {
    json_t *signature = is_repeated (keys, i) ? NULL : signature_object (dialect, message, keys->pdata[i], error);
    if (signature != NULL)
      json_array_append_new (signatures, signature);
    else if (!is_repeated (keys, i))
      return NULL;
  }
  return rb_author_envelope (signed_part, signatures);
}
