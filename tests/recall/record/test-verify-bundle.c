/* SPDX-License-Identifier: Apache-2.0 */
#include "case.h"

#include "core/json.h"

/* Records that contradict the campaign in the bundle they are verified against. */

static void
forget_an_ecu (json_t *predicate)
{
  json_array_remove (json_object_get (predicate, "ecus"), 1);
  json_array_remove (json_object_get (json_object_get (predicate, "preflight"), "ecusExpected"), 1);
  json_array_remove (json_object_get (json_object_get (predicate, "preflight"), "ecusFound"), 1);
  json_array_remove (json_object_get (json_object_get (predicate, "vehicle"), "vinSources"), 1);
}

static void
answer_a_wrong_digest (json_t *predicate)
{
  json_t *image = json_object_get (fixture_ecu (predicate, "SN-BRAKE-0001"), "image");
  rb_json_set_string (image, "digestOverNonce", rb_json_string_or (image, "nonce", ""));
}

static void
quote_another_image (json_t *predicate)
{
  const char *other = "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc";
  json_t *quoted = json_array_get (json_object_get (json_object_get (predicate, "campaign"), "ecus"), 2);
  json_t *ecu = fixture_ecu (predicate, "SN-SENSOR-0001");
  rb_json_set_string (quoted, "imageSha256", other);
  rb_json_set_string (json_object_get (ecu, "image"), "sha256", other);
  rb_json_set_string (json_object_get (ecu, "after"), "imageSha256", other);
  rb_json_set (ecu, "report", json_null ());
  fixture_fail_ecu (predicate, "SN-SENSOR-0001", "refused");
  rb_json_set (json_object_get (predicate, "vehicleManifest"), "after", json_null ());
  case_call_it_partial (predicate);
}

static void
quote_another_root (json_t *predicate)
{
  json_t *roots = json_object_get (json_object_get (predicate, "campaign"), "roots");
  rb_json_set_integer (json_object_get (roots, "director"), "version", 1);
  fixture_fail_ecu (predicate, "SN-SENSOR-0001", "refused");
  fixture_fail_ecu (predicate, "SN-BRAKE-0001", "refused");
  fixture_fail_ecu (predicate, "SN-TELEMATICS-0001", "refused");
  case_call_it_partial (predicate);
}

static void
quote_another_market (json_t *predicate)
{
  rb_json_set_string (json_object_get (predicate, "campaign"), "market", "US");
}

static void
quote_another_campaign (json_t *predicate)
{
  json_t *campaign = json_object_get (predicate, "campaign");
  rb_json_set_string (
    campaign, "campaignSha256",
    rb_json_string_or (json_object_get (json_object_get (campaign, "roots"), "director"), "sha256", ""));
}

static void
call_it_full (json_t *predicate)
{
  rb_json_set_string (fixture_ecu (predicate, "SN-TELEMATICS-0001"), "verification", "partial");
}

static void
skip_an_item (json_t *predicate)
{
  json_array_remove (json_object_get (json_object_get (predicate, "inspection"), "items"), 0);
}

static void
drain_the_battery (json_t *predicate)
{
  json_t *items = json_object_get (json_object_get (predicate, "inspection"), "items");
  rb_json_set_integer (json_array_get (items, 1), "value", 11000);
}

static void
test_against_the_bundle (Case *self, gconstpointer data)
{
  static const struct {
    FixtureChange change;
    RbReason alone, with_bundle;
  } table[] = {
    { answer_a_wrong_digest, RB_REASON_NONE, RB_REASON_RECORD_IMAGE },
    { quote_another_root, RB_REASON_NONE, RB_REASON_RECORD_ROOT },
    { quote_another_market, RB_REASON_NONE, RB_REASON_RECORD_CAMPAIGN },
    { quote_another_campaign, RB_REASON_NONE, RB_REASON_RECORD_CAMPAIGN },
    { call_it_full, RB_REASON_NONE, RB_REASON_RECORD_CAMPAIGN },
    { skip_an_item, RB_REASON_RECORD_INSPECTION, RB_REASON_RECORD_INSPECTION },
    { drain_the_battery, RB_REASON_RECORD_INSPECTION, RB_REASON_RECORD_INSPECTION },
    { forget_an_ecu, RB_REASON_NONE, RB_REASON_RECORD_SCOPE },
  };
  for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autoptr (GBytes) forged = fixture_forge (&self->fixture, self->record, table[i].change);
    g_test_message ("change %u", i);
    fixture_expect (&self->fixture, forged, FALSE, table[i].alone);
    fixture_expect (&self->fixture, forged, TRUE, table[i].with_bundle);
  }
}

static void
test_quoted_image (Case *self, gconstpointer data)
{
  g_autoptr (json_t) statement = case_statement (self->record);
  quote_another_image (json_object_get (statement, "predicate"));
  rb_json_set (statement, "subject", json_array ());
  g_autoptr (GBytes) payload = rb_json_to_bytes (statement);
  g_autoptr (GBytes) envelope = fixture_sign (payload, self->fixture.technician, self->fixture.workstation, NULL);
  fixture_expect (&self->fixture, envelope, FALSE, RB_REASON_NONE);
  fixture_expect (&self->fixture, envelope, TRUE, RB_REASON_RECORD_IMAGE);
}

static void
test_out_of_scope (Case *self, gconstpointer data)
{
  g_autoptr (json_t) facts = fixture_facts (&self->fixture, "WAURAB0RA1LL00099");
  g_autoptr (RbStatementRecord) record = fixture_make (&self->fixture, self->outbox, facts);
  g_assert_cmpstr (record->result, ==, "completed");
  fixture_expect (&self->fixture, record->envelope, TRUE, RB_REASON_RECORD_SCOPE);
}

/* An ECU of the right kind that the Director does not know in this vehicle. */
static void
test_another_ecu_of_the_kind (Case *self, gconstpointer data)
{
  Fixture *fixture = &self->fixture;
  g_autoptr (json_t) facts = fixture_facts (fixture, FIXTURE_VIN);
  json_t *expected = json_object_get (json_object_get (facts, "preflight"), "ecusExpected");
  json_t *ecu = fixture_ecu (facts, "SN-SENSOR-0001");
  rb_json_set_string (ecu, "ecuSerial", "SN-SENSOR-0099");
  rb_json_set_string (json_object_get (ecu, "before"), "ecuSerial", "SN-SENSOR-0099");
  rb_json_set_string (json_object_get (ecu, "after"), "ecuSerial", "SN-SENSOR-0099");
  json_array_set_new (expected, 2, json_string ("SN-SENSOR-0099"));
  json_array_set_new (json_object_get (json_object_get (facts, "preflight"), "ecusFound"), 2,
                      json_string ("SN-SENSOR-0099"));
  fixture_report_again (fixture, facts, "SN-SENSOR-0099");
  fixture_manifest_again (fixture, facts);
  g_autoptr (RbStatementRecord) record = fixture_make (fixture, self->outbox, facts);
  g_assert_cmpstr (record->result, ==, "completed");
  fixture_expect (fixture, record->envelope, TRUE, RB_REASON_RECORD_SCOPE);
}

/* A record of a vehicle in which the bundle leaves an ECU out, which may be in the vehicle by list or model. */
static void
test_ecu_not_directed (Case *self, gconstpointer data)
{
  Fixture *fixture = &self->fixture;
  fixture->undirected = "sensor";
  fixture_expect (fixture, self->record->envelope, TRUE, RB_REASON_ECU_NOT_DIRECTED);
  g_autoptr (json_t) facts = fixture_facts (fixture, FIXTURE_VIN);
  g_autoptr (RbStatementRecord) without = fixture_make (fixture, self->outbox, facts);
  g_assert_cmpstr (without->result, ==, "completed");
  fixture_expect (fixture, without->envelope, TRUE, RB_REASON_ECU_NOT_DIRECTED);
  fixture->as_built = g_hash_table_new (g_str_hash, g_str_equal);
  g_hash_table_insert (fixture->as_built, (gpointer) "SN-TELEMATICS-0001", (gpointer) "hw-telematics-1");
  g_hash_table_insert (fixture->as_built, (gpointer) "SN-BRAKE-0001", (gpointer) "hw-brake-1");
  fixture_expect (fixture, without->envelope, TRUE, RB_REASON_NONE);
  fixture_expect (fixture, self->record->envelope, TRUE, RB_REASON_ECU_NOT_DIRECTED);
  g_clear_pointer (&fixture->as_built, g_hash_table_unref);
}

static void
call_it_not_fitted (json_t *predicate)
{
  static const char *const members[] = { "before", "after", "image", "key", "report" };
  json_t *ecu = fixture_ecu (predicate, "SN-SENSOR-0001"), *preflight = json_object_get (predicate, "preflight");
  json_array_remove (json_object_get (preflight, "ecusExpected"), 2);
  json_array_remove (json_object_get (preflight, "ecusFound"), 2);
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    rb_json_set (ecu, members[i], json_null ());
  rb_json_set_string (ecu, "ecuSerial", "");
  rb_json_set_string (ecu, "outcome", "not-fitted");
  rb_json_set_integer (ecu, "writes", 0);
}

/* the record alone may say so; the bundle knows that this vehicle has it */
static void
test_fitted_ecu_called_not_fitted (Case *self, gconstpointer data)
{
  Fixture *fixture = &self->fixture;
  g_autoptr (GBytes) forged = fixture_forge (fixture, self->record, call_it_not_fitted);
  fixture_expect (fixture, forged, FALSE, RB_REASON_NONE);
  fixture_expect (fixture, forged, TRUE, RB_REASON_RECORD_SCOPE);
  fixture->undirected = "sensor";
  fixture_expect (fixture, forged, TRUE, RB_REASON_ECU_NOT_DIRECTED);
}

/* A proof that is good by itself, over a nonce that is not this campaign's. */
static void
test_nonce_of_another_campaign (Case *self, gconstpointer data)
{
  Fixture *fixture = &self->fixture;
  guint8 kept = fixture->campaign->nonce[0];
  fixture->campaign->nonce[0] ^= 1;
  g_autoptr (json_t) facts = fixture_facts (fixture, FIXTURE_VIN);
  fixture->campaign->nonce[0] = kept;
  g_autoptr (RbStatementRecord) record = fixture_make (fixture, self->outbox, facts);
  fixture_expect (fixture, record->envelope, FALSE, RB_REASON_NONE);
  fixture_expect (fixture, record->envelope, TRUE, RB_REASON_RECORD_NONCE);
}

static void
test_image_not_in_the_bundle (Case *self, gconstpointer data)
{
  g_hash_table_remove_all (self->fixture.images);
  fixture_expect (&self->fixture, self->record->envelope, TRUE, RB_REASON_RECORD_IMAGE);
}

/* An audit over many campaigns leaves a record alone whose bundle it was not given, but not one that borrows a known
 * id. */
static void
test_other_campaigns (Case *self, gconstpointer data)
{
  g_autoptr (GPtrArray) bundles = g_ptr_array_new ();
  g_ptr_array_add (bundles, &self->fixture.evidence);
  const RbVerifyRequest request = { .anchors = self->fixture.anchors, .bundles = bundles, .other_campaigns = TRUE };
  self->fixture.evidence.campaign_sha256 = "0";
  g_autoptr (RbVerifyOutcome) borrowed = rb_verify_record (self->record->envelope, &request);
  g_assert_cmpint (borrowed->reason, ==, RB_REASON_RECORD_CAMPAIGN);
  g_free (self->fixture.campaign->id);
  self->fixture.campaign->id = g_strdup ("R-2027-01");
  g_autoptr (RbVerifyOutcome) other = rb_verify_record (self->record->envelope, &request);
  g_assert_cmpint (other->reason, ==, RB_REASON_NONE);
  g_assert_false (other->campaign_checked);
}

#define ADD(path, function) g_test_add ("/verify/" path, Case, NULL, case_set_up, function, case_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("another-ecu-of-the-kind", test_another_ecu_of_the_kind);
  ADD ("against-the-bundle", test_against_the_bundle);
  ADD ("quoted-image", test_quoted_image);
  ADD ("out-of-scope", test_out_of_scope);
  ADD ("ecu-not-directed", test_ecu_not_directed);
  ADD ("fitted-ecu-called-not-fitted", test_fitted_ecu_called_not_fitted);
  ADD ("nonce-of-another-campaign", test_nonce_of_another_campaign);
  ADD ("image-not-in-the-bundle", test_image_not_in_the_bundle);
  ADD ("other-campaigns", test_other_campaigns);
  return g_test_run ();
}
