/* SPDX-License-Identifier: Apache-2.0 */
#include "record/verify.h"

#include "core/json.h"
#include "core/moment.h"
#include "crypto/dsse.h"
#include "record/campaign-check.h"
#include "record/consistency.h"
#include "record/ending.h"
#include "record/proof-check.h"
#include "record/predicate.h"
#include "record/result.h"
#include "record/format.h"

#include <string.h>

#define MAX_SIGNATURES 8

typedef struct {
  const RbVerifyRequest *request;
  RbVerifyOutcome *outcome;
  RbDsse *dsse;
  json_t *statement;
  const json_t *predicate; /* borrowed of statement */
} Check;

static gboolean
verify_error (GError **error, RbReason reason, const char *text)
{
  return rb_reason_deny (error, RB_RECORD_ERROR, reason, "Record: %s", text);
}

static gboolean
open_envelope (Check *self, GBytes *envelope, GError **error)
{
  g_autoptr (GError) problem = NULL;
  self->dsse = rb_dsse_parse (envelope, RB_STATEMENT_MAX_BYTES, &problem);
  RbReason reason = rb_reason_of (problem);
  if (self->dsse == NULL)
    return verify_error (error,
                         reason == RB_REASON_TOO_LARGE     ? RB_REASON_TOO_LARGE
                         : reason == RB_REASON_CERTIFICATE ? RB_REASON_RECORD_CERTIFICATE_BYTES
                                                           : RB_REASON_RECORD_MALFORMED,
                         problem->message);
  self->outcome->digest = g_strdup (rb_dsse_digest (self->dsse));
  return TRUE;
}

/* Stricter than DSSE, which lets a reader skip a signature that it cannot use: every signature of a record must verify.
 */
static gboolean
check_signatures (Check *self, GError **error)
{
  guint n = rb_dsse_signature_count (self->dsse);
  if (n == 0 || n > MAX_SIGNATURES)
    return verify_error (error, RB_REASON_RECORD_SIGNATURE, n == 0 ? "it has no signature" : "too many signatures");
  for (guint i = 0; i < n; i++)
    if (rb_dsse_chain (self->dsse, i) == NULL || !rb_dsse_signature_is_valid (self->dsse, i))
      return verify_error (error, RB_REASON_RECORD_SIGNATURE,
                           "a signature does not verify with the certificate beside it");
  if (strcmp (rb_dsse_payload_type (self->dsse), RB_STATEMENT_PAYLOAD_TYPE) != 0)
    return verify_error (error, RB_REASON_RECORD_MALFORMED, "the payload is not an in-toto statement");
  return TRUE;
}

static gboolean
open_statement (Check *self, GError **error)
{
  g_autoptr (GError) problem = NULL;
  self->statement = rb_json_parse (rb_dsse_payload (self->dsse), RB_STATEMENT_MAX_BYTES, "Record", &problem);
  if (self->statement == NULL)
    return verify_error (error, RB_REASON_RECORD_MALFORMED, problem->message);
  if (strcmp (rb_json_string_or (self->statement, "_type", ""), RB_STATEMENT_TYPE) != 0
      || strcmp (rb_json_string_or (self->statement, "predicateType", ""), RB_STATEMENT_PREDICATE_TYPE) != 0)
    return verify_error (error, RB_REASON_RECORD_MALFORMED, "the statement is of another type");
  self->predicate = json_object_get (self->statement, "predicate");
  return rb_result_is_well_formed (self->predicate, error);
}

static void
tell (Check *self)
{
  RbVerifyOutcome *outcome = self->outcome;
  const json_t *predicate = self->predicate;
  outcome->signatures_checked = TRUE;
  outcome->predicate = json_incref ((json_t *) predicate);
  outcome->type = g_strdup (rb_json_string_or (predicate, "type", ""));
  outcome->result = g_strdup (rb_json_string_or (predicate, "result", ""));
  outcome->vin = g_strdup (rb_json_string_or (json_object_get (predicate, "vehicle"), "vin", ""));
  outcome->campaign = g_strdup (rb_json_string_or (json_object_get (predicate, "campaign"), "id", ""));
  outcome->workstation = g_strdup (rb_json_string_or (json_object_get (predicate, "workstation"), "certSha256", ""));
  outcome->stream = g_strdup (rb_json_string_or (predicate, "stream", ""));
  outcome->previous = g_strdup (rb_json_string_or (predicate, "previousRecord", ""));
  outcome->sequence = rb_json_integer_or (predicate, "sequence", 0);
}

static GPtrArray *
chain_of (Check *self, const char *member)
{
  const char *wanted = rb_json_string_or (json_object_get (self->predicate, member), "certSha256", NULL);
  for (guint i = 0; i < rb_dsse_signature_count (self->dsse); i++) {
    GPtrArray *chain = rb_dsse_chain (self->dsse, i);
    if (g_strcmp0 (rb_certificate_id (chain->pdata[0]), wanted) == 0)
      return chain;
  }
  return NULL;
}

static gboolean
check_purpose (GPtrArray *chain, RbPurpose purpose, const json_t *named, GError **error)
{
  RbCertificate *certificate = chain->pdata[0];
  const char *name = rb_json_string_or (named, "name", NULL);
  if (!rb_certificate_has_purpose (certificate, purpose))
    return verify_error (error, RB_REASON_RECORD_CERTIFICATE, "a certificate is not made for this signature");
  if (name != NULL && strcmp (name, rb_certificate_common_name (certificate)) != 0)
    return verify_error (error, RB_REASON_RECORD_CERTIFICATE, "a person's name is not the certificate's");
  return TRUE;
}

static gboolean
check_dealer (Check *self, GPtrArray *workstation, GError **error)
{
  const json_t *dealer = json_object_get (self->predicate, "dealer");
  RbCertificate *certificate = workstation->pdata[0];
  if (g_strcmp0 (rb_json_string_or (dealer, "code", NULL), rb_certificate_unit (certificate)) == 0
      && g_strcmp0 (rb_json_string_or (dealer, "country", NULL), rb_certificate_country (certificate)) == 0)
    return TRUE;
  return verify_error (error, RB_REASON_RECORD_CERTIFICATE,
                       "its dealer is not the one of the workstation's certificate");
}

static gboolean
are_same (GPtrArray *a, GPtrArray *b)
{
  return rb_certificate_same_holder (a->pdata[0], b->pdata[0]);
}

/* Time has to be known to verify certificates, so this comes after the statement is opened; its bytes are authentic by
 * then, only whose they are is open. */
static gboolean
check_certificate (Check *self, GPtrArray *chain, RbPurpose purpose, GError **error)
{
  g_autoptr (GError) problem = NULL;
  gint64 claimed = 0;
  const char *text = rb_json_string_or (json_object_get (self->predicate, "time"), "claimed", "");
  if (self->request->anchors == NULL)
    return TRUE;
  if (!rb_moment_from_text (text, &claimed))
    return verify_error (error, RB_REASON_RECORD_MALFORMED, "its claimed time is malformed");
  if (!rb_certificate_verify (chain, self->request->anchors, purpose, claimed, &problem))
    return verify_error (error, RB_REASON_RECORD_CERTIFICATE, problem->message);
  return TRUE;
}

static gboolean
check_signers (Check *self, GError **error)
{
  const json_t *second_named = json_object_get (self->predicate, "secondPerson");
  GPtrArray *workstation = chain_of (self, "workstation"), *technician = chain_of (self, "technician");
  GPtrArray *second = second_named == NULL ? NULL : chain_of (self, "secondPerson");
  guint wanted = second_named == NULL ? 2 : 3;
  if (workstation == NULL || technician == NULL || (second_named != NULL && second == NULL))
    return verify_error (error, RB_REASON_SIGNER_MISSING,
                         workstation == NULL  ? "the workstation's signature is missing"
                         : technician == NULL ? "the technician's signature is missing"
                                              : "the second person's signature is missing");
  if (are_same (workstation, technician)
      || (second != NULL && (are_same (second, technician) || are_same (second, workstation))))
    return verify_error (error, RB_REASON_SAME_PERSON, "two of its signatures are by the same person or machine");
  if (rb_dsse_signature_count (self->dsse) != wanted)
    return verify_error (error, RB_REASON_RECORD_SIGNATURE, "a signer is not named in it");
  if (!check_purpose (workstation, RB_PURPOSE_WORKSTATION, NULL, error) || !check_dealer (self, workstation, error)
      || !check_purpose (technician, RB_PURPOSE_TECHNICIAN, json_object_get (self->predicate, "technician"), error)
      || (second != NULL && !check_purpose (second, RB_PURPOSE_TECHNICIAN, second_named, error)))
    return FALSE;
  if (!check_certificate (self, workstation, RB_PURPOSE_WORKSTATION, error)
      || !check_certificate (self, technician, RB_PURPOSE_TECHNICIAN, error)
      || (second != NULL && !check_certificate (self, second, RB_PURPOSE_TECHNICIAN, error)))
    return FALSE;
  self->outcome->certificates_checked = self->request->anchors != NULL;
  return TRUE;
}

static gboolean
check_times (Check *self, GError **error)
{
  const json_t *time = json_object_get (self->predicate, "time");
  gint64 claimed = 0, not_before = 0, started = 0, finished = 0;
  if (!rb_moment_from_text (rb_json_string_or (time, "claimed", ""), &claimed)
      || !rb_moment_from_text (rb_json_string_or (time, "notBefore", ""), &not_before)
      || !rb_moment_from_text (rb_json_string_or (self->predicate, "startedAt", ""), &started)
      || !rb_moment_from_text (rb_json_string_or (self->predicate, "finishedAt", ""), &finished))
    return verify_error (error, RB_REASON_RECORD_MALFORMED, "a time is malformed");
  if (claimed < not_before)
    return verify_error (error, RB_REASON_CLOCK, "it claims a time before the newest signed thing it quotes");
  if (finished < started)
    return verify_error (error, RB_REASON_RECORD_TIME, "it ends before it begins");
  return TRUE;
}

/* A verifier says which of the record's proofs fails; the maker's words are those of an ECU that is not done. */
static gboolean
as_record_fault (gboolean proven, RbReason reason, GError **problem, GError **error)
{
  if (proven)
    return TRUE;
  if (rb_reason_of (*problem) == RB_REASON_REPORT_NOT_PROVEN)
    (*problem)->code = (int) reason;
  g_propagate_error (error, g_steal_pointer (problem));
  return FALSE;
}

static gboolean
check_proofs (Check *self, gboolean complete, GError **error)
{
  g_autoptr (GError) problem = NULL;
  size_t i;
  json_t *ecu;
  json_array_foreach (json_object_get (self->predicate, "ecus"), i, ecu)
    if (!as_record_fault (rb_proof_check_ecu (self->predicate, ecu, &problem), RB_REASON_RECORD_REPORT, &problem,
                          error))
      return FALSE;
  return !complete
         || as_record_fault (rb_proof_check_manifest (self->predicate, NULL, &problem), RB_REASON_RECORD_MANIFEST,
                             &problem, error);
}

static gboolean
check_result (Check *self, GError **error)
{
  g_autoptr (GError) problem = NULL;
  const json_t *campaign = json_object_get (self->predicate, "campaign");
  size_t i;
  json_t *ecu;
  gboolean complete = rb_result_is_complete (self->predicate, &problem);
  const char *result = rb_ending_result (self->predicate, complete);
  if (g_strcmp0 (result, self->outcome->result) != 0) {
    g_autofree char *text = g_strdup_printf ("it says %s, %s; its contents say %s%s%s", self->outcome->type,
                                             self->outcome->result, complete ? "completed" : "not completed",
                                             complete ? "" : ": ", complete ? "" : problem->message);
    return verify_error (error, RB_REASON_RECORD_RESULT, text);
  }
  json_array_foreach (json_object_get (self->predicate, "ecus"), i, ecu) {
    g_clear_error (&problem);
    if (rb_predicate_claims_done (ecu) && !rb_result_ecu_is_done (ecu, campaign, &problem))
      return verify_error (error, RB_REASON_RECORD_RESULT, problem->message);
  }
  if (!check_proofs (self, complete, error) || !rb_proof_check_subjects (self->statement, self->predicate, error)
      || !rb_consistency_check (self->predicate, error))
    return FALSE;
  self->outcome->result_checked = TRUE;
  return TRUE;
}

/*
 * Was one of the signers revoked when the record says that it was signed? The same rule as before a vehicle is written
 * to. The time is a claim: who has a revoked signer's key can claim an earlier one, so a later revocation is reported
 * too.
 */
static gboolean
check_trust_list (Check *self, const RbTrustList *list, GError **error)
{
  static const struct {
    const char *member;
    RbPurpose purpose;
  } signers[] = { { "technician", RB_PURPOSE_TECHNICIAN },
                  { "workstation", RB_PURPOSE_WORKSTATION },
                  { "secondPerson", RB_PURPOSE_TECHNICIAN } };
  const json_t *time = json_object_get (self->predicate, "time");
  gint64 claimed = 0;
  if (list == NULL)
    return TRUE;
  if (!rb_json_moment (time, "claimed", &claimed, "record", error))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (signers); i++) {
    GPtrArray *chain = chain_of (self, signers[i].member);
    if (chain != NULL
        && !rb_trust_list_check_signer (list, chain, signers[i].purpose, MAX (claimed, self->request->received), error))
      return FALSE;
    gint64 since = chain == NULL ? 0 : rb_trust_list_revoked_since (list, chain, signers[i].purpose, claimed);
    if (since != 0 && (self->outcome->revoked_since == 0 || since < self->outcome->revoked_since))
      self->outcome->revoked_since = since;
  }
  return TRUE;
}

/* The bundle of the campaign that the record names; the same id with other contents is a false statement. */
static gboolean
check_bundle (Check *self, GError **error)
{
  const json_t *campaign = json_object_get (self->predicate, "campaign");
  gboolean id_is_known = FALSE;
  if (self->request->bundles == NULL)
    return TRUE;
  for (guint i = 0; i < self->request->bundles->len; i++) {
    const RbReferenceValues *bundle = self->request->bundles->pdata[i];
    id_is_known |= g_strcmp0 (bundle->campaign->id, self->outcome->campaign) == 0;
    if (g_strcmp0 (bundle->campaign_sha256, rb_json_string_or (campaign, "campaignSha256", NULL)) != 0)
      continue;
    self->outcome->campaign_checked
      = rb_campaign_check_record (self->predicate, bundle, error) && check_trust_list (self, bundle->trust_list, error);
    if (!self->outcome->campaign_checked)
      return FALSE;
  }
  if (self->outcome->campaign_checked)
    return TRUE;
  if (self->request->other_campaigns && !id_is_known)
    return TRUE;
  return verify_error (error, RB_REASON_RECORD_CAMPAIGN, "its campaign is not the bundle's");
}

static gboolean
check_all (Check *self, GBytes *envelope, GError **error)
{
  if (!open_envelope (self, envelope, error) || !check_signatures (self, error) || !open_statement (self, error))
    return FALSE;
  tell (self);
  return check_signers (self, error) && check_times (self, error) && check_result (self, error)
         && check_bundle (self, error);
}

RbVerifyOutcome *
rb_verify_record (GBytes *envelope, const RbVerifyRequest *request)
{
  RbVerifyOutcome *outcome = g_new0 (RbVerifyOutcome, 1);
  Check self = { .request = request, .outcome = outcome };
  g_autoptr (GError) error = NULL;
  if (!check_all (&self, envelope, &error))
    rb_outcome_deny (outcome, rb_reason_of (error), error->message);
  g_clear_pointer (&self.dsse, rb_dsse_free);
  json_decref (self.statement);
  return outcome;
}
