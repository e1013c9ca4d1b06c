/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/dsse.h"

#include "core/bytes.h"
#include "core/json.h"
#include "crypto/digest.h"

#include <string.h>

#define MAX_SIGNATURES 16
#define MAX_CHAIN 8

typedef struct {
  char *keyid; /* unauthenticated, never used to decide */
  GBytes *signature;
  GPtrArray *chain; /* of RbCertificate, may be NULL */
} Signature;

struct _RbDsse {
  char *payload_type;
  GBytes *payload;
  GBytes *pae;
  char *digest;
  GPtrArray *signatures;
};

static void
signature_free (Signature *self)
{
  g_free (self->keyid);
  g_bytes_unref (self->signature);
  g_clear_pointer (&self->chain, g_ptr_array_unref);
  g_free (self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Signature, signature_free)

GBytes *
rb_dsse_pae (const char *payload_type, GBytes *payload)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  g_autofree char *head
    = g_strdup_printf ("DSSEv1 %zu %s %zu ", strlen (payload_type), payload_type, g_bytes_get_size (payload));
  rb_writer_data (out, head, strlen (head));
  rb_writer_bytes (out, payload);
  return g_byte_array_free_to_bytes (g_steal_pointer (&out));
}

RbDsse *
rb_dsse_new (const char *payload_type, GBytes *payload)
{
  RbDsse *self = g_new0 (RbDsse, 1);
  self->payload_type = g_strdup (payload_type);
  self->payload = g_bytes_ref (payload);
  self->pae = rb_dsse_pae (payload_type, payload);
  self->digest = rb_digest_sha256_hex_of (self->pae);
  self->signatures = g_ptr_array_new_with_free_func ((GDestroyNotify) signature_free);
  return self;
}

void
rb_dsse_free (RbDsse *self)
{
  g_free (self->payload_type);
  g_bytes_unref (self->payload);
  g_bytes_unref (self->pae);
  g_free (self->digest);
  g_ptr_array_unref (self->signatures);
  g_free (self);
}

void
rb_dsse_add (RbDsse *self, const char *keyid, GBytes *signature, GPtrArray *chain)
{
  Signature *added = g_new0 (Signature, 1);
  added->keyid = g_strdup (keyid);
  added->signature = g_bytes_ref (signature);
  added->chain = g_ptr_array_ref (chain);
  g_ptr_array_add (self->signatures, added);
}

static GPtrArray *
parse_chain (const json_t *list, GError **error)
{
  g_autoptr (GPtrArray) chain = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_certificate_unref);
  for (gsize i = 0; i < json_array_size (list); i++) {
    const char *text = json_string_value (json_array_get (list, i));
    g_autoptr (GBytes) der = text == NULL ? NULL : rb_bytes_from_base64 (text);
    RbCertificate *certificate = der == NULL || i >= MAX_CHAIN ? NULL : rb_certificate_from_der (der, error);
    if (certificate == NULL) {
      if (error != NULL && *error == NULL)
        g_set_error_literal (error, RB_CRYPTO_ERROR, RB_REASON_MALFORMED, "envelope: x5c is not a certificate chain");
      return NULL;
    }
    g_ptr_array_add (chain, certificate);
  }
  return g_steal_pointer (&chain);
}

static Signature *
parse_signature (const json_t *value, const json_t *chain, GError **error)
{
  const char *text = rb_json_string (value, "sig", "envelope signature", error);
  if (text == NULL)
    return NULL;
  g_autoptr (GBytes) bytes = rb_bytes_from_base64 (text);
  if (bytes == NULL) {
    g_set_error_literal (error, RB_CRYPTO_ERROR, RB_REASON_MALFORMED, "envelope: a signature is not base64");
    return NULL;
  }
  g_autoptr (GPtrArray) certificates = chain == NULL ? NULL : parse_chain (chain, error);
  if (chain != NULL && certificates == NULL)
    return NULL;
  Signature *self = g_new0 (Signature, 1);
  self->keyid = g_strdup (rb_json_string_or (value, "keyid", ""));
  self->signature = g_steal_pointer (&bytes);
  self->chain = g_steal_pointer (&certificates);
  return self;
}

static gboolean
parse_signatures (RbDsse *self, const json_t *envelope, GError **error)
{
  json_t *list = rb_json_array (envelope, "signatures", "envelope", error);
  if (list == NULL)
    return FALSE;
  if (json_array_size (list) > MAX_SIGNATURES) {
    g_set_error_literal (error, RB_CRYPTO_ERROR, RB_REASON_MALFORMED, "envelope: too many signatures");
    return FALSE;
  }
  json_t *chains = json_object_get (json_object_get (envelope, "verification"), "x5c");
  for (gsize i = 0; i < json_array_size (list); i++) {
    Signature *signature = parse_signature (json_array_get (list, i), json_array_get (chains, i), error);
    if (signature == NULL)
      return FALSE;
    g_ptr_array_add (self->signatures, signature);
  }
  return TRUE;
}

RbDsse *
rb_dsse_parse (GBytes *json, gsize max, GError **error)
{
  g_autoptr (json_t) envelope = rb_json_parse (json, max, "envelope", error);
  if (envelope == NULL)
    return NULL;
  const char *type = rb_json_string (envelope, "payloadType", "envelope", error);
  const char *text = type == NULL ? NULL : rb_json_string (envelope, "payload", "envelope", error);
  if (text == NULL)
    return NULL;
  g_autoptr (GBytes) payload = rb_bytes_from_base64 (text);
  if (payload == NULL) {
    g_set_error_literal (error, RB_CRYPTO_ERROR, RB_REASON_MALFORMED, "envelope: the payload is not base64");
    return NULL;
  }
  g_autoptr (RbDsse) self = rb_dsse_new (type, payload);
  if (!parse_signatures (self, envelope, error))
    return NULL;
  return g_steal_pointer (&self);
}

static json_t *
chain_to_json (GPtrArray *chain)
{
  json_t *list = json_array ();
  for (guint i = 0; chain != NULL && i < chain->len; i++) {
    g_autofree char *text = rb_bytes_to_base64 (rb_certificate_der (chain->pdata[i]));
    json_array_append_new (list, json_string (text));
  }
  return list;
}

GBytes *
rb_dsse_to_json (RbDsse *self)
{
  g_autoptr (json_t) envelope = json_object ();
  json_t *signatures = json_array ();
  json_t *chains = json_array ();
  for (guint i = 0; i < self->signatures->len; i++) {
    const Signature *signature = self->signatures->pdata[i];
    json_t *value = json_object ();
    g_autofree char *text = rb_bytes_to_base64 (signature->signature);
    rb_json_set_string (value, "keyid", signature->keyid);
    rb_json_set_string (value, "sig", text);
    json_array_append_new (signatures, value);
    json_array_append_new (chains, chain_to_json (signature->chain));
  }
  json_t *verification = json_object ();
  rb_json_set (verification, "x5c", chains);
  g_autofree char *payload = rb_bytes_to_base64 (self->payload);
  rb_json_set_string (envelope, "payloadType", self->payload_type);
  rb_json_set_string (envelope, "payload", payload);
  rb_json_set (envelope, "signatures", signatures);
  rb_json_set (envelope, "verification", verification);
  return rb_json_to_bytes (envelope);
}

const char *
rb_dsse_payload_type (RbDsse *self)
{
  return self->payload_type;
}

GBytes *
rb_dsse_payload (RbDsse *self)
{
  return self->payload;
}

const char *
rb_dsse_digest (RbDsse *self)
{
  return self->digest;
}

guint
rb_dsse_signature_count (RbDsse *self)
{
  return self->signatures->len;
}

GPtrArray *
rb_dsse_chain (RbDsse *self, guint i)
{
  const Signature *signature = self->signatures->pdata[i];
  return signature->chain != NULL && signature->chain->len > 0 ? signature->chain : NULL;
}

gboolean
rb_dsse_verify_with_key (RbDsse *self, guint i, RbPublicKey *key)
{
  const Signature *signature = self->signatures->pdata[i];
  gsize length = 0;
  gsize signature_length = 0;
  gconstpointer data = g_bytes_get_data (self->pae, &length);
  gconstpointer signature_data = g_bytes_get_data (signature->signature, &signature_length);
  return rb_key_verify (key, rb_key_public_scheme (key), data, length, signature_data, signature_length);
}

gboolean
rb_dsse_signature_is_valid (RbDsse *self, guint i)
{
  GPtrArray *chain = rb_dsse_chain (self, i);
  return chain != NULL && rb_dsse_verify_with_key (self, i, rb_certificate_key (chain->pdata[0]));
}
