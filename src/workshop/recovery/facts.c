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
image (const RbEcuJob *job)
{
  if (job->image_digest == NULL)
    return json_null ();
  json_t *object = json_object ();
  rb_json_set_string (object, "target", job->wanted->image);
  rb_json_set_string (object, "sha256", job->wanted->image_sha256);
  set_hex (object, "nonce", job->image_nonce);
  rb_json_set_string (object, "digestOverNonce", job->image_digest);
  rb_json_set_string (object, "method",
                      job->profile->digest_by_bootloader ? "bootloader-digest" : "application-digest");
  if (!job->profile->digest_by_bootloader && job->image_record != NULL)
    rb_json_set (object, "writtenBy", shown_by (job->image_record));
  return object;
}

static void
add_she_proof (json_t *object, const RbEcuJob *job)
{
  g_autoptr (GBytes) m4 = g_bytes_new_from_bytes (job->she_proof, 0, 32);
  g_autoptr (GBytes) m5 = g_bytes_new_from_bytes (job->she_proof, 32, 16);
  set_hex (object, "m4", m4);
  set_hex (object, "m5", m5);
  rb_json_set_integer (object, "counter", job->she_counter);
}

/* The key that was replaced: none that this run has seen, when an earlier one made the key and this one wrote something
 * else. */
static const char *
old_key (const RbEcuJob *job)
{
  gboolean of_earlier_run = job->writes > 0 && job->before != NULL && g_strcmp0 (job->before->key_id, job->key_id) == 0;
  return job->before == NULL || of_earlier_run ? NULL : job->before->key_id;
}

static json_t *
key (const RbEcuJob *job, const RbCampaign *campaign, const char *vin)
{
  gboolean she = job->profile->key_kind == RB_KEY_KIND_SHE;
  json_t *object = json_object ();
  if (job->profile->key_kind == RB_KEY_KIND_NONE) {
    rb_json_set_string (object, "kind", "none");
    return object;
  }
  rb_json_set_string (object, "kind", she ? "she" : "asymmetric");
  rb_json_set_string (object, "oldKeyId", old_key (job));
  if (job->assignment == NULL || job->key_id == NULL || job->need_key || (job->key_record == NULL && !she))
    return object;
  rb_json_set_string (object, "newKeyId", job->key_id);
  rb_json_set (object, "createdBy", shown_by (job->key_record));
  rb_json_set_string (object, "verified", she ? "deferred" : "yes");
  if (she) {
    add_she_proof (object, job);
    return object;
  }
  g_autoptr (GBytes) nonce = rb_campaign_ecu_nonce (campaign, vin, job->assignment->serial);
  set_base64 (object, "newPublicKey", job->key_spki);
  set_hex (object, "nonce", nonce);
  set_hex (object, "challenge", job->key_challenge);
  set_base64 (object, "pop", job->key_proof);
  return object;
}

static json_t *
report (const RbEcuJob *job, const RbCampaign *campaign, const char *vin)
{
  if (job->report == NULL || job->state != RB_ECU_DONE)
    return json_null ();
  json_t *object = json_object ();
  g_autoptr (GBytes) nonce = rb_campaign_ecu_nonce (campaign, vin, job->assignment->serial);
  set_base64 (object, "envelope", job->report);
  set_hex (object, "nonce", nonce);
  set_hex (object, "challenge", job->report_challenge);
  rb_json_set_string (object, "verified", job->report_deferred ? "deferred" : "yes");
  return object;
}

/* Stage, NRC and error text of a failed ECU, for diagnosis. */
static json_t *
failure (const RbEcuJob *job)
{
  json_t *object = json_object ();
  rb_json_set_string (object, "stage", job->stage);
  if (job->nrc != 0)
    rb_json_set_integer (object, "nrc", job->nrc);
  rb_json_set_string (object, "text", job->text);
  return object;
}

/* How it gets the campaign's roots. */
static json_t *
roots (const RbEcuJob *job)
{
  return json_pack ("{s:s}", "method", job->profile->root_in_image ? "image-embedded" : "metadata-write");
}

/* Of an ECU that is not done. */
static const char *
reason_word (const RbEcuJob *job)
{
  return rb_reason_word (job->reason == RB_REASON_NONE ? RB_REASON_NOT_STARTED : job->reason);
}

/* Steps of its recovery recipe that a person did. */
static json_t *
recipe (const RbEcuJob *job)
{
  json_t *list = json_array ();
  for (guint i = 0; i < job->recipe_steps->len; i++)
    json_array_append_new (list, json_string (job->recipe_steps->pdata[i]));
  return list;
}

/* value: to be in the ECU in the end; readBack: what it told last, null where it had none. */
static json_t *
coding (const RbEcuJob *job)
{
  json_t *list = json_array ();
  for (guint i = 0; job->coding != NULL && i < job->coding->len; i++) {
    const RbCodingValue *value = job->coding->pdata[i];
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
add_around (json_t *object, const RbEcuJob *job)
{
  rb_json_set (object, "dtcBefore", rb_dtc_list (job->dtcs_before));
  rb_json_set (object, "dtcAfter", rb_dtc_list (job->dtcs_after));
  rb_json_set (object, "coding", coding (job));
  rb_json_set (object, "conditions", job->conditions == NULL ? json_array () : json_deep_copy (job->conditions));
  if (job->fingerprint == NULL)
    return;
  json_t *fingerprint = json_object ();
  g_autofree char *did = g_strdup_printf ("%04X", job->profile->did_fingerprint);
  rb_json_set_string (fingerprint, "did", did);
  set_hex (fingerprint, "value", job->fingerprint);
  rb_json_set (object, "fingerprint", fingerprint);
}

static json_t *
ecu (const RbEcuJob *job, const RbFacts *facts, const RbCampaign *campaign)
{
  json_t *object = json_object ();
  gboolean done = job->state == RB_ECU_DONE;
  const char *before_image = job->before == NULL ? NULL : job->before->claimed_sha256;
  const char *after_image = done || (job->image_digest != NULL && !job->need_image) ? job->wanted->image_sha256
                            : job->now != NULL                                      ? job->now->claimed_sha256
                                                                                    : NULL;
  rb_json_set_string (object, "ecuSerial", rb_ecu_job_serial (job));
  rb_json_set_string (object, "hardwareId", job->model->hardware_id);
  rb_json_set_string (object, "role", job->model->primary ? "primary" : "secondary");
  rb_json_set_string (object, "verification", job->model->full_verification ? "full" : "partial");
  rb_json_set (object, "before", claims (job->before, before_image));
  rb_json_set (object, "after", done ? claims (job->now, after_image) : json_null ());
  rb_json_set (object, "roots", roots (job));
  rb_json_set (object, "image", image (job));
  rb_json_set (object, "key", key (job, campaign, facts->vin));
  rb_json_set (object, "report", report (job, campaign, facts->vin));
  rb_json_set_string (object, "outcome",
                      !done                   ? "failed"
                      : job->replaces != NULL ? "hardware-replaced"
                      : job->writes > 0       ? "replaced"
                                              : "already-good");
  if (job->replaces != NULL)
    rb_json_set_string (object, "replaces", job->replaces);
  if (!done)
    rb_json_set_string (object, "reason", reason_word (job));
  if (!done && job->text != NULL)
    rb_json_set (object, "failure", failure (job));
  rb_json_set_integer (object, "writes", job->writes);
  if (job->recipe_steps != NULL && job->recipe_steps->len > 0)
    rb_json_set (object, "recipe", recipe (job));
  add_around (object, job);
  if (job->performed_by != NULL)
    rb_json_set_string (object, "performedBy", job->performed_by);
  gint64 started = fit (job->started, facts->started, facts->now);
  rb_json_set_moment (object, "startedAt", started);
  rb_json_set_moment (object, "finishedAt", job->finished > 0 ? fit (job->finished, started, facts->now) : facts->now);
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
  for (guint i = 0; i < facts->jobs->len; i++) {
    const RbEcuJob *job = facts->jobs->pdata[i];
    json_array_append_new (expected, json_string (rb_ecu_job_serial (job)));
    if (job->before != NULL)
      json_array_append_new (found, json_string (job->before->serial));
  }
  for (guint i = 0; facts->unexpected != NULL && i < facts->unexpected->len; i++)
    json_array_append_new (unexpected, json_string (facts->unexpected->pdata[i]));
  return json_pack ("{s:o,s:o,s:o}", "ecusExpected", expected, "ecusFound", found, "unexpected", unexpected);
}

static json_t *
failures (const RbFacts *facts)
{
  json_t *list = json_array ();
  for (guint i = 0; i < facts->jobs->len; i++) {
    const RbEcuJob *job = facts->jobs->pdata[i];
    if (job->state != RB_ECU_DONE)
      json_array_append_new (list, json_pack ("{s:s,s:s,s:s}", "ecu", rb_ecu_job_serial (job), "reason",
                                              reason_word (job), "text", job->text == NULL ? "" : job->text));
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
  for (guint i = 0; i < facts->jobs->len; i++)
    json_array_append_new (ecus, ecu (facts->jobs->pdata[i], facts, campaign));
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
