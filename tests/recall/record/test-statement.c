/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "core/bytes.h"
#include "core/json.h"
#include "crypto/digest.h"
#include "crypto/dsse.h"

#include <string.h>

typedef struct {
  Fixture fixture;
  RbOutbox *outbox;
  json_t *facts;
} Case;

static void
set_up (Case *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  fixture_set_up (&self->fixture);
  self->outbox = rb_outbox_open (self->fixture.folder, &error);
  g_assert_no_error (error);
  self->facts = fixture_facts (&self->fixture, FIXTURE_VIN);
}

static void
tear_down (Case *self, gconstpointer data)
{
  json_decref (self->facts);
  rb_outbox_close (self->outbox);
  fixture_tear_down (&self->fixture);
}

static json_t *
open_record (const RbStatementRecord *record)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RbDsse) dsse = rb_dsse_parse (record->envelope, RB_STATEMENT_MAX_BYTES, &error);
  g_assert_no_error (error);
  json_t *statement = rb_json_parse (rb_dsse_payload (dsse), RB_STATEMENT_MAX_BYTES, "record", &error);
  g_assert_no_error (error);
  return statement;
}

static void
test_statement (Case *self, gconstpointer data)
{
  g_autoptr (RbStatementRecord) record = fixture_make (&self->fixture, self->outbox, self->facts);
  g_autoptr (json_t) statement = open_record (record);
  const json_t *predicate = json_object_get (statement, "predicate");
  g_autoptr (GBytes) manifest
    = rb_bytes_from_base64 (rb_json_string_or (json_object_get (self->facts, "vehicleManifest"), "after", ""));
  g_autofree char *sha256 = rb_digest_sha256_hex_of (manifest);
  const json_t *subject = json_array_get (json_object_get (statement, "subject"), 0);
  g_assert_cmpstr (rb_json_string_or (statement, "_type", NULL), ==, "https://in-toto.io/Statement/v1");
  g_assert_cmpstr (rb_json_string_or (statement, "predicateType", NULL), ==, "https://recallbay.org/recovery/v1");
  g_assert_cmpuint (json_array_size (json_object_get (statement, "subject")), ==, 1);
  g_assert_cmpstr (rb_json_string_or (subject, "name", NULL), ==, "vvm-after");
  g_assert_cmpstr (rb_json_string_or (json_object_get (subject, "digest"), "sha256", NULL), ==, sha256);
  g_assert_cmpstr (rb_json_string_or (predicate, "type", NULL), ==, "completion");
  g_assert_cmpstr (rb_json_string_or (predicate, "result", NULL), ==, "completed");
  g_assert_cmpstr (rb_json_string_or (json_object_get (predicate, "technician"), "name", NULL), ==, "Ada Fitter");
  g_assert_cmpstr (rb_json_string_or (json_object_get (predicate, "workstation"), "certSha256", NULL), ==,
                   record->workstation);
  g_assert_null (json_object_get (predicate, "secondPerson"));
  g_assert_null (json_object_get (self->facts, "recordId"));
}

/* What another technician did stays the other's; all else is the one's who signs. */
static void
test_performed_by (Case *self, gconstpointer data)
{
  rb_json_set_string (fixture_ecu (self->facts, "SN-BRAKE-0001"), "performedBy", "T-EARLIER");
  json_t *items = json_object_get (json_object_get (self->facts, "inspection"), "items");
  rb_json_set_string (json_array_get (items, 1), "performedBy", "T-EARLIER");
  g_autoptr (RbStatementRecord) record = fixture_make (&self->fixture, self->outbox, self->facts);
  g_autoptr (json_t) statement = open_record (record);
  json_t *predicate = json_object_get (statement, "predicate");
  items = json_object_get (json_object_get (predicate, "inspection"), "items");
  g_assert_cmpstr (rb_json_string_or (fixture_ecu (predicate, "SN-BRAKE-0001"), "performedBy", NULL), ==, "T-EARLIER");
  g_assert_cmpstr (rb_json_string_or (fixture_ecu (predicate, "SN-SENSOR-0001"), "performedBy", NULL), ==,
                   "Ada Fitter");
  g_assert_cmpstr (rb_json_string_or (json_array_get (items, 0), "performedBy", NULL), ==, "Ada Fitter");
  g_assert_cmpstr (rb_json_string_or (json_array_get (items, 1), "performedBy", NULL), ==, "T-EARLIER");
}

static void
test_numbers (Case *self, gconstpointer data)
{
  g_autoptr (RbStatementRecord) first = fixture_make (&self->fixture, self->outbox, self->facts);
  g_autoptr (RbStatementRecord) second = fixture_make (&self->fixture, self->outbox, self->facts);
  rb_outbox_close (self->outbox);
  self->outbox = rb_outbox_open (self->fixture.folder, NULL);
  g_autoptr (RbStatementRecord) third = fixture_make (&self->fixture, self->outbox, self->facts);
  g_assert_cmpint (first->sequence, ==, 1);
  g_assert_cmpstr (first->previous, ==, RB_STATEMENT_NO_PREVIOUS);
  g_assert_cmpint (second->sequence, ==, 2);
  g_assert_cmpstr (second->previous, ==, first->digest);
  g_assert_cmpint (third->sequence, ==, 3);
  g_assert_cmpstr (third->previous, ==, second->digest);
  g_assert_cmpstr (third->stream, ==, first->stream);
  g_assert_cmpuint (strlen (first->stream), ==, 32);
  g_assert_cmpstr (second->digest, !=, first->digest);
}

/* One ECU short of the proof: never a completion. */
static void
test_one_ecu_failed (Case *self, gconstpointer data)
{
  fixture_fail_ecu (self->facts, "SN-BRAKE-0001", "no-answer");
  g_autoptr (RbStatementRecord) record = fixture_make (&self->fixture, self->outbox, self->facts);
  g_assert_cmpstr (record->type, ==, "partial");
  g_assert_cmpstr (record->result, ==, "incomplete");
  fixture_expect (&self->fixture, record->envelope, TRUE, RB_REASON_NONE);
}

/* The engine says replaced and the facts do not show it: the record says failed, and why. */
static void
test_claims_are_judged (Case *self, gconstpointer data)
{
  static const struct {
    const char *member, *inner;
    RbReason reason;
  } table[] = {
    { "key", "pop", RB_REASON_KEY_NOT_PROVEN },
    { "key", "challenge", RB_REASON_KEY_NOT_PROVEN },
    { "report", "envelope", RB_REASON_REPORT_NOT_PROVEN },
    { "image", "digestOverNonce", RB_REASON_IMAGE_NOT_PROVEN },
    { "after", "directorRoot", RB_REASON_ROOT_NOT_PROVEN },
    { "after", "boot", RB_REASON_NOT_COMPLETE },
  };
  for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autoptr (json_t) facts = json_deep_copy (self->facts);
    json_object_del (json_object_get (fixture_ecu (facts, "SN-BRAKE-0001"), table[i].member), table[i].inner);
    if (strcmp (table[i].inner, "directorRoot") == 0)
      fixture_report_again (&self->fixture, facts, "SN-TELEMATICS-0001");
    g_autoptr (RbStatementRecord) record = fixture_make (&self->fixture, self->outbox, facts);
    g_autoptr (json_t) statement = open_record (record);
    json_t *predicate = json_object_get (statement, "predicate");
    const json_t *ecu = fixture_ecu (predicate, "SN-BRAKE-0001");
    g_test_message ("without %s.%s", table[i].member, table[i].inner);
    g_assert_cmpstr (record->result, ==, "incomplete");
    g_assert_cmpstr (rb_json_string_or (ecu, "outcome", NULL), ==, "failed");
    if (i != 4)
      g_assert_cmpstr (rb_json_string_or (ecu, "reason", NULL), ==, rb_reason_word (table[i].reason));
    g_assert_cmpuint (json_array_size (json_object_get (predicate, "failures")), ==, 1);
    fixture_expect (&self->fixture, record->envelope, TRUE, RB_REASON_NONE);
  }
}

static void
test_manifest_of_another_vehicle (Case *self, gconstpointer data)
{
  g_autoptr (json_t) theirs = fixture_facts (&self->fixture, FIXTURE_OTHER_VIN);
  json_object_set (self->facts, "vehicleManifest", json_object_get (theirs, "vehicleManifest"));
  g_autoptr (RbStatementRecord) record = fixture_make (&self->fixture, self->outbox, self->facts);
  g_assert_cmpstr (record->result, ==, "incomplete");
  fixture_expect (&self->fixture, record->envelope, TRUE, RB_REASON_NONE);
}

static RbStatementRecord *
make_with (Case *self, RbStatementEnd end, RbIdentity *technician, RbIdentity *second, GError **error)
{
  const RbStatementRequest request = {
    .campaign = self->fixture.campaign,
    .campaign_sha256 = self->fixture.campaign_sha256,
    .end = end,
    .facts = self->facts,
    .technician = technician,
    .workstation = self->fixture.workstation,
    .second = second,
  };
  return rb_outbox_make (self->outbox, &request, error);
}

/* As it was found: nothing was done to any ECU. */
static void
touch_nothing (json_t *facts)
{
  static const char *const proofs[] = { "after", "image", "key", "report" };
  size_t i;
  json_t *ecu;
  json_array_foreach (json_object_get (facts, "ecus"), i, ecu) {
    fixture_fail_ecu (facts, rb_json_string_or (ecu, "ecuSerial", ""), "not-started");
    rb_json_set_integer (ecu, "writes", 0);
    for (guint n = 0; n < G_N_ELEMENTS (proofs); n++)
      rb_json_set (ecu, proofs[n], json_null ());
  }
  rb_json_set (facts, "inspection", json_null ());
  rb_json_set (facts, "firstWriteAt", json_null ());
}

static void
test_ends (Case *self, gconstpointer data)
{
  static const struct {
    RbStatementEnd end;
    const char *type, *result;
  } table[] = {
    { RB_STATEMENT_FINISHED, "partial", "incomplete" },
    { RB_STATEMENT_ABORTED, "aborted", "aborted" },
    { RB_STATEMENT_DECLINED, "declined", "declined" },
    { RB_STATEMENT_NO_WORK_NEEDED, "no-work-needed", "no-work-needed" },
  };
  touch_nothing (self->facts);
  for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (RbStatementRecord) record = make_with (self, table[i].end, self->fixture.technician, NULL, &error);
    g_assert_no_error (error);
    g_assert_cmpstr (record->type, ==, table[i].type);
    g_assert_cmpstr (record->result, ==, table[i].result);
    fixture_expect (&self->fixture, record->envelope, TRUE, RB_REASON_NONE);
  }
}

/* Nothing was written to a vehicle of these types. */
static void
test_type_against_writes (Case *self, gconstpointer data)
{
  static const RbStatementEnd ends[] = { RB_STATEMENT_DECLINED, RB_STATEMENT_NO_WORK_NEEDED };
  fixture_fail_ecu (self->facts, "SN-BRAKE-0001", "refused");
  for (guint i = 0; i < G_N_ELEMENTS (ends); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (RbStatementRecord) record = make_with (self, ends[i], self->fixture.technician, NULL, &error);
    g_assert_null (record);
    g_assert_error (error, RB_RECORD_ERROR, RB_REASON_RECORD_RESULT);
  }
}

static void
expect_nothing_stored (Case *self, const RbStatementRecord *record, GError *const *error, RbReason reason)
{
  g_autoptr (GPtrArray) records = rb_outbox_rows (self->outbox, NULL);
  g_assert_null (record);
  g_assert_cmpstr (rb_reason_word (rb_reason_of (*error)), ==, rb_reason_word (reason));
  g_assert_cmpuint (records->len, ==, 0);
}

static void
test_two_people (Case *self, gconstpointer data)
{
  g_autoptr (GError) missing = NULL, same = NULL, error = NULL;
  self->fixture.campaign->second_person = TRUE;
  expect_nothing_stored (self, make_with (self, RB_STATEMENT_FINISHED, self->fixture.technician, NULL, &missing),
                         &missing, RB_REASON_SECOND_PERSON_MISSING);
  expect_nothing_stored (
    self, make_with (self, RB_STATEMENT_FINISHED, self->fixture.technician, self->fixture.technician, &same), &same,
    RB_REASON_SAME_PERSON);
  g_autoptr (RbStatementRecord) record
    = make_with (self, RB_STATEMENT_FINISHED, self->fixture.technician, self->fixture.second, &error);
  g_assert_no_error (error);
  g_assert_cmpint (record->sequence, ==, 1);
  fixture_expect (&self->fixture, record->envelope, TRUE, RB_REASON_NONE);
}

static void
test_facts_missing (Case *self, gconstpointer data)
{
  static const char *const members[]
    = { "vehicle", "preflight", "ecus", "time", "startedAt", "failures", "vehicleManifest" };
  for (guint i = 0; i < G_N_ELEMENTS (members); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (json_t) whole = json_deep_copy (self->facts);
    json_object_del (self->facts, members[i]);
    expect_nothing_stored (self, make_with (self, RB_STATEMENT_FINISHED, self->fixture.technician, NULL, &error),
                           &error, RB_REASON_RECORD_MALFORMED);
    json_object_update (self->facts, whole);
  }
}

/* A workstation's certificate does not make a technician. */
static void
test_wrong_identity (Case *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RbIdentity) other = fixture_identity (&self->fixture, RB_PURPOSE_WORKSTATION, "Bay 4");
  expect_nothing_stored (self, make_with (self, RB_STATEMENT_FINISHED, other, NULL, &error), &error,
                         RB_REASON_RECORD_CERTIFICATE);
}

#define ADD(path, function) g_test_add ("/statement/" path, Case, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("statement", test_statement);
  ADD ("performed-by", test_performed_by);
  ADD ("numbers", test_numbers);
  ADD ("one-ecu-failed", test_one_ecu_failed);
  ADD ("claims-are-judged", test_claims_are_judged);
  ADD ("manifest-of-another-vehicle", test_manifest_of_another_vehicle);
  ADD ("ends", test_ends);
  ADD ("type-against-writes", test_type_against_writes);
  ADD ("two-people", test_two_people);
  ADD ("facts-missing", test_facts_missing);
  ADD ("wrong-identity", test_wrong_identity);
  return g_test_run ();
}
