/* SPDX-License-Identifier: Apache-2.0 */
#include "record/campaign-check.h"

#include "core/bytes.h"
#include "core/json.h"
#include "crypto/digest.h"
#include "record/ending.h"
#include "record/replaced.h"
#include "record/around.h"
#include "record/predicate.h"
#include "record/result.h"

#include <string.h>

#define deny(error, reason, ...) rb_reason_deny (error, RB_RECORD_ERROR, reason, __VA_ARGS__)

static const char *
serial_of (const json_t *ecu)
{
  return rb_json_string_or (ecu, "ecuSerial", "");
}

static gboolean
is_completed (const json_t *predicate)
{
  return strcmp (rb_json_string_or (predicate, "result", ""), "completed") == 0;
}

/* The record quotes its campaign; the quote is the bundle's, word for word. */
static gboolean
check_quote (const json_t *predicate, const RbReferenceValues *bundle, GError **error)
{
  const json_t *quoted = json_object_get (predicate, "campaign");
  g_autoptr (json_t) wanted = rb_result_quote (bundle->campaign, bundle->campaign_sha256);
  const char *name;
  json_t *value;
  if (!json_equal (json_object_get (quoted, "roots"), json_object_get (wanted, "roots"))
      || !json_equal (json_object_get (quoted, "pinnedRoots"), json_object_get (wanted, "pinnedRoots")))
    return deny (error, RB_REASON_RECORD_ROOT, "Record: it quotes other roots than the campaign's");
  if (!json_equal (json_object_get (quoted, "ecus"), json_object_get (wanted, "ecus")))
    return deny (error, RB_REASON_RECORD_IMAGE, "Record: it quotes other images than the campaign's");
  json_object_foreach (wanted, name, value)
    if (!json_equal (value, json_object_get (quoted, name)))
      return deny (error, RB_REASON_RECORD_CAMPAIGN, "Record: it quotes the campaign's %s wrongly", name);
  return TRUE;
}

static gboolean
check_against_model (const json_t *ecu, const RbVehicleModel *model, GError **error)
{
  const RbModelEcu *known = rb_vehicle_model_by_hardware_id (model, rb_json_string_or (ecu, "hardwareId", ""));
  if (known == NULL)
    return deny (error, RB_REASON_RECORD_SCOPE, "ECU %s: the vehicle model has no such hardware", serial_of (ecu));
  if (strcmp (rb_json_string_or (ecu, "verification", ""), known->full_verification ? "full" : "partial") != 0
      || strcmp (rb_json_string_or (ecu, "role", ""), known->primary ? "primary" : "secondary") != 0)
    return deny (error, RB_REASON_RECORD_CAMPAIGN, "ECU %s: the vehicle model says another role or verification",
                 serial_of (ecu));
  return TRUE;
}

static json_t *
entry_of (const json_t *predicate, const RbCompletenessEcu *ecu)
{
  const json_t *ecus = json_object_get (predicate, "ecus");
  json_t *entry = ecu->serial == NULL ? NULL : rb_predicate_entry (ecus, "ecuSerial", ecu->serial);
  /* another serial is another ECU, unless Director targets say that it stands in its place */
  return entry != NULL || ecu->serial != NULL ? entry : rb_predicate_entry (ecus, "hardwareId", ecu->hardware_id);
}

/* One ECU of this very vehicle, by the bundle's word, and what the record says of it. */
static gboolean
check_ecu_is_done (const json_t *predicate, RbCompletenessEcu *ecu, GError **error)
{
  const json_t *entry = entry_of (predicate, ecu);
  const char *name = ecu->serial != NULL ? ecu->serial : ecu->hardware_id;
  ecu->found = entry != NULL && !rb_predicate_is_not_fitted (entry);
  ecu->done = entry != NULL && rb_predicate_claims_done (entry);
  if (ecu->found && g_strcmp0 (rb_json_string_or (entry, "replaces", NULL), ecu->replaces) != 0)
    return deny (error, RB_REASON_RECORD_REPLACEMENT,
                 "ECU %s: it replaces ECU “%s”, the OEM directs it in the place of “%s”", name,
                 rb_json_string_or (entry, "replaces", ""), ecu->replaces == NULL ? "" : ecu->replaces);
  if (ecu->found && strcmp (rb_json_string_or (entry, "hardwareId", ""), ecu->hardware_id) != 0)
    return deny (error, RB_REASON_RECORD_SCOPE, "ECU %s: its hardware is %s", name, ecu->hardware_id);
  switch (rb_completeness_judge (ecu)) {
  case RB_COMPLETENESS_NOT_DIRECTED:
    return deny (error, RB_REASON_ECU_NOT_DIRECTED, "ECU %s: the bundle directs nothing to it in this vehicle", name);
  case RB_COMPLETENESS_OPEN:
    return deny (error, RB_REASON_RECORD_SCOPE,
                 entry == NULL ? "Record: nothing is said of ECU %s" : "Record: ECU %s is not done", name);
  case RB_COMPLETENESS_DONE:
  case RB_COMPLETENESS_NOT_FITTED:
  default: return TRUE;
  }
}

/* A vehicle without a VIN pack: the bundle has no list of its ECUs, so all that campaign and model share is required.
 */
static GPtrArray *
without_pack (const RbReferenceValues *bundle)
{
  g_autoptr (GHashTable) nothing = g_hash_table_new (g_str_hash, g_str_equal);
  GPtrArray *ecus = rb_completeness_list (bundle->campaign, bundle->model, nothing, NULL, NULL);
  for (guint i = 0; i < ecus->len; i++)
    ((RbCompletenessEcu *) ecus->pdata[i])->directed = ((RbCompletenessEcu *) ecus->pdata[i])->built;
  return ecus;
}

/* Parts are done by the Director targets that name them, which the record quotes. */
static GPtrArray *
directed (const json_t *predicate, const RbReferenceValues *bundle, const char *vin, GError **error)
{
  g_autoptr (GBytes) targets = rb_replaced_targets (predicate);
  g_autoptr (GError) problem = NULL;
  if (targets == NULL)
    return bundle->completeness == NULL ? NULL : bundle->completeness (bundle->data, vin, error);
  g_autoptr (GPtrArray) ecus
    = bundle->directed == NULL ? NULL : bundle->directed (bundle->data, vin, targets, &problem);
  if (ecus == NULL)
    rb_reason_deny (error, RB_RECORD_ERROR, RB_REASON_RECORD_REPLACEMENT, "Record: the Director targets it quotes: %s",
                    problem == NULL ? "the bundle does not decide it" : problem->message);
  return g_steal_pointer (&ecus);
}

static gboolean
check_complete (const json_t *predicate, const RbReferenceValues *bundle, const char *vin, GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autoptr (GPtrArray) ecus = directed (predicate, bundle, vin, &problem);
  if (rb_reason_of (problem) == RB_REASON_RECORD_REPLACEMENT) {
    g_propagate_error (error, g_steal_pointer (&problem));
    return FALSE;
  }
  if (problem != NULL)
    return deny (error, RB_REASON_RECORD_CAMPAIGN, "Record: %s", problem->message);
  if (ecus == NULL)
    ecus = without_pack (bundle);
  for (guint i = 0; i < ecus->len; i++)
    if (!check_ecu_is_done (predicate, ecus->pdata[i], error))
      return FALSE;
  return TRUE;
}

static gboolean
check_scope (const json_t *predicate, const RbReferenceValues *bundle, GError **error)
{
  const char *vin = rb_json_string_or (json_object_get (predicate, "vehicle"), "vin", "");
  size_t i;
  json_t *ecu;
  g_autoptr (GError) outside = NULL;
  if (!rb_campaign_check_vin (bundle->campaign, vin, &outside))
    return deny (error, RB_REASON_RECORD_SCOPE, "Record: %s", outside->message);
  json_array_foreach (json_object_get (predicate, "ecus"), i, ecu)
    if (!check_against_model (ecu, bundle->model, error))
      return FALSE;
  return !is_completed (predicate) || check_complete (predicate, bundle, vin, error);
}

/* What the profile decides, the record cannot: which kind of key the ECU has, in which slot, and who computes its image
 * digest. */
static gboolean
check_key_kind (const json_t *ecu, const RbProfile *profile, GError **error)
{
  static const char *const kinds[]
    = { [RB_KEY_KIND_NONE] = "none", [RB_KEY_KIND_ASYMMETRIC] = "asymmetric", [RB_KEY_KIND_SHE] = "she" };
  const json_t *key = json_object_get (ecu, "key");
  const char *key_id = rb_json_string_or (key, "newKeyId", NULL);
  g_autofree char *slot = g_strdup_printf ("she:%u:", profile->she_slot);
  if (json_is_null (key) && !rb_predicate_claims_done (ecu))
    return TRUE;
  if (g_strcmp0 (rb_json_string_or (key, "kind", NULL), kinds[profile->key_kind]) != 0)
    return deny (error, RB_REASON_RECORD_KEY_KIND, "ECU %s: kind of its key: expected %s, actual “%s”", serial_of (ecu),
                 kinds[profile->key_kind], rb_json_string_or (key, "kind", ""));
  if (profile->key_kind == RB_KEY_KIND_SHE && key_id != NULL && !g_str_has_prefix (key_id, slot))
    return deny (error, RB_REASON_RECORD_KEY_KIND, "ECU %s: its key is not in slot %u", serial_of (ecu),
                 profile->she_slot);
  return TRUE;
}

static gboolean
check_method (const json_t *ecu, const RbProfile *profile, GError **error)
{
  const char *wanted = profile->digest_by_bootloader ? "bootloader-digest" : "application-digest";
  const json_t *image = json_object_get (ecu, "image");
  if (!json_is_object (image) || strcmp (rb_json_string_or (image, "method", ""), wanted) == 0)
    return TRUE;
  return deny (error, RB_REASON_RECORD_METHOD, "ECU %s: method of its image digest: expected %s, actual “%s”",
               serial_of (ecu), wanted, rb_json_string_or (image, "method", ""));
}

/* Records of before do not tell it. Then the roots were written. */
static gboolean
check_roots_method (const json_t *ecu, const RbProfile *profile, GError **error)
{
  const char *wanted = profile->root_in_image ? "image-embedded" : "metadata-write";
  const char *actual = rb_json_string_or (json_object_get (ecu, "roots"), "method", "metadata-write");
  if (!rb_predicate_claims_done (ecu) || strcmp (actual, wanted) == 0)
    return TRUE;
  return deny (error, RB_REASON_RECORD_METHOD, "ECU %s: method of its roots: expected %s, actual “%s”", serial_of (ecu),
               wanted, actual);
}

static gboolean
check_profiles (const json_t *predicate, const RbReferenceValues *bundle, GError **error)
{
  size_t i;
  json_t *ecu;
  json_array_foreach (json_object_get (predicate, "ecus"), i, ecu) {
    const RbProfile *profile
      = bundle->profile == NULL ? NULL : bundle->profile (bundle->data, rb_json_string_or (ecu, "hardwareId", ""));
    if (profile != NULL
        && (!check_key_kind (ecu, profile, error) || !check_method (ecu, profile, error)
            || !check_roots_method (ecu, profile, error) || !rb_around_check_profile (ecu, profile, error)))
      return FALSE;
  }
  return TRUE;
}

/* The VIN was read from the Primary and from one more ECU, as far as their profiles can tell it. */
static gboolean
check_vin_sources (const json_t *predicate, const RbReferenceValues *bundle, GError **error)
{
  const json_t *sources = json_object_get (json_object_get (predicate, "vehicle"), "vinSources");
  gsize able = 0;
  size_t i;
  json_t *ecu;
  if (rb_ending_is_without_vehicle (predicate))
    return TRUE;
  json_array_foreach (json_object_get (predicate, "ecus"), i, ecu) {
    const RbProfile *profile
      = bundle->profile == NULL ? NULL : bundle->profile (bundle->data, rb_json_string_or (ecu, "hardwareId", ""));
    gboolean primary = strcmp (rb_json_string_or (ecu, "role", ""), "primary") == 0;
    if (profile == NULL || profile->did_vin == 0)
      continue;
    able++;
    if (primary && rb_predicate_entry (sources, "ecu", serial_of (ecu)) == NULL)
      return deny (error, RB_REASON_RECORD_VIN, "Record: the VIN is not read from the Primary");
  }
  if (json_array_size (sources) < MIN (able, 2))
    return deny (error, RB_REASON_RECORD_VIN, "Record: the VIN is read from %zu of %zu ECUs that report it",
                 json_array_size (sources), able);
  return TRUE;
}

static GBytes *
hex_member (const json_t *object, const char *member)
{
  const char *text = rb_json_string_or (object, member, NULL);
  return text == NULL ? NULL : rb_bytes_from_hex (text);
}

/* The bootloader's response, computed from the bundle's image. */
static gboolean
check_image (const json_t *ecu, const RbReferenceValues *bundle, GError **error)
{
  const json_t *entry = json_object_get (ecu, "image");
  const RbCampaignEcu *wanted = rb_campaign_ecu (bundle->campaign, rb_json_string_or (ecu, "hardwareId", ""));
  g_autoptr (GError) problem = NULL;
  g_autoptr (GBytes) nonce = hex_member (entry, "nonce");
  if (wanted == NULL)
    return deny (error, RB_REASON_RECORD_CAMPAIGN, "ECU %s: the campaign has no such hardware", serial_of (ecu));
  if (nonce == NULL || g_strcmp0 (rb_json_string_or (entry, "sha256", NULL), wanted->image_sha256) != 0)
    return deny (error, RB_REASON_RECORD_IMAGE, "ECU %s: its image is not the campaign's", serial_of (ecu));
  g_autoptr (GBytes) image = bundle->image (bundle->data, wanted->image_sha256, &problem);
  if (image == NULL)
    return deny (error, RB_REASON_RECORD_IMAGE, "ECU %s: %s", serial_of (ecu),
                 problem == NULL ? "the bundle has no image" : problem->message);
  g_autoptr (RbSha256) digest = rb_digest_sha256_new ();
  rb_digest_sha256_update (digest, g_bytes_get_data (nonce, NULL), g_bytes_get_size (nonce));
  rb_digest_sha256_update (digest, g_bytes_get_data (image, NULL), g_bytes_get_size (image));
  g_autofree char *expected = rb_digest_sha256_finish (digest);
  if (g_strcmp0 (rb_json_string_or (entry, "digestOverNonce", NULL), expected) != 0)
    return deny (error, RB_REASON_RECORD_IMAGE, "ECU %s: the digest it gave is not that of the campaign's image",
                 serial_of (ecu));
  return TRUE;
}

/* M4 and M5 as only the key that the OEM made gives them, in the slot and with the counter that it was made for. */
static gboolean
check_she (const json_t *predicate, const json_t *ecu, const RbReferenceValues *bundle, GError **error)
{
  const json_t *key = json_object_get (ecu, "key");
  const char *vin = rb_json_string_or (json_object_get (predicate, "vehicle"), "vin", "");
  const json_t *update = bundle->she == NULL || strcmp (rb_json_string_or (key, "kind", ""), "she") != 0
                           ? NULL
                           : bundle->she (bundle->data, vin, serial_of (ecu));
  if (update == NULL)
    return TRUE;
  g_autofree char *id
    = g_strdup_printf ("she:%" G_GINT64_FORMAT ":%" G_GINT64_FORMAT, rb_json_integer_or (update, "slot", -1),
                       rb_json_integer_or (update, "counter", -1));
  g_autofree char *hex = g_strconcat (rb_json_string_or (key, "m4", ""), rb_json_string_or (key, "m5", ""), NULL);
  g_autoptr (GBytes) answer = rb_bytes_from_hex (hex);
  g_autofree char *digest = answer == NULL ? NULL : rb_digest_sha256_hex_of (answer);
  if (g_strcmp0 (digest, rb_json_string_or (update, "answer_sha256", "")) != 0)
    return deny (error, RB_REASON_KEY_NOT_PROVEN, "ECU %s: its M4 and M5 are not those of the OEM's update",
                 serial_of (ecu));
  if (strcmp (rb_json_string_or (key, "newKeyId", ""), id) != 0)
    return deny (error, RB_REASON_KEY_NOT_PROVEN, "ECU %s: key of the OEM's update: expected %s, actual %s",
                 serial_of (ecu), id, rb_json_string_or (key, "newKeyId", ""));
  return TRUE;
}

static gboolean
check_nonce (const json_t *predicate, const json_t *ecu, const RbCampaign *campaign, GError **error)
{
  const json_t *key = json_object_get (ecu, "key");
  const char *vin = rb_json_string_or (json_object_get (predicate, "vehicle"), "vin", "");
  g_autoptr (GBytes) wanted = rb_campaign_ecu_nonce (campaign, vin, serial_of (ecu));
  g_autofree char *text = rb_bytes_hex (wanted);
  if (strcmp (rb_json_string_or (key, "kind", ""), "asymmetric") == 0
      && g_strcmp0 (rb_json_string_or (key, "nonce", NULL), text) != 0)
    return deny (error, RB_REASON_RECORD_NONCE, "ECU %s: the nonce of its proof is not the campaign's for this vehicle",
                 serial_of (ecu));
  if (g_strcmp0 (rb_json_string_or (json_object_get (ecu, "report"), "nonce", NULL), text) != 0)
    return deny (error, RB_REASON_RECORD_NONCE,
                 "ECU %s: the nonce of its report is not the campaign's for this vehicle", serial_of (ecu));
  return TRUE;
}

gboolean
rb_campaign_check_record (const json_t *predicate, const RbReferenceValues *bundle, GError **error)
{
  size_t i;
  json_t *ecu;
  if (!check_quote (predicate, bundle, error) || !check_scope (predicate, bundle, error)
      || !check_profiles (predicate, bundle, error) || !check_vin_sources (predicate, bundle, error))
    return FALSE;
  json_array_foreach (json_object_get (predicate, "ecus"), i, ecu)
    if (rb_predicate_claims_done (ecu)
        && (!check_image (ecu, bundle, error) || !check_nonce (predicate, ecu, bundle->campaign, error)
            || !check_she (predicate, ecu, bundle, error)))
      return FALSE;
  return TRUE;
}
