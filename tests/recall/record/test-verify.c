/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "core/bytes.h"
#include "core/json.h"
#include "core/moment.h"
#include "crypto/digest.h"
#include "crypto/dsse.h"

#include <string.h>

typedef struct {
  Fixture fixture;
  RbOutbox *outbox;
  RbStatementRecord *record; /* a completed one */
} Case;

static void
set_up (Case *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  fixture_set_up (&self->fixture);
  self->outbox = rb_outbox_open (self->fixture.folder, &error);
  g_assert_no_error (error);
  g_autoptr (json_t) facts = fixture_facts (&self->fixture, FIXTURE_VIN);
  self->record = fixture_make (&self->fixture, self->outbox, facts);
}

static void
tear_down (Case *self, gconstpointer data)
{
  rb_statement_record_free (self->record);
  rb_outbox_close (self->outbox);
  fixture_tear_down (&self->fixture);
}

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

static GBytes *
payload_of (const RbStatementRecord *record)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RbDsse) dsse = rb_dsse_parse (record->envelope, RB_STATEMENT_MAX_BYTES, &error);
  g_assert_no_error (error);
  return g_bytes_ref (rb_dsse_payload (dsse));
}

static void
test_signers (Case *self, gconstpointer data)
{
  Fixture *fixture = &self->fixture;
  g_autoptr (GBytes) payload = payload_of (self->record);
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

static json_t *
statement_of (const RbStatementRecord *record)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) payload = payload_of (record);
  json_t *statement = rb_json_parse (payload, RB_STATEMENT_MAX_BYTES, "record", &error);
  g_assert_no_error (error);
  return statement;
}

/* A certificate is good for one purpose. */
static void
test_wrong_purpose (Case *self, gconstpointer data)
{
  Fixture *fixture = &self->fixture;
  g_autoptr (RbIdentity) ecu = fixture_identity (fixture, RB_PURPOSE_ECU_AUTHENTICATION, "Tool 1");
  g_autoptr (json_t) statement = statement_of (self->record);
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
  g_autoptr (json_t) statement = statement_of (self->record);
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
  g_autoptr (json_t) statement = statement_of (self->record);
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
  g_autoptr (GBytes) payload = payload_of (record);
  g_autoptr (GBytes) envelope = fixture_sign (payload, fixture->technician, fixture->workstation, NULL);
  fixture_expect (fixture, record->envelope, TRUE, RB_REASON_NONE);
  fixture_expect (fixture, envelope, FALSE, RB_REASON_SIGNER_MISSING);
}

/* What a workstation that lies could sign. */

static json_t *
ecu_of (json_t *predicate, const char *serial)
{
  return fixture_ecu (predicate, serial);
}

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
forget_an_ecu (json_t *predicate)
{
  json_array_remove (json_object_get (predicate, "ecus"), 1);
  json_array_remove (json_object_get (json_object_get (predicate, "preflight"), "ecusExpected"), 1);
  json_array_remove (json_object_get (json_object_get (predicate, "preflight"), "ecusFound"), 1);
  json_array_remove (json_object_get (json_object_get (predicate, "vehicle"), "vinSources"), 1);
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
call_it_partial (json_t *predicate)
{
  rb_json_set_string (predicate, "type", "partial");
  rb_json_set_string (predicate, "result", "incomplete");
}

static void
leave_the_old_root (json_t *predicate)
{
  json_t *root = json_object_get (json_object_get (ecu_of (predicate, "SN-TELEMATICS-0001"), "after"), "imageRoot");
  rb_json_set_integer (root, "version", 1);
}

static void
drop_the_proof (json_t *predicate)
{
  json_object_del (json_object_get (ecu_of (predicate, "SN-BRAKE-0001"), "key"), "pop");
}

static void
forget_the_creation (json_t *predicate)
{
  json_object_del (json_object_get (ecu_of (predicate, "SN-SENSOR-0001"), "key"), "createdBy");
}

static void
have_no_key (json_t *predicate)
{
  rb_json_set (ecu_of (predicate, "SN-BRAKE-0001"), "key", json_pack ("{s:s}", "kind", "none"));
}

static void
stay_in_the_bootloader (json_t *predicate)
{
  rb_json_set_string (json_object_get (ecu_of (predicate, "SN-BRAKE-0001"), "after"), "boot", "bootloader");
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
    inspect_nothing, call_it_partial,        leave_the_old_root,    drop_the_proof,      forget_the_creation,
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
  json_array_append (json_object_get (predicate, "ecus"), ecu_of (predicate, "SN-BRAKE-0001"));
}

static void
start_at_zero (json_t *predicate)
{
  rb_json_set_integer (predicate, "sequence", 0);
}

static void
be_done_by_nobody (json_t *predicate)
{
  json_object_del (ecu_of (predicate, "SN-BRAKE-0001"), "performedBy");
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
  g_autoptr (json_t) statement = statement_of (self->record);
  json_t *ecu = ecu_of (json_object_get (statement, "predicate"), "SN-BRAKE-0001");
  json_object_set (ecu, "key", json_object_get (fixture_ecu (theirs, "SN-BRAKE-0001"), "key"));
  g_autoptr (GBytes) payload = rb_json_to_bytes (statement);
  g_autoptr (GBytes) envelope = fixture_sign (payload, fixture->technician, fixture->workstation, NULL);
  fixture_expect (fixture, envelope, FALSE, RB_REASON_KEY_NOT_PROVEN);
}

static void
answer_another_challenge (json_t *predicate)
{
  rb_json_set_string (json_object_get (ecu_of (predicate, "SN-BRAKE-0001"), "key"), "challenge",
                      "ffeeddccbbaa99887766554433221100");
}

static void
name_another_key (json_t *predicate)
{
  json_t *other = json_object_get (ecu_of (predicate, "SN-TELEMATICS-0001"), "key");
  json_t *key = json_object_get (ecu_of (predicate, "SN-BRAKE-0001"), "key");
  json_object_set (key, "newPublicKey", json_object_get (other, "newPublicKey"));
}

static void
report_another_software (json_t *predicate)
{
  json_t *theirs = json_object_get (ecu_of (predicate, "SN-TELEMATICS-0001"), "report");
  rb_json_set (ecu_of (predicate, "SN-BRAKE-0001"), "report", json_deep_copy (theirs));
}

static void
report_with_another_nonce (json_t *predicate)
{
  rb_json_set_string (json_object_get (ecu_of (predicate, "SN-BRAKE-0001"), "report"), "nonce", "00");
}

/* A report of the right contents, with a signature that is none. */
static void
report_unsigned (json_t *predicate)
{
  g_autoptr (GError) error = NULL;
  json_t *entry = json_object_get (ecu_of (predicate, "SN-BRAKE-0001"), "report");
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
  rb_json_set_string (json_object_get (ecu_of (predicate, "SN-BRAKE-0001"), "report"), "challenge", "00");
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
  g_autoptr (json_t) statement = statement_of (self->record);
  rb_json_set (statement, "subject", json_array ());
  g_autoptr (GBytes) payload = rb_json_to_bytes (statement);
  g_autoptr (GBytes) envelope = fixture_sign (payload, self->fixture.technician, self->fixture.workstation, NULL);
  fixture_expect (&self->fixture, envelope, FALSE, RB_REASON_RECORD_RESULT);
}

/* Against the bundle */

static void
answer_a_wrong_digest (json_t *predicate)
{
  json_t *image = json_object_get (ecu_of (predicate, "SN-BRAKE-0001"), "image");
  rb_json_set_string (image, "digestOverNonce", rb_json_string_or (image, "nonce", ""));
}

static void
quote_another_image (json_t *predicate)
{
  const char *other = "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc";
  json_t *quoted = json_array_get (json_object_get (json_object_get (predicate, "campaign"), "ecus"), 2);
  json_t *ecu = ecu_of (predicate, "SN-SENSOR-0001");
  rb_json_set_string (quoted, "imageSha256", other);
  rb_json_set_string (json_object_get (ecu, "image"), "sha256", other);
  rb_json_set_string (json_object_get (ecu, "after"), "imageSha256", other);
  rb_json_set (ecu, "report", json_null ());
  fixture_fail_ecu (predicate, "SN-SENSOR-0001", "refused");
  rb_json_set (json_object_get (predicate, "vehicleManifest"), "after", json_null ());
  call_it_partial (predicate);
}

static void
quote_another_root (json_t *predicate)
{
  json_t *roots = json_object_get (json_object_get (predicate, "campaign"), "roots");
  rb_json_set_integer (json_object_get (roots, "director"), "version", 1);
  fixture_fail_ecu (predicate, "SN-SENSOR-0001", "refused");
  fixture_fail_ecu (predicate, "SN-BRAKE-0001", "refused");
  fixture_fail_ecu (predicate, "SN-TELEMATICS-0001", "refused");
  call_it_partial (predicate);
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
  rb_json_set_string (ecu_of (predicate, "SN-TELEMATICS-0001"), "verification", "partial");
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

/* drops the subjects with it, to leave a record whose own contents agree */
static void
forget_an_ecu_well (json_t *predicate)
{
  forget_an_ecu (predicate);
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
    { forget_an_ecu_well, RB_REASON_NONE, RB_REASON_RECORD_SCOPE },
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
  g_autoptr (json_t) statement = statement_of (self->record);
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

static void
keep_the_old_key (json_t *predicate)
{
  json_t *key = json_object_get (ecu_of (predicate, "SN-SENSOR-0001"), "key");
  rb_json_set_string (key, "oldKeyId", rb_json_string_or (key, "newKeyId", ""));
}

static void
show_a_key_by_an_update (json_t *predicate)
{
  rb_json_set (json_object_get (ecu_of (predicate, "SN-BRAKE-0001"), "key"), "createdBy",
               json_pack ("{s:b}", "update", 1));
}

static void
let_the_application_say_it (json_t *predicate)
{
  rb_json_set_string (json_object_get (ecu_of (predicate, "SN-BRAKE-0001"), "image"), "method", "application-digest");
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
  json_t *ecu = ecu_of (predicate, "SN-SENSOR-0001"), *preflight = json_object_get (predicate, "preflight");
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

#define ADD(path, function) g_test_add ("/verify/" path, Case, NULL, set_up, function, tear_down)

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
  ADD ("another-ecu-of-the-kind", test_another_ecu_of_the_kind);
  ADD ("second-person-missing-signature", test_second_person_missing_signature);
  ADD ("result", test_result);
  ADD ("malformed", test_malformed);
  ADD ("times", test_times);
  ADD ("proof-of-another-vehicle", test_proof_of_another_vehicle);
  ADD ("proofs", test_proofs);
  ADD ("against-the-bundle", test_against_the_bundle);
  ADD ("quoted-image", test_quoted_image);
  ADD ("out-of-scope", test_out_of_scope);
  ADD ("what-shows-nothing", test_what_shows_nothing);
  ADD ("without-the-vehicles-signed-state", test_without_the_vehicles_signed_state);
  ADD ("ecu-not-directed", test_ecu_not_directed);
  ADD ("fitted-ecu-called-not-fitted", test_fitted_ecu_called_not_fitted);
  ADD ("nonce-of-another-campaign", test_nonce_of_another_campaign);
  ADD ("image-not-in-the-bundle", test_image_not_in_the_bundle);
  ADD ("other-campaigns", test_other_campaigns);
  ADD ("denied-later", test_denied_later);
  return g_test_run ();
}
