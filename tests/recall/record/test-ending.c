/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "core/json.h"
#include "record/creation.h"
#include "record/ending.h"

#include <string.h>

typedef struct {
  Fixture fixture;
  RbOutbox *outbox;
  json_t *facts;
} Case;

/* Nothing is known of an ECU but its serial: the record is made from the journal. */
static void
leave_vehicle (json_t *facts, const char *reason)
{
  size_t i;
  json_t *ecu;
  static const char *const unknown[] = { "before", "after", "image", "key", "report" };
  json_array_foreach (json_object_get (facts, "ecus"), i, ecu) {
    fixture_fail_ecu (facts, rb_json_string_or (ecu, "ecuSerial", ""), reason);
    for (guint j = 0; j < G_N_ELEMENTS (unknown); j++)
      rb_json_set (ecu, unknown[j], json_null ());
    rb_json_set_integer (ecu, "writes", 0);
  }
  rb_json_set (json_object_get (facts, "vehicle"), "vinSources", json_array ());
  rb_json_set (json_object_get (facts, "preflight"), "ecusFound", json_array ());
  rb_json_set (facts, "vehicleManifest", json_pack ("{s:n,s:n}", "before", "after"));
}

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

static RbStatementRecord *
make (Case *self, RbStatementEnd end, json_t *facts, RbIdentity *second, RbReason reason)
{
  g_autoptr (GError) error = NULL;
  const RbStatementRequest request = { .campaign = self->fixture.evidence.campaign,
                                       .campaign_sha256 = self->fixture.evidence.campaign_sha256,
                                       .end = end,
                                       .facts = facts,
                                       .technician = self->fixture.technician,
                                       .workstation = self->fixture.workstation,
                                       .second = second };
  RbStatementRecord *record = rb_outbox_make (self->outbox, &request, &error);
  g_assert_cmpstr (rb_reason_word (rb_reason_of (error)), ==, rb_reason_word (reason));
  return record;
}

static json_t *
key_evidence (const char *serial, const char *detail, json_t *shown_by)
{
  return json_pack ("{s:s,s:s,s:s,s:o}", "ecu", serial, "step", "key", "detail", detail, "shownBy", shown_by);
}

static const char *
key_of (json_t *facts, const char *serial)
{
  return rb_json_string_or (json_object_get (fixture_ecu (facts, serial), "key"), "newKeyId", "");
}

#define SERIAL "SN-BRAKE-0001"

static RbStatementRecord *
hand_over (Case *self, json_t *shown_by, const char *detail)
{
  g_autoptr (json_t) facts = json_deep_copy (self->facts);
  leave_vehicle (facts, "handed-over");
  rb_json_set (facts, "handOver", json_pack ("{s:[o]}", "evidence", key_evidence (SERIAL, detail, shown_by)));
  return make (self, RB_STATEMENT_HANDED_OVER, facts, NULL, RB_REASON_NONE);
}

static void
test_hand_over (Case *self, gconstpointer data)
{
  g_autoptr (RbStatementRecord) record
    = hand_over (self, json_pack ("{s:b}", "journal", TRUE), key_of (self->facts, SERIAL));
  g_assert_cmpstr (record->type, ==, "partial");
  g_assert_cmpstr (record->result, ==, "handed-over");
  fixture_expect (&self->fixture, record->envelope, TRUE, RB_REASON_NONE);
}

/* The final record names the hand-over for the key of that ECU. */
static RbStatementRecord *
finish_naming (Case *self, const char *digest)
{
  g_autoptr (json_t) facts = json_deep_copy (self->facts);
  rb_json_set (json_object_get (fixture_ecu (facts, SERIAL), "key"), "createdBy",
               json_pack ("{s:s}", "record", digest));
  return fixture_make (&self->fixture, self->outbox, facts);
}

/* What an audit of these records says of the last one. */
static void
expect_creation (Case *self, RbStatementRecord *const *records, guint n, gboolean checked, RbReason reason)
{
  g_autoptr (GPtrArray) outcomes = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_outcome_free);
  for (guint i = 0; i < n; i++)
    g_ptr_array_add (outcomes, fixture_verify (&self->fixture, records[i]->envelope, TRUE));
  rb_creation_check (outcomes);
  const RbVerifyOutcome *last = outcomes->pdata[n - 1];
  g_assert_cmpstr (rb_reason_word (last->reason), ==, rb_reason_word (reason));
  g_assert_cmpint (last->creation_checked, ==, checked);
}

static void
test_chain_of_evidence (Case *self, gconstpointer data)
{
  const char *key = key_of (self->facts, SERIAL);
  g_autoptr (RbStatementRecord) first = hand_over (self, json_pack ("{s:b}", "journal", TRUE), key);
  g_autoptr (RbStatementRecord) next = hand_over (self, json_pack ("{s:s}", "record", first->digest), key);
  g_autoptr (RbStatementRecord) last = finish_naming (self, next->digest);
  RbStatementRecord *const all[] = { first, next, last }, *const some[] = { next, last };
  expect_creation (self, all, 3, TRUE, RB_REASON_NONE);
  expect_creation (self, some, 2, FALSE, RB_REASON_NONE);
}

static void
test_evidence_of_another_key (Case *self, gconstpointer data)
{
  g_autoptr (RbStatementRecord) first = hand_over (self, json_pack ("{s:b}", "journal", TRUE), "another-key");
  g_autoptr (RbStatementRecord) last = finish_naming (self, first->digest);
  RbStatementRecord *const both[] = { first, last };
  expect_creation (self, both, 2, FALSE, RB_REASON_RECORD_CREATED_BY);
}

/* An image that was written is no evidence of a key. */
static void
test_evidence_of_another_step (Case *self, gconstpointer data)
{
  g_autoptr (json_t) facts = json_deep_copy (self->facts);
  leave_vehicle (facts, "handed-over");
  json_t *entry = key_evidence (SERIAL, key_of (self->facts, SERIAL), json_pack ("{s:b}", "journal", TRUE));
  rb_json_set_string (entry, "step", "image");
  rb_json_set (facts, "handOver", json_pack ("{s:[o]}", "evidence", entry));
  g_autoptr (RbStatementRecord) first = make (self, RB_STATEMENT_HANDED_OVER, facts, NULL, RB_REASON_NONE);
  g_autoptr (RbStatementRecord) last = finish_naming (self, first->digest);
  RbStatementRecord *const both[] = { first, last };
  expect_creation (self, both, 2, FALSE, RB_REASON_RECORD_CREATED_BY);
}

static json_t *
exception_facts (Case *self, const char *word)
{
  json_t *facts = json_deep_copy (self->facts);
  leave_vehicle (facts, "closed-with-exception");
  rb_json_set (facts, "exception",
               json_pack ("{s:s,s:[{s:s,s:i}]}", "as", word, "photos", "sha256",
                          "0000000000000000000000000000000000000000000000000000000000000001", "length", 3));
  return facts;
}

static void
test_exception (Case *self, gconstpointer data)
{
  for (guint i = 0; rb_ending_words[i] != NULL; i++) {
    g_autoptr (json_t) facts = exception_facts (self, rb_ending_words[i]);
    g_autoptr (RbStatementRecord) record
      = make (self, RB_STATEMENT_EXCEPTION, facts, self->fixture.second, RB_REASON_NONE);
    g_assert_cmpstr (record->type, ==, "exception");
    g_assert_cmpstr (record->result, ==, "exception");
    fixture_expect (&self->fixture, record->envelope, TRUE, RB_REASON_NONE);
  }
}

static void
test_exception_refused (Case *self, gconstpointer data)
{
  g_autoptr (json_t) good = exception_facts (self, "towed"), wrong_word = exception_facts (self, "scrapped");
  g_assert_null (make (self, RB_STATEMENT_EXCEPTION, good, NULL, RB_REASON_SECOND_PERSON_MISSING));
  g_assert_null (make (self, RB_STATEMENT_EXCEPTION, wrong_word, self->fixture.second, RB_REASON_RECORD_MALFORMED));
  g_assert_null (make (self, RB_STATEMENT_FINISHED, good, self->fixture.second, RB_REASON_RECORD_RESULT));
  rb_json_set (json_object_get (good, "exception"), "photos",
               json_pack ("[{s:s,s:i}]", "sha256", "photo.jpg", "length", 3));
  g_assert_null (make (self, RB_STATEMENT_EXCEPTION, good, self->fixture.second, RB_REASON_RECORD_MALFORMED));
  json_object_del (good, "exception");
  g_assert_null (make (self, RB_STATEMENT_EXCEPTION, good, self->fixture.second, RB_REASON_RECORD_RESULT));
}

static void
call_it_incomplete (json_t *predicate)
{
  rb_json_set_string (predicate, "result", "incomplete");
}

static void
call_it_aborted (json_t *predicate)
{
  rb_json_set_string (predicate, "type", "aborted");
  rb_json_set_string (predicate, "result", "aborted");
}

static void
name_an_ecu_that_is_not_there (json_t *predicate)
{
  json_t *entry = json_array_get (json_object_get (json_object_get (predicate, "handOver"), "evidence"), 0);
  rb_json_set_string (entry, "ecu", "SN-OTHER");
}

static void
show_by_nothing (json_t *predicate)
{
  json_t *entry = json_array_get (json_object_get (json_object_get (predicate, "handOver"), "evidence"), 0);
  rb_json_set (entry, "shownBy", json_object ());
}

static void
forget_the_hand_over (json_t *predicate)
{
  json_object_del (predicate, "handOver");
  rb_json_set_string (predicate, "result", "incomplete");
}

static void
test_altered (Case *self, gconstpointer data)
{
  static const struct {
    FixtureChange change;
    RbReason reason;
  } table[] = {
    { call_it_incomplete, RB_REASON_RECORD_RESULT },
    { call_it_aborted, RB_REASON_RECORD_RESULT },
    { name_an_ecu_that_is_not_there, RB_REASON_RECORD_MALFORMED },
    { show_by_nothing, RB_REASON_RECORD_MALFORMED },
    { forget_the_hand_over, RB_REASON_RECORD_VIN },
  };
  g_autoptr (RbStatementRecord) record
    = hand_over (self, json_pack ("{s:b}", "journal", TRUE), key_of (self->facts, SERIAL));
  for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autoptr (GBytes) forged = fixture_forge (&self->fixture, record, table[i].change);
    fixture_expect (&self->fixture, forged, FALSE, table[i].reason);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, function) g_test_add ("/ending/" path, Case, NULL, set_up, function, tear_down)
  ADD ("hand-over", test_hand_over);
  ADD ("chain-of-evidence", test_chain_of_evidence);
  ADD ("evidence-of-another-key", test_evidence_of_another_key);
  ADD ("evidence-of-another-step", test_evidence_of_another_step);
  ADD ("exception", test_exception);
  ADD ("exception-refused", test_exception_refused);
  ADD ("altered", test_altered);
  return g_test_run ();
}
