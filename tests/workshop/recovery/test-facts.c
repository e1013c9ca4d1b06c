/* SPDX-License-Identifier: Apache-2.0 */
#include "core/bytes.h"
#include "core/json.h"
#include "recovery/facts.h"
#include "uptane/target.h"

#include <string.h>

/* What a recovery knows, as a record will say it: nothing that does not apply, nothing that was not proven. */

#define VIN "RBY1DEM0XRA000042"
#define AT G_GINT64_CONSTANT (1795417200)
#define WANTED "1111111111111111111111111111111111111111111111111111111111111111"
#define FOUND "2222222222222222222222222222222222222222222222222222222222222222"
#define ROOT_SHA "3333333333333333333333333333333333333333333333333333333333333333"

static const RbModelEcu model
  = { .name = "brake", .label = "Brake control", .hardware_id = "hw-brake-1", .full_verification = FALSE };
static const RbModelEcu primary = { .name = "telematics",
                                    .label = "Telematics",
                                    .hardware_id = "hw-telematics-1",
                                    .primary = TRUE,
                                    .full_verification = TRUE };
static const RbCampaignEcu wanted = { .hardware_id = (char *) "hw-brake-1",
                                      .image = (char *) "a/brake-2.0.bin",
                                      .image_sha256 = (char *) WANTED,
                                      .new_key = TRUE };
static const RbProfile asymmetric = { .key_kind = RB_KEY_KIND_ASYMMETRIC, .digest_by_bootloader = TRUE };
static const RbProfile she = { .key_kind = RB_KEY_KIND_SHE };
static const RbProfile keyless = { .key_kind = RB_KEY_KIND_NONE };

typedef struct {
  RbCampaign *campaign;
  json_t *sources;
  RbFacts facts;
  json_t *built;
} Bench;

static void
bench_open (Bench *bench, gconstpointer data)
{
  bench->campaign = g_new0 (RbCampaign, 1);
  bench->campaign->id = g_strdup ("R-1");
  bench->campaign->ecus = g_ptr_array_new ();
  bench->campaign->checklist = g_ptr_array_new ();
  bench->sources = json_pack ("[{s:s,s:s,s:s}]", "ecu", "SN-1", "did", "F190", "value", VIN);
  bench->facts = (RbFacts){ .vin = VIN,
                            .odometer_km = -1,
                            .link_uri = "doip://127.0.0.1:13400",
                            .vin_sources = bench->sources,
                            .jobs = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_ecu_job_free),
                            .unexpected = g_ptr_array_new (),
                            .now = AT + 100,
                            .started = AT,
                            .not_before = AT - 1000,
                            .not_before_source = "campaign" };
}

static void
bench_close (Bench *bench, gconstpointer data)
{
  g_clear_pointer (&bench->built, json_decref);
  g_ptr_array_unref (bench->facts.jobs);
  g_ptr_array_unref (bench->facts.unexpected);
  json_decref (bench->sources);
  rb_campaign_free (bench->campaign);
}

static RbEcuClaims *
claims (const char *serial, const char *sha256, gint64 image_root)
{
  RbEcuClaims *made = g_new0 (RbEcuClaims, 1);
  made->serial = g_strdup (serial);
  made->hardware_id = g_strdup ("hw-brake-1");
  made->software = g_strdup ("1.9");
  made->key_id = g_strdup ("old-key");
  made->rxswin = g_strdup ("R79 0004");
  made->application = TRUE;
  made->director.version = 2;
  g_strlcpy (made->director.sha256, ROOT_SHA, 65);
  if (image_root > 0) {
    made->image.version = image_root;
    g_strlcpy (made->image.sha256, ROOT_SHA, 65);
  }
  g_strlcpy (made->claimed_sha256, sha256, 65);
  return made;
}

static RbEcuJob *
add_work (Bench *bench, const RbModelEcu *ecu, const RbProfile *profile)
{
  RbEcuJob *job = rb_ecu_job_new (ecu, profile, &wanted);
  job->assignment = g_new0 (RbAssignment, 1);
  job->assignment->serial = g_strdup_printf ("SN-%u", bench->facts.jobs->len + 1);
  job->assignment->hardware_id = g_strdup (ecu->hardware_id);
  job->before = claims (job->assignment->serial, FOUND, 0);
  job->now = claims (job->assignment->serial, FOUND, 0);
  g_ptr_array_add (bench->facts.jobs, job);
  return job;
}

static void
make_done (RbEcuJob *job)
{
  job->state = RB_ECU_DONE;
  job->writes = 5;
  job->performed_by = g_strdup ("T-ONE");
  job->image_nonce = rb_bytes_from_hex ("aabb");
  job->image_digest = g_strdup (ROOT_SHA);
  job->key_challenge = rb_bytes_from_hex ("c0c1");
  job->key_spki = rb_bytes_from_hex ("3001");
  job->key_proof = rb_bytes_from_hex ("5301");
  job->key_id = g_strdup ("new-key");
  job->key_record = g_strdup ("");
  job->report_challenge = rb_bytes_from_hex ("d0d1");
  job->report = g_bytes_new_static ("{}", 2);
  job->started = AT + 10;
  job->finished = AT + 20;
}

static const json_t *
build (Bench *bench)
{
  g_clear_pointer (&bench->built, json_decref);
  bench->built = rb_facts_build (&bench->facts, bench->campaign);
  return bench->built;
}

/* "ecus/0/key/newKeyId" → its value */
static const json_t *
at (const json_t *value, const char *path)
{
  g_auto (GStrv) parts = g_strsplit (path, "/", -1);
  for (guint i = 0; parts[i] != NULL && value != NULL; i++)
    value = json_is_array (value) ? json_array_get (value, (size_t) g_ascii_strtoull (parts[i], NULL, 10))
                                  : json_object_get (value, parts[i]);
  return value;
}

/* text: the value as JSON text; NULL: there is no such member */
static void
assert_at (Bench *bench, const char *path, const char *text)
{
  const json_t *value = at (bench->built, path);
  if (text == NULL) {
    g_assert_null (value);
    return;
  }
  g_assert_nonnull (value);
  g_autofree char *got = json_dumps (value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
  g_assert_cmpstr (got, ==, text);
}

typedef struct {
  const char *path, *text;
} Expected;

static void
assert_all (Bench *bench, const Expected *expected, guint n)
{
  for (guint i = 0; i < n; i++)
    assert_at (bench, expected[i].path, expected[i].text);
}

static void
test_nothing_yet (Bench *bench, gconstpointer data)
{
  static const Expected expected[] = {
    { "ecus", "[]" },
    { "failures", "[]" },
    { "deviations", "[]" },
    { "dealer", "{}" },
    { "vehicle/vin", "\"" VIN "\"" },
    { "vehicle/vinSources/0/ecu", "\"SN-1\"" },
    { "vehicle/odometerKm", NULL },
    { "firstWriteAt", "null" },
    { "inspection", "null" },
    { "vehicleManifest", "{\"after\":null,\"before\":null}" },
    { "workstation/interface/kind", "\"none\"" },
    { "workstation/interface/uri", "\"doip://127.0.0.1:13400\"" },
    { "time/claimed", "\"2026-11-23T07:01:40Z\"" },
    { "time/notBefore", "\"2026-11-23T06:43:20Z\"" },
    { "time/notBeforeSource", "\"campaign\"" },
    { "startedAt", "\"2026-11-23T07:00:00Z\"" },
    { "finishedAt", "\"2026-11-23T07:01:40Z\"" },
    { "preflight", "{\"ecusExpected\":[],\"ecusFound\":[],\"unexpected\":[]}" },
  };
  build (bench);
  assert_all (bench, expected, G_N_ELEMENTS (expected));
}

static void
test_vehicle_and_dealer (Bench *bench, gconstpointer data)
{
  g_autoptr (json_t) inspection = json_pack ("{s:s}", "outcome", "pass");
  g_autoptr (GBytes) before = g_bytes_new_static ("b", 1);
  g_autoptr (GBytes) after = g_bytes_new_static ("a", 1);
  bench->facts.odometer_km = 0;
  bench->facts.repair_order = "RO-7";
  bench->facts.inspection = inspection;
  bench->facts.manifest_before = before;
  bench->facts.manifest_after = after;
  bench->facts.first_write = AT + 5;
  g_ptr_array_add (bench->facts.unexpected, (gpointer) "SN-ALIEN");
  build (bench);
  assert_at (bench, "vehicle/odometerKm", "0");
  assert_at (bench, "dealer/repairOrder", "\"RO-7\"");
  assert_at (bench, "inspection/outcome", "\"pass\"");
  assert_at (bench, "vehicleManifest", "{\"after\":\"YQ==\",\"before\":\"Yg==\"}");
  assert_at (bench, "firstWriteAt", "\"2026-11-23T07:00:05Z\"");
  assert_at (bench, "preflight/unexpected", "[\"SN-ALIEN\"]");
}

static void
test_done (Bench *bench, gconstpointer data)
{
  static const Expected expected[] = {
    { "ecus/0/ecuSerial", "\"SN-1\"" },
    { "ecus/0/hardwareId", "\"hw-brake-1\"" },
    { "ecus/0/role", "\"secondary\"" },
    { "ecus/0/verification", "\"partial\"" },
    { "ecus/0/outcome", "\"replaced\"" },
    { "ecus/0/reason", NULL },
    { "ecus/0/writes", "5" },
    { "ecus/0/performedBy", "\"T-ONE\"" },
    { "ecus/0/before/ecuSerial", "\"SN-1\"" },
    { "ecus/0/before/rxswin", "\"R79 0004\"" },
    { "ecus/0/after/rxswin", "\"R79 0004\"" },
    { "ecus/0/before/imageSha256", "\"" FOUND "\"" },
    { "ecus/0/before/imageRoot", "null" },
    { "ecus/0/before/directorRoot", "{\"sha256\":\"" ROOT_SHA "\",\"version\":2}" },
    { "ecus/0/after/imageSha256", "\"" WANTED "\"" }, /* what was proven, not what it claims */
    { "ecus/0/after/boot", "\"application\"" },
    { "ecus/0/image",
      "{\"digestOverNonce\":\"" ROOT_SHA "\",\"method\":\"bootloader-digest\",\"nonce\":\"aabb\",\"sha256\":\"" WANTED
      "\",\"target\":\"a/brake-2.0.bin\"}" },
    { "ecus/0/key/kind", "\"asymmetric\"" },
    { "ecus/0/key/oldKeyId", "\"old-key\"" },
    { "ecus/0/key/newKeyId", "\"new-key\"" },
    { "ecus/0/key/newPublicKey", "\"MAE=\"" },
    { "ecus/0/key/challenge", "\"c0c1\"" },
    { "ecus/0/key/pop", "\"UwE=\"" },
    { "ecus/0/key/verified", "\"yes\"" },
    { "ecus/0/key/createdBy", "{\"journal\":true}" },
    { "ecus/0/report/envelope", "\"e30=\"" },
    { "ecus/0/report/challenge", "\"d0d1\"" },
    { "ecus/0/report/verified", "\"yes\"" },
    { "ecus/0/startedAt", "\"2026-11-23T07:00:10Z\"" },
    { "ecus/0/finishedAt", "\"2026-11-23T07:00:20Z\"" },
    { "failures", "[]" },
    { "preflight/ecusExpected", "[\"SN-1\"]" },
    { "preflight/ecusFound", "[\"SN-1\"]" },
  };
  make_done (add_work (bench, &model, &asymmetric));
  build (bench);
  assert_all (bench, expected, G_N_ELEMENTS (expected));
  /* the nonce of the proof is this ECU's of this campaign */
  g_autoptr (GBytes) nonce = rb_campaign_ecu_nonce (bench->campaign, VIN, "SN-1");
  g_autofree char *hex = rb_bytes_hex (nonce);
  g_autofree char *quoted = g_strdup_printf ("\"%s\"", hex);
  assert_at (bench, "ecus/0/key/nonce", quoted);
  assert_at (bench, "ecus/0/report/nonce", quoted);
}

static void
test_already_good (Bench *bench, gconstpointer data)
{
  RbEcuJob *job = add_work (bench, &primary, &asymmetric);
  make_done (job);
  job->writes = 0;
  g_free (job->key_record);
  job->key_record = g_strdup (FOUND);
  job->now->image.version = 3;
  g_strlcpy (job->now->image.sha256, WANTED, 65);
  build (bench);
  assert_at (bench, "ecus/0/outcome", "\"already-good\"");
  assert_at (bench, "ecus/0/role", "\"primary\"");
  assert_at (bench, "ecus/0/verification", "\"full\"");
  assert_at (bench, "ecus/0/key/createdBy", "{\"record\":\"" FOUND "\"}");
  assert_at (bench, "ecus/0/after/imageRoot", "{\"sha256\":\"" WANTED "\",\"version\":3}");
}

static void
test_application_digest (Bench *bench, gconstpointer data)
{
  RbProfile weaker = asymmetric;
  weaker.digest_by_bootloader = FALSE;
  make_done (add_work (bench, &model, &weaker));
  build (bench);
  assert_at (bench, "ecus/0/image/method", "\"application-digest\"");
  assert_at (bench, "ecus/0/image/writtenBy", NULL);
  ((RbEcuJob *) bench->facts.jobs->pdata[0])->image_record = g_strdup ("");
  build (bench);
  assert_at (bench, "ecus/0/image/writtenBy", "{\"journal\":true}");
}

/* the campaign's update by its expected answer, where neither journal nor record shows who loaded it */
static void
test_she_of_another_workstation (Bench *bench, gconstpointer data)
{
  RbEcuJob *job = add_work (bench, &model, &she);
  make_done (job);
  g_autofree char *proof = g_strconcat (WANTED, "44444444444444444444444444444444", NULL);
  job->she_proof = rb_bytes_from_hex (proof);
  job->writes = 0;
  g_clear_pointer (&job->key_record, g_free);
  build (bench);
  assert_at (bench, "ecus/0/outcome", "\"already-good\"");
  assert_at (bench, "ecus/0/key/newKeyId", "\"new-key\"");
  assert_at (bench, "ecus/0/key/createdBy", "{\"update\":true}");
  job->need_key = TRUE;
  build (bench);
  assert_at (bench, "ecus/0/key/newKeyId", NULL);
}

/* the key of an earlier run is no old key of this one, which wrote something else */
static void
test_key_of_an_earlier_run (Bench *bench, gconstpointer data)
{
  RbEcuJob *job = add_work (bench, &model, &asymmetric);
  make_done (job);
  g_free (job->before->key_id);
  job->before->key_id = g_strdup ("new-key");
  build (bench);
  assert_at (bench, "ecus/0/outcome", "\"replaced\"");
  assert_at (bench, "ecus/0/key/oldKeyId", "null");
  assert_at (bench, "ecus/0/key/newKeyId", "\"new-key\"");
  job->writes = 0;
  build (bench);
  assert_at (bench, "ecus/0/outcome", "\"already-good\"");
  assert_at (bench, "ecus/0/key/oldKeyId", "\"new-key\"");
}

static void
test_not_fitted (Bench *bench, gconstpointer data)
{
  RbCompletenessEcu absent = { .hardware_id = (char *) "hw-brake-1" },
                    found = { .hardware_id = (char *) "hw-brake-1", .found = TRUE };
  g_autoptr (GPtrArray) complete = g_ptr_array_new ();
  RbModelEcu known = model;
  RbVehicleModel vehicle = { .ecus = g_ptr_array_new () };
  g_ptr_array_add (vehicle.ecus, &known);
  g_ptr_array_add (complete, &absent);
  bench->facts.complete = complete;
  bench->facts.model = &vehicle;
  build (bench);
  assert_at (bench, "ecus/0/outcome", "\"not-fitted\"");
  assert_at (bench, "ecus/0/ecuSerial", "\"\"");
  assert_at (bench, "ecus/0/hardwareId", "\"hw-brake-1\"");
  assert_at (bench, "ecus/0/after", "null");
  complete->pdata[0] = &found;
  build (bench);
  assert_at (bench, "ecus", "[]");
  g_ptr_array_unref (vehicle.ecus);
}

static void
test_she (Bench *bench, gconstpointer data)
{
  RbEcuJob *job = add_work (bench, &model, &she);
  make_done (job);
  g_autofree char *proof = g_strconcat (WANTED, "44444444444444444444444444444444", NULL);
  job->she_proof = rb_bytes_from_hex (proof);
  job->she_counter = 9;
  job->report_deferred = TRUE;
  build (bench);
  assert_at (bench, "ecus/0/key/kind", "\"she\"");
  assert_at (bench, "ecus/0/key/m4", "\"" WANTED "\"");
  assert_at (bench, "ecus/0/key/m5", "\"44444444444444444444444444444444\"");
  assert_at (bench, "ecus/0/key/counter", "9");
  assert_at (bench, "ecus/0/key/verified", "\"deferred\"");
  assert_at (bench, "ecus/0/key/newPublicKey", NULL);
  assert_at (bench, "ecus/0/report/verified", "\"deferred\"");
}

/* an ECU parked half-way: what is proven is said, what is not is not */
static void
test_parked (Bench *bench, gconstpointer data)
{
  RbEcuJob *job = add_work (bench, &model, &asymmetric);
  make_done (job);
  job->state = RB_ECU_PARKED;
  job->reason = RB_REASON_KEY_NOT_PROVEN;
  job->text = g_strdup ("its new key is not proven");
  g_clear_pointer (&job->key_record, g_free);
  build (bench);
  assert_at (bench, "ecus/0/outcome", "\"failed\"");
  assert_at (bench, "ecus/0/reason", "\"key-not-proven\"");
  assert_at (bench, "ecus/0/after", "null");
  assert_at (bench, "ecus/0/report", "null");
  assert_at (bench, "ecus/0/key", "{\"kind\":\"asymmetric\",\"oldKeyId\":\"old-key\"}");
  assert_at (bench, "failures",
             "[{\"ecu\":\"SN-1\",\"reason\":\"key-not-proven\",\"text\":\"its new key is not proven\"}]");
}

static void
test_not_started (Bench *bench, gconstpointer data)
{
  RbEcuJob *job = add_work (bench, &model, &asymmetric);
  g_clear_pointer (&job->before, rb_ecu_claims_free);
  g_clear_pointer (&job->now, rb_ecu_claims_free);
  build (bench);
  assert_at (bench, "ecus/0/outcome", "\"failed\"");
  assert_at (bench, "ecus/0/reason", "\"not-started\"");
  assert_at (bench, "ecus/0/before", "null");
  assert_at (bench, "ecus/0/image", "null");
  assert_at (bench, "ecus/0/key/oldKeyId", "null");
  assert_at (bench, "ecus/0/startedAt", "\"2026-11-23T07:00:00Z\"");
  assert_at (bench, "preflight/ecusExpected", "[\"SN-1\"]");
  assert_at (bench, "preflight/ecusFound", "[]");
  assert_at (bench, "failures", "[{\"ecu\":\"SN-1\",\"reason\":\"not-started\",\"text\":\"\"}]");
}

/* an ECU nothing is directed to has a place in the record, with the kind of key its profile has, and no proof */
static void
test_unassigned (Bench *bench, gconstpointer data)
{
  RbEcuJob *job = add_work (bench, &model, &asymmetric);
  g_clear_pointer (&job->assignment, rb_vehicle_assignment_free);
  build (bench);
  assert_at (bench, "ecus/0/ecuSerial", "\"SN-1\"");
  assert_at (bench, "ecus/0/key", "{\"kind\":\"asymmetric\",\"oldKeyId\":\"old-key\"}");
  assert_at (bench, "preflight/ecusExpected", "[\"SN-1\"]");
}

/* a clock that was set while the vehicle was worked on: no time lies outside the recovery */
static void
test_clock_set_back (Bench *bench, gconstpointer data)
{
  g_autoptr (json_t) inspection
    = json_pack ("{s:s,s:[{s:s}]}", "completedAt", "2027-01-01T00:00:00Z", "items", "at", "2027-01-01T00:00:00Z");
  RbEcuJob *job = add_work (bench, &model, &asymmetric);
  make_done (job);
  job->started = AT + 1000;
  job->finished = AT - 1000;
  bench->facts.first_write = AT - 1000;
  bench->facts.inspection = inspection;
  build (bench);
  const json_t *end = at (bench->built, "finishedAt");
  g_assert_true (json_equal (at (bench->built, "ecus/0/startedAt"), end));
  g_assert_true (json_equal (at (bench->built, "ecus/0/finishedAt"), end));
  g_assert_true (json_equal (at (bench->built, "inspection/completedAt"), end));
  g_assert_true (json_equal (at (bench->built, "inspection/items/0/at"), end));
  g_assert_true (json_equal (at (bench->built, "firstWriteAt"), end));
}

static void
test_keyless (Bench *bench, gconstpointer data)
{
  make_done (add_work (bench, &model, &keyless));
  build (bench);
  assert_at (bench, "ecus/0/key", "{\"kind\":\"none\"}");
}

/* what was not read and who did nothing is not stated */
static void
test_not_known (Bench *bench, gconstpointer data)
{
  RbEcuJob *job = add_work (bench, &model, &asymmetric);
  job->before->rxswin[0] = '\0';
  build (bench);
  assert_at (bench, "ecus/0/before/rxswin", NULL);
  assert_at (bench, "ecus/0/performedBy", NULL);
}

static void
test_bootloader (Bench *bench, gconstpointer data)
{
  RbEcuJob *job = add_work (bench, &model, &asymmetric);
  job->before->application = FALSE;
  job->before->director.sha256[0] = '\0';
  build (bench);
  assert_at (bench, "ecus/0/before/boot", "\"bootloader\"");
  assert_at (bench, "ecus/0/before/directorRoot", "null");
}

static void
test_order_and_failures (Bench *bench, gconstpointer data)
{
  make_done (add_work (bench, &model, &asymmetric));
  RbEcuJob *second = add_work (bench, &model, &asymmetric);
  RbEcuJob *third = add_work (bench, &model, &asymmetric);
  second->state = RB_ECU_PARKED;
  second->reason = RB_REASON_EXPIRED;
  third->state = RB_ECU_UNKNOWN;
  third->reason = RB_REASON_LINK_LOST;
  third->text = g_strdup ("contact lost");
  build (bench);
  assert_at (bench, "ecus/2/ecuSerial", "\"SN-3\"");
  assert_at (bench, "ecus/2/outcome", "\"failed\"");
  assert_at (bench, "failures/0", "{\"ecu\":\"SN-2\",\"reason\":\"expired\",\"text\":\"\"}");
  assert_at (bench, "failures/1", "{\"ecu\":\"SN-3\",\"reason\":\"link-lost\",\"text\":\"contact lost\"}");
  assert_at (bench, "failures/2", NULL);
}

#define ADD(name) g_test_add ("/facts/" #name, Bench, NULL, bench_open, test_##name, bench_close)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD (nothing_yet);
  ADD (vehicle_and_dealer);
  ADD (done);
  ADD (already_good);
  ADD (application_digest);
  ADD (she_of_another_workstation);
  ADD (key_of_an_earlier_run);
  ADD (not_fitted);
  ADD (she);
  ADD (parked);
  ADD (not_started);
  ADD (unassigned);
  ADD (keyless);
  ADD (bootloader);
  ADD (order_and_failures);
  ADD (clock_set_back);
  ADD (not_known);
  return g_test_run ();
}
