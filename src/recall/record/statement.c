/* SPDX-License-Identifier: Apache-2.0 */
#include "record/statement.h"

#include "core/bytes.h"
#include "core/json.h"
#include "core/moment.h"
#include "crypto/digest.h"
#include "crypto/dsse.h"
#include "record/consistency.h"
#include "record/ending.h"
#include "record/proof-check.h"
#include "record/predicate.h"
#include "record/result.h"
#include "record/verify.h"

/* Text of an end's type word when it is no completion: "partial", "aborted", "declined", "no-work-needed", "exception".
 */
static const char *
end_type (RbStatementEnd end)
{
  static const char *const types[] = {
    [RB_STATEMENT_FINISHED] = "partial",    [RB_STATEMENT_ABORTED] = "aborted",
    [RB_STATEMENT_DECLINED] = "declined",   [RB_STATEMENT_NO_WORK_NEEDED] = "no-work-needed",
    [RB_STATEMENT_HANDED_OVER] = "partial", [RB_STATEMENT_EXCEPTION] = RB_ENDING_TYPE_EXCEPTION,
  };
  return types[end];
}

static json_t *
name_person (RbIdentity *identity)
{
  RbCertificate *certificate = rb_identity_certificate (identity);
  json_t *person = json_object ();
  rb_json_set_string (person, "certSha256", rb_certificate_id (certificate));
  rb_json_set_string (person, "name", rb_certificate_common_name (certificate));
  return person;
}

/* The dealer code comes from the certificate, not from the command line. */
static void
add_dealer (json_t *dealer, RbCertificate *workstation)
{
  if (!json_is_object (dealer))
    return;
  json_object_del (dealer, "code");
  json_object_del (dealer, "country");
  if (rb_certificate_unit (workstation) != NULL)
    rb_json_set_string (dealer, "code", rb_certificate_unit (workstation));
  if (rb_certificate_country (workstation) != NULL)
    rb_json_set_string (dealer, "country", rb_certificate_country (workstation));
}

/* Work without another performer is that of the technician who signs. */
static void
add_performer (json_t *list, const char *person)
{
  size_t i;
  json_t *entry;
  json_array_foreach (list, i, entry)
    if (json_object_get (entry, "performedBy") == NULL)
      rb_json_set_string (entry, "performedBy", person);
}

static void
add_identities (json_t *predicate, const RbStatementRequest *request)
{
  json_t *workstation = json_object_get (predicate, "workstation");
  if (json_is_object (workstation))
    rb_json_set_string (workstation, "certSha256", rb_certificate_id (rb_identity_certificate (request->workstation)));
  add_dealer (json_object_get (predicate, "dealer"), rb_identity_certificate (request->workstation));
  rb_json_set (predicate, "technician", name_person (request->technician));
  const char *person = rb_certificate_common_name (rb_identity_certificate (request->technician));
  add_performer (json_object_get (predicate, "ecus"), person);
  add_performer (json_object_get (json_object_get (predicate, "inspection"), "items"), person);
  json_object_del (predicate, "secondPerson");
  if (request->second != NULL)
    rb_json_set (predicate, "secondPerson", name_person (request->second));
}

static void
add_place (json_t *predicate, const RbStatementPlace *place)
{
  g_autoptr (GBytes) random = rb_digest_random (16);
  g_autofree char *id = rb_bytes_hex (random);
  rb_json_set_string (predicate, "recordId", id);
  rb_json_set_string (predicate, "stream", place->stream);
  rb_json_set_integer (predicate, "sequence", place->sequence);
  rb_json_set_string (predicate, "previousRecord", place->previous);
  if (json_object_get (predicate, "supersedes") == NULL)
    rb_json_set (predicate, "supersedes", json_array ());
}

static void
add_failure (json_t *predicate, const char *serial, const GError *problem)
{
  json_t *failure = json_object ();
  rb_json_set_string (failure, "ecu", serial);
  rb_json_set_string (failure, "reason", rb_reason_word (rb_reason_of (problem)));
  rb_json_set_string (failure, "text", problem->message);
  json_array_append_new (json_object_get (predicate, "failures"), failure);
}

static void
unverify (json_t *ecu, const char *member)
{
  json_t *entry = json_object_get (ecu, member);
  if (json_is_object (entry))
    rb_json_set_string (entry, "verified", "no");
}

/* An ECU is called done, and a proof verified, only when the record itself shows it. */
static void
judge_ecu (json_t *predicate, json_t *ecu)
{
  g_autoptr (GError) problem = NULL, unproven = NULL;
  gboolean proven = rb_proof_check_ecu (predicate, ecu, &unproven);
  if (!proven) {
    unverify (ecu, "report");
    if (g_error_matches (unproven, RB_RECORD_ERROR, RB_REASON_KEY_NOT_PROVEN))
      unverify (ecu, "key");
  }
  if (!rb_predicate_claims_done (ecu)
      || (rb_result_ecu_is_done (ecu, json_object_get (predicate, "campaign"), &problem)
          && rb_consistency_check_ecu (ecu, &problem)))
    return;
  const GError *cause = proven ? problem : unproven;
  rb_json_set_string (ecu, "outcome", "failed");
  rb_json_set_string (ecu, "reason", rb_reason_word (rb_reason_of (cause)));
  add_failure (predicate, rb_json_string_or (ecu, "ecuSerial", ""), cause);
}

static void
judge_manifest (json_t *predicate)
{
  const char *serial = NULL;
  g_autoptr (GError) problem = NULL;
  if (rb_proof_check_manifest (predicate, &serial, &problem))
    return;
  json_t *primary = rb_predicate_entry (json_object_get (predicate, "ecus"), "ecuSerial", serial);
  rb_json_set_string (primary, "outcome", "failed");
  rb_json_set_string (primary, "reason", rb_reason_word (rb_reason_of (problem)));
  add_failure (predicate, serial, problem);
}

/* Each ECU, and when none is left open the vehicle's manifest, for which the Primary answers. */
static void
judge (json_t *predicate)
{
  size_t i;
  json_t *ecu;
  gboolean done = TRUE;
  json_array_foreach (json_object_get (predicate, "ecus"), i, ecu) {
    judge_ecu (predicate, ecu);
    done = done && (rb_predicate_claims_done (ecu) || rb_predicate_is_not_fitted (ecu));
  }
  if (done)
    judge_manifest (predicate);
}

static void
add_result (json_t *predicate, RbStatementEnd end)
{
  judge (predicate);
  gboolean complete = rb_result_is_complete (predicate, NULL);
  const char *type = complete ? "completion" : end_type (end);
  rb_json_set_string (predicate, "type", type);
  rb_json_set_string (predicate, "result", rb_ending_result (predicate, complete));
}

/* (transfer full); NULL with error when the facts lack something */
static json_t *
make_predicate (const RbStatementRequest *request, const RbStatementPlace *place, GError **error)
{
  g_autoptr (json_t) predicate = json_deep_copy (request->facts);
  if (!json_is_object (predicate)) {
    g_set_error (error, RB_RECORD_ERROR, RB_REASON_RECORD_MALFORMED, "Record: there are no facts to make it from");
    return NULL;
  }
  rb_json_set (predicate, "campaign", rb_result_quote (request->campaign, request->campaign_sha256));
  add_identities (predicate, request);
  add_place (predicate, place);
  rb_json_set_string (predicate, "type", "");
  rb_json_set_string (predicate, "result", "");
  if (!rb_result_is_well_formed (predicate, error))
    return NULL;
  add_result (predicate, request->end);
  return g_steal_pointer (&predicate);
}

json_t *
rb_statement_judge (const RbCampaign *campaign, const char *campaign_sha256, const json_t *facts)
{
  json_t *predicate = json_deep_copy (facts);
  rb_json_set (predicate, "campaign", rb_result_quote (campaign, campaign_sha256));
  judge (predicate);
  return predicate;
}

static GBytes *
make_statement (json_t *predicate)
{
  g_autoptr (json_t) statement = json_object ();
  rb_json_set_string (statement, "_type", RB_STATEMENT_TYPE);
  rb_json_set (statement, "subject", rb_proof_check_make_subjects (predicate));
  rb_json_set_string (statement, "predicateType", RB_STATEMENT_PREDICATE_TYPE);
  rb_json_set (statement, "predicate", json_incref (predicate));
  return rb_json_to_bytes (statement);
}

static GBytes *
sign (GBytes *payload, const RbStatementRequest *request, GError **error)
{
  g_autoptr (RbDsse) dsse = rb_dsse_new (RB_STATEMENT_PAYLOAD_TYPE, payload);
  if (!rb_identity_sign_envelope (request->technician, dsse, error)
      || !rb_identity_sign_envelope (request->workstation, dsse, error)
      || (request->second != NULL && !rb_identity_sign_envelope (request->second, dsse, error))) {
    g_prefix_error (error, "Record: ");
    return NULL;
  }
  return rb_dsse_to_json (dsse);
}

void
rb_statement_record_free (RbStatementRecord *self)
{
  if (self == NULL)
    return;
  g_free (self->digest);
  g_free (self->workstation);
  g_free (self->stream);
  g_free (self->previous);
  g_free (self->type);
  g_free (self->result);
  g_free (self->vin);
  g_free (self->campaign);
  g_clear_pointer (&self->envelope, g_bytes_unref);
  g_free (self);
}

RbStatementRecord *
rb_statement_to_record (const RbVerifyOutcome *outcome, GBytes *envelope)
{
  RbStatementRecord *record = g_new0 (RbStatementRecord, 1);
  record->digest = g_strdup (outcome->digest);
  record->workstation = g_strdup (outcome->workstation);
  record->stream = g_strdup (outcome->stream);
  record->sequence = outcome->sequence;
  record->previous = g_strdup (outcome->previous);
  record->type = g_strdup (outcome->type);
  record->result = g_strdup (outcome->result);
  record->vin = g_strdup (outcome->vin);
  record->campaign = g_strdup (outcome->campaign);
  if (!rb_moment_from_text (rb_json_string_or (outcome->predicate, "finishedAt", ""), &record->finished))
    record->finished = 0;
  record->envelope = g_bytes_ref (envelope);
  return record;
}

/* What is stored is what a stranger would accept: read back by the verifier, which knows nothing of how it was made. */
static RbStatementRecord *
read_back (GBytes *envelope, GError **error)
{
  const RbVerifyRequest request = { 0 };
  g_autoptr (RbVerifyOutcome) outcome = rb_verify_record (envelope, &request);
  if (outcome->reason == RB_REASON_NONE)
    return rb_statement_to_record (outcome, envelope);
  g_set_error_literal (error, RB_RECORD_ERROR, (int) outcome->reason, outcome->message);
  return NULL;
}

RbStatementRecord *
rb_statement_make_at (const RbStatementPlace *place, const RbStatementRequest *request, GError **error)
{
  if (request->campaign->second_person && request->second == NULL) {
    g_set_error (error, RB_RECORD_ERROR, RB_REASON_SECOND_PERSON_MISSING,
                 "Campaign %s asks for a second person's signature on the record", request->campaign->id);
    return NULL;
  }
  g_autoptr (json_t) predicate = make_predicate (request, place, error);
  if (predicate == NULL)
    return NULL;
  g_autoptr (GBytes) payload = make_statement (predicate);
  g_autoptr (GBytes) envelope = sign (payload, request, error);
  return envelope == NULL ? NULL : read_back (envelope, error);
}
