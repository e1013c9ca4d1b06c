/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/proof.h"

#include "core/bytes.h"
#include "core/json.h"
#include "crypto/digest.h"
#include "crypto/key.h"
#include "uptane/report.h"

#include <string.h>

#define SHE_ANSWER 48 /* M4 and M5 */

gboolean
rb_proof_image (GBytes *image, GBytes *nonce, const char *digest)
{
  g_autoptr (RbSha256) hash = rb_digest_sha256_new ();
  rb_digest_sha256_update (hash, g_bytes_get_data (nonce, NULL), g_bytes_get_size (nonce));
  rb_digest_sha256_update (hash, g_bytes_get_data (image, NULL), g_bytes_get_size (image));
  g_autofree char *expected = rb_digest_sha256_finish (hash);
  return g_strcmp0 (expected, digest) == 0;
}

char *
rb_proof_possession (const RbCampaign *campaign, const char *vin, const char *serial, GBytes *spki, GBytes *challenge,
                     GBytes *proof)
{
  g_autoptr (RbPublicKey) key = rb_key_public_from_spki (spki, NULL);
  if (key == NULL)
    return NULL;
  g_autoptr (GBytes) message = rb_campaign_pop_message (campaign, vin, serial, spki, challenge);
  gboolean good = rb_key_verify (key, rb_key_public_scheme (key), g_bytes_get_data (message, NULL),
                                 g_bytes_get_size (message), g_bytes_get_data (proof, NULL), g_bytes_get_size (proof));
  return good ? g_strdup (rb_key_public_id (key)) : NULL;
}

static gboolean
append_hex (GByteArray *out, const json_t *update, const char *member, gsize length)
{
  g_autoptr (GBytes) bytes = rb_bytes_from_hex (rb_json_string_or (update, member, ""));
  if (bytes == NULL || g_bytes_get_size (bytes) != length)
    return FALSE;
  rb_writer_bytes (out, bytes);
  return TRUE;
}

GBytes *
rb_proof_she_request (const json_t *update)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  if (!append_hex (out, update, "m1", 16) || !append_hex (out, update, "m2", 32) || !append_hex (out, update, "m3", 16))
    return NULL;
  return g_byte_array_free_to_bytes (g_steal_pointer (&out));
}

gboolean
rb_proof_she_answer (const json_t *update, GBytes *answer)
{
  if (g_bytes_get_size (answer) < SHE_ANSWER)
    return FALSE;
  g_autoptr (GBytes) m45 = g_bytes_new_from_bytes (answer, 0, SHE_ANSWER);
  g_autofree char *digest = rb_digest_sha256_hex_of (m45);
  return strcmp (rb_json_string_or (update, "answer_sha256", ""), digest) == 0;
}

gboolean
rb_proof_she (const json_t *update, guint slot, gint64 counter, GBytes *answer)
{
  return answer != NULL && rb_json_integer_or (update, "slot", -1) == slot
         && rb_json_integer_or (update, "counter", -1) == counter && rb_proof_she_answer (update, answer);
}

static gboolean
hex_is (const json_t *part, const char *member, GBytes *bytes)
{
  g_autofree char *hex = rb_bytes_hex (bytes);
  return strcmp (rb_json_string_or (part, member, ""), hex) == 0;
}

static gboolean
proof_error (GError **error, const char *serial, const char *text)
{
  return rb_reason_deny (error, RB_RECOVERY_ERROR, RB_REASON_REPORT_NOT_PROVEN, "ECU %s: its report %s", serial, text);
}

gboolean
rb_proof_report (GBytes *report, GBytes *spki, const char *vin, const char *serial, const char *image_sha256,
                 GBytes *nonce, GBytes *challenge, GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autoptr (RbPublicKey) key = spki == NULL ? NULL : rb_key_public_from_spki (spki, &problem);
  if (spki != NULL && key == NULL)
    return proof_error (error, serial, "is by an unusable key");
  g_autoptr (json_t) part = rb_report_verify (report, key, serial, &problem);
  if (part == NULL) {
    g_debug ("%s", problem->message);
    return proof_error (error, serial, "is not signed by its new key");
  }
  const json_t *fileinfo = json_object_get (json_object_get (part, "installed_image"), "fileinfo");
  if (strcmp (rb_json_string_or (part, "vin", ""), vin) != 0)
    return proof_error (error, serial, "is of another vehicle");
  if (!hex_is (part, "nonce", nonce) || !hex_is (part, "challenge", challenge))
    return proof_error (error, serial, "answers another question");
  if (strcmp (rb_json_string_or (json_object_get (fileinfo, "hashes"), "sha256", ""), image_sha256) != 0)
    return proof_error (error, serial, "names another image");
  return TRUE;
}
