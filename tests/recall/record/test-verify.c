/* SPDX-License-Identifier: Apache-2.0 */
#include "case.h"

#include "core/bytes.h"
#include "core/json.h"
#include "core/moment.h"
#include "crypto/digest.h"
#include "crypto/dsse.h"

#include <string.h>

static void
test_good (Case *self, gconstpointer data)
{
  g_autoptr (RbVerifyOutcome) outcome = fixture_verify (&self->fixture, self->record->envelope, TRUE);
  g_autoptr (json_t) told = rb_outcome_to_json (outcome);
  g_autofree char *checked = rb_json_to_text (json_object_get (told, "checked"));
  g_assert_cmpstr (outcome->message, ==, NULL);
  g_assert_cmpstr (outcome->type, ==, "completion");
  g_assert_cmpstr (outcome->result, ==, "completed");
  g_assert_cmpstr (outcome->vin, ==, FIXTURE_VIN);
  g_assert_cmpstr (outcome->digest, ==, self->record->digest);
  g_assert_cmpstr (checked, ==, "[\"signatures\",\"certificates\",\"result\",\"campaign\"]");
}

/* Nothing is claimed to be checked that was not. */
static void
test_without_anchors_or_bundle (Case *self, gconstpointer data)
{
  const RbVerifyRequest request = { 0 };
  g_autoptr (RbVerifyOutcome) outcome = rb_verify_record (self->record->envelope, &request);
  g_autoptr (json_t) told = rb_outcome_to_json (outcome);
  g_autofree char *checked = rb_json_to_text (json_object_get (told, "checked"));
  g_assert_cmpint (outcome->reason, ==, RB_REASON_NONE);
  g_assert_cmpstr (checked, ==, "[\"signatures\",\"result\"]");
}

/* Every byte of the payload and of both signatures counts; keyid and the CA beside a signature are hints. */
static void
test_flipped_bytes (Case *self, gconstpointer data)
{
  gsize length = 0;
  const char *text = g_bytes_get_data (self->record->envelope, &length);
  const char *payload = g_strstr_len (text, (gssize) length, "\"payload\":\"");
  const char *signature = g_strstr_len (text, (gssize) length, "\"sig\":\"");
  const gsize starts[] = { (gsize) (payload - text), (gsize) (signature - text) };
  const gsize ends[] = { (gsize) (g_strstr_len (payload + 11, -1, "\"") - text),
                         (gsize) (g_strstr_len (signature + 7, -1, "\"") - text) };
  for (guint part = 0; part < G_N_ELEMENTS (starts); part++)
    for (gsize i = starts[part]; i < ends[part]; i += part == 0 ? 997 : 3) {
      g_autofree char *copy = g_memdup2 (text, length);
      copy[i] ^= 1;
      g_autoptr (GBytes) flipped = g_bytes_new (copy, length);
      g_autoptr (RbVerifyOutcome) outcome = fixture_verify (&self->fixture, flipped, FALSE);
      g_assert_cmpint (outcome->reason, !=, RB_REASON_NONE);
    }
}

static void
test_truncated_and_too_large (Case *self, gconstpointer data)
{
  g_autoptr (GBytes) half
    = g_bytes_new_from_bytes (self->record->envelope, 0, g_bytes_get_size (self->record->envelope) / 2);
  g_autofree char *much = g_strnfill (RB_STATEMENT_MAX_BYTES + 1, ' ');
  g_autoptr (GBytes) large = g_bytes_new (much, RB_STATEMENT_MAX_BYTES + 1);
  g_autoptr (GBytes) nothing = g_bytes_new (NULL, 0);
  fixture_expect (&self->fixture, half, FALSE, RB_REASON_RECORD_MALFORMED);
  fixture_expect (&self->fixture, large, FALSE, RB_REASON_TOO_LARGE);
  fixture_expect (&self->fixture, nothing, FALSE, RB_REASON_RECORD_MALFORMED);
}

static void
test_other_ca (Case *self, gconstpointer data)
{
  g_autoptr (RbPrivateKey) key = NULL;
  g_autoptr (RbCertificate) other = fixture_other_ca (&key);
  g_autoptr (GPtrArray) anchors = g_ptr_array_new ();
  g_ptr_array_add (anchors, other);
  const RbVerifyRequest request = { .anchors = anchors };
  g_autoptr (RbVerifyOutcome) outcome = rb_verify_record (self->record->envelope, &request);
  g_assert_cmpint (outcome->reason, ==, RB_REASON_RECORD_CERTIFICATE);
  g_assert_true (outcome->signatures_checked);
  g_assert_false (outcome->certificates_checked);
}

static void
test_signers (Case *self, gconstpointer data)
{
  Fixture *fixture = &self->fixture;
  g_autoptr (GBytes) payload = case_payload (self->record);
  g_autoptr (GBytes) nobody = fixture_sign (payload, NULL, NULL, NULL);
  g_autoptr (GBytes) no_technician = fixture_sign (payload, fixture->workstation, NULL, NULL);
  g_autoptr (GBytes) no_workstation = fixture_sign (payload, fixture->technician, NULL, NULL);
  g_autoptr (GBytes) twice = fixture_sign (payload, fixture->technician, fixture->technician, NULL);
  g_autoptr (GBytes) stranger = fixture_sign (payload, fixture->technician, fixture->workstation, fixture->second);
  g_autoptr (GBytes) swapped = fixture_sign (payload, fixture->workstation, fixture->technician, NULL);
  fixture_expect (fixture, nobody, FALSE, RB_REASON_RECORD_SIGNATURE);
  fixture_expect (fixture, no_technician, FALSE, RB_REASON_SIGNER_MISSING);
  fixture_expect (fixture, no_workstation, FALSE, RB_REASON_SIGNER_MISSING);
  fixture_expect (fixture, twice, FALSE, RB_REASON_SIGNER_MISSING);
  fixture_expect (fixture, stranger, FALSE, RB_REASON_RECORD_SIGNATURE);
  fixture_expect (fixture, swapped, FALSE, RB_REASON_NONE);
}

/* keyid is no input of any decision */
static void
test_key_ids_do_not_count (Case *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (json_t) envelope = rb_json_parse (self->record->envelope, RB_STATEMENT_MAX_BYTES, "envelope", &error);
  json_t *signatures = json_object_get (envelope, "signatures");
  rb_json_set_string (json_array_get (signatures, 0), "keyid", "somebody");
  json_object_del (json_array_get (signatures, 1), "keyid");
  g_autoptr (GBytes) changed = rb_json_to_bytes (envelope);
  fixture_expect (&self->fixture, changed, TRUE, RB_REASON_NONE);
}

static void
replace_technician (json_t *predicate, RbIdentity *identity)
{
  RbCertificate *certificate = rb_identity_certificate (identity);
  rb_json_set (predicate, "technician",
               json_pack ("{s:s, s:s}", "certSha256", rb_certificate_id (certificate), "name",
                          rb_certificate_common_name (certificate)));
}

/* A certificate is good for one purpose. */
static void
test_wrong_purpose (Case *self, gconstpointer data)
{
  Fixture *fixture = &self->fixture;
  g_autoptr (RbIdentity) ecu = fixture_identity (fixture, RB_PURPOSE_ECU_AUTHENTICATION, "Tool 1");
  g_autoptr (json_t) statement = case_statement (self->record);
  replace_technician (json_object_get (statement, "predicate"), ecu);
  g_autoptr (GBytes) payload = rb_json_to_bytes (statement);
  g_autoptr (GBytes) envelope = fixture_sign (payload, ecu, fixture->workstation, NULL);
  fixture_expect (fixture, envelope, FALSE, RB_REASON_RECORD_CERTIFICATE);
}

/* Two certificates do not make two people. */
static void
test_same_person (Case *self, gconstpointer data)
{
  Fixture *fixture = &self->fixture;
  g_autoptr (RbIdentity) again = fixture_identity (fixture, RB_PURPOSE_TECHNICIAN, "Ada Fitter");
  g_autoptr (json_t) statement = case_statement (self->record);
  json_t *predicate = json_object_get (statement, "predicate");
  RbCertificate *certificate = rb_identity_certificate (again);
  rb_json_set (predicate, "secondPerson",
               json_pack ("{s:s, s:s}", "certSha256", rb_certificate_id (certificate), "name",
                          rb_certificate_common_name (certificate)));
  g_autoptr (GBytes) payload = rb_json_to_bytes (statement);
  g_autoptr (GBytes) envelope = fixture_sign (payload, fixture->technician, fixture->workstation, again);
  fixture_expect (fixture, envelope, FALSE, RB_REASON_SAME_PERSON);
}

/* Nor does a machine that bears the technician's name make a witness. */
static void
test_machine_is_no_person (Case *self, gconstpointer data)
{
  Fixture *fixture = &self->fixture;
  g_autoptr (RbIdentity) machine = fixture_identity (fixture, RB_PURPOSE_WORKSTATION, "Ada Fitter");
  g_autoptr (json_t) statement = case_statement (self->record);
  json_t *workstation = json_object_get (json_object_get (statement, "predicate"), "workstation");
  rb_json_set_string (workstation, "certSha256", rb_certificate_id (rb_identity_certificate (machine)));
  g_autoptr (GBytes) payload = rb_json_to_bytes (statement);
  g_autoptr (GBytes) envelope = fixture_sign (payload, fixture->technician, machine, NULL);
  fixture_expect (fixture, envelope, FALSE, RB_REASON_SAME_PERSON);
}

static void
test_second_person_missing_signature (Case *self, gconstpointer data)
{
  Fixture *fixture = &self->fixture;
  g_autoptr (json_t) facts = fixture_facts (fixture, FIXTURE_VIN);
  g_autoptr (RbStatementRecord) record = fixture_make_by_three (fixture, self->outbox, facts);
  g_autoptr (GBytes) payload = case_payload (record);
  g_autoptr (GBytes) envelope = fixture_sign (payload, fixture->technician, fixture->workstation, NULL);
  fixture_expect (fixture, record->envelope, TRUE, RB_REASON_NONE);
  fixture_expect (fixture, envelope, FALSE, RB_REASON_SIGNER_MISSING);
}

/* What a workstation that lies could sign. */

static void
fail_one_ecu (json_t *predicate)
{
  fixture_fail_ecu (predicate, "SN-BRAKE-0001", "refused");
}

static void
leave_out_an_ecu (json_t *predicate)
{
  json_array_remove (json_object_get (predicate, "ecus"), 1);
}

static void
expect_nothing (json_t *predicate)
{
  json_array_clear (json_object_get (predicate, "ecus"));
  json_array_clear (json_object_get (json_object_get (predicate, "preflight"), "ecusExpected"));
}

static void
fail_the_inspection (json_t *predicate)
{
  json_t *items = json_object_get (json_object_get (predicate, "inspection"), "items");
  rb_json_set_string (json_array_get (items, 0), "result", "fail");
}

static void
inspect_afterwards (json_t *predicate)
{
  rb_json_set_string (json_object_get (predicate, "inspection"), "completedAt", "2026-11-17T10:25:00Z");
}

static void
inspect_nothing (json_t *predicate)
{
  rb_json_set (predicate, "inspection", json_null ());
}

static void
leave_the_old_root (json_t *predicate)
{
  json_t *root
    = json_object_get (json_object_get (fixture_ecu (predicate, "SN-TELEMATICS-0001"), "after"), "imageRoot");
  rb_json_set_integer (root, "version", 1);
}

static void
drop_the_proof (json_t *predicate)
{
  json_object_del (json_object_get (fixture_ecu (predicate, "SN-BRAKE-0001"), "key"), "pop");
}

static void
forget_the_creation (json_t *predicate)
{
  json_object_del (json_object_get (fixture_ecu (predicate, "SN-SENSOR-0001"), "key"), "createdBy");
}

static void
have_no_key (json_t *predicate)
{
  rb_json_set (fixture_ecu (predicate, "SN-BRAKE-0001"), "key", json_pack ("{s:s}", "kind", "none"));
}

static void
stay_in_the_bootloader (json_t *predicate)
{
  rb_json_set_string (json_object_get (fixture_ecu (predicate, "SN-BRAKE-0001"), "after"), "boot", "bootloader");
}

static void
write_before_anything (json_t *predicate)
{
  rb_json_set (predicate, "firstWriteAt", json_null ());
}

static void
exchange_the_manifest (json_t *predicate)
{
  rb_json_set_string (json_object_get (predicate, "vehicleManifest"), "after", "e30=");
}

static void
test_result (Case *self, gconstpointer data)
{
  static const FixtureChange changes[] = {
    fail_one_ecu,    leave_out_an_ecu,       expect_nothing,        fail_the_inspection, inspect_afterwards,
    inspect_nothing, case_call_it_partial,   leave_the_old_root,    drop_the_proof,      forget_the_creation,
    have_no_key,     stay_in_the_bootloader, write_before_anything,
  };
  for (guint i = 0; i < G_N_ELEMENTS (changes); i++) {
    g_autoptr (GBytes) forged = fixture_forge (&self->fixture, self->record, changes[i]);
    g_test_message ("change %u", i);
    fixture_expect (&self->fixture, forged, FALSE, RB_REASON_RECORD_RESULT);
  }
}

static void
use_a_float (json_t *predicate)
{
  json_object_set_new (json_object_get (predicate, "vehicle"), "odometerKm", json_real (41234.5));
}

static void
lose_the_stream (json_t *predicate)
{
  json_object_del (predicate, "stream");
}

static void
repeat_an_ecu (json_t *predicate)
{
  json_array_append (json_object_get (predicate, "ecus"), fixture_ecu (predicate, "SN-BRAKE-0001"));
}

static void
start_at_zero (json_t *predicate)
{
  rb_json_set_integer (predicate, "sequence", 0);
}

static void
be_done_by_nobody (json_t *predicate)
{
  json_object_del (fixture_ecu (predicate, "SN-BRAKE-0001"), "performedBy");
}

static void
be_inspected_by_nobody (json_t *predicate)
{
  rb_json_set_string (json_array_get (json_object_get (json_object_get (predicate, "inspection"), "items"), 1),
                      "performedBy", "");
}

static void
test_malformed (Case *self, gconstpointer data)
{
  static const FixtureChange changes[]
    = { use_a_float, lose_the_stream, repeat_an_ecu, start_at_zero, be_done_by_nobody, be_inspected_by_nobody };
  for (guint i = 0; i < G_N_ELEMENTS (changes); i++) {
    g_autoptr (GBytes) forged = fixture_forge (&self->fixture, self->record, changes[i]);
    fixture_expect (&self->fixture, forged, FALSE, RB_REASON_RECORD_MALFORMED);
  }
}

static void
claim_an_early_time (json_t *predicate)
{
  rb_json_set_string (json_object_get (predicate, "time"), "claimed", "2026-09-30T00:00:00Z");
}

static void
claim_a_time_before_the_campaign (json_t *predicate)
{
  claim_an_early_time (predicate);
  rb_json_set_string (json_object_get (predicate, "time"), "notBefore", "2026-09-29T00:00:00Z");
}

static void
claim_a_time_after_the_certificate (json_t *predicate)
{
  rb_json_set_string (json_object_get (predicate, "time"), "claimed", "2036-09-30T00:00:00Z");
}

static void
test_times (Case *self, gconstpointer data)
{
  g_autoptr (GBytes) early = fixture_forge (&self->fixture, self->record, claim_an_early_time);
  g_autoptr (GBytes) before = fixture_forge (&self->fixture, self->record, claim_a_time_before_the_campaign);
  g_autoptr (GBytes) late = fixture_forge (&self->fixture, self->record, claim_a_time_after_the_certificate);
  fixture_expect (&self->fixture, early, FALSE, RB_REASON_CLOCK);
  fixture_expect (&self->fixture, before, TRUE, RB_REASON_RECORD_TIME);
  fixture_expect (&self->fixture, late, FALSE, RB_REASON_RECORD_CERTIFICATE);
}

/* The proof of the same ECU, key and campaign, taken from the record of another vehicle. */
static void
test_proof_of_another_vehicle (Case *self, gconstpointer data)
{
  Fixture *fixture = &self->fixture;
  g_autoptr (json_t) theirs = fixture_facts (fixture, FIXTURE_OTHER_VIN);
  g_autoptr (json_t) statement = case_statement (self->record);
  json_t *ecu = fixture_ecu (json_object_get (statement, "predicate"), "SN-BRAKE-0001");
  json_object_set (ecu, "key", json_object_get (fixture_ecu (theirs, "SN-BRAKE-0001"), "key"));
  g_autoptr (GBytes) payload = rb_json_to_bytes (statement);
  g_autoptr (GBytes) envelope = fixture_sign (payload, fixture->technician, fixture->workstation, NULL);
  fixture_expect (fixture, envelope, FALSE, RB_REASON_KEY_NOT_PROVEN);
}

static void
answer_another_challenge (json_t *predicate)
{
  rb_json_set_string (json_object_get (fixture_ecu (predicate, "SN-BRAKE-0001"), "key"), "challenge",
                      "ffeeddccbbaa99887766554433221100");
}

static void
name_another_key (json_t *predicate)
{
  json_t *other = json_object_get (fixture_ecu (predicate, "SN-TELEMATICS-0001"), "key");
  json_t *key = json_object_get (fixture_ecu (predicate, "SN-BRAKE-0001"), "key");
  json_object_set (key, "newPublicKey", json_object_get (other, "newPublicKey"));
}

static void
report_another_software (json_t *predicate)
{
  json_t *theirs = json_object_get (fixture_ecu (predicate, "SN-TELEMATICS-0001"), "report");
  rb_json_set (fixture_ecu (predicate, "SN-BRAKE-0001"), "report", json_deep_copy (theirs));
}

static void
report_with_another_nonce (json_t *predicate)
{
  rb_json_set_string (json_object_get (fixture_ecu (predicate, "SN-BRAKE-0001"), "report"), "nonce", "00");
}

/* A report of the right contents, with a signature that is none. */
static void
report_unsigned (json_t *predicate)
{
  g_autoptr (GError) error = NULL;
  json_t *entry = json_object_get (fixture_ecu (predicate, "SN-BRAKE-0001"), "report");
  g_autoptr (GBytes) bytes = rb_bytes_from_base64 (rb_json_string_or (entry, "envelope", ""));
  g_autoptr (json_t) envelope = rb_json_parse (bytes, RB_STATEMENT_MAX_BYTES, "report", &error);
  rb_json_set_string (json_array_get (json_object_get (envelope, "signatures"), 0), "sig", "AAAA");
  g_autoptr (GBytes) changed = rb_json_to_bytes (envelope);
  g_autofree char *text = rb_bytes_to_base64 (changed);
  rb_json_set_string (entry, "envelope", text);
}

static void
report_to_another_question (json_t *predicate)
{
  rb_json_set_string (json_object_get (fixture_ecu (predicate, "SN-BRAKE-0001"), "report"), "challenge", "00");
}

static void
test_proofs (Case *self, gconstpointer data)
{
  static const struct {
    FixtureChange change;
    RbReason reason;
  } table[] = {
    { answer_another_challenge, RB_REASON_KEY_NOT_PROVEN }, { name_another_key, RB_REASON_KEY_NOT_PROVEN },
    { report_another_software, RB_REASON_RECORD_REPORT },   { report_to_another_question, RB_REASON_RECORD_REPORT },
    { report_with_another_nonce, RB_REASON_RECORD_REPORT }, { report_unsigned, RB_REASON_RECORD_REPORT },
    { exchange_the_manifest, RB_REASON_RECORD_MANIFEST },
  };
  for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autoptr (GBytes) forged = fixture_forge (&self->fixture, self->record, table[i].change);
    g_test_message ("change %u", i);
    fixture_expect (&self->fixture, forged, FALSE, table[i].reason);
  }
}

static void
test_subjects (Case *self, gconstpointer data)
{
  g_autoptr (json_t) statement = case_statement (self->record);
  rb_json_set (statement, "subject", json_array ());
  g_autoptr (GBytes) payload = rb_json_to_bytes (statement);
  g_autoptr (GBytes) envelope = fixture_sign (payload, self->fixture.technician, self->fixture.workstation, NULL);
  fixture_expect (&self->fixture, envelope, FALSE, RB_REASON_RECORD_RESULT);
}

static void
keep_the_old_key (json_t *predicate)
{
  json_t *key = json_object_get (fixture_ecu (predicate, "SN-SENSOR-0001"), "key");
  rb_json_set_string (key, "oldKeyId", rb_json_string_or (key, "newKeyId", ""));
}

static void
show_a_key_by_an_update (json_t *predicate)
{
  rb_json_set (json_object_get (fixture_ecu (predicate, "SN-BRAKE-0001"), "key"), "createdBy",
               json_pack ("{s:b}", "update", 1));
}

static void
let_the_application_say_it (json_t *predicate)
{
  rb_json_set_string (json_object_get (fixture_ecu (predicate, "SN-BRAKE-0001"), "image"), "method",
                      "application-digest");
}

/* a replaced key is a new one, a key or image is shown by something that can show it */
static void
test_what_shows_nothing (Case *self, gconstpointer data)
{
  static const FixtureChange changes[] = { keep_the_old_key, show_a_key_by_an_update, let_the_application_say_it };
  for (guint i = 0; i < G_N_ELEMENTS (changes); i++) {
    g_autoptr (GBytes) forged = fixture_forge (&self->fixture, self->record, changes[i]);
    g_test_message ("change %u", i);
    fixture_expect (&self->fixture, forged, FALSE, RB_REASON_RECORD_RESULT);
  }
}

static void
take_the_manifest (json_t *predicate)
{
  rb_json_set (json_object_get (predicate, "vehicleManifest"), "after", json_null ());
}

static void
test_without_the_vehicles_signed_state (Case *self, gconstpointer data)
{
  g_autoptr (GBytes) forged = fixture_forge (&self->fixture, self->record, take_the_manifest);
  fixture_expect (&self->fixture, forged, FALSE, RB_REASON_RECORD_RESULT);
  g_autoptr (json_t) facts = fixture_facts (&self->fixture, FIXTURE_VIN);
  take_the_manifest (facts);
  g_autoptr (RbStatementRecord) record = fixture_make (&self->fixture, self->outbox, facts);
  g_assert_cmpstr (record->result, ==, "incomplete");
}

/* A verifier stops at the first thing wrong and still says whose record it was. */
static void
test_denied_later (Case *self, gconstpointer data)
{
  g_autoptr (RbVerifyOutcome) outcome = fixture_verify (&self->fixture, self->record->envelope, FALSE);
  rb_outcome_deny (outcome, RB_REASON_NOT_COMPLETED, "first");
  rb_outcome_deny (outcome, RB_REASON_RECORD_SEQUENCE, "second");
  g_assert_cmpint (outcome->reason, ==, RB_REASON_NOT_COMPLETED);
  g_assert_cmpstr (outcome->message, ==, "first");
}

#define ADD(path, function) g_test_add ("/verify/" path, Case, NULL, case_set_up, function, case_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("good", test_good);
  ADD ("without-anchors-or-bundle", test_without_anchors_or_bundle);
  ADD ("flipped-bytes", test_flipped_bytes);
  ADD ("truncated-and-too-large", test_truncated_and_too_large);
  ADD ("other-ca", test_other_ca);
  ADD ("signers", test_signers);
  ADD ("key-ids-do-not-count", test_key_ids_do_not_count);
  ADD ("wrong-purpose", test_wrong_purpose);
  ADD ("same-person", test_same_person);
  ADD ("machine-is-no-person", test_machine_is_no_person);
  ADD ("subjects", test_subjects);
  ADD ("second-person-missing-signature", test_second_person_missing_signature);
  ADD ("result", test_result);
  ADD ("malformed", test_malformed);
  ADD ("times", test_times);
  ADD ("proof-of-another-vehicle", test_proof_of_another_vehicle);
  ADD ("proofs", test_proofs);
  ADD ("what-shows-nothing", test_what_shows_nothing);
  ADD ("without-the-vehicles-signed-state", test_without_the_vehicles_signed_state);
  ADD ("denied-later", test_denied_later);
  return g_test_run ();
}
