/* SPDX-License-Identifier: Apache-2.0 */
#include "record/proof-check.h"

#include "core/bytes.h"
#include "core/json.h"
#include "crypto/digest.h"
#include "crypto/dsse.h"
#include "crypto/key.h"
#include "record/predicate.h"
#include "uptane/report.h"

#include <string.h>

#define POP_TYPE "recallbay-pop-v1"
#define CMAC_LENGTH 16

static gboolean
proof_check_error (GError **error, RbReason reason, const json_t *ecu, const char *text)
{
  return rb_reason_deny (error, RB_RECORD_ERROR, reason, "ECU %s: %s", rb_json_string_or (ecu, "ecuSerial", ""), text);
}

static GBytes *
hex_member (const json_t *object, const char *member)
{
  const char *text = rb_json_string_or (object, member, NULL);
  return text == NULL ? NULL : rb_bytes_from_hex (text);
}

static GBytes *
base64_member (const json_t *object, const char *member)
{
  const char *text = rb_json_string_or (object, member, NULL);
  return text == NULL ? NULL : rb_bytes_from_base64 (text);
}

static void
add_text (GByteArray *out, const char *text)
{
  rb_writer_field16 (out, text, strlen (text));
}

/* What the ECU signed, written from the record alone: this car, this ECU, this key, this campaign, this challenge. */
static GBytes *
pop_message (const json_t *predicate, const json_t *ecu, GBytes *spki, GBytes *nonce, GBytes *challenge)
{
  guint8 spki_digest[RB_SHA256_LENGTH];
  g_autoptr (GByteArray) body = g_byte_array_new ();
  rb_digest_sha256 (g_bytes_get_data (spki, NULL), g_bytes_get_size (spki), spki_digest);
  add_text (body, rb_json_string_or (json_object_get (predicate, "vehicle"), "vin", ""));
  add_text (body, rb_json_string_or (ecu, "ecuSerial", ""));
  rb_writer_field16 (body, spki_digest, sizeof spki_digest);
  add_text (body, rb_json_string_or (json_object_get (predicate, "campaign"), "id", ""));
  rb_writer_field16 (body, g_bytes_get_data (nonce, NULL), g_bytes_get_size (nonce));
  rb_writer_field16 (body, g_bytes_get_data (challenge, NULL), g_bytes_get_size (challenge));
  g_autoptr (GBytes) payload = g_byte_array_free_to_bytes (g_steal_pointer (&body));
  return rb_dsse_pae (POP_TYPE, payload);
}

/* A SHE key is named she:SLOT:COUNTER, by the ECU too. */
static gboolean
check_she_key (const json_t *ecu, const json_t *entry, GError **error)
{
  const char *key_id = rb_json_string_or (entry, "newKeyId", "");
  g_autofree char *counter = g_strdup_printf (":%" G_GINT64_FORMAT, rb_json_integer_or (entry, "counter", -1));
  if (!g_str_has_prefix (key_id, "she:") || !g_str_has_suffix (key_id, counter))
    return proof_check_error (error, RB_REASON_KEY_NOT_PROVEN, ecu,
                              "the id of its SHE key does not name the slot's counter");
  if (g_strcmp0 (key_id, rb_json_string_or (json_object_get (ecu, "after"), "keyId", NULL)) != 0)
    return proof_check_error (error, RB_REASON_KEY_NOT_PROVEN, ecu, "the ECU names another key than the one it proved");
  return TRUE;
}

/* Gives the key an entry proves possession of; none when it claims no asymmetric one. */
static gboolean
check_key (const json_t *predicate, const json_t *ecu, RbPublicKey **key_out, GError **error)
{
  const json_t *entry = json_object_get (ecu, "key");
  if (strcmp (rb_json_string_or (entry, "kind", ""), "she") == 0 && rb_predicate_claims_done (ecu))
    return check_she_key (ecu, entry, error);
  if (strcmp (rb_json_string_or (entry, "kind", ""), "asymmetric") != 0
      || strcmp (rb_json_string_or (entry, "verified", ""), "yes") != 0)
    return TRUE;
  g_autoptr (GBytes) spki = base64_member (entry, "newPublicKey");
  g_autoptr (GBytes) pop = base64_member (entry, "pop");
  g_autoptr (GBytes) nonce = hex_member (entry, "nonce");
  g_autoptr (GBytes) challenge = hex_member (entry, "challenge");
  if (spki == NULL || pop == NULL || nonce == NULL || challenge == NULL)
    return proof_check_error (error, RB_REASON_KEY_NOT_PROVEN, ecu, "the proof of possession is not all there");
  g_autoptr (RbPublicKey) key = rb_key_public_from_spki (spki, NULL);
  if (key == NULL)
    return proof_check_error (error, RB_REASON_KEY_NOT_PROVEN, ecu, "the new public key cannot be parsed");
  if (g_strcmp0 (rb_key_public_id (key), rb_json_string_or (entry, "newKeyId", NULL)) != 0
      || g_strcmp0 (rb_key_public_id (key), rb_json_string_or (json_object_get (ecu, "after"), "keyId", NULL)) != 0)
    return proof_check_error (error, RB_REASON_KEY_NOT_PROVEN, ecu, "the ECU names another key than the one it proved");
  g_autoptr (GBytes) message = pop_message (predicate, ecu, spki, nonce, challenge);
  if (!rb_key_verify (key, rb_key_public_scheme (key), g_bytes_get_data (message, NULL), g_bytes_get_size (message),
                      g_bytes_get_data (pop, NULL), g_bytes_get_size (pop)))
    return proof_check_error (
      error, RB_REASON_KEY_NOT_PROVEN, ecu,
      "the proof of possession is not by the new key, for this vehicle, campaign and challenge");
  *key_out = g_steal_pointer (&key);
  return TRUE;
}

static gboolean
root_is_reported (const json_t *reported, const json_t *held)
{
  if (!json_is_object (held))
    return !json_is_object (reported);
  return json_equal (json_object_get (reported, "version"), json_object_get (held, "version"))
         && json_equal (json_object_get (reported, "sha256"), json_object_get (held, "sha256"));
}

static gboolean
text_is (const json_t *object, const char *member, const char *wanted)
{
  return wanted != NULL && g_strcmp0 (rb_json_string_or (object, member, NULL), wanted) == 0;
}

static gboolean
text_is_or_none (const json_t *object, const char *member, const char *wanted)
{
  return json_object_get (object, member) == NULL || text_is (object, member, wanted);
}

/* The ECU's state in a report, where the report states it. */
static gboolean
state_agrees (const json_t *ecu, const json_t *reported)
{
  const json_t *after = json_object_get (ecu, "after");
  return root_is_reported (json_object_get (reported, "director_root"), json_object_get (after, "directorRoot"))
         && root_is_reported (json_object_get (reported, "image_root"), json_object_get (after, "imageRoot"))
         && text_is_or_none (reported, "key_id", rb_json_string_or (after, "keyId", NULL))
         && text_is_or_none (reported, "hardware_id", rb_json_string_or (ecu, "hardwareId", NULL));
}

static gboolean
report_agrees (const json_t *predicate, const json_t *ecu, const json_t *reported, GError **error)
{
  const json_t *entry = json_object_get (ecu, "report"), *after = json_object_get (ecu, "after");
  const json_t *fileinfo = json_object_get (json_object_get (reported, "installed_image"), "fileinfo");
  if (!text_is (reported, "vin", rb_json_string_or (json_object_get (predicate, "vehicle"), "vin", NULL)))
    return proof_check_error (error, RB_REASON_REPORT_NOT_PROVEN, ecu, "its report is of another vehicle");
  if (!text_is (reported, "nonce", rb_json_string_or (entry, "nonce", NULL))
      || !text_is (reported, "challenge", rb_json_string_or (entry, "challenge", NULL)))
    return proof_check_error (error, RB_REASON_REPORT_NOT_PROVEN, ecu, "its report answers another question");
  if (!text_is (json_object_get (fileinfo, "hashes"), "sha256", rb_json_string_or (after, "imageSha256", NULL)))
    return proof_check_error (error, RB_REASON_REPORT_NOT_PROVEN, ecu, "its report names another image");
  if (!state_agrees (ecu, reported))
    return proof_check_error (error, RB_REASON_REPORT_NOT_PROVEN, ecu,
                              "its report names other roots, another key or other hardware");
  return TRUE;
}

/* The signature of a report that only the OEM can check: it is at least one by the method and the key that the entry
 * names. */
static gboolean
check_deferred (const json_t *ecu, GBytes *envelope, GError **error)
{
  const json_t *key = json_object_get (ecu, "key");
  gboolean she = strcmp (rb_json_string_or (key, "kind", ""), "she") == 0;
  g_autoptr (json_t) parsed = rb_json_parse (envelope, g_bytes_get_size (envelope), "report", NULL);
  const json_t *signature = json_array_get (json_object_get (parsed, "signatures"), 0);
  g_autoptr (GBytes) bytes = base64_member (signature, "sig");
  if (!text_is (signature, "keyid", rb_json_string_or (json_object_get (ecu, "after"), "keyId", NULL)))
    return proof_check_error (error, RB_REASON_REPORT_NOT_PROVEN, ecu,
                              "its report is by another key than the ECU names");
  if (bytes == NULL || g_bytes_get_size (bytes) == 0)
    return proof_check_error (error, RB_REASON_REPORT_NOT_PROVEN, ecu, "the signature of its report is missing");
  if (she && (!text_is (signature, "method", "aes-cmac") || g_bytes_get_size (bytes) != CMAC_LENGTH))
    return proof_check_error (error, RB_REASON_REPORT_NOT_PROVEN, ecu,
                              "the signature of its report is not an AES-CMAC");
  return TRUE;
}

static gboolean
check_report (const json_t *predicate, const json_t *ecu, RbPublicKey *key, GError **error)
{
  const json_t *entry = json_object_get (ecu, "report");
  const char *verified = rb_json_string_or (entry, "verified", "");
  gboolean deferred = strcmp (verified, "deferred") == 0;
  if (!deferred && strcmp (verified, "yes") != 0)
    return TRUE;
  if (!deferred && key == NULL)
    return proof_check_error (error, RB_REASON_REPORT_NOT_PROVEN, ecu, "no proven key could have signed its report");
  g_autoptr (GBytes) envelope = base64_member (entry, "envelope");
  if (envelope == NULL)
    return proof_check_error (error, RB_REASON_REPORT_NOT_PROVEN, ecu, "its report is not there");
  g_autoptr (GError) problem = NULL;
  g_autoptr (json_t) reported
    = rb_report_verify (envelope, deferred ? NULL : key, rb_json_string_or (ecu, "ecuSerial", ""), &problem);
  if (reported == NULL)
    return proof_check_error (error, RB_REASON_REPORT_NOT_PROVEN, ecu, problem->message);
  return (!deferred || check_deferred (ecu, envelope, error)) && report_agrees (predicate, ecu, reported, error);
}

gboolean
rb_proof_check_ecu (const json_t *predicate, const json_t *ecu, GError **error)
{
  g_autoptr (RbPublicKey) key = NULL;
  return check_key (predicate, ecu, &key, error) && check_report (predicate, ecu, key, error);
}

static const json_t *
find_primary (const json_t *predicate)
{
  return rb_predicate_entry (json_object_get (predicate, "ecus"), "role", "primary");
}

/* The manifest's report of an ECU that is done states what the entry states. */
static gboolean
quote_agrees (const json_t *ecu, const json_t *reported, GError **error)
{
  const json_t *fileinfo = json_object_get (json_object_get (reported, "installed_image"), "fileinfo");
  if (!json_is_object (reported))
    return proof_check_error (error, RB_REASON_REPORT_NOT_PROVEN, ecu,
                              "the vehicle version manifest has no report of it");
  if (!text_is (json_object_get (fileinfo, "hashes"), "sha256",
                rb_json_string_or (json_object_get (ecu, "after"), "imageSha256", NULL)))
    return proof_check_error (error, RB_REASON_REPORT_NOT_PROVEN, ecu,
                              "the vehicle version manifest names another image");
  if (!state_agrees (ecu, reported))
    return proof_check_error (error, RB_REASON_REPORT_NOT_PROVEN, ecu,
                              "the vehicle version manifest names other roots, another key or other hardware");
  return TRUE;
}

static gboolean
manifest_quotes (const json_t *predicate, const json_t *signed_part, const json_t *primary, GError **error)
{
  const json_t *quoted = json_object_get (signed_part, "ecu_version_manifests");
  size_t i;
  json_t *ecu;
  if (!text_is (signed_part, "vin", rb_json_string_or (json_object_get (predicate, "vehicle"), "vin", NULL)))
    return proof_check_error (error, RB_REASON_REPORT_NOT_PROVEN, primary,
                              "the vehicle version manifest is of another vehicle");
  json_array_foreach (json_object_get (predicate, "ecus"), i, ecu) {
    const json_t *report
      = json_object_get (json_object_get (quoted, rb_json_string_or (ecu, "ecuSerial", "")), "signed");
    if (rb_predicate_claims_done (ecu) && !quote_agrees (ecu, report, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
rb_proof_check_manifest (const json_t *predicate, const char **serial_out, GError **error)
{
  const json_t *primary = find_primary (predicate);
  g_autoptr (GBytes) manifest = base64_member (json_object_get (predicate, "vehicleManifest"), "after");
  g_autoptr (RbPublicKey) key = NULL;
  g_autoptr (GError) problem = NULL;
  const char *serial = rb_json_string_or (primary, "ecuSerial", "");
  if (serial_out != NULL)
    *serial_out = serial;
  if (primary == NULL)
    return TRUE;
  if (manifest == NULL)
    return proof_check_error (error, RB_REASON_REPORT_NOT_PROVEN, primary,
                              "it gave no vehicle version manifest after the work");
  if (!check_key (predicate, primary, &key, error))
    return FALSE;
  if (key == NULL)
    return TRUE;
  g_autoptr (json_t) signed_part = rb_report_verify (manifest, key, serial, &problem);
  if (signed_part == NULL)
    return proof_check_error (error, RB_REASON_REPORT_NOT_PROVEN, primary, problem->message);
  return manifest_quotes (predicate, signed_part, primary, error);
}

static void
add_subject (json_t *subjects, const char *name, const json_t *manifest, const char *member)
{
  g_autoptr (GBytes) bytes = base64_member (manifest, member);
  if (bytes == NULL)
    return;
  g_autofree char *sha256 = rb_digest_sha256_hex_of (bytes);
  json_t *digest = json_object (), *subject = json_object ();
  rb_json_set_string (digest, "sha256", sha256);
  rb_json_set_string (subject, "name", name);
  rb_json_set (subject, "digest", digest);
  json_array_append_new (subjects, subject);
}

json_t *
rb_proof_check_make_subjects (const json_t *predicate)
{
  const json_t *manifest = json_object_get (predicate, "vehicleManifest");
  json_t *subjects = json_array ();
  add_subject (subjects, "vvm-after", manifest, "after");
  add_subject (subjects, "vvm-before", manifest, "before");
  return subjects;
}

gboolean
rb_proof_check_subjects (const json_t *statement, const json_t *predicate, GError **error)
{
  g_autoptr (json_t) subjects = rb_proof_check_make_subjects (predicate);
  if (json_equal (subjects, json_object_get (statement, "subject")))
    return TRUE;
  g_set_error (error, RB_RECORD_ERROR, RB_REASON_RECORD_RESULT,
               "Record: its subjects are not the vehicle manifests in it");
  return FALSE;
}
