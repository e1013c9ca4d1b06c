/* SPDX-License-Identifier: Apache-2.0 */
#include "record/result.h"

#include "core/bytes.h"
#include "core/json.h"
#include "core/moment.h"
#include "model/completeness.h"
#include "record/predicate.h"
#include "record/around.h"
#include "record/checklist.h"
#include "record/ending.h"

#include <string.h>

#define deny(error, reason, ...) rb_reason_deny (error, RB_RECORD_ERROR, reason, __VA_ARGS__)

static json_t *
quote_root (const RbCampaignRoot *root)
{
  json_t *quote = json_object ();
  rb_json_set_integer (quote, "version", root->version);
  rb_json_set_string (quote, "sha256", root->sha256);
  rb_json_set_boolean (quote, "pinned", root->pinned);
  return quote;
}

static json_t *
quote_ecu (const RbCampaignEcu *ecu)
{
  json_t *quote = json_object ();
  rb_json_set_string (quote, "hardwareId", ecu->hardware_id);
  rb_json_set_string (quote, "image", ecu->image);
  rb_json_set_string (quote, "imageSha256", ecu->image_sha256);
  rb_json_set_boolean (quote, "newKey", ecu->new_key);
  rb_around_quote (quote, ecu);
  return quote;
}

static json_t *
quote_pinned (const RbCampaign *campaign)
{
  json_t *pinned = json_array ();
  if (campaign->director_root.pinned)
    json_array_append_new (pinned, json_string ("director"));
  if (campaign->image_root.pinned)
    json_array_append_new (pinned, json_string ("image"));
  return pinned;
}

json_t *
rb_result_quote (const RbCampaign *campaign, const char *campaign_sha256)
{
  json_t *quote = json_object ();
  rb_json_set_string (quote, "id", campaign->id);
  rb_json_set_integer (quote, "version", campaign->version);
  rb_json_set_string (quote, "oem", campaign->oem);
  rb_json_set_string (quote, "oemNumber", campaign->oem_number);
  if (campaign->nhtsa_number != NULL)
    rb_json_set_string (quote, "nhtsaNumber", campaign->nhtsa_number);
  rb_json_set_string (quote, "scenario", rb_campaign_scenario_name (campaign->scenario));
  rb_json_set_string (quote, "campaignSha256", campaign_sha256);
  rb_json_set_moment (quote, "issuedAt", campaign->issued);
  rb_json_set_moment (quote, "expiresAt", campaign->expires);
  rb_json_set_string (quote, "market", campaign->market);
  json_t *roots = json_object ();
  rb_json_set (roots, "director", quote_root (&campaign->director_root));
  rb_json_set (roots, "image", quote_root (&campaign->image_root));
  rb_json_set (quote, "roots", roots);
  rb_json_set (quote, "pinnedRoots", quote_pinned (campaign));
  json_t *ecus = json_array ();
  for (guint i = 0; i < campaign->ecus->len; i++)
    json_array_append_new (ecus, quote_ecu (campaign->ecus->pdata[i]));
  rb_json_set (quote, "ecus", ecus);
  rb_json_set_boolean (quote, "secondPerson", campaign->second_person);
  rb_json_set (quote, "checklist", rb_checklist_quote (campaign));
  if (campaign->labour_operation != NULL)
    rb_json_set_string (quote, "labourOperation", campaign->labour_operation);
  return quote;
}

/* members */

typedef enum { TEXT, DIGEST, HEX16, NUMBER, MOMENT, FLAG, OBJECT, ARRAY, STRINGS, NULLABLE = 0x80 } Kind;
typedef struct {
  const char *name;
  int kind;
} Member;

static gboolean
is_hex (const json_t *value, gsize digits)
{
  const char *text = json_string_value (value);
  return text != NULL && strlen (text) == digits && strspn (text, "0123456789abcdef") == digits;
}

static gboolean
is_strings (const json_t *value)
{
  size_t i;
  json_t *entry;
  json_array_foreach ((json_t *) value, i, entry)
    if (!json_is_string (entry))
      return FALSE;
  return json_is_array (value);
}

static gboolean
is_kind (const json_t *value, int kind)
{
  gint64 moment;
  if ((kind & NULLABLE) != 0 && json_is_null (value))
    return TRUE;
  switch (kind & ~NULLABLE) {
  case TEXT: return json_is_string (value);
  case DIGEST: return is_hex (value, 64);
  case HEX16: return is_hex (value, 32);
  case NUMBER: return json_is_integer (value) && json_integer_value (value) >= 0;
  case MOMENT: return json_is_string (value) && rb_moment_from_text (json_string_value (value), &moment);
  case FLAG: return json_is_boolean (value);
  case OBJECT: return json_is_object (value);
  case ARRAY: return json_is_array (value);
  default: return is_strings (value);
  }
}

static gboolean
has_members (const json_t *object, const char *what, const Member *members, GError **error)
{
  if (!json_is_object (object))
    return deny (error, RB_REASON_RECORD_MALFORMED, "Record: %s is missing", what);
  for (const Member *member = members; member->name != NULL; member++)
    if (!is_kind (json_object_get (object, member->name), member->kind))
      return deny (error, RB_REASON_RECORD_MALFORMED, "Record: %s: “%s” is missing or not what it has to be", what,
                   member->name);
  return TRUE;
}

static const Member predicate_members[] = {
  { "recordId", HEX16 },
  { "stream", HEX16 },
  { "sequence", NUMBER },
  { "previousRecord", DIGEST },
  { "supersedes", STRINGS },
  { "type", TEXT },
  { "result", TEXT },
  { "campaign", OBJECT },
  { "vehicle", OBJECT },
  { "dealer", OBJECT },
  { "workstation", OBJECT },
  { "technician", OBJECT },
  { "preflight", OBJECT },
  { "inspection", OBJECT | NULLABLE },
  { "ecus", ARRAY },
  { "vehicleManifest", OBJECT },
  { "failures", ARRAY },
  { "deviations", ARRAY },
  { "time", OBJECT },
  { "firstWriteAt", MOMENT | NULLABLE },
  { "startedAt", MOMENT },
  { "finishedAt", MOMENT },
  { NULL, 0 },
};
static const Member campaign_members[] = {
  { "id", TEXT },           { "version", NUMBER },      { "oem", TEXT },
  { "oemNumber", TEXT },    { "scenario", TEXT },       { "campaignSha256", DIGEST },
  { "issuedAt", MOMENT },   { "expiresAt", MOMENT },    { "market", TEXT },
  { "roots", OBJECT },      { "pinnedRoots", STRINGS }, { "ecus", ARRAY },
  { "secondPerson", FLAG }, { "checklist", OBJECT },    { NULL, 0 },
};
static const Member campaign_root_members[]
  = { { "version", NUMBER }, { "sha256", DIGEST }, { "pinned", FLAG }, { NULL, 0 } };
static const Member campaign_ecu_members[] = {
  { "hardwareId", TEXT }, { "image", TEXT }, { "imageSha256", DIGEST }, { "newKey", FLAG }, { NULL, 0 },
};
static const Member vehicle_members[] = { { "vin", TEXT }, { "vinSources", ARRAY }, { NULL, 0 } };
static const Member person_members[] = { { "certSha256", DIGEST }, { "name", TEXT }, { NULL, 0 } };
static const Member workstation_members[] = {
  { "certSha256", DIGEST },
  { "softwareVersion", TEXT },
  { "interface", OBJECT },
  { NULL, 0 },
};
static const Member preflight_members[] = {
  { "ecusExpected", STRINGS },
  { "ecusFound", STRINGS },
  { "unexpected", STRINGS },
  { NULL, 0 },
};
static const Member inspection_members[] = {
  { "checklistId", TEXT }, { "checklistVersion", NUMBER }, { "items", ARRAY },
  { "outcome", TEXT },     { "completedAt", MOMENT },      { NULL, 0 },
};
static const Member item_members[]
  = { { "id", TEXT }, { "result", TEXT }, { "at", MOMENT }, { "by", TEXT }, { "performedBy", TEXT }, { NULL, 0 } };
static const Member time_members[] = {
  { "claimed", MOMENT },
  { "notBefore", MOMENT },
  { "notBeforeSource", TEXT },
  { NULL, 0 },
};
static const Member manifest_members[] = { { "before", TEXT | NULLABLE }, { "after", TEXT | NULLABLE }, { NULL, 0 } };
static const Member failure_members[] = { { "reason", TEXT }, { "text", TEXT }, { NULL, 0 } };
static const Member deviation_members[] = { { "code", TEXT }, { "text", TEXT }, { NULL, 0 } };
static const Member ecu_members[] = {
  { "ecuSerial", TEXT },
  { "hardwareId", TEXT },
  { "role", TEXT },
  { "verification", TEXT },
  { "before", OBJECT | NULLABLE },
  { "after", OBJECT | NULLABLE },
  { "image", OBJECT | NULLABLE },
  { "key", OBJECT | NULLABLE },
  { "report", OBJECT | NULLABLE },
  { "outcome", TEXT },
  { "writes", NUMBER },
  { "performedBy", TEXT },
  { "startedAt", MOMENT },
  { "finishedAt", MOMENT },
  { NULL, 0 },
};

static gboolean
all_have_members (const json_t *array, const char *what, const Member *members, GError **error)
{
  size_t i;
  json_t *entry;
  json_array_foreach ((json_t *) array, i, entry)
    if (!has_members (entry, what, members, error))
      return FALSE;
  return TRUE;
}

static gboolean
has_no_floats (const json_t *value)
{
  size_t i;
  const char *name;
  json_t *inner;
  json_array_foreach ((json_t *) value, i, inner)
    if (!has_no_floats (inner))
      return FALSE;
  json_object_foreach ((json_t *) value, name, inner)
    if (!has_no_floats (inner))
      return FALSE;
  return !json_is_real (value);
}

static gboolean
serials_are_unique (const json_t *ecus, GError **error)
{
  size_t i;
  json_t *ecu;
  json_array_foreach ((json_t *) ecus, i, ecu) {
    /* one that is not fitted has no serial */
    const char *member = rb_predicate_is_not_fitted (ecu) ? "hardwareId" : "ecuSerial";
    const char *value = rb_json_string_or (ecu, member, "");
    if (rb_predicate_entry (ecus, member, value) != ecu)
      return deny (error, RB_REASON_RECORD_MALFORMED, "Record: ECU %s is in it twice", value);
  }
  return TRUE;
}

static gboolean
campaign_is_well_formed (const json_t *campaign, GError **error)
{
  if (!has_members (campaign, "campaign", campaign_members, error)
      || !all_have_members (json_object_get (campaign, "ecus"), "campaign ECU", campaign_ecu_members, error)
      || !rb_checklist_is_well_formed (json_object_get (campaign, "checklist"), error))
    return FALSE;
  const json_t *roots = json_object_get (campaign, "roots");
  return has_members (json_object_get (roots, "director"), "campaign Director root", campaign_root_members, error)
         && has_members (json_object_get (roots, "image"), "campaign Image root", campaign_root_members, error);
}

static gboolean
people_are_well_formed (const json_t *predicate, GError **error)
{
  const json_t *second = json_object_get (predicate, "secondPerson");
  return has_members (json_object_get (predicate, "technician"), "technician", person_members, error)
         && (second == NULL || has_members (second, "second person", person_members, error))
         && has_members (json_object_get (predicate, "workstation"), "workstation", workstation_members, error);
}

static gboolean
inspection_is_well_formed (const json_t *inspection, GError **error)
{
  return json_is_null (inspection)
         || (has_members (inspection, "inspection", inspection_members, error)
             && all_have_members (json_object_get (inspection, "items"), "inspection item", item_members, error));
}

gboolean
rb_result_is_well_formed (const json_t *predicate, GError **error)
{
  if (!has_members (predicate, "predicate", predicate_members, error))
    return FALSE;
  if (!has_no_floats (predicate))
    return deny (error, RB_REASON_RECORD_MALFORMED, "Record: it holds a number that is not an integer");
  const json_t *ecus = json_object_get (predicate, "ecus");
  if (!campaign_is_well_formed (json_object_get (predicate, "campaign"), error)
      || !has_members (json_object_get (predicate, "vehicle"), "vehicle", vehicle_members, error)
      || !people_are_well_formed (predicate, error)
      || !has_members (json_object_get (predicate, "preflight"), "preflight", preflight_members, error)
      || !inspection_is_well_formed (json_object_get (predicate, "inspection"), error)
      || !all_have_members (ecus, "ECU", ecu_members, error)
      || !has_members (json_object_get (predicate, "vehicleManifest"), "vehicle manifest", manifest_members, error)
      || !all_have_members (json_object_get (predicate, "failures"), "failure", failure_members, error)
      || !all_have_members (json_object_get (predicate, "deviations"), "deviation", deviation_members, error)
      || !has_members (json_object_get (predicate, "time"), "time", time_members, error))
    return FALSE;
  if (!rb_campaign_vin_is_valid (rb_json_string_or (json_object_get (predicate, "vehicle"), "vin", "")))
    return deny (error, RB_REASON_RECORD_MALFORMED, "Record: the VIN is malformed");
  if (rb_json_integer_or (predicate, "sequence", 0) < 1)
    return deny (error, RB_REASON_RECORD_MALFORMED, "Record: sequence numbers begin with 1");
  size_t i;
  json_t *ecu;
  json_array_foreach ((json_t *) ecus, i, ecu)
    if (!rb_around_is_well_formed (ecu, error))
      return FALSE;
  return serials_are_unique (ecus, error) && rb_ending_is_well_formed (predicate, error);
}

/* completeness */

static gboolean
inspection_allows (const json_t *predicate, GError **error)
{
  const json_t *inspection = json_object_get (predicate, "inspection");
  const json_t *items = json_object_get (inspection, "items");
  if (json_is_null (inspection) || json_array_size (items) == 0)
    return deny (error, RB_REASON_INSPECTION_MISSING, "The vehicle was not inspected");
  size_t i;
  json_t *item;
  json_array_foreach ((json_t *) items, i, item) {
    const char *result = rb_json_string_or (item, "result", "");
    if (strcmp (result, "pass") != 0 && strcmp (result, "na") != 0)
      return deny (error, RB_REASON_INSPECTION_FAILED, "Inspection item %s was not passed",
                   rb_json_string_or (item, "id", ""));
  }
  if (strcmp (rb_json_string_or (inspection, "outcome", ""), "pass") != 0)
    return deny (error, RB_REASON_INSPECTION_FAILED, "The inspection was not passed");
  gint64 completed = 0, first_write = G_MAXINT64;
  const char *first = rb_json_string_or (predicate, "firstWriteAt", NULL);
  if (!rb_moment_from_text (rb_json_string_or (inspection, "completedAt", ""), &completed)
      || (first != NULL && !rb_moment_from_text (first, &first_write)))
    return deny (error, RB_REASON_RECORD_MALFORMED, "Record: a time is malformed");
  if (completed > first_write)
    return deny (error, RB_REASON_INSPECTION_MISSING, "The inspection was completed after the first write");
  return TRUE;
}

static gboolean
root_is (const json_t *held, const json_t *wanted)
{
  return json_is_object (held) && json_equal (json_object_get (held, "version"), json_object_get (wanted, "version"))
         && json_equal (json_object_get (held, "sha256"), json_object_get (wanted, "sha256"));
}

static gboolean
roots_are_held (const json_t *ecu, const char *serial, const json_t *campaign, GError **error)
{
  const json_t *after = json_object_get (ecu, "after"), *roots = json_object_get (campaign, "roots");
  const json_t *image_root = json_object_get (after, "imageRoot");
  gboolean full = strcmp (rb_json_string_or (ecu, "verification", ""), "partial") != 0;
  if (!root_is (json_object_get (after, "directorRoot"), json_object_get (roots, "director")))
    return deny (error, RB_REASON_ROOT_NOT_PROVEN, "ECU %s does not hold the campaign's Director root", serial);
  if (full ? !root_is (image_root, json_object_get (roots, "image"))
           : json_is_object (image_root) && !root_is (image_root, json_object_get (roots, "image")))
    return deny (error, RB_REASON_ROOT_NOT_PROVEN, "ECU %s does not hold the campaign's Image root", serial);
  return TRUE;
}

static gboolean
has_bytes (const json_t *object, const char *member, gsize low, gsize high)
{
  g_autoptr (GBytes) bytes = NULL;
  const char *text = rb_json_string_or (object, member, NULL);
  if (text != NULL)
    bytes = rb_bytes_from_hex (text);
  return bytes != NULL && g_bytes_get_size (bytes) >= low && g_bytes_get_size (bytes) <= high;
}

static gboolean
shows_writing (const json_t *image)
{
  const json_t *written_by = json_object_get (image, "writtenBy");
  return json_is_true (json_object_get (written_by, "journal")) || has_bytes (written_by, "record", 32, 32);
}

static gboolean
image_is_proven (const json_t *ecu, const char *serial, const json_t *wanted, GError **error)
{
  const json_t *image = json_object_get (ecu, "image"), *after = json_object_get (ecu, "after");
  const char *sha256 = rb_json_string_or (wanted, "imageSha256", "");
  if (g_strcmp0 (rb_json_string_or (image, "sha256", NULL), sha256) != 0
      || g_strcmp0 (rb_json_string_or (image, "target", NULL), rb_json_string_or (wanted, "image", "")) != 0)
    return deny (error, RB_REASON_IMAGE_NOT_PROVEN, "ECU %s was not given the campaign's image", serial);
  if (g_strcmp0 (rb_json_string_or (after, "imageSha256", NULL), sha256) != 0)
    return deny (error, RB_REASON_IMAGE_NOT_PROVEN, "ECU %s does not hold the campaign's image", serial);
  if (!has_bytes (image, "nonce", 16, 32) || !has_bytes (image, "digestOverNonce", 32, 32)
      || rb_json_string_or (image, "method", NULL) == NULL)
    return deny (error, RB_REASON_IMAGE_NOT_PROVEN, "ECU %s gave no digest of its image over a nonce", serial);
  if (strcmp (rb_json_string_or (image, "method", ""), "application-digest") == 0 && !shows_writing (image))
    return deny (error, RB_REASON_IMAGE_NOT_PROVEN,
                 "ECU %s: only its application states its image, and nothing shows that it was written", serial);
  return TRUE;
}

/* Counter, M4 and M5 equal to the OEM's values prove a symmetric key. */
static gboolean
shows_creation (const json_t *key, gboolean she)
{
  const json_t *created_by = json_object_get (key, "createdBy");
  return json_is_true (json_object_get (created_by, "journal")) || has_bytes (created_by, "record", 32, 32)
         || (she && json_is_true (json_object_get (created_by, "update")));
}

static gboolean
key_is_proven (const json_t *ecu, const char *serial, const json_t *wanted, GError **error)
{
  const json_t *key = json_object_get (ecu, "key");
  const char *kind = rb_json_string_or (key, "kind", "none"), *verified = rb_json_string_or (key, "verified", "");
  gboolean proven = FALSE;
  if (!json_is_true (json_object_get (wanted, "newKey")))
    return TRUE;
  if (strcmp (kind, "asymmetric") == 0)
    proven = strcmp (verified, "yes") == 0 && has_bytes (key, "nonce", 32, 32) && has_bytes (key, "challenge", 16, 32)
             && rb_json_string_or (key, "newPublicKey", NULL) != NULL && rb_json_string_or (key, "pop", NULL) != NULL;
  else if (strcmp (kind, "she") == 0)
    proven = (strcmp (verified, "yes") == 0 || strcmp (verified, "deferred") == 0) && has_bytes (key, "m4", 32, 32)
             && has_bytes (key, "m5", 16, 16) && json_is_integer (json_object_get (key, "counter"));
  const char *old_key = rb_json_string_or (key, "oldKeyId", NULL);
  gboolean replaced = rb_predicate_claims_done (ecu) && rb_json_integer_or (ecu, "writes", 0) > 0;
  if (replaced && old_key != NULL && strcmp (old_key, rb_json_string_or (key, "newKeyId", "")) == 0)
    return deny (error, RB_REASON_KEY_NOT_PROVEN, "ECU %s: its key is called replaced and is the old one", serial);
  if (!proven || !shows_creation (key, strcmp (kind, "she") == 0))
    return deny (error, RB_REASON_KEY_NOT_PROVEN, "ECU %s did not prove a key made in this campaign", serial);
  return TRUE;
}

static gboolean
report_is_proven (const json_t *ecu, const char *serial, const json_t *wanted, GError **error)
{
  const json_t *report = json_object_get (ecu, "report");
  const char *kind = rb_json_string_or (json_object_get (ecu, "key"), "kind", "none");
  const char *verified = rb_json_string_or (report, "verified", "");
  /* keys whose reports only the OEM can verify: symmetric ones, and old ones that the campaign leaves in place */
  gboolean old_key = strcmp (kind, "none") == 0 && !json_is_true (json_object_get (wanted, "newKey"));
  gboolean may_defer = strcmp (kind, "she") == 0 || old_key;
  if (rb_json_string_or (report, "envelope", NULL) == NULL
      || (strcmp (verified, "yes") != 0 && !(may_defer && strcmp (verified, "deferred") == 0)))
    return deny (error, RB_REASON_REPORT_NOT_PROVEN, "ECU %s gave no report by its new key", serial);
  return TRUE;
}

gboolean
rb_result_ecu_is_done (const json_t *ecu, const json_t *campaign, GError **error)
{
  const char *serial = rb_json_string_or (ecu, "ecuSerial", "");
  const json_t *wanted
    = rb_predicate_entry (json_object_get (campaign, "ecus"), "hardwareId", rb_json_string_or (ecu, "hardwareId", ""));
  if (!rb_predicate_claims_done (ecu))
    return deny (error, RB_REASON_NOT_COMPLETE, "ECU %s ended as “%s”", serial, rb_json_string_or (ecu, "outcome", ""));
  if (wanted == NULL)
    return deny (error, RB_REASON_ECU_UNEXPECTED, "The campaign does not know the hardware of ECU %s", serial);
  if (!json_is_object (json_object_get (ecu, "after")))
    return deny (error, RB_REASON_NOT_COMPLETE, "ECU %s was not read back", serial);
  if (strcmp (rb_json_string_or (json_object_get (ecu, "after"), "boot", ""), "application") != 0)
    return deny (error, RB_REASON_NOT_COMPLETE, "ECU %s does not run its application", serial);
  return image_is_proven (ecu, serial, wanted, error) && roots_are_held (ecu, serial, campaign, error)
         && key_is_proven (ecu, serial, wanted, error) && report_is_proven (ecu, serial, wanted, error)
         && rb_around_is_proven (ecu, wanted, error);
}

static gboolean
expected_are_there (const json_t *predicate, GError **error)
{
  const json_t *expected = json_object_get (json_object_get (predicate, "preflight"), "ecusExpected");
  const json_t *ecus = json_object_get (predicate, "ecus"), *name;
  size_t i;
  if (json_array_size (expected) == 0)
    return deny (error, RB_REASON_ECU_MISSING, "No ECU was expected");
  json_array_foreach ((json_t *) expected, i, name)
    if (rb_predicate_entry (ecus, "ecuSerial", json_string_value (name)) == NULL)
      return deny (error, RB_REASON_ECU_MISSING, "Nothing is said of ECU %s", json_string_value (name));
  return TRUE;
}

static gboolean
names (const json_t *list, const json_t *ecu)
{
  size_t i;
  json_t *name;
  json_array_foreach ((json_t *) list, i, name)
    if (g_strcmp0 (json_string_value (name), rb_json_string_or (ecu, "ecuSerial", "")) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
nothing_unexplained_was_written (const json_t *predicate, GError **error)
{
  size_t i;
  json_t *ecu;
  if (!json_is_null (json_object_get (predicate, "firstWriteAt")))
    return TRUE;
  json_array_foreach (json_object_get (predicate, "ecus"), i, ecu)
    if (rb_json_integer_or (ecu, "writes", 0) != 0)
      return deny (error, RB_REASON_INSPECTION_MISSING, "ECU %s was written to, and no first write is named",
                   rb_json_string_or (ecu, "ecuSerial", ""));
  return TRUE;
}

/* What the record itself says of one ECU, for the rule of completeness; *why: what it is not done for. */
static RbCompletenessVerdict
judge_entry (const json_t *predicate, const json_t *ecu, GError **why)
{
  const json_t *preflight = json_object_get (predicate, "preflight");
  gboolean fitted = !rb_predicate_is_not_fitted (ecu);
  const RbCompletenessEcu said = { .directed = fitted || names (json_object_get (preflight, "ecusExpected"), ecu),
                                   .found = fitted || !json_is_null (json_object_get (ecu, "before")),
                                   .done = rb_result_ecu_is_done (ecu, json_object_get (predicate, "campaign"), why) };
  return rb_completeness_judge (&said);
}

static gboolean
ecus_are_done (const json_t *predicate, GError **error)
{
  size_t i;
  json_t *ecu;
  json_array_foreach (json_object_get (predicate, "ecus"), i, ecu) {
    g_autoptr (GError) why = NULL;
    switch (judge_entry (predicate, ecu, &why)) {
    case RB_COMPLETENESS_DONE:
    case RB_COMPLETENESS_NOT_FITTED: break;
    case RB_COMPLETENESS_NOT_DIRECTED:
      return deny (error, RB_REASON_ECU_NOT_DIRECTED, "An ECU of hardware %s was found and nothing was directed to it",
                   rb_json_string_or (ecu, "hardwareId", ""));
    case RB_COMPLETENESS_OPEN:
    default: g_propagate_error (error, g_steal_pointer (&why)); return FALSE;
    }
  }
  return TRUE;
}

/* The state of the vehicle that its Primary signs: the record is about it. */
static gboolean
manifest_is_there (const json_t *predicate, GError **error)
{
  const char *after = rb_json_string_or (json_object_get (predicate, "vehicleManifest"), "after", "");
  if (after[0] != '\0')
    return TRUE;
  return deny (error, RB_REASON_REPORT_NOT_PROVEN, "The Primary gave no vehicle version manifest after the work");
}

gboolean
rb_result_is_complete (const json_t *predicate, GError **error)
{
  const json_t *campaign = json_object_get (predicate, "campaign");
  if (!inspection_allows (predicate, error) || !nothing_unexplained_was_written (predicate, error)
      || !expected_are_there (predicate, error) || !ecus_are_done (predicate, error)
      || !manifest_is_there (predicate, error))
    return FALSE;
  if (json_is_true (json_object_get (campaign, "secondPerson"))
      && !json_is_object (json_object_get (predicate, "secondPerson")))
    return deny (error, RB_REASON_SECOND_PERSON_MISSING, "The campaign asks for a second person");
  return TRUE;
}
