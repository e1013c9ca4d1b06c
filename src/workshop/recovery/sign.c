/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/sign.h"

#include "core/json.h"
#include "library/authority.h"
#include "library/library.h"
#include "outbox/outbox.h"
#include "record/predicate.h"

#include <string.h>

RbSigners *
rb_sign_people (const RbSign *self, GError **error)
{
  const RbSignerSets sets = { self->technician, self->workstation, self->second };
  g_autoptr (RbAuthority) authority = rb_authority_of (self->data_dir, self->contents, error);
  if (authority == NULL || !rb_authority_has_list (authority, error))
    return NULL;
  return rb_signers_new (&sets, rb_contents_campaign (self->contents)->second_person, authority->list, self->facts.now,
                         error);
}

/* The person who wrote to the ECU in an earlier run of this recovery. */
static gboolean
find_performer (const RbSign *self, RbEcuJob *job, GError **error)
{
  return job->performed_by != NULL
         || rb_journal_performer (self->journal, self->recovery, rb_ecu_job_serial (job), &job->performed_by, error);
}

static json_t *
build_facts (const RbSign *self, GError **error)
{
  g_autoptr (RbLibrary) library = rb_library_new (self->data_dir);
  const RbCampaign *campaign = rb_contents_campaign (self->contents);
  gint64 floor = 0;
  RbFacts facts = self->facts;
  if (!rb_library_time_floor (library, &floor, error))
    return NULL;
  facts.not_before = MAX (floor, campaign->issued);
  facts.not_before_source = floor > campaign->issued ? "library" : "campaign";
  for (guint i = 0; i < facts.jobs->len; i++)
    if (!find_performer (self, facts.jobs->pdata[i], error))
      return NULL;
  if (facts.first_write == 0)
    facts.first_write = rb_journal_first_after (self->journal, self->recovery, self->row_before);
  return rb_facts_build (&facts, campaign);
}

/* What that record would say of the ECUs, as rb_statement_judge. NULL with error: store-damaged. (transfer full) */
static json_t *
judge_record (const RbSign *self, GError **error)
{
  g_autoptr (json_t) facts = build_facts (self, error);
  return facts == NULL ? NULL
                       : rb_statement_judge (rb_contents_campaign (self->contents),
                                             rb_contents_campaign_sha256 (self->contents), facts);
}

static const char *
failure_text (const json_t *judged, const char *serial)
{
  return rb_json_string_or (rb_predicate_entry (json_object_get (judged, "failures"), "ecu", serial), "text", NULL);
}

gboolean
rb_sign_park_unproven (const RbSign *self, const RbEcuJobContext *context, GError **error)
{
  g_autoptr (json_t) judged = judge_record (self, error);
  for (guint i = 0; i < self->facts.jobs->len; i++) {
    RbEcuJob *job = self->facts.jobs->pdata[i];
    const char *serial = rb_ecu_job_serial (job);
    const json_t *entry = rb_predicate_entry (json_object_get (judged, "ecus"), "ecuSerial", serial);
    if (judged != NULL && job->state == RB_ECU_DONE && !rb_predicate_claims_done (entry))
      rb_ecu_job_set_state (job, context, RB_ECU_PARKED, rb_reason_from_word (rb_json_string_or (entry, "reason", "")),
                            failure_text (judged, serial));
  }
  return judged != NULL;
}

char *
rb_sign_record (const RbSign *self, const char **result, GError **error)
{
  g_autoptr (RbOutbox) outbox = rb_outbox_open (self->data_dir, error);
  g_autoptr (RbSigners) people = outbox == NULL ? NULL : rb_sign_people (self, error);
  if (people == NULL)
    return NULL;
  g_autoptr (json_t) facts = build_facts (self, error);
  if (facts == NULL)
    return NULL;
  const RbStatementRequest request = { rb_contents_campaign (self->contents),
                                       rb_contents_campaign_sha256 (self->contents),
                                       self->end,
                                       facts,
                                       people->technician,
                                       people->workstation,
                                       people->second };
  g_autoptr (RbStatementRecord) record = rb_outbox_make (outbox, &request, error);
  if (record == NULL)
    return NULL;
  *result = g_intern_string (record->result);
  if (strcmp (record->result, "completed") == 0
      && !rb_journal_finish (self->journal, self->recovery, record->digest, self->facts.now, error))
    return NULL;
  return g_strdup (record->digest);
}
