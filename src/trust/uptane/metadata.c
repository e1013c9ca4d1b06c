/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/metadata.h"

#include "core/bytes.h"
#include "core/json.h"
#include "crypto/digest.h"
#include "uptane/canonical.h"
#include "uptane/form.h"

#include <stdlib.h>
#include <string.h>

#define MAX_THRESHOLD 1000
#define IN_PLACE_MIN (256 * 1024)
#define THREAD_MIN (1024 * 1024)
#define HEAD_MAX (256 * 1024) /* of what becomes a tree before it is authentic */

typedef struct {
  RbPublicKey *key;
  char *scheme; /* lower case, "" when the key names none */
} RoleKey;

static const char *const type_names[] = { "root", "timestamp", "snapshot", "targets" };

static gboolean
metadata_error (GError **error, RbReason reason, const char *format, const char *name)
{
  return rb_reason_deny (error, RB_UPTANE_ERROR, reason, "%s: %s", name, format);
}

static gboolean
check_signatures (const json_t *envelope, const char *what, GError **error)
{
  json_t *list = rb_json_array (envelope, "signatures", what, error);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  if (list == NULL)
    return FALSE;
  for (gsize i = 0; i < json_array_size (list); i++) {
    const char *id = rb_json_string (json_array_get (list, i), "keyid", what, error);
    if (id == NULL)
      return FALSE;
    if (!g_hash_table_add (seen, (gpointer) id))
      return metadata_error (error, RB_REASON_DUPLICATE_SIGNATURE, "two signatures under one key id", what);
  }
  return TRUE;
}

static gboolean
read_common (RbMetadata *self, GError **error)
{
  const char *what = type_names[self->type];
  const char *type = rb_json_string (self->signed_part, "_type", what, error);
  if (type == NULL)
    return FALSE;
  if (g_ascii_strcasecmp (type, what) != 0)
    return metadata_error (error, RB_REASON_WRONG_TYPE, "a file of another role", what);
  self->uptane_dialect = g_ascii_isupper (type[0]);
  return rb_json_integer (self->signed_part, "version", 0, G_MAXINT64 >> 10, &self->version, what, error)
         && rb_json_moment (self->signed_part, "expires", &self->expires, what, error);
}

static gboolean
translate (GError **error, GError *failure)
{
  if (failure == NULL)
    return TRUE;
  g_set_error_literal (error, RB_UPTANE_ERROR, (int) rb_reason_of (failure), failure->message);
  g_error_free (failure);
  return FALSE;
}

static const char *
table_name (const RbMetadata *self)
{
  return self->type == RB_METADATA_ROOT ? NULL : self->type == RB_METADATA_TARGETS ? "targets" : "meta";
}

static gboolean
scan_large (RbMetadata *self, gsize max, GError **error)
{
  gsize length = g_bytes_get_size (self->bytes);
  if (length > max)
    return metadata_error (error, RB_REASON_TOO_LARGE, "larger than anything of its kind", type_names[self->type]);
  if (length < IN_PLACE_MIN)
    return TRUE;
  self->scan = rb_scan_new (self->bytes, table_name (self), error);
  if (self->scan == NULL)
    g_prefix_error (error, "%s: ", type_names[self->type]);
  return self->scan != NULL;
}

static gboolean
check_form (const RbMetadata *self, GError **error)
{
  return (self->type != RB_METADATA_ROOT || rb_form_check_root (self->signed_part, error))
         && (self->type != RB_METADATA_TARGETS || rb_form_check_targets (self->signed_part, error));
}

/* What has to be known of a large file before it is authentic. */
static gboolean
read_head (RbMetadata *self, GError **error)
{
  const char *what = type_names[self->type];
  g_autoptr (GBytes) text = rb_scan_head (self->scan);
  if (g_bytes_get_size (text) > HEAD_MAX)
    return metadata_error (error, RB_REASON_TOO_LARGE, "its signatures are larger than anything of their kind", what);
  self->envelope = rb_json_parse (text, HEAD_MAX, what, error);
  self->signed_part = self->envelope == NULL ? NULL : rb_json_object (self->envelope, "signed", what, error);
  self->is_head = TRUE;
  return self->signed_part != NULL && read_common (self, error) && check_signatures (self->envelope, what, error);
}

static gboolean
read_tree (RbMetadata *self, gsize max, GError **error)
{
  const char *what = type_names[self->type];
  g_autoptr (GBytes) text = self->scan == NULL ? g_bytes_ref (self->bytes) : rb_scan_rest (self->scan);
  self->envelope = rb_json_parse (text, max, what, error);
  self->signed_part = self->envelope == NULL ? NULL : rb_json_object (self->envelope, "signed", what, error);
  return self->signed_part != NULL && read_common (self, error) && check_signatures (self->envelope, what, error)
         && check_form (self, error);
}

static gboolean
read_all (RbMetadata *self, gsize max, gboolean whole, GError **error)
{
  return scan_large (self, max, error)
         && (self->scan != NULL && !whole ? read_head (self, error) : read_tree (self, max, error));
}

/* The tree of an authentic file of which only the head was read. */
static gboolean
complete (RbMetadata *self, GError **error)
{
  GError *failure = NULL;
  if (!self->is_head)
    return TRUE;
  g_autoptr (GBytes) text = rb_scan_signed_rest (self->scan);
  json_t *part = rb_json_parse (text, G_MAXSIZE, type_names[self->type], &failure);
  if (part != NULL)
    json_object_set_new (self->envelope, "signed", part);
  self->signed_part = part;
  self->is_head = part == NULL || !check_form (self, &failure);
  return !self->is_head || translate (error, failure);
}

static gpointer
digest_of (gpointer bytes)
{
  return rb_digest_sha256_hex_of (bytes);
}

/* A large file's digest is taken while it is read. */
static gboolean
read_and_digest (RbMetadata *self, gsize max, gboolean whole, GError **error)
{
  gsize length = g_bytes_get_size (self->bytes);
  GThread *thread = length >= THREAD_MIN && length <= max ? g_thread_new ("digest", digest_of, self->bytes) : NULL;
  gboolean good = read_all (self, max, whole, error);
  if (thread != NULL)
    self->sha256 = g_thread_join (thread);
  else if (good)
    self->sha256 = digest_of (self->bytes);
  return good;
}

static RbMetadata *
read_file (GBytes *bytes, RbMetadataType type, gsize max, gboolean whole, GError **error)
{
  g_autoptr (RbMetadata) self = g_new0 (RbMetadata, 1);
  GError *failure = NULL;
  self->bytes = g_bytes_ref (bytes);
  self->type = type;
  if (!read_and_digest (self, max, whole, &failure)) {
    translate (error, failure);
    return NULL;
  }
  return g_steal_pointer (&self);
}

RbMetadata *
rb_metadata_parse (GBytes *bytes, RbMetadataType type, gsize max, GError **error)
{
  return read_file (bytes, type, max, TRUE, error);
}

RbMetadata *
rb_metadata_read (GBytes *bytes, RbMetadataType type, gsize max, GError **error)
{
  return read_file (bytes, type, max, FALSE, error);
}

void
rb_metadata_free (RbMetadata *self)
{
  g_bytes_unref (self->bytes);
  g_free (self->sha256);
  json_decref (self->envelope);
  g_clear_pointer (&self->scan, rb_scan_free);
  g_free (self);
}

static gboolean
each_small_form (const json_t *value, RbMetadataFormFunc func, gpointer data)
{
  g_autoptr (GPtrArray) forms = rb_canonical_forms (value);
  for (guint i = 0; i < forms->len; i++)
    if (func (forms->pdata[i], data))
      return TRUE;
  return FALSE;
}

/* Of a large file, one after another is made and gone. */
static gboolean
each_large_form (const RbMetadata *self, gboolean whole, gboolean by_utf16, RbMetadataFormFunc func, gpointer data)
{
  g_autoptr (GBytes) first = rb_scan_form_a (self->scan, whole, by_utf16);
  for (RbCanonical form = RB_CANONICAL_A; first != NULL && form <= RB_CANONICAL_C; form++) {
    g_autoptr (GBytes) bytes = rb_canonical_from_form_a (first, form);
    if (func (bytes, data))
      return TRUE;
  }
  return FALSE;
}

static gboolean
each_form (const RbMetadata *self, gboolean whole, RbMetadataFormFunc func, gpointer data)
{
  if (self->scan == NULL)
    return each_small_form (whole ? self->envelope : self->signed_part, func, data);
  g_autoptr (GBytes) in_place = whole ? rb_scan_envelope (self->scan) : rb_scan_signed (self->scan);
  gboolean plain = rb_scan_is_plain (self->scan, whole) && in_place != NULL;
  if (in_place != NULL && func (in_place, data))
    return TRUE;
  return !plain
         && (each_large_form (self, whole, FALSE, func, data)
             || (rb_scan_is_wide (self->scan) && each_large_form (self, whole, TRUE, func, data)));
}

gboolean
rb_metadata_each_form (const RbMetadata *self, RbMetadataFormFunc func, gpointer data)
{
  return each_form (self, TRUE, func, data);
}

static json_t *
table_of (const RbMetadata *self)
{
  return table_name (self) == NULL ? NULL : json_object_get (self->signed_part, table_name (self));
}

static json_t *
scanned_value (const RbMetadata *self, guint index)
{
  g_autoptr (GBytes) text = rb_scan_value (self->scan, index);
  gsize length = 0;
  const char *data = g_bytes_get_data (text, &length);
  json_t *value = json_loadb (data, length, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
  g_assert (value != NULL);
  return value;
}

/* Of a scanned file, what was asked for is kept in the table that is otherwise empty. */
const json_t *
rb_metadata_entry (const RbMetadata *self, const char *name)
{
  guint index = 0;
  json_t *table = table_of (self);
  const json_t *known = json_object_get (table, name);
  if (known != NULL || self->scan == NULL || !rb_scan_find (self->scan, name, &index))
    return known;
  rb_json_set (table, name, scanned_value (self, index));
  return json_object_get (table, name);
}

gboolean
rb_metadata_each_entry (const RbMetadata *self, RbMetadataEntryFunc func, gpointer data)
{
  const char *key;
  json_t *value;
  for (guint i = 0; self->scan != NULL && i < rb_scan_size (self->scan); i++) {
    g_autofree char *name = rb_scan_name (self->scan, i);
    g_autoptr (json_t) entry = scanned_value (self, i);
    if (!func (name, entry, data))
      return FALSE;
  }
  if (self->scan != NULL)
    return TRUE;
  json_object_foreach (table_of (self), key, value) {
    if (!func (key, value, data))
      return FALSE;
  }
  return TRUE;
}

char *
rb_metadata_illegal_role (GBytes *bytes)
{
  g_autoptr (json_t) envelope = rb_json_parse (bytes, g_bytes_get_size (bytes), "metadata", NULL);
  return rb_form_illegal_role (json_object_get (envelope, "signed"));
}

static void
role_key_free (gpointer data)
{
  RoleKey *self = data;
  rb_key_public_unref (self->key);
  g_free (self->scheme);
  g_free (self);
}

static RbPublicKey *
key_from_hex (const char *text)
{
  g_autoptr (GBytes) raw = rb_bytes_from_hex (text);
  if (raw == NULL)
    return NULL;
  gsize length = 0;
  gconstpointer data = g_bytes_get_data (raw, &length);
  if (length == 32)
    return rb_key_public_from_ed25519 (data, length, NULL);
  if (length == 33 || length == 65)
    return rb_key_public_from_p256_point (data, length, NULL);
  return rb_key_public_from_spki (raw, NULL);
}

static RbPublicKey *
key_from_json (const json_t *object)
{
  const char *text = rb_json_string_or (json_object_get (object, "keyval"), "public", NULL);
  if (text == NULL)
    return NULL;
  return strstr (text, "-----BEGIN") != NULL ? rb_key_public_from_pem (text, NULL) : key_from_hex (text);
}

static void
add_key (RbMetadataRole *self, const json_t *keys, const char *id)
{
  const json_t *object = json_object_get (keys, id);
  RbPublicKey *key = object == NULL ? NULL : key_from_json (object);
  if (object == NULL)
    g_hash_table_add (self->absent, g_strdup (id));
  if (key == NULL) {
    g_debug ("key %s cannot be used", id);
    return;
  }
  RoleKey *entry = g_new0 (RoleKey, 1);
  entry->key = key;
  entry->scheme = g_ascii_strdown (rb_json_string_or (object, "scheme", ""), -1);
  g_hash_table_insert (self->keys, g_strdup (id), entry);
}

RbMetadataRole *
rb_metadata_role_new (const json_t *keys, const json_t *role, GError **error)
{
  json_t *ids = rb_json_array (role, "keyids", "role", error);
  if (ids == NULL)
    return NULL;
  RbMetadataRole *self = g_new0 (RbMetadataRole, 1);
  self->keys = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, role_key_free);
  self->absent = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->threshold = rb_json_integer_or (role, "threshold", MAX_THRESHOLD);
  for (gsize i = 0; i < json_array_size (ids); i++) {
    const char *id = json_string_value (json_array_get (ids, i));
    if (id != NULL && !g_hash_table_contains (self->keys, id))
      add_key (self, keys, id);
  }
  return self;
}

void
rb_metadata_role_free (RbMetadataRole *self)
{
  g_hash_table_unref (self->keys);
  g_hash_table_unref (self->absent);
  g_free (self);
}

static GHashTable *
distinct_keys (const RbMetadataRole *self)
{
  GHashTable *set = g_hash_table_new (g_str_hash, g_str_equal);
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, self->keys);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    g_hash_table_add (set, (gpointer) rb_key_public_id (((RoleKey *) value)->key));
  return set;
}

gboolean
rb_metadata_role_same_keys (const RbMetadataRole *a, const RbMetadataRole *b)
{
  g_autoptr (GHashTable) left = distinct_keys (a);
  g_autoptr (GHashTable) right = distinct_keys (b);
  GHashTableIter iter;
  gpointer id;
  if (g_hash_table_size (left) != g_hash_table_size (right))
    return FALSE;
  g_hash_table_iter_init (&iter, left);
  while (g_hash_table_iter_next (&iter, &id, NULL))
    if (!g_hash_table_contains (right, id))
      return FALSE;
  return TRUE;
}

GPtrArray *
rb_metadata_role_keys (const RbMetadataRole *self)
{
  GPtrArray *keys = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_key_public_unref);
  g_autoptr (GHashTable) met = g_hash_table_new (g_str_hash, g_str_equal);
  GHashTableIter iter;
  gpointer entry;
  g_hash_table_iter_init (&iter, self->keys);
  while (g_hash_table_iter_next (&iter, NULL, &entry)) {
    RbPublicKey *key = ((RoleKey *) entry)->key;
    if (g_hash_table_add (met, (gpointer) rb_key_public_id (key)))
      g_ptr_array_add (keys, rb_key_public_ref (key));
  }
  return keys;
}

static int
compare_ids (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

char *
rb_metadata_role_fingerprint (const RbMetadataRole *self)
{
  g_autoptr (GHashTable) keys = distinct_keys (self);
  guint n = 0;
  g_autofree gpointer *ids = g_hash_table_get_keys_as_array (keys, &n);
  g_autoptr (GString) text = g_string_new (NULL);
  qsort (ids, n, sizeof *ids, compare_ids);
  for (guint i = 0; i < n; i++)
    g_string_append_printf (text, "%s\n", (const char *) ids[i]);
  return rb_digest_sha256_hex (text->str, text->len);
}

RbMetadataRole *
rb_metadata_root_role (const RbMetadata *root, const char *name, GError **error)
{
  const json_t *role = json_object_get (json_object_get (root->signed_part, "roles"), name);
  if (role == NULL) {
    metadata_error (error, RB_REASON_MALFORMED, "it names no keys for this role", "root");
    return NULL;
  }
  return rb_metadata_role_new (json_object_get (root->signed_part, "keys"), role, error);
}

/* The scheme of a signature: the key's, else the signature's method, else the usual one of such keys. */
static RbScheme
scheme_of (const RoleKey *key, const json_t *signature)
{
  static const struct {
    const char *name;
    RbScheme scheme;
  } names[] = { { "ed25519", RB_SCHEME_ED25519 },
                { "rsassa-pss", RB_SCHEME_RSASSA_PSS_SHA256 },
                { "rsassa-pss-sha256", RB_SCHEME_RSASSA_PSS_SHA256 },
                { "rsassa-pss-sha384", RB_SCHEME_RSASSA_PSS_SHA384 },
                { "rsassa-pss-sha512", RB_SCHEME_RSASSA_PSS_SHA512 },
                { "rsa-pkcs1v15-sha256", RB_SCHEME_RSA_PKCS1V15_SHA256 },
                { "ecdsa-sha2-nistp256", RB_SCHEME_ECDSA_P256_SHA256 },
                { "ecprime256v1", RB_SCHEME_ECDSA_P256_SHA512 } };
  g_autofree char *method = g_ascii_strdown (rb_json_string_or (signature, "method", ""), -1);
  const char *wanted = key->scheme[0] != '\0' ? key->scheme : method;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (strcmp (names[i].name, wanted) == 0)
      return names[i].scheme;
  return rb_key_public_scheme (key->key);
}

/* Hex or base64, told apart by the length that the key demands; ECDSA is hex when all of it is hex. */
static GBytes *
signature_bytes (const RoleKey *key, const char *text)
{
  gsize length = strlen (text);
  gboolean is_hex = length > 0 && length % 2 == 0 && strspn (text, "0123456789abcdefABCDEF") == length;
  if (rb_key_public_type (key->key) == RB_KEY_ED25519)
    is_hex = is_hex && length == 128;
  return is_hex ? rb_bytes_from_hex (text) : rb_bytes_from_base64 (text);
}

/* A signature under a key of the role; good once it verifies in any form. */
typedef struct {
  const RoleKey *key;
  const json_t *entry;
  GBytes *bytes; /* NULL: cannot be read */
  gboolean good;
} Signature;

static void
signature_clear (gpointer data)
{
  Signature *self = data;
  g_clear_pointer (&self->bytes, g_bytes_unref);
}

static GArray *
signatures_of (const RbMetadata *self, const RbMetadataRole *role)
{
  const json_t *list = json_object_get (self->envelope, "signatures");
  GArray *signatures = g_array_new (FALSE, TRUE, sizeof (Signature));
  g_array_set_clear_func (signatures, signature_clear);
  for (gsize i = 0; i < json_array_size (list); i++) {
    Signature signature = { .entry = json_array_get (list, i) };
    const char *text = rb_json_string_or (signature.entry, "sig", "");
    signature.key = g_hash_table_lookup (role->keys, rb_json_string_or (signature.entry, "keyid", ""));
    if (signature.key == NULL || text[0] == '\0')
      continue;
    signature.bytes = signature_bytes (signature.key, text);
    g_array_append_val (signatures, signature);
  }
  return signatures;
}

typedef struct {
  GArray *signatures;
  GHashTable *signers; /* ids of public keys; borrowed */
  gint64 threshold;
} Count;

static gboolean
signature_verifies (const Signature *signature, GBytes *form)
{
  gsize length = 0, message_length = 0;
  gconstpointer message = g_bytes_get_data (form, &message_length);
  gconstpointer data = signature->bytes == NULL ? NULL : g_bytes_get_data (signature->bytes, &length);
  return data != NULL
         && rb_key_verify (signature->key->key, scheme_of (signature->key, signature->entry), message, message_length,
                           data, length);
}

/* (RbMetadataFormFunc) TRUE: enough have signed. */
static gboolean
count_signers (GBytes *form, gpointer data)
{
  Count *count = data;
  for (guint i = 0; i < count->signatures->len; i++) {
    Signature *signature = &g_array_index (count->signatures, Signature, i);
    signature->good = signature->good || signature_verifies (signature, form);
    if (signature->good)
      g_hash_table_add (count->signers, (gpointer) rb_key_public_id (signature->key->key));
  }
  return (gint64) g_hash_table_size (count->signers) >= count->threshold;
}

/* A signature by a key id that the role lists and no key has is a reason of its own, apart from too few signatures. */
static RbReason
why_unmet (const RbMetadata *self, const RbMetadataRole *role, GArray *signatures)
{
  const json_t *list = json_object_get (self->envelope, "signatures");
  for (guint i = 0; i < signatures->len; i++)
    if (!g_array_index (signatures, Signature, i).good)
      return RB_REASON_BAD_SIGNATURE;
  for (gsize i = 0; i < json_array_size (list); i++)
    if (g_hash_table_contains (role->absent, rb_json_string_or (json_array_get (list, i), "keyid", "")))
      return RB_REASON_BAD_KEY_ID;
  return RB_REASON_THRESHOLD_UNMET;
}

gboolean
rb_metadata_verify (RbMetadata *self, const RbMetadataRole *role, GError **error)
{
  g_autoptr (GHashTable) signers = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GArray) signatures = signatures_of (self, role);
  Count count = { signatures, signers, role->threshold };
  if (signatures->len > 0 && each_form (self, FALSE, count_signers, &count))
    return complete (self, error);
  g_set_error (error, RB_UPTANE_ERROR, (int) why_unmet (self, role, signatures),
               "%s version %" G_GINT64_FORMAT ": %u valid signatures, threshold is %" G_GINT64_FORMAT,
               type_names[self->type], self->version, g_hash_table_size (signers), role->threshold);
  return FALSE;
}

gboolean
rb_metadata_verify_by_root (RbMetadata *self, const RbMetadata *root, const char *role, GError **error)
{
  g_autoptr (RbMetadataRole) keys = rb_metadata_root_role (root, role, error);
  return keys != NULL && rb_metadata_verify (self, keys, error);
}

GPtrArray *
rb_metadata_signers (const RbMetadata *self, const RbMetadataRole *role)
{
  g_autoptr (GHashTable) ids = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GArray) signatures = signatures_of (self, role);
  Count count = { signatures, ids, G_MAXINT64 };
  g_autoptr (GPtrArray) keys = rb_metadata_role_keys (role);
  GPtrArray *signers = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_key_public_unref);
  if (signatures->len > 0)
    each_form (self, FALSE, count_signers, &count);
  for (guint i = 0; i < keys->len; i++)
    if (g_hash_table_contains (ids, rb_key_public_id (keys->pdata[i])))
      g_ptr_array_add (signers, rb_key_public_ref (keys->pdata[i]));
  return signers;
}
