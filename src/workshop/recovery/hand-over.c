/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/hand-over.h"

#include "campaign/reference-bundle.h"
#include "core/json.h"
#include "core/moment.h"
#include "library/authority.h"
#include "library/library.h"
#include "outbox/outbox.h"
#include "record/ending.h"
#include "record/verify.h"
#include "recovery/hold.h"
#include "recovery/partial-evidence.h"

#include <string.h>

#define deny(error, reason, ...) rb_reason_deny (error, RB_RECOVERY_ERROR, reason, __VA_ARGS__)

static json_t *
evidence_json (const RbJournalEvidence *evidence)
{
  json_t *entry
    = json_pack ("{s:s,s:s,s:s}", "ecu", evidence->serial, "step", evidence->step, "detail", evidence->detail);
  rb_json_set (entry, "shownBy",
               evidence->record[0] == '\0' ? json_pack ("{s:b}", "journal", TRUE)
                                           : json_pack ("{s:s}", "record", evidence->record));
  return entry;
}

static gboolean
is_proof (const RbJournalEvidence *evidence)
{
  static const char *const steps[] = { "key", "image", "coding-value", NULL };
  return g_strv_contains (steps, evidence->step);
}

/* {"evidence": […]}; (transfer full) */
static json_t *
hand_over_json (RbCase *found, GError **error)
{
  g_autoptr (GPtrArray) list = rb_case_evidence (found, error);
  if (list == NULL)
    return NULL;
  json_t *entries = json_array ();
  for (guint i = 0; i < list->len; i++) {
    const RbJournalEvidence *evidence = list->pdata[i];
    if (is_proof (evidence) && rb_case_has_ecu (found, evidence->serial))
      json_array_append_new (entries, evidence_json (evidence));
  }
  return json_pack ("{s:o}", "evidence", entries);
}

GBytes *
rb_hand_over_make (const RbCaseOptions *options, char **digest, GError **error)
{
  RbCaseOptions open = *options;
  open.must_be_open = TRUE;
  g_autoptr (RbCase) found = rb_case_open (&open, error);
  g_autoptr (json_t) hand_over = found == NULL ? NULL : hand_over_json (found, error);
  const RbCaseRecord record = { .end = RB_STATEMENT_HANDED_OVER,
                                .hand_over = hand_over,
                                .reason = RB_REASON_HANDED_OVER,
                                .text = "the recovery goes on at another workstation" };
  return hand_over == NULL ? NULL : rb_case_sign (found, &record, digest, error);
}

void
rb_hand_over_taken_free (RbHandOverTaken *self)
{
  g_free (self->result);
  g_free (self->vin);
  g_free (self->campaign);
  g_free (self->record);
  g_free (self);
}

/* A workstation that is lost hands nothing over: the record of a run that did not complete the vehicle is taken as
 * well. */
static gboolean
check_outcome (const RbVerifyOutcome *outcome, GError **error)
{
  static const char *const open[] = { RB_ENDING_HANDED_OVER, "incomplete", "aborted", NULL };
  if (outcome->reason != RB_REASON_NONE)
    return deny (error, outcome->reason, "record: %s", outcome->message);
  return g_strv_contains (open, outcome->result)
         || deny (error, RB_REASON_NOT_HANDED_OVER,
                  "record: result: expected handed-over, incomplete or aborted, actual %s", outcome->result);
}

/* By its own chains only: to know which campaign it is about. */
static RbVerifyOutcome *
read_record (GBytes *envelope, GError **error)
{
  const RbVerifyRequest request = { 0 };
  g_autoptr (RbVerifyOutcome) outcome = rb_verify_record (envelope, &request);
  return check_outcome (outcome, error) ? g_steal_pointer (&outcome) : NULL;
}

/* The OEM's newest trust list decides who may sign, the campaign in this library what the record may be about. */
static gboolean
check_record (const char *data_dir, GBytes *envelope, RbContents *contents, const char *vin, gint64 now, GError **error)
{
  g_autoptr (RbAuthority) authority = rb_authority_of (data_dir, contents, error);
  if (authority == NULL || !rb_authority_has_list (authority, error)
      || !rb_authority_check (authority, rb_contents_campaign (contents), vin, now, TRUE, error))
    return FALSE;
  g_autoptr (RbReferenceBundle) testimony = rb_reference_bundle_of (contents, authority->list);
  g_autoptr (GPtrArray) bundles = g_ptr_array_new ();
  g_ptr_array_add (bundles, (gpointer) rb_reference_bundle_values (testimony));
  const RbVerifyRequest request = { .anchors = authority->list->dealer_cas, .bundles = bundles, .received = now };
  g_autoptr (RbVerifyOutcome) outcome = rb_verify_record (envelope, &request);
  return check_outcome (outcome, error);
}

static gint64
moment_of (const json_t *predicate, const char *member)
{
  gint64 moment = 0;
  return rb_moment_from_text (rb_json_string_or (predicate, member, ""), &moment) ? moment : 0;
}

static RbContents *
open_contents (const char *data_dir, const RbVerifyOutcome *outcome, gint64 now, GError **error)
{
  g_autoptr (RbLibrary) library = rb_library_new (data_dir);
  return rb_library_check_clock (library, now, error)
           ? rb_library_open_started (library, outcome->campaign, moment_of (outcome->predicate, "startedAt"), error)
           : NULL;
}

/* (element-type RbJournalEvidence) (transfer full) */
static GPtrArray *
read_evidence (const json_t *predicate)
{
  if (json_object_get (predicate, "handOver") == NULL)
    return rb_partial_evidence_of (predicate);
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_journal_evidence_free);
  size_t i;
  json_t *entry;
  json_array_foreach (json_object_get (json_object_get (predicate, "handOver"), "evidence"), i, entry) {
    RbJournalEvidence *evidence = g_new0 (RbJournalEvidence, 1);
    evidence->serial = g_strdup (rb_json_string_or (entry, "ecu", ""));
    evidence->step = g_strdup (rb_json_string_or (entry, "step", ""));
    evidence->detail = g_strdup (rb_json_string_or (entry, "detail", ""));
    evidence->record = g_strdup ("");
    g_ptr_array_add (list, evidence);
  }
  return list;
}

static gboolean
store (const char *data_dir, GBytes *envelope, const RbVerifyOutcome *outcome, GPtrArray *evidence, GError **error)
{
  const json_t *inspection = json_object_get (outcome->predicate, "inspection");
  g_autoptr (RbOutbox) outbox = rb_outbox_open (data_dir, error);
  g_autoptr (RbStatementRecord) record = rb_statement_to_record (outcome, envelope);
  g_autoptr (RbJournal) journal
    = outbox != NULL && rb_outbox_keep (outbox, record, error) ? rb_journal_open (data_dir, error) : NULL;
  char *whole = json_is_object (inspection) ? json_dumps (inspection, JSON_COMPACT) : NULL;
  const RbJournalTaken taken = { .vin = outcome->vin,
                                 .campaign = outcome->campaign,
                                 .record = outcome->digest,
                                 .started = moment_of (outcome->predicate, "startedAt"),
                                 .first_write = moment_of (outcome->predicate, "firstWriteAt"),
                                 .inspection = whole,
                                 .evidence = evidence };
  gint64 number = 0;
  gboolean stored = journal != NULL && rb_journal_take_over (journal, &taken, &number, error);
  free (whole);
  return stored;
}

static RbHandOverTaken *
tell (const RbVerifyOutcome *outcome, GPtrArray *evidence)
{
  RbHandOverTaken *taken = g_new0 (RbHandOverTaken, 1);
  taken->vin = g_strdup (outcome->vin);
  taken->campaign = g_strdup (outcome->campaign);
  taken->record = g_strdup (outcome->digest);
  taken->result = g_strdup (outcome->result);
  for (guint i = 0; i < evidence->len; i++) {
    const char *step = ((RbJournalEvidence *) evidence->pdata[i])->step;
    taken->keys += strcmp (step, "key") == 0;
    taken->images += strcmp (step, "image") == 0;
    taken->coding += strcmp (step, "coding-value") == 0;
  }
  return taken;
}

RbHandOverTaken *
rb_hand_over_take (const char *data_dir, GBytes *envelope, gint64 now, GError **error)
{
  gint64 at = now > 0 ? now : rb_moment_now ();
  g_autoptr (RbVerifyOutcome) outcome = read_record (envelope, error);
  g_autoptr (RbHold) hold = outcome == NULL ? NULL : rb_hold_take (NULL, outcome->vin, NULL, error);
  g_autoptr (RbContents) contents = hold == NULL ? NULL : open_contents (data_dir, outcome, at, error);
  if (contents == NULL || !check_record (data_dir, envelope, contents, outcome->vin, at, error))
    return NULL;
  g_autoptr (GPtrArray) evidence = read_evidence (outcome->predicate);
  return store (data_dir, envelope, outcome, evidence, error) ? tell (outcome, evidence) : NULL;
}
