/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/intake-config.h"

#include "core/bytes.h"
#include "core/json.h"
#include "crypto/digest.h"
#include "keymaker/keygen.h"

#include <string.h>

#define LOG_ORIGIN "recall.aurora-motors.example/log"
#define NOTE_ED25519 0x01

/* NAME+HASH+KEY of a signed note's verifier (C2SP signed-note). */
static char *
verifier_key (const char *name, RbPublicKey *key)
{
  guint8 digest[RB_SHA256_LENGTH];
  g_autoptr (GBytes) raw = rb_key_public_ed25519 (key);
  g_autoptr (GByteArray) typed = g_byte_array_new ();
  rb_writer_u8 (typed, NOTE_ED25519);
  rb_writer_bytes (typed, raw);
  g_autoptr (GByteArray) named = g_byte_array_new ();
  rb_writer_data (named, name, strlen (name));
  rb_writer_u8 (named, '\n');
  rb_writer_data (named, typed->data, typed->len);
  rb_digest_sha256 (named->data, named->len, digest);
  g_autofree char *hash = rb_bytes_to_hex (digest, 4);
  g_autofree char *text = g_base64_encode (typed->data, typed->len);
  return g_strdup_printf ("%s+%s+%s", name, hash, text);
}

json_t *
rb_intake_config_new (const RbPki *pki, const char *oem, json_t *she_keys, GError **error)
{
  g_autoptr (RbPrivateKey) log_key = rb_keygen_new (RB_KEY_ED25519, error);
  if (log_key == NULL)
    return NULL;
  g_autofree char *pem = rb_key_private_pem (log_key, NULL);
  g_autofree char *vkey = verifier_key (LOG_ORIGIN, rb_key_private_public (log_key));
  json_t *config
    = json_pack ("{s:s,s:s,s:{s:s,s:s},s:s,s:s,s:s,s:s,s:{s:s,s:s,s:s},s:O}", "format", "recallbay-intake-1", "oem",
                 oem, "tls", "certificate", pki->server_pem, "key", pki->server_key_pem, "client_ca",
                 pki->dealer_ca_pem, "dealer_ca", pki->dealer_ca_pem, "service_root", "service-root.json", "bundle",
                 "campaign.recall", "log", "origin", LOG_ORIGIN, "key", pem, "vkey", vkey, "she_keys", she_keys);
  g_assert (config != NULL);
  return config;
}
