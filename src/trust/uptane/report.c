/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/report.h"

#include "core/bytes.h"
#include "core/json.h"
#include "crypto/digest.h"

#include <string.h>

#define REPORT_MAX (1024 * 1024)
#define METHOD_CMAC "aes-cmac"

static const char *
method_of (RbPublicKey *key)
{
  switch (rb_key_public_type (key)) {
  case RB_KEY_ED25519: return "ed25519";
  case RB_KEY_EC_P256: return "ecdsa-p256";
  case RB_KEY_RSA: return "rsassa-pss-sha256";
  }
  return "";
}

static GBytes *
envelope_of (json_t *signed_part, const char *key_id, const char *method, GBytes *signature)
{
  g_autoptr (json_t) envelope = json_object ();
  g_autofree char *text = rb_bytes_to_base64 (signature);
  json_t *entry = json_object ();
  json_t *signatures = json_array ();
  rb_json_set_string (entry, "keyid", key_id);
  rb_json_set_string (entry, "method", method);
  rb_json_set_string (entry, "sig", text);
  json_array_append_new (signatures, entry);
  rb_json_set (envelope, "signatures", signatures);
  rb_json_set (envelope, "signed", json_incref (signed_part));
  return rb_json_to_bytes (envelope);
}

GBytes *
rb_report_sign (json_t *signed_part, RbPrivateKey *key, GError **error)
{
  g_autoptr (GBytes) message = rb_json_to_bytes (signed_part);
  g_autoptr (GBytes) signature = rb_key_sign (key, g_bytes_get_data (message, NULL), g_bytes_get_size (message), error);
  RbPublicKey *public = rb_key_private_public (key);
  return signature == NULL ? NULL : envelope_of (signed_part, rb_key_public_id (public), method_of (public), signature);
}

GBytes *
rb_report_mac (json_t *signed_part, const guint8 key[16], const char *key_id)
{
  guint8 mac[16];
  g_autoptr (GBytes) message = rb_json_to_bytes (signed_part);
  rb_digest_cmac (key, g_bytes_get_data (message, NULL), g_bytes_get_size (message), mac);
  g_autoptr (GBytes) signature = g_bytes_new (mac, sizeof mac);
  return envelope_of (signed_part, key_id, METHOD_CMAC, signature);
}

static gboolean
report_error (GError **error, RbReason reason, const char *text)
{
  return rb_reason_deny (error, RB_UPTANE_ERROR, reason, "report: %s", text);
}

static gboolean
signature_holds (json_t *signed_part, json_t *entry, RbPublicKey *key)
{
  if (strcmp (rb_json_string_or (entry, "keyid", ""), rb_key_public_id (key)) != 0
      || strcmp (rb_json_string_or (entry, "method", ""), method_of (key)) != 0)
    return FALSE;
  g_autoptr (GBytes) signature = rb_bytes_from_base64 (rb_json_string_or (entry, "sig", ""));
  g_autoptr (GBytes) message = rb_json_to_bytes (signed_part);
  return signature != NULL
         && rb_key_verify (key, rb_key_public_scheme (key), g_bytes_get_data (message, NULL),
                           g_bytes_get_size (message), g_bytes_get_data (signature, NULL),
                           g_bytes_get_size (signature));
}

static gboolean
is_of (json_t *signed_part, const char *serial, GError **error)
{
  const char *own
    = rb_json_string_or (signed_part, "ecu_serial", rb_json_string_or (signed_part, "primary_ecu_serial", ""));
  if (serial == NULL || strcmp (own, serial) == 0)
    return TRUE;
  return rb_reason_deny (error, RB_UPTANE_ERROR, RB_REASON_ECU_UNKNOWN, "report: it is of ECU “%s”, not of “%s”", own,
                         serial);
}

json_t *
rb_report_verify (GBytes *envelope, RbPublicKey *key, const char *serial, GError **error)
{
  g_autoptr (json_t) parsed = rb_json_parse (envelope, REPORT_MAX, "report", error);
  if (parsed == NULL || !rb_json_only (parsed, "report", error, "signatures", "signed", NULL))
    return NULL;
  json_t *signed_part = rb_json_object (parsed, "signed", "report", error);
  json_t *signatures = signed_part == NULL ? NULL : rb_json_array (parsed, "signatures", "report", error);
  if (signatures == NULL || !is_of (signed_part, serial, error))
    return NULL;
  if (json_array_size (signatures) != 1) {
    report_error (error, RB_REASON_MALFORMED, "it carries not exactly one signature");
    return NULL;
  }
  if (key != NULL && !signature_holds (signed_part, json_array_get (signatures, 0), key)) {
    report_error (error, RB_REASON_BAD_SIGNATURE, "its signature does not verify with the ECU's key");
    return NULL;
  }
  return json_incref (signed_part);
}

GBytes *
rb_report_manifest (const char *vin, const char *primary_serial, const char *nonce_hex, GHashTable *reports,
                    RbPrivateKey *key, GError **error)
{
  g_autoptr (json_t) part = json_object ();
  json_t *table = json_object ();
  GHashTableIter iter;
  gpointer serial, envelope;
  rb_json_set_string (part, "vin", vin);
  rb_json_set_string (part, "primary_ecu_serial", primary_serial);
  rb_json_set_string (part, "nonce", nonce_hex);
  rb_json_set (part, "ecu_version_manifests", table);
  g_hash_table_iter_init (&iter, reports);
  while (g_hash_table_iter_next (&iter, &serial, &envelope)) {
    json_t *report = rb_json_parse (envelope, REPORT_MAX, "report", error);
    if (report == NULL) {
      g_prefix_error (error, "%s: ", (const char *) serial);
      return NULL;
    }
    rb_json_set (table, serial, report);
  }
  return rb_report_sign (part, key, error);
}
