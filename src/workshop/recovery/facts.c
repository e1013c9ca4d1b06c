/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/facts.h"

#include "core/bytes.h"
#include "core/json.h"
#include "core/moment.h"
#include "recovery/coding.h"
#include "recovery/dtc.h"

#include <string.h>

/* A clock that was set during the work makes no times that exclude one another. */
static gint64
fit (gint64 moment, gint64 from, gint64 to)
{
  return CLAMP (moment, from, MAX (from, to));
}

static void
set_hex (json_t *object, const char *member, GBytes *bytes)
{
  g_autofree char *hex = bytes == NULL ? NULL : rb_bytes_hex (bytes);
  rb_json_set_string (object, member, hex);
}

static void
set_base64 (json_t *object, const char *member, GBytes *bytes)
{
  g_autofree char *text = bytes == NULL ? NULL : rb_bytes_to_base64 (bytes);
  rb_json_set_string (object, member, text);
}

static json_t *
root (const RbEcuRoot *root)
{
  if (root->sha256[0] == '\0')
    return json_null ();
  return json_pack ("{s:I,s:s}", "version", (json_int_t) root->version, "sha256", root->sha256);
}

/* image_sha256: what was proven, else what the ECU claims */
static json_t *
claims (const RbEcuClaims *said, const char *image_sha256)
{
  if (said == NULL)
    return json_null ();
  json_t *object = json_object ();
  rb_json_set_string (object, "ecuSerial", said->serial);
  rb_json_set_string (object, "imageSha256", image_sha256);
  rb_json_set (object, "directorRoot", root (&said->director));
  rb_json_set (object, "imageRoot", root (&said->image));
  rb_json_set_string (object, "keyId", said->key_id);
  rb_json_set_string (object, "software", said->software);
  if (said->rxswin != NULL && said->rxswin[0] != '\0')
    rb_json_set_string (object, "rxswin", said->rxswin);
  rb_json_set_string (object, "boot", said->application ? "application" : "bootloader");
  if (said->boot_cause != RB_ECU_BOOT_UNKNOWN)
    rb_json_set_string (object, "bootCause", rb_ecu_claims_boot_word (said->boot_cause));
  return object;
}

/* What shows it: a record, the journal, or (a symmetric key) the campaign's update by its expected answer. */
static json_t *
shown_by (const char *record)
{
  if (record == NULL)
    return json_pack ("{s:b}", "update", TRUE);
  if (record[0] != '\0')
    return json_pack ("{s:s}", "record", record);
  return json_pack ("{s:b}", "journal", TRUE);
}

static json_t *
image (const RbWork *work)
{
  if (work->image_digest == NULL)
    return json_null ();
  json_t *object = json_object ();
  rb_json_set_string (object, "target", work->wanted->image);
  rb_json_set_string (object, "sha256", work->wanted->image_sha256);
  set_hex (object, "nonce", work->image_nonce);
  rb_json_set_string (object, "digestOverNonce", work->image_digest);
  rb_json_set_string (object, "method",
                      work->profile->digest_by_bootloader ? "bootloader-digest" : "application-digest");
  if (!work->profile->digest_by_bootloader && work->image_record != NULL)
    rb_json_set (object, "writtenBy", shown_by (work->image_record));
  return object;
}

static void
add_she_proof (json_t *object, const RbWork *work)
{
  g_autoptr (GBytes) m4 = g_bytes_new_from_bytes (work->she_proof, 0, 32);
  g_autoptr (GBytes) m5 = g_bytes_new_from_bytes (work->she_proof, 32, 16);
  set_hex (object, "m4", m4);
  set_hex (object, "m5", m5);
  rb_json_set_integer (object, "counter", work->she_counter);
}

/* The key that was replaced: none that this run has seen, when an earlier one made the key and this one wrote something
 * else. */
static const char *
old_key (const RbWork *work)
{
  gboolean of_earlier_run
    = work->writes > 0 && work->before != NULL && g_strcmp0 (work->before->key_id, work->key_id) == 0;
  return work->before == NULL || of_earlier_run ? NULL : work->before->key_id;
}

static json_t *
key (const RbWork *work, const RbCampaign *campaign, const char *vin)
{
  gboolean she = work->profile->key_kind == RB_KEY_KIND_SHE;
  json_t *object = json_object ();
  if (work->profile->key_kind == RB_KEY_KIND_NONE) {
    rb_json_set_string (object, "kind", "none");
    return object;
  }
  rb_json_set_string (object, "kind", she ? "she" : "asymmetric");
  rb_json_set_string (object, "oldKeyId", old_key (work));
  if (work->assignment == NULL || work->key_id == NULL || work->need_key || (work->key_record == NULL && !she))
    return object;
  rb_json_set_string (object, "newKeyId", work->key_id);
  rb_json_set (object, "createdBy", shown_by (work->key_record));
  rb_json_set_string (object, "verified", she ? "deferred" : "yes");
  if (she) {
    add_she_proof (object, work);
    return object;
  }
  g_autoptr (GBytes) nonce = rb_campaign_ecu_nonce (campaign, vin, work->assignment->serial);
  set_base64 (object, "newPublicKey", work->key_spki);
  set_hex (object, "nonce", nonce);
  set_hex (object, "challenge", work->key_challenge);
  set_base64 (object, "pop", work->key_proof);
  return object;
}

static json_t *
report (const RbWork *work, const RbCampaign *campaign, const char *vin)
{
  if (work->report == NULL || work->state != RB_ECU_DONE)
    return json_null ();
  json_t *object = json_object ();
  g_autoptr (GBytes) nonce = rb_campaign_ecu_nonce (campaign, vin, work->assignment->serial);
  set_base64 (object, "envelope", work->report);
  set_hex (object, "nonce", nonce);
  set_hex (object, "challenge", work->report_challenge);
  rb_json_set_string (object, "verified", work->report_deferred ? "deferred" : "yes");
  return object;
}

/* Stage, NRC and error text of a failed ECU, for diagnosis. */
static json_t *
failure (const RbWork *work)
{
  json_t *object = json_object ();
  rb_json_set_string (object, "stage", work->stage);
  if (work->nrc != 0)
    rb_json_set_integer (object, "nrc", work->nrc);
  rb_json_set_string (object, "text", work->text);
  return object;
}

/* How it gets the campaign's roots. */
static json_t *
roots (const RbWork *work)
{
  return json_pack ("{s:s}", "method", work->profile->root_in_image ? "image-embedded" : "metadata-write");
}

/* Of an ECU that is not done. */
static const char *
reason_word (const RbWork *work)
{
  return rb_reason_word (work->reason == RB_REASON_NONE ? RB_REASON_NOT_STARTED : work->reason);
}

/* Steps of its recovery recipe that a person did. */
static json_t *
recipe (const RbWork *work)
{
  json_t *list = json_array ();
  for (guint i = 0; i < work->recipe_steps->len; i++)
    json_array_append_new (list, json_string (work->recipe_steps->pdata[i]));
  return list;
}

/* value: to be in the ECU in the end; readBack: what it told last, null where it had none. */
static json_t *
coding (const RbWork *work)
{
  json_t *list = json_array ();
  for (guint i = 0; work->coding != NULL && i < work->coding->len; i++) {
    const RbCodingValue *value = work->coding->pdata[i];
    json_t *entry = json_object ();
    g_autofree char *did = g_strdup_printf ("%04X", value->profile->did);
    rb_json_set_string (entry, "did", did);
    set_hex (entry, "value", value->wanted);
    rb_json_set_string (entry, "origin", value->from_campaign ? "campaign" : "from-vehicle");
    set_hex (entry, "readBack", value->now);
    json_array_append_new (list, entry);
  }
  return list;
}

/* Coding that an erasure loses, and the campaign's conditions for the ECU. */
static void
add_around (json_t *object, const RbWork *work)
{
  rb_json_set (object, "dtcBefore", rb_dtc_list (work->dtcs_before));
  rb_json_set (object, "dtcAfter", rb_dtc_list (work->dtcs_after));
  rb_json_set (object, "coding", coding (work));
  rb_json_set (object, "conditions", work->conditions == NULL ? json_array () : json_deep_copy (work->conditions));
  if (work->fingerprint == NULL)
    return;
  json_t *fingerprint = json_object ();
  g_autofree char *did = g_strdup_printf ("%04X", work->profile->did_fingerprint);
  rb_json_set_string (fingerprint, "did", did);
  set_hex (fingerprint, "value", work->fingerprint);
  rb_json_set (object, "fingerprint", fingerprint);
}

static json_t *
ecu (const RbWork *work, const RbFacts *facts, const RbCampaign *campaign)
{
  json_t *object = json_object ();
  gboolean done = work->state == RB_ECU_DONE;
  const char *before_image = work->before == NULL ? NULL : work->before->claimed_sha256;
  const char *after_image = done || (work->image_digest != NULL && !work->need_image) ? work->wanted->image_sha256
                            : work->now != NULL                                       ? work->now->claimed_sha256
                                                                                      : NULL;
  rb_json_set_string (object, "ecuSerial", rb_work_serial (work));
  rb_json_set_string (object, "hardwareId", work->model->hardware_id);
  rb_json_set_string (object, "role", work->model->primary ? "primary" : "secondary");
  rb_json_set_string (object, "verification", work->model->full_verification ? "full" : "partial");
  rb_json_set (object, "before", claims (work->before, before_image));
  rb_json_set (object, "after", done ? claims (work->now, after_image) : json_null ());
  rb_json_set (object, "roots", roots (work));
  rb_json_set (object, "image", image (work));
  rb_json_set (object, "key", key (work, campaign, facts->vin));
  rb_json_set (object, "report", report (work, campaign, facts->vin));
  rb_json_set_string (object, "outcome",
                      !done                    ? "failed"
                      : work->replaces != NULL ? "hardware-replaced"
                      : work->writes > 0       ? "replaced"
                                               : "already-good");
  if (work->replaces != NULL)
    rb_json_set_string (object, "replaces", work->replaces);
  if (!done)
    rb_json_set_string (object, "reason", reason_word (work));
  if (!done && work->text != NULL)
    rb_json_set (object, "failure", failure (work));
  rb_json_set_integer (object, "writes", work->writes);
  if (work->recipe_steps != NULL && work->recipe_steps->len > 0)
    rb_json_set (object, "recipe", recipe (work));
  add_around (object, work);
  if (work->performed_by != NULL)
    rb_json_set_string (object, "performedBy", work->performed_by);
  gint64 started = fit (work->started, facts->started, facts->now);
  rb_json_set_moment (object, "startedAt", started);
  rb_json_set_moment (object, "finishedAt",
                      work->finished > 0 ? fit (work->finished, started, facts->now) : facts->now);
  return object;
}

static json_t *
not_fitted (const RbCompletenessEcu *ecu, const RbFacts *facts)
{
  const RbModelEcu *known = rb_vehicle_model_by_hardware_id (facts->model, ecu->hardware_id);
  json_t *object
    = json_pack ("{s:s,s:s,s:s,s:s,s:n,s:n,s:n,s:n,s:n,s:s,s:i}", "ecuSerial", "", "hardwareId", ecu->hardware_id,
                 "role", "secondary", "verification", known->full_verification ? "full" : "partial", "before", "after",
                 "image", "key", "report", "outcome", "not-fitted", "writes", 0);
  rb_json_set_moment (object, "startedAt", facts->started);
  rb_json_set_moment (object, "finishedAt", facts->now);
  return object;
}

static void
add_not_fitted (json_t *ecus, const RbFacts *facts)
{
  for (guint i = 0; facts->complete != NULL && i < facts->complete->len; i++)
    if (rb_completeness_judge (facts->complete->pdata[i]) == RB_COMPLETENESS_NOT_FITTED)
      json_array_append_new (ecus, not_fitted (facts->complete->pdata[i], facts));
}

static json_t *
preflight (const RbFacts *facts)
{
  json_t *expected = json_array ();
  json_t *found = json_array ();
  json_t *unexpected = json_array ();
  for (guint i = 0; i < facts->works->len; i++) {
    const RbWork *work = facts->works->pdata[i];
    json_array_append_new (expected, json_string (rb_work_serial (work)));
    if (work->before != NULL)
      json_array_append_new (found, json_string (work->before->serial));
  }
  for (guint i = 0; facts->unexpected != NULL && i < facts->unexpected->len; i++)
    json_array_append_new (unexpected, json_string (facts->unexpected->pdata[i]));
  return json_pack ("{s:o,s:o,s:o}", "ecusExpected", expected, "ecusFound", found, "unexpected", unexpected);
}

static json_t *
failures (const RbFacts *facts)
{
  json_t *list = json_array ();
  for (guint i = 0; i < facts->works->len; i++) {
    const RbWork *work = facts->works->pdata[i];
    if (work->state != RB_ECU_DONE)
      json_array_append_new (list, json_pack ("{s:s,s:s,s:s}", "ecu", rb_work_serial (work), "reason",
                                              reason_word (work), "text", work->text == NULL ? "" : work->text));
  }
  return list;
}

static gint64
fit_member (json_t *object, const char *member, gint64 from, gint64 to)
{
  gint64 moment = 0;
  if (!rb_moment_from_text (rb_json_string_or (object, member, ""), &moment))
    moment = from;
  moment = fit (moment, from, to);
  rb_json_set_moment (object, member, moment);
  return moment;
}

static json_t *
inspection (const RbFacts *facts)
{
  json_t *copy = facts->inspection == NULL ? json_null () : json_deep_copy (facts->inspection), *item;
  size_t i;
  if (json_is_null (copy))
    return copy;
  gint64 completed = fit_member (copy, "completedAt", facts->started, facts->now);
  json_array_foreach (json_object_get (copy, "items"), i, item)
    fit_member (item, "at", facts->started, completed);
  return copy;
}

/* The first write comes after the inspection. */
static gint64
inspected_at (const json_t *object, const RbFacts *facts)
{
  gint64 moment = 0;
  const char *text = rb_json_string_or (json_object_get (object, "inspection"), "completedAt", "");
  return rb_moment_from_text (text, &moment) ? moment : facts->started;
}

static json_t *
vehicle (const RbFacts *facts)
{
  json_t *object = json_pack ("{s:s,s:O}", "vin", facts->vin, "vinSources", facts->vin_sources);
  if (facts->odometer_km >= 0)
    rb_json_set_integer (object, "odometerKm", facts->odometer_km);
  return object;
}

json_t *
rb_facts_build (const RbFacts *facts, const RbCampaign *campaign)
{
  json_t *object = json_object ();
  json_t *ecus = json_array ();
  json_t *dealer = json_object ();
  json_t *manifest = json_object ();
  json_t *time = json_object ();
  for (guint i = 0; i < facts->works->len; i++)
    json_array_append_new (ecus, ecu (facts->works->pdata[i], facts, campaign));
  add_not_fitted (ecus, facts);
  if (facts->repair_order != NULL)
    rb_json_set_string (dealer, "repairOrder", facts->repair_order);
  json_t *visit = facts->visit == NULL ? NULL : rb_visit_json (facts->visit);
  if (visit != NULL)
    rb_json_set (object, "visit", visit);
  if (facts->director_targets != NULL)
    set_base64 (object, "directorTargets", facts->director_targets);
  set_base64 (manifest, "before", facts->manifest_before);
  set_base64 (manifest, "after", facts->manifest_after);
  rb_json_set_moment (time, "claimed", facts->now);
  rb_json_set_moment (time, "notBefore", facts->not_before);
  rb_json_set_string (time, "notBeforeSource", facts->not_before_source);
  rb_json_set (object, "vehicle", vehicle (facts));
  rb_json_set (object, "dealer", dealer);
  rb_json_set (object, "workstation",
               json_pack ("{s:s,s:{s:s,s:s}}", "softwareVersion", RB_VERSION, "interface", "kind",
                          facts->link == NULL ? "none" : rb_link_info (facts->link)->kind, "uri", facts->link_uri));
  rb_json_set (object, "preflight", preflight (facts));
  rb_json_set (object, "inspection", inspection (facts));
  rb_json_set (object, "ecus", ecus);
  rb_json_set (object, "vehicleManifest", manifest);
  rb_json_set (object, "failures", failures (facts));
  rb_json_set (object, "deviations", json_array ());
  if (facts->hand_over != NULL)
    rb_json_set (object, "handOver", json_incref (facts->hand_over));
  if (facts->exception != NULL)
    rb_json_set (object, "exception", json_incref (facts->exception));
  rb_json_set (object, "time", time);
  if (facts->first_write > 0)
    rb_json_set_moment (object, "firstWriteAt", fit (facts->first_write, inspected_at (object, facts), facts->now));
  else
    rb_json_set (object, "firstWriteAt", json_null ());
  rb_json_set_moment (object, "startedAt", facts->started);
  rb_json_set_moment (object, "finishedAt", facts->now);
  return object;
}
