/* SPDX-License-Identifier: Apache-2.0 */
#include "sim-ecu/keys.h"

#include "core/json.h"
#include "core/moment.h"
#include "crypto/digest.h"
#include "crypto/dsse.h"
#include "crypto/she.h"
#include "keymaker/keygen.h"
#include "sim-ecu/host.h"
#include "uptane/report.h"

#include <string.h>
#include <unistd.h>

static RbPrivateKey *
own_key (const RbEcu *self)
{
  const char *pem = self->memory->key_pem;
  return pem == NULL ? NULL : rb_key_private_from_pem (pem, NULL, NULL);
}

static void
write_spki (GByteArray *out, RbPublicKey *key)
{
  GBytes *spki = rb_key_public_spki (key);
  rb_writer_field16 (out, g_bytes_get_data (spki, NULL), g_bytes_get_size (spki));
}

guint8
rb_keys_read_did (RbEcu *self, guint16 did, GByteArray *out)
{
  RbMemory *memory = self->memory;
  g_autoptr (RbPrivateKey) key = did == 0xfd07 ? own_key (self) : NULL;
  if (did == 0xfd07 ? key == NULL : !memory->she)
    return RB_NRC_RANGE;
  if (did == 0xfd05) {
    rb_writer_u8 (out, memory->she_slot);
    rb_writer_u32be (out, memory->she_counter);
    rb_writer_data (out, memory->she_uid, sizeof memory->she_uid);
  } else if (did == 0xfd06) {
    rb_writer_data (out, memory->she_proof, sizeof memory->she_proof);
  } else {
    rb_writer_bytes (out, rb_key_public_spki (rb_key_private_public (key)));
  }
  return 0;
}

/* Fault: an ECU without one commit point loses power after the old key is erased and before the new one is stored. */
static void
tear (RbEcu *self)
{
  g_autoptr (GError) error = NULL;
  g_clear_pointer (&self->memory->key_pem, g_free);
  if (rb_memory_save (self->memory, &error))
    _exit (0); /* no clean-up on purpose: this is a loss of power */
}

guint8
rb_keys_make (RbEcu *self, RbReader *request, GByteArray *out)
{
  g_autoptr (GError) error = NULL;
  if (!rb_reader_done (request))
    return RB_NRC_LENGTH;
  if (!rb_ecu_state_is_application (self) || self->memory->she)
    return RB_NRC_CONDITIONS;
  if (rb_host_fault (self->vehicle, "torn-key", self, 0) != NULL)
    tear (self);
  g_autoptr (RbPrivateKey) key = rb_keygen_new (RB_KEY_ED25519, &error);
  if (key == NULL)
    return RB_NRC_PROGRAMMING;
  if (rb_host_fault (self->vehicle, "keep-key", self, 0) == NULL) {
    g_free (self->memory->key_pem);
    self->memory->key_pem = rb_key_private_pem (key, NULL);
    if (!rb_memory_save (self->memory, &error))
      return RB_NRC_PROGRAMMING;
  }
  rb_host_log (self->vehicle, "key", self, NULL);
  rb_writer_u8 (out, 0);
  write_spki (out, rb_key_private_public (key));
  return 0;
}

static GBytes *
field (RbReader *request)
{
  guint16 length = rb_reader_u16be (request);
  return rb_reader_take_bytes (request, length);
}

/* PAE("recallbay-pop-v1", VIN, serial, sha256(SPKI), campaign, nonce, challenge), each with its length before it */
static GBytes *
possession_message (RbEcu *self, RbPublicKey *key, GBytes *campaign, GBytes *nonce, GBytes *challenge)
{
  guint8 digest[RB_SHA256_LENGTH];
  GBytes *spki = rb_key_public_spki (key);
  GBytes *const rest[] = { campaign, nonce, challenge };
  g_autoptr (GByteArray) fields = g_byte_array_new ();
  rb_digest_sha256 (g_bytes_get_data (spki, NULL), g_bytes_get_size (spki), digest);
  rb_writer_field16 (fields, self->vehicle->vin, strlen (self->vehicle->vin));
  rb_writer_field16 (fields, self->memory->serial, strlen (self->memory->serial));
  rb_writer_field16 (fields, digest, sizeof digest);
  for (guint i = 0; i < G_N_ELEMENTS (rest); i++)
    rb_writer_field16 (fields, g_bytes_get_data (rest[i], NULL), g_bytes_get_size (rest[i]));
  g_autoptr (GBytes) payload = g_byte_array_free_to_bytes (g_steal_pointer (&fields));
  return rb_dsse_pae ("recallbay-pop-v1", payload);
}

guint8
rb_keys_prove (RbEcu *self, RbReader *request, GByteArray *out)
{
  g_autoptr (GBytes) campaign = field (request);
  g_autoptr (GBytes) nonce = field (request);
  g_autoptr (GBytes) challenge = field (request);
  g_autoptr (GError) error = NULL;
  if (!rb_reader_done (request) || campaign == NULL || nonce == NULL || challenge == NULL
      || g_bytes_get_size (challenge) < 16)
    return RB_NRC_LENGTH;
  g_autoptr (RbPrivateKey) key = own_key (self);
  if (key == NULL || !rb_ecu_state_is_application (self))
    return RB_NRC_CONDITIONS;
  g_autoptr (GBytes) message = possession_message (self, rb_key_private_public (key), campaign, nonce, challenge);
  g_autoptr (RbPrivateKey) other
    = rb_host_fault (self->vehicle, "wrong-proof", self, 0) == NULL ? NULL : rb_keygen_new (RB_KEY_ED25519, NULL);
  g_autoptr (GBytes) signature
    = rb_key_sign (other == NULL ? key : other, g_bytes_get_data (message, NULL), g_bytes_get_size (message), &error);
  if (signature == NULL)
    return RB_NRC_PROGRAMMING;
  rb_writer_u8 (out, 0);
  write_spki (out, rb_key_private_public (key));
  rb_writer_field16 (out, g_bytes_get_data (signature, NULL), g_bytes_get_size (signature));
  return 0;
}

static json_t *
root_json (const RbEcu *self, const char *name)
{
  g_autoptr (RbStore) store = rb_memory_store (self->memory, name, NULL);
  if (store == NULL || !rb_store_has_root (store))
    return json_null ();
  return json_pack ("{s:I,s:s}", "version", (json_int_t) rb_store_root_version (store), "sha256",
                    rb_store_root_sha256 (store));
}

static json_t *
image_json (const RbEcu *self)
{
  g_autoptr (GBytes) container = rb_memory_container (self->memory, NULL);
  g_autofree char *sha256 = rb_memory_image_sha256 (self->memory);
  return json_pack ("{s:s,s:{s:I,s:{s:s}}}", "filepath", self->memory->image_path, "fileinfo", "length",
                    (json_int_t) (container == NULL ? 0 : g_bytes_get_size (container)), "hashes", "sha256",
                    sha256 == NULL ? "" : sha256);
}

static GBytes *
make_report (RbEcu *self, const char *nonce, const char *challenge, GError **error)
{
  g_autoptr (json_t) part = json_object ();
  g_autofree char *key_id = rb_memory_key_id (self->memory);
  g_autofree char *counter = g_strdup_printf ("%" G_GINT64_FORMAT, ++self->memory->report_counter);
  g_autoptr (RbPrivateKey) key = own_key (self);
  if (!rb_memory_save (self->memory, error))
    return NULL;
  rb_json_set_string (part, "attacks_detected", "");
  rb_json_set_string (part, "ecu_serial", self->memory->serial);
  rb_json_set_string (part, "hardware_id", self->memory->hardware_id);
  rb_json_set_string (part, "vin", self->vehicle->vin);
  rb_json_set (part, "installed_image", image_json (self));
  rb_json_set_string (part, "nonce", nonce);
  rb_json_set_string (part, "challenge", challenge);
  rb_json_set (part, "director_root", root_json (self, "director"));
  rb_json_set (part, "image_root", self->memory->full ? root_json (self, "image") : json_null ());
  rb_json_set_string (part, "key_id", key_id);
  rb_json_set_string (part, "report_counter", counter);
  rb_json_set_moment (part, "timeserver_time", rb_moment_now ());
  rb_json_set_string (part, "previous_timeserver_time", "1970-01-01T00:00:00Z");
  if (self->memory->she)
    return rb_report_mac (part, self->memory->she_key, key_id);
  return key == NULL ? NULL : rb_report_sign (part, key, error);
}

/* u16 nonce, u16 challenge, as hex */
static gboolean
read_nonces (RbReader *request, char **nonce, char **challenge)
{
  g_autoptr (GBytes) first = field (request);
  g_autoptr (GBytes) second = field (request);
  if (!rb_reader_done (request) || first == NULL || second == NULL)
    return FALSE;
  *nonce = rb_bytes_hex (first);
  *challenge = rb_bytes_hex (second);
  return TRUE;
}

guint8
rb_keys_report (RbEcu *self, RbReader *request, GByteArray *out)
{
  g_autofree char *nonce = NULL;
  g_autofree char *challenge = NULL;
  g_autoptr (GError) error = NULL;
  if (!read_nonces (request, &nonce, &challenge))
    return RB_NRC_LENGTH;
  if (!rb_ecu_state_is_application (self))
    return RB_NRC_CONDITIONS;
  g_autoptr (GBytes) report = make_report (self, nonce, challenge, &error);
  if (report == NULL)
    return RB_NRC_PROGRAMMING;
  rb_writer_u8 (out, 0);
  rb_writer_bytes (out, report);
  return 0;
}

guint8
rb_keys_manifest (RbEcu *self, RbReader *request, GByteArray *out)
{
  g_autofree char *nonce = NULL;
  g_autofree char *challenge = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (RbPrivateKey) key = own_key (self);
  g_autoptr (GHashTable) reports
    = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
  if (!read_nonces (request, &nonce, &challenge))
    return RB_NRC_LENGTH;
  if (!self->model->primary || !rb_ecu_state_is_application (self) || key == NULL)
    return RB_NRC_CONDITIONS;
  for (guint i = 0; i < self->vehicle->ecus->len; i++) {
    RbEcu *ecu = self->vehicle->ecus->pdata[i];
    GBytes *report = rb_ecu_state_is_application (ecu) ? make_report (ecu, nonce, challenge, &error) : NULL;
    if (report != NULL)
      g_hash_table_insert (reports, g_strdup (ecu->memory->serial), report);
  }
  g_autoptr (GBytes) manifest
    = rb_report_manifest (self->vehicle->vin, self->memory->serial, nonce, reports, key, &error);
  if (manifest == NULL)
    return RB_NRC_PROGRAMMING;
  rb_writer_u8 (out, 0);
  rb_writer_bytes (out, manifest);
  return 0;
}

guint8
rb_keys_load_she (RbEcu *self, RbReader *request, GByteArray *out)
{
  RbMemory *memory = self->memory;
  const guint8 *m1 = rb_reader_take (request, 16);
  const guint8 *m2 = rb_reader_take (request, 32);
  const guint8 *m3 = rb_reader_take (request, 16);
  g_autoptr (GError) error = NULL;
  RbSheSlot slot;
  RbSheUpdate update;
  guint8 key[16];
  if (!rb_reader_done (request))
    return RB_NRC_LENGTH;
  if (!memory->she || !rb_ecu_state_is_application (self))
    return RB_NRC_CONDITIONS;
  if (!rb_she_load (m1, m2, m3, memory->she_uid, memory->she_master, memory->she_counter, &slot, key, &update, &error)
      || slot.slot != memory->she_slot)
    return RB_NRC_RANGE;
  memcpy (memory->she_key, key, sizeof key);
  memory->she_counter = slot.counter;
  memcpy (memory->she_proof, update.m4, 32);
  memcpy (&memory->she_proof[32], update.m5, 16);
  if (!rb_memory_save (memory, &error))
    return RB_NRC_PROGRAMMING;
  rb_host_log (self->vehicle, "key", self, NULL);
  rb_writer_u8 (out, 0);
  rb_writer_data (out, memory->she_proof, 48);
  return 0;
}
