/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "core/bytes.h"
#include "core/files.h"
#include "core/json.h"
#include "core/moment.h"
#include "crypto/digest.h"
#include "crypto/dsse.h"
#include "crypto/she.h"
#include "keymaker/issue.h"
#include "keymaker/keygen.h"
#include "model/campaign-ecu.h"
#include "record/proof-check.h"
#include "record/predicate.h"
#include "record/result.h"
#include "uptane/report.h"

#include <string.h>

#define NOW G_GINT64_CONSTANT (1795000000)
#define CHALLENGE "00112233445566778899aabbccddeeff"
#define DIGEST_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define DIGEST_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static RbPrivateKey *ca_key;

static const char model_json[]
  = "{\"format\":\"recallbay-vehicle-model-1\",\"id\":\"test\",\"name\":\"Test\",\"buses\":[{\"name\":\"eth\",\"kind\":\"ethernet\"}],"
    "\"ecus\":["
    "{\"name\":\"telematics\",\"label\":\"Telematics\",\"hardware_id\":\"hw-telematics-1\",\"supplier\":\"\",\"profile\":\"p\","
    "\"primary\":true,\"verification\":\"full\",\"bus\":\"eth\",\"gateway\":null,\"logical\":\"0x1001\"},"
    "{\"name\":\"brake\",\"label\":\"Brake\",\"hardware_id\":\"hw-brake-1\",\"supplier\":\"supplier-a\",\"profile\":\"p\","
    "\"primary\":false,\"verification\":\"partial\",\"bus\":\"eth\",\"gateway\":null,\"logical\":\"0x1002\"},"
    "{\"name\":\"sensor\",\"label\":\"Sensor\",\"hardware_id\":\"hw-sensor-1\",\"supplier\":\"supplier-b\",\"profile\":\"p\","
    "\"primary\":false,\"verification\":\"partial\",\"bus\":\"eth\",\"gateway\":null,\"logical\":\"0x1003\"}]}";

/* the three ECUs of the vehicle above */
static const char *const ecu_names[] = { "telematics", "brake", "sensor" };

static GBytes *
to_bytes (const char *text)
{
  return g_bytes_new (text, strlen (text));
}

static void
check (GError *error)
{
  g_assert_no_error (error);
}

static RbIdentity *
issue (const char *folder, RbPurpose purpose, const char *name, RbCertificate *ca, RbPrivateKey *issuer_key)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RbPrivateKey) key = rb_keygen_new (RB_KEY_EC_P256, &error);
  check (error);
  const RbIssueRequest request = { .common_name = name,
                                   .purpose = (int) purpose,
                                   .not_before = NOW - 1000 * RB_MOMENT_DAY,
                                   .not_after = NOW + 1000 * RB_MOMENT_DAY };
  g_autoptr (GPtrArray) chain = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_certificate_unref);
  g_ptr_array_add (chain, rb_issue_certificate (&request, rb_key_private_public (key), ca, issuer_key, &error));
  check (error);
  g_ptr_array_add (chain, rb_certificate_ref (ca));
  g_autoptr (GBytes) p12 = rb_issue_pkcs12 (name, key, chain, "secret", &error);
  check (error);
  g_autofree char *path = g_build_filename (folder, "identity.p12", NULL);
  g_assert_true (rb_files_write_private (path, p12, &error));
  g_autoptr (RbIdentitySet) set = rb_identity_set_load (path, "secret", &error);
  check (error);
  RbIdentity *identity = rb_identity_set_find (set, purpose, &error);
  check (error);
  return identity;
}

RbIdentity *
fixture_identity (Fixture *self, RbPurpose purpose, const char *name)
{
  return issue (self->folder, purpose, name, self->dealer_ca, ca_key);
}

RbCertificate *
fixture_other_ca (RbPrivateKey **key)
{
  g_autoptr (GError) error = NULL;
  const RbIssueRequest request = { .common_name = "Dealer CA",
                                   .purpose = -1,
                                   .not_before = NOW - 2000 * RB_MOMENT_DAY,
                                   .not_after = NOW + 2000 * RB_MOMENT_DAY };
  *key = rb_keygen_new (RB_KEY_EC_P256, &error);
  check (error);
  RbCertificate *ca = rb_issue_certificate (&request, rb_key_private_public (*key), NULL, *key, &error);
  check (error);
  return ca;
}

static char *
add_image (Fixture *self, const char *name)
{
  g_autoptr (GByteArray) container = g_byte_array_new ();
  rb_writer_u32be (container, 0x8000);
  rb_writer_u32be (container, (guint32) strlen (name));
  rb_writer_data (container, name, strlen (name));
  GBytes *image = g_byte_array_free_to_bytes (g_steal_pointer (&container));
  char *sha256 = rb_digest_sha256_hex_of (image);
  g_hash_table_insert (self->images, g_strdup (sha256), image);
  return sha256;
}

static GBytes *
find_image (gpointer data, const char *sha256, GError **error)
{
  Fixture *self = data;
  GBytes *image = g_hash_table_lookup (self->images, sha256);
  if (image != NULL)
    return g_bytes_ref (image);
  g_set_error_literal (error, RB_RECORD_ERROR, RB_REASON_IMAGE_MISSING, "not in the bundle");
  return NULL;
}

static char *
serial_of (const char *name)
{
  g_autofree char *upper = g_ascii_strup (name, -1);
  return g_strdup_printf ("SN-%s-0001", upper);
}

static GPtrArray *
completeness (gpointer data, const char *vin, GError **error)
{
  Fixture *self = data;
  g_autoptr (GHashTable) assigned = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  for (guint i = 0; i < G_N_ELEMENTS (ecu_names); i++)
    if (g_strcmp0 (ecu_names[i], self->undirected) != 0)
      g_hash_table_insert (assigned, serial_of (ecu_names[i]), g_strdup_printf ("hw-%s-1", ecu_names[i]));
  return rb_completeness_list (self->campaign, self->model, assigned, self->as_built, NULL);
}

/* Three kinds of ECU: a Primary and a Secondary with keys of their own, and one with a SHE key. */
static void
add_profile (Fixture *self, const char *hardware_id, RbKeyKind kind)
{
  RbProfile *profile = g_new0 (RbProfile, 1);
  profile->key_kind = kind;
  profile->she_slot = 4;
  profile->did_vin = 0xf190;
  profile->digest_by_bootloader = TRUE;
  g_hash_table_insert (self->profiles, g_strdup (hardware_id), profile);
}

static const RbProfile *
find_profile (gpointer data, const char *hardware_id)
{
  return g_hash_table_lookup (((Fixture *) data)->profiles, hardware_id);
}

static json_t *
root (const RbCampaignRoot *wanted)
{
  return json_pack ("{s:I, s:s}", "version", (json_int_t) wanted->version, "sha256", wanted->sha256);
}

static GBytes *
campaign_json (Fixture *self)
{
  g_autoptr (json_t) ecus = json_array ();
  for (guint i = 0; i < G_N_ELEMENTS (ecu_names); i++) {
    g_autofree char *sha256 = add_image (self, ecu_names[i]);
    g_autofree char *hardware = g_strdup_printf ("hw-%s-1", ecu_names[i]);
    g_autofree char *image = g_strdup_printf ("%s-2.img", ecu_names[i]);
    json_array_append_new (ecus, json_pack ("{s:s, s:s, s:s, s:s, s:b}", "hardware_id", hardware, "profile",
                                            "profiles/p.json", "image", image, "image_sha256", sha256, "new_key", 1));
  }
  g_autoptr (json_t) campaign = json_pack (
    "{s:s, s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:{s:[s, s]}, s:s, s:{s:{s:i, s:s, s:b}, s:{s:i, s:s, s:b}}, s:O,"
    " s:{s:s, s:i, s:[{s:s, s:s, s:s}, {s:s, s:s, s:s, s:s, s:i, s:i, s:s}]}, s:b}",
    "format", "recallbay-campaign-1", "id", "R-2026-07", "version", 1, "title", "Test", "oem", "Aurora", "oem_number",
    "A-7", "scenario", "director", "issued", "2026-10-01T00:00:00Z", "expires", "2026-11-29T00:00:00Z", "market", "EU",
    "nonce", DIGEST_B, "scope", "vins", FIXTURE_VIN, FIXTURE_OTHER_VIN, "vehicle_model", "models/test.json", "roots",
    "director", "version", 2, "sha256", DIGEST_A, "pinned", 0, "image", "version", 2, "sha256", DIGEST_B, "pinned", 0,
    "ecus", ecus, "checklist", "id", "checks", "version", 1, "items", "id", "parking-brake", "text", "Is it on?",
    "kind", "manual", "id", "voltage", "text", "Battery", "kind", "measured", "measure", "voltage", "low", 12000,
    "high", 15000, "unit", "mV", "second_person", 0);
  g_assert_nonnull (campaign);
  return rb_json_to_bytes (campaign);
}

static void
begin (Fixture *self)
{
  g_autoptr (GError) error = NULL;
  memset (self, 0, sizeof *self);
  self->folder = g_dir_make_tmp ("recallbay-record-XXXXXX", &error);
  check (error);
  self->profiles = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) rb_profile_free);
  self->images = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
  self->keys = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) rb_key_private_unref);
  self->anchors = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_certificate_unref);
}

void
fixture_set_up (Fixture *self)
{
  g_autoptr (GError) error = NULL;
  begin (self);
  self->dealer_ca = fixture_other_ca (&ca_key);
  g_ptr_array_add (self->anchors, rb_certificate_ref (self->dealer_ca));
  self->technician = fixture_identity (self, RB_PURPOSE_TECHNICIAN, "Ada Fitter");
  self->second = fixture_identity (self, RB_PURPOSE_TECHNICIAN, "Ben Foreman");
  self->workstation = fixture_identity (self, RB_PURPOSE_WORKSTATION, "Bay 3");
  g_autoptr (GBytes) campaign = campaign_json (self);
  self->campaign = rb_campaign_parse (campaign, &error);
  check (error);
  self->campaign_sha256 = rb_digest_sha256_hex_of (campaign);
  g_autoptr (GBytes) model = to_bytes (model_json);
  self->model = rb_vehicle_model_parse (model, &error);
  check (error);
  add_profile (self, "hw-telematics-1", RB_KEY_KIND_ASYMMETRIC);
  add_profile (self, "hw-brake-1", RB_KEY_KIND_ASYMMETRIC);
  add_profile (self, "hw-sensor-1", RB_KEY_KIND_SHE);
  self->evidence = (RbReferenceValues){ self->campaign, self->campaign_sha256, self->model, find_image,
                                        completeness,   find_profile,          self };
  g_assert_true (rb_moment_from_text ("2026-11-17T10:00:00Z", &self->start));
}

static RbIdentity *
load_identity (const char *demo, const char *file, RbPurpose purpose)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (demo, file, NULL);
  g_autofree char *passphrase_path = g_build_filename (demo, "passphrase", NULL);
  g_autofree char *passphrase = NULL;
  g_assert_true (g_file_get_contents (passphrase_path, &passphrase, NULL, NULL));
  g_autoptr (RbIdentitySet) set = rb_identity_set_load (path, g_strchomp (passphrase), &error);
  check (error);
  RbIdentity *identity = rb_identity_set_find (set, purpose, &error);
  check (error);
  return identity;
}

void
fixture_set_up_demo (Fixture *self, const char *demo, const RbReferenceValues *evidence)
{
  begin (self);
  self->technician = load_identity (demo, "technician.p12", RB_PURPOSE_TECHNICIAN);
  self->second = load_identity (demo, "second.p12", RB_PURPOSE_TECHNICIAN);
  self->workstation = load_identity (demo, "workstation.pem", RB_PURPOSE_WORKSTATION);
  self->evidence = *evidence;
  g_autofree char *seed = g_build_filename (demo, "vehicle", "seed.json", NULL);
  self->seed = rb_json_load (seed, 1024 * 1024, NULL);
  g_assert_nonnull (self->seed);
  self->start = evidence->campaign->issued + 60 * 60;
}

void
fixture_tear_down (Fixture *self)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (rb_files_remove_tree (self->folder, &error));
  g_free (self->folder);
  g_ptr_array_unref (self->anchors);
  g_clear_pointer (&self->dealer_ca, rb_certificate_unref);
  g_clear_pointer (&ca_key, rb_key_private_unref);
  rb_identity_unref (self->technician);
  rb_identity_unref (self->second);
  rb_identity_unref (self->workstation);
  g_clear_pointer (&self->campaign, rb_campaign_free);
  g_free (self->campaign_sha256);
  json_decref (self->seed);
  g_clear_pointer (&self->model, rb_vehicle_model_free);
  g_hash_table_unref (self->keys);
  g_hash_table_unref (self->profiles);
  g_hash_table_unref (self->images);
}

/* Primaries have Ed25519 keys, Secondaries P-256, and the one called sensor a symmetric one: NULL. */
static RbPrivateKey *
key_of (Fixture *self, const char *serial)
{
  g_autoptr (GError) error = NULL;
  RbPrivateKey *key = g_hash_table_lookup (self->keys, serial);
  if (key != NULL || strstr (serial, "SENSOR") != NULL)
    return key;
  key = rb_keygen_new (strstr (serial, "TELEMATICS") != NULL ? RB_KEY_ED25519 : RB_KEY_EC_P256, &error);
  check (error);
  g_hash_table_insert (self->keys, g_strdup (serial), key);
  return key;
}

static char *
nonce_of (Fixture *self, const char *vin, const char *serial)
{
  g_autoptr (GBytes) nonce = rb_campaign_ecu_nonce (self->evidence.campaign, vin, serial);
  return rb_bytes_hex (nonce);
}

static json_t *
image_entry (Fixture *self, const RbCampaignEcu *wanted)
{
  g_autoptr (GBytes) image = self->evidence.image (self->evidence.data, wanted->image_sha256, NULL);
  g_autoptr (GBytes) nonce = rb_digest_random (32);
  g_autoptr (GByteArray) both = g_byte_array_new ();
  rb_writer_bytes (both, nonce);
  rb_writer_bytes (both, image);
  g_autofree char *digest = rb_digest_sha256_hex (both->data, both->len);
  g_autofree char *nonce_text = rb_bytes_hex (nonce);
  return json_pack ("{s:s, s:s, s:s, s:s, s:s}", "target", wanted->image, "sha256", wanted->image_sha256, "nonce",
                    nonce_text, "digestOverNonce", digest, "method", "bootloader-digest");
}

static void
unhex_member (const json_t *object, const char *member, guint8 *out, gsize length)
{
  g_autoptr (GBytes) bytes = rb_bytes_from_hex (rb_json_string_or (object, member, ""));
  g_assert_true (bytes != NULL && g_bytes_get_size (bytes) == length);
  memcpy (out, g_bytes_get_data (bytes, NULL), length);
}

/* What the ECU of the demo's first vehicle responds to the update. */
static void
load_update (const json_t *update, const json_t *stored, RbSheUpdate *out)
{
  g_autoptr (GError) error = NULL;
  guint8 uid[15], master[16], key[16];
  RbSheSlot slot;
  unhex_member (update, "m1", out->m1, sizeof out->m1);
  unhex_member (update, "m2", out->m2, sizeof out->m2);
  unhex_member (update, "m3", out->m3, sizeof out->m3);
  unhex_member (stored, "uid", uid, sizeof uid);
  unhex_member (stored, "master", master, sizeof master);
  g_assert_true (rb_she_load (out->m1, out->m2, out->m3, uid, master, 1, &slot, key, out, &error));
}

static json_t *
she_entry (Fixture *self, const char *vin, const char *serial)
{
  const json_t *update = self->evidence.she == NULL ? NULL : self->evidence.she (self->evidence.data, vin, serial);
  const json_t *seeded = rb_predicate_entry (json_object_get (self->seed, "ecus"), "serial", serial);
  RbSheUpdate answer;
  memset (&answer, 0x44, sizeof answer);
  if (update != NULL && seeded != NULL)
    load_update (update, json_object_get (seeded, "she"), &answer);
  g_autofree char *m4 = rb_bytes_to_hex (answer.m4, sizeof answer.m4);
  g_autofree char *m5 = rb_bytes_to_hex (answer.m5, sizeof answer.m5);
  return json_pack ("{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:{s:b}}", "kind", "she", "oldKeyId", "she:4:1", "newKeyId",
                    "she:4:2", "verified", "deferred", "m4", m4, "m5", m5, "counter", 2, "createdBy", "journal", 1);
}

static json_t *
key_entry (Fixture *self, const char *vin, const char *serial)
{
  g_autoptr (GError) error = NULL;
  RbPrivateKey *key = key_of (self, serial);
  if (key == NULL)
    return she_entry (self, vin, serial);
  GBytes *spki = rb_key_public_spki (rb_key_private_public (key));
  g_autoptr (GBytes) challenge = rb_bytes_from_hex (CHALLENGE);
  g_autoptr (GBytes) nonce = rb_campaign_ecu_nonce (self->evidence.campaign, vin, serial);
  g_autoptr (GBytes) message = rb_campaign_pop_message (self->evidence.campaign, vin, serial, spki, challenge);
  g_autoptr (GBytes) pop = rb_key_sign (key, g_bytes_get_data (message, NULL), g_bytes_get_size (message), &error);
  check (error);
  g_autofree char *pop_text = rb_bytes_to_base64 (pop);
  g_autofree char *spki_text = rb_bytes_to_base64 (spki);
  g_autofree char *nonce_text = rb_bytes_hex (nonce);
  return json_pack ("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:{s:b}}", "kind", "asymmetric", "oldKeyId", DIGEST_A,
                    "newKeyId", rb_key_public_id (rb_key_private_public (key)), "newPublicKey", spki_text, "nonce",
                    nonce_text, "challenge", CHALLENGE, "pop", pop_text, "verified", "yes", "createdBy", "journal", 1);
}

static json_t *
signed_report (Fixture *self, json_t *facts, json_t *ecu)
{
  json_t *after = json_object_get (ecu, "after");
  const char *vin = rb_json_string_or (json_object_get (facts, "vehicle"), "vin", "");
  g_autofree char *own = nonce_of (self, vin, rb_json_string_or (ecu, "ecuSerial", ""));
  const char *nonce = self->report_nonce != NULL ? self->report_nonce : own;
  return json_pack ("{s:s, s:s, s:s, s:s, s:{s:s, s:{s:i, s:{s:O}}}, s:s, s:s, s:O, s:O, s:O, s:s}", "attacks_detected",
                    "", "ecu_serial", rb_json_string_or (ecu, "ecuSerial", ""), "hardware_id",
                    rb_json_string_or (ecu, "hardwareId", ""), "vin", vin, "installed_image", "filepath", "x.img",
                    "fileinfo", "length", 1, "hashes", "sha256", json_object_get (after, "imageSha256"), "nonce", nonce,
                    "challenge", CHALLENGE, "director_root", json_object_get (after, "directorRoot"), "image_root",
                    json_object_get (after, "imageRoot"), "key_id", json_object_get (after, "keyId"), "report_counter",
                    "1");
}

void
fixture_report_again (Fixture *self, json_t *facts, const char *serial)
{
  static const guint8 she_key[16] = { 1, 2, 3 };
  g_autoptr (GError) error = NULL;
  json_t *ecu = fixture_ecu (facts, serial);
  RbPrivateKey *key = key_of (self, serial);
  g_autoptr (json_t) part = signed_report (self, facts, ecu);
  g_assert_nonnull (part);
  g_autoptr (GBytes) envelope
    = key == NULL ? rb_report_mac (part, she_key, "she:4:2") : rb_report_sign (part, key, &error);
  check (error);
  g_autofree char *text = rb_bytes_to_base64 (envelope);
  rb_json_set (ecu, "report",
               json_pack ("{s:s, s:s, s:s, s:s}", "envelope", text, "nonce", rb_json_string_or (part, "nonce", ""),
                          "challenge", CHALLENGE, "verified", key == NULL ? "deferred" : "yes"));
}

static void
set_time (Fixture *self, json_t *object, const char *member, gint64 minutes)
{
  rb_json_set_moment (object, member, self->start + 60 * minutes);
}

/* As it was before the work, but for what the campaign sets. */
static json_t *
coding_entries (Fixture *self, const RbCampaignEcu *wanted)
{
  const RbProfile *profile = self->evidence.profile (self->evidence.data, wanted->hardware_id);
  json_t *list = json_array ();
  for (guint i = 0; profile->coding != NULL && i < profile->coding->len; i++) {
    guint16 did = ((RbProfileCoding *) profile->coding->pdata[i])->did;
    GBytes *campaign = rb_campaign_ecu_coding (wanted, did);
    g_autofree char *name = g_strdup_printf ("%04X", did);
    g_autofree char *value = campaign == NULL ? g_strdup ("0a0b") : rb_bytes_hex (campaign);
    json_array_append_new (list, json_pack ("{s:s, s:s, s:s, s:s}", "did", name, "value", value, "origin",
                                            campaign == NULL ? "from-vehicle" : "campaign", "readBack", value));
  }
  return list;
}

static json_t *
condition_entries (const RbCampaignEcu *wanted)
{
  json_t *list = json_array ();
  for (guint i = 0; wanted->conditions != NULL && i < wanted->conditions->len; i++) {
    const RbCampaignCondition *condition = wanted->conditions->pdata[i];
    g_autofree char *did = g_strdup_printf ("%04X", condition->did);
    json_array_append_new (list, json_pack ("{s:s, s:s, s:s}", "kind", rb_campaign_ecu_condition_word (condition->kind),
                                            "did", did, "value", condition->values[0]));
  }
  return list;
}

static void
add_ecu (Fixture *self, json_t *facts, const char *serial, const char *hardware)
{
  const RbCampaign *campaign = self->evidence.campaign;
  const RbCampaignEcu *wanted = rb_campaign_ecu (campaign, hardware);
  const RbModelEcu *known = rb_vehicle_model_by_hardware_id (self->evidence.model, hardware);
  gboolean full = known->full_verification;
  g_autoptr (json_t) key = key_entry (self, rb_json_string_or (json_object_get (facts, "vehicle"), "vin", ""), serial);
  g_autoptr (json_t) after = json_pack ("{s:s, s:s, s:o, s:o, s:O, s:s, s:s}", "ecuSerial", serial, "imageSha256",
                                        wanted->image_sha256, "directorRoot", root (&campaign->director_root),
                                        "imageRoot", full ? root (&campaign->image_root) : json_null (), "keyId",
                                        json_object_get (key, "newKeyId"), "software", "2.0", "boot", "application");
  g_autoptr (json_t) before = json_deep_copy (after);
  rb_json_set_string (before, "imageSha256", DIGEST_B);
  json_object_set (before, "keyId", json_object_get (key, "oldKeyId"));
  json_t *ecu = json_pack ("{s:s, s:s, s:s, s:s, s:O, s:O, s:o, s:O, s:n, s:s, s:i}", "ecuSerial", serial, "hardwareId",
                           hardware, "role", known->primary ? "primary" : "secondary", "verification",
                           full ? "full" : "partial", "before", before, "after", after, "image",
                           image_entry (self, wanted), "key", key, "report", "outcome", "replaced", "writes", 5);
  g_assert_nonnull (ecu);
  rb_json_set (ecu, "coding", coding_entries (self, wanted));
  rb_json_set (ecu, "conditions", condition_entries (wanted));
  set_time (self, ecu, "startedAt", 5);
  set_time (self, ecu, "finishedAt", 20);
  json_array_append_new (json_object_get (facts, "ecus"), ecu);
  json_array_append_new (json_object_get (json_object_get (facts, "preflight"), "ecusExpected"), json_string (serial));
  json_array_append_new (json_object_get (json_object_get (facts, "preflight"), "ecusFound"), json_string (serial));
  fixture_report_again (self, facts, serial);
}

static int
compare_in_model (gconstpointer a, gconstpointer b, gpointer data)
{
  const RbModelEcu *left = *(RbModelEcu *const *) a, *right = *(RbModelEcu *const *) b;
  return (int) left->logical - (int) right->logical;
}

/* In the model's order, each under the serial that the Director knows. */
static void
add_ecus (Fixture *self, json_t *facts, const char *vin)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) assigned = self->evidence.completeness (self->evidence.data, vin, &error);
  g_autoptr (GPtrArray) known = g_ptr_array_copy (self->evidence.model->ecus, NULL, NULL);
  check (error);
  g_ptr_array_set_free_func (known, NULL);
  g_ptr_array_sort_with_data (known, compare_in_model, NULL);
  for (guint i = 0; i < known->len; i++) {
    const char *hardware_id = ((RbModelEcu *) known->pdata[i])->hardware_id;
    for (guint j = 0; j < assigned->len; j++) {
      const RbCompletenessEcu *ecu = assigned->pdata[j];
      if (ecu->directed && strcmp (ecu->hardware_id, hardware_id) == 0)
        add_ecu (self, facts, ecu->serial, hardware_id);
    }
  }
}

static json_t *
inspect (Fixture *self)
{
  const RbCampaign *campaign = self->evidence.campaign;
  json_t *inspection = json_pack ("{s:s, s:I, s:[], s:s}", "checklistId", campaign->checklist_id, "checklistVersion",
                                  (json_int_t) campaign->checklist_version, "items", "outcome", "pass");
  for (guint i = 0; i < campaign->checklist->len; i++) {
    const RbChecklistItem *asked = campaign->checklist->pdata[i];
    gboolean measured = asked->kind == RB_ITEM_MEASURED;
    json_t *item
      = json_pack ("{s:s, s:s, s:s}", "id", asked->id, "result", "pass", "by", measured ? "measured" : "technician");
    set_time (self, item, "at", 1);
    if (measured)
      rb_json_set_integer (item, "value", asked->low);
    json_array_append_new (json_object_get (inspection, "items"), item);
  }
  set_time (self, inspection, "completedAt", 2);
  return inspection;
}

void
fixture_manifest_again (Fixture *self, json_t *facts)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GHashTable) reports
    = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) g_bytes_unref);
  const char *primary = "";
  size_t i;
  json_t *ecu;
  json_array_foreach (json_object_get (facts, "ecus"), i, ecu) {
    if (strcmp (rb_json_string_or (ecu, "role", ""), "primary") == 0)
      primary = rb_json_string_or (ecu, "ecuSerial", "");
    const char *text = rb_json_string_or (json_object_get (ecu, "report"), "envelope", "");
    g_hash_table_insert (reports, (gpointer) rb_json_string_or (ecu, "ecuSerial", ""), rb_bytes_from_base64 (text));
  }
  g_autoptr (GBytes) manifest = rb_report_manifest (rb_json_string_or (json_object_get (facts, "vehicle"), "vin", ""),
                                                    primary, CHALLENGE, reports, key_of (self, primary), &error);
  check (error);
  g_autofree char *text = rb_bytes_to_base64 (manifest);
  rb_json_set (facts, "vehicleManifest", json_pack ("{s:n, s:s}", "before", "after", text));
}

/* The VIN as the Primary and one more ECU tell it. */
static void
add_vin_sources (json_t *facts)
{
  json_t *vehicle = json_object_get (facts, "vehicle"), *sources = json_object_get (vehicle, "vinSources"), *ecu;
  gboolean one_more = FALSE;
  size_t i;
  json_array_foreach (json_object_get (facts, "ecus"), i, ecu) {
    gboolean primary = strcmp (rb_json_string_or (ecu, "role", ""), "primary") == 0;
    if (primary || !one_more)
      json_array_append_new (sources, json_pack ("{s:O,s:s,s:O}", "ecu", json_object_get (ecu, "ecuSerial"), "did",
                                                 "F190", "value", json_object_get (vehicle, "vin")));
    one_more = one_more || !primary;
  }
}

json_t *
fixture_facts (Fixture *self, const char *vin)
{
  json_t *facts
    = json_pack ("{s:{s:s, s:[], s:i}, s:{s:s}, s:{s:s, s:{s:s, s:s}}, s:{s:[], s:[], s:[]}, s:[], s:[], s:[],"
                 " s:{s:s}, s:o}",
                 "vehicle", "vin", vin, "vinSources", "odometerKm", 41234, "dealer", "repairOrder", "RO-77",
                 "workstation", "softwareVersion", RB_VERSION, "interface", "kind", "doip", "uri",
                 "doip://127.0.0.1:13400", "preflight", "ecusExpected", "ecusFound", "unexpected", "ecus", "failures",
                 "deviations", "time", "notBeforeSource", "campaign", "inspection", inspect (self));
  g_assert_nonnull (facts);
  set_time (self, facts, "startedAt", 0);
  set_time (self, facts, "firstWriteAt", 6);
  set_time (self, facts, "finishedAt", 29);
  set_time (self, json_object_get (facts, "time"), "claimed", 30);
  rb_json_set_moment (json_object_get (facts, "time"), "notBefore", self->evidence.campaign->issued);
  add_ecus (self, facts, vin);
  add_vin_sources (facts);
  fixture_manifest_again (self, facts);
  return facts;
}

json_t *
fixture_ecu (json_t *facts, const char *serial)
{
  size_t i;
  json_t *ecu;
  json_array_foreach (json_object_get (facts, "ecus"), i, ecu)
    if (strcmp (rb_json_string_or (ecu, "ecuSerial", ""), serial) == 0)
      return ecu;
  g_assert_not_reached ();
}

void
fixture_fail_ecu (json_t *facts, const char *serial, const char *reason)
{
  json_t *ecu = fixture_ecu (facts, serial);
  rb_json_set_string (ecu, "outcome", "failed");
  rb_json_set_string (ecu, "reason", reason);
  json_array_append_new (json_object_get (facts, "failures"),
                         json_pack ("{s:s,s:s,s:s}", "ecu", serial, "reason", reason, "text", ""));
}

static RbStatementRecord *
make (Fixture *self, RbOutbox *outbox, json_t *facts, RbIdentity *second)
{
  g_autoptr (GError) error = NULL;
  const RbStatementRequest request = { .campaign = self->evidence.campaign,
                                       .campaign_sha256 = self->evidence.campaign_sha256,
                                       .facts = facts,
                                       .technician = self->technician,
                                       .workstation = self->workstation,
                                       .second = second };
  RbStatementRecord *record = rb_outbox_make (outbox, &request, &error);
  check (error);
  return record;
}

RbStatementRecord *
fixture_make (Fixture *self, RbOutbox *outbox, json_t *facts)
{
  return make (self, outbox, facts, NULL);
}

RbStatementRecord *
fixture_make_by_three (Fixture *self, RbOutbox *outbox, json_t *facts)
{
  return make (self, outbox, facts, self->second);
}

GBytes *
fixture_sign (GBytes *payload, RbIdentity *first, RbIdentity *second, RbIdentity *third)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RbDsse) dsse = rb_dsse_new (RB_STATEMENT_PAYLOAD_TYPE, payload);
  RbIdentity *const signers[] = { first, second, third };
  for (guint i = 0; i < G_N_ELEMENTS (signers); i++)
    if (signers[i] != NULL)
      g_assert_true (rb_identity_sign_envelope (signers[i], dsse, &error));
  return rb_dsse_to_json (dsse);
}

GBytes *
fixture_forge (Fixture *self, const RbStatementRecord *record, FixtureChange change)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RbDsse) dsse = rb_dsse_parse (record->envelope, RB_STATEMENT_MAX_BYTES, &error);
  check (error);
  g_autoptr (json_t) statement = rb_json_parse (rb_dsse_payload (dsse), RB_STATEMENT_MAX_BYTES, "record", &error);
  check (error);
  change (json_object_get (statement, "predicate"));
  rb_json_set (statement, "subject", rb_proof_check_make_subjects (json_object_get (statement, "predicate")));
  g_autoptr (GBytes) payload = rb_json_to_bytes (statement);
  return fixture_sign (payload, self->technician, self->workstation, NULL);
}

RbVerifyOutcome *
fixture_verify (Fixture *self, GBytes *envelope, gboolean with_bundle)
{
  g_autoptr (GPtrArray) bundles = g_ptr_array_new ();
  g_ptr_array_add (bundles, &self->evidence);
  const RbVerifyRequest request = { .anchors = self->anchors, .bundles = with_bundle ? bundles : NULL };
  return rb_verify_record (envelope, &request);
}

void
fixture_expect (Fixture *self, GBytes *envelope, gboolean with_bundle, RbReason reason)
{
  g_autoptr (RbVerifyOutcome) outcome = fixture_verify (self, envelope, with_bundle);
  if (outcome->reason != reason)
    g_test_message ("%s", outcome->message);
  g_assert_cmpstr (rb_reason_word (outcome->reason), ==, rb_reason_word (reason));
}
