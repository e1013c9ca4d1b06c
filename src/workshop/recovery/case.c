/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/case.h"

#include "core/json.h"
#include "core/moment.h"
#include "library/authority.h"
#include "library/library.h"
#include "outbox/stored.h"
#include "recovery/hold.h"

#include <string.h>

#define MAX_INSPECTION (1024 * 1024)
#define deny(error, reason, ...) rb_reason_deny (error, RB_RECOVERY_ERROR, reason, __VA_ARGS__)

struct _RbCase {
  RbCaseOptions options; /* its identities; the texts are below */
  char *data_dir, *vin;
  gint64 now;
  RbHold *hold;
  RbContents *contents;
  RbJournal *journal;
  gint64 number, started; /* in the journal; number 0: no recovery is open */
  GPtrArray *jobs; /* of RbEcuJob, without contact */
  json_t *inspection; /* NULL: none */
};

void
rb_case_free (RbCase *self)
{
  g_clear_pointer (&self->jobs, g_ptr_array_unref);
  g_clear_pointer (&self->hold, rb_hold_free);
  g_clear_pointer (&self->contents, rb_contents_unref);
  g_clear_pointer (&self->journal, rb_journal_close);
  json_decref (self->inspection);
  g_free (self->data_dir);
  g_free (self->vin);
  g_free (self);
}

static const RbCampaign *
campaign_of (RbCase *self)
{
  return rb_contents_campaign (self->contents);
}

static gboolean
check_vin (const char *vin, GError **error)
{
  if (vin == NULL || vin[0] == '\0')
    return deny (error, RB_REASON_VIN_MISSING, "the VIN as on the plate is missing");
  return rb_campaign_vin_is_valid (vin) || deny (error, RB_REASON_VIN_INVALID, "“%s” is not a VIN", vin);
}

/* The only campaign with an open recovery of the vehicle. NULL without error: none is open. (transfer full) */
static char *
open_campaign (RbCase *self, GError **error)
{
  g_auto (GStrv) open = rb_journal_campaigns (self->journal, self->vin, error);
  if (open == NULL || open[0] == NULL)
    return NULL;
  if (open[1] == NULL)
    return g_strdup (open[0]);
  deny (error, RB_REASON_CAMPAIGN_AMBIGUOUS, "vehicle %s: recoveries of campaigns %s and %s are open", self->vin,
        open[0], open[1]);
  return NULL;
}

static char *
campaign_in_scope (RbCase *self, RbLibrary *library, GError **error)
{
  g_autoptr (GPtrArray) list = rb_library_for_vin (library, self->vin, self->now, NULL, error);
  if (list == NULL)
    return NULL;
  if (list->len == 1)
    return rb_library_name (library, list->pdata[0], error);
  if (list->len == 0)
    deny (error, RB_REASON_NOT_IN_SCOPE, "vehicle %s: it is in the scope of no campaign of the library", self->vin);
  else
    deny (error, RB_REASON_CAMPAIGN_AMBIGUOUS, "vehicle %s: it is in the scope of %u campaigns", self->vin, list->len);
  return NULL;
}

/* (transfer full) */
static char *
find_campaign (RbCase *self, RbLibrary *library, GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autofree char *name
    = self->options.campaign != NULL ? g_strdup (self->options.campaign) : open_campaign (self, &problem);
  if (problem != NULL) {
    g_propagate_error (error, g_steal_pointer (&problem));
    return NULL;
  }
  if (name == NULL && !self->options.must_be_open)
    name = campaign_in_scope (self, library, error);
  else if (name == NULL)
    deny (error, RB_REASON_NOT_STARTED, "vehicle %s: no recovery of it is open on this workstation", self->vin);
  if (name == NULL
      || !rb_journal_find (self->journal, self->vin, rb_library_id (name), &self->number, &self->started, error))
    return NULL;
  if (self->number > 0 || !self->options.must_be_open)
    return g_steal_pointer (&name);
  deny (error, RB_REASON_NOT_STARTED, "vehicle %s: no recovery by campaign %s is open on this workstation", self->vin,
        name);
  return NULL;
}

static gboolean
open_contents (RbCase *self, GError **error)
{
  g_autoptr (RbLibrary) library = rb_library_new (self->data_dir);
  g_autofree char *name
    = rb_library_check_clock (library, self->now, error) ? find_campaign (self, library, error) : NULL;
  if (name == NULL)
    return FALSE;
  if (self->number == 0)
    self->started = self->now;
  self->contents = self->number > 0 ? rb_library_open_started (library, name, self->started, error)
                                    : rb_library_open (library, name, self->now, error);
  if (self->contents == NULL)
    return FALSE;
  if (!rb_campaign_check_vin (campaign_of (self), self->vin, error))
    return FALSE;
  g_autoptr (RbAuthority) authority = rb_authority_of (self->data_dir, self->contents, error);
  return authority != NULL
         && rb_authority_check (authority, campaign_of (self), self->vin, self->now, self->number > 0, error);
}

static void
add_work (RbCase *self, RbAssignment *taken)
{
  const RbModelEcu *known = rb_vehicle_model_by_hardware_id (rb_contents_model (self->contents), taken->hardware_id);
  const RbCampaignEcu *wanted = rb_campaign_ecu (campaign_of (self), taken->hardware_id);
  const RbProfile *profile = rb_contents_profile (self->contents, taken->hardware_id);
  if (known == NULL || wanted == NULL || profile == NULL) {
    rb_vehicle_assignment_free (taken);
    return;
  }
  RbEcuJob *job = rb_ecu_job_new (known, profile, wanted);
  job->assignment = taken;
  g_ptr_array_add (self->jobs, job);
}

static gboolean
add_jobs (RbCase *self, GError **error)
{
  g_autoptr (GPtrArray) assignments
    = rb_contents_assignments (self->contents, self->vin, self->started, NULL, 0, error);
  if (assignments == NULL)
    return FALSE;
  g_ptr_array_set_free_func (assignments, NULL);
  for (guint i = 0; i < assignments->len; i++)
    add_work (self, assignments->pdata[i]);
  return TRUE;
}

static gboolean
read_inspection (RbCase *self, GError **error)
{
  g_autofree char *whole = NULL;
  if (self->number != 0 && !rb_journal_inspection (self->journal, self->number, &whole, error))
    return FALSE;
  g_autoptr (GBytes) bytes = whole == NULL ? NULL : g_bytes_new_static (whole, strlen (whole));
  self->inspection = bytes == NULL ? NULL : rb_json_parse (bytes, MAX_INSPECTION, "inspection", NULL);
  return TRUE;
}

RbCase *
rb_case_open (const RbCaseOptions *options, GError **error)
{
  if (!check_vin (options->vin, error))
    return NULL;
  g_autoptr (RbCase) self = g_new0 (RbCase, 1);
  self->options = *options;
  self->data_dir = g_strdup (options->data_dir);
  self->vin = g_strdup (options->vin);
  self->now = options->now > 0 ? options->now : rb_moment_now ();
  self->jobs = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_ecu_job_free);
  self->hold = rb_hold_take (NULL, self->vin, NULL, error);
  self->journal = self->hold == NULL ? NULL : rb_journal_open (self->data_dir, error);
  if (self->journal == NULL || !open_contents (self, error) || !add_jobs (self, error)
      || !read_inspection (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

GPtrArray *
rb_case_evidence (RbCase *self, GError **error)
{
  return rb_journal_evidence (self->journal, self->number, error);
}

gboolean
rb_case_has_ecu (RbCase *self, const char *serial)
{
  for (guint i = 0; i < self->jobs->len; i++)
    if (strcmp (rb_ecu_job_serial (self->jobs->pdata[i]), serial) == 0)
      return TRUE;
  return FALSE;
}

gboolean
rb_case_needs_work (RbCase *self, GError **error)
{
  if (self->number > 0)
    return TRUE;
  g_autoptr (RbOutbox) outbox = rb_outbox_open (self->data_dir, error);
  g_autoptr (GPtrArray) records
    = outbox == NULL ? NULL : rb_stored_list (outbox, self->vin, campaign_of (self)->id, NULL, error);
  for (guint i = 0; records != NULL && i < records->len; i++) {
    const RbVerifyOutcome *outcome = ((RbStored *) records->pdata[i])->outcome;
    if (outcome->reason == RB_REASON_NONE && strcmp (outcome->result, "completed") == 0)
      return deny (error, RB_REASON_NO_WORK_NEEDED, "vehicle %s: record %.16s completes it", self->vin,
                   outcome->digest);
  }
  return records != NULL;
}

/* The clock may have been set back since the recovery began. */
static RbSign
signing (RbCase *self, const RbCaseRecord *record, json_t *sources)
{
  gint64 first = self->number == 0 ? 0 : rb_journal_first_write (self->journal, self->number);
  const RbFacts facts = { .vin = self->vin,
                          .odometer_km = -1,
                          .link_uri = "",
                          .vin_sources = sources,
                          .inspection = self->inspection,
                          .jobs = self->jobs,
                          .hand_over = record->hand_over,
                          .exception = record->exception,
                          .now = self->now,
                          .started = MIN (self->started, self->now),
                          .first_write = first };
  return (RbSign){ .data_dir = self->data_dir,
                   .contents = self->contents,
                   .journal = self->journal,
                   .recovery = self->number,
                   .row_before = G_MAXINT64,
                   .end = record->end,
                   .technician = self->options.technician,
                   .workstation = self->options.workstation,
                   .second = self->options.second,
                   .facts = facts };
}

/* No ECU was asked, so none is called done. */
static void
set_reasons (RbCase *self, const RbCaseRecord *record)
{
  for (guint i = 0; i < self->jobs->len; i++) {
    RbEcuJob *job = self->jobs->pdata[i];
    job->reason = record->reason;
    g_free (job->text);
    job->text = g_strdup (record->text);
  }
}

static GBytes *
envelope_of (RbCase *self, const char *digest, GError **error)
{
  g_autoptr (RbOutbox) outbox = rb_outbox_open (self->data_dir, error);
  g_autoptr (RbStored) stored = outbox == NULL ? NULL : rb_stored_find (outbox, digest, error);
  return stored == NULL ? NULL : g_bytes_ref (stored->envelope);
}

GBytes *
rb_case_sign (RbCase *self, const RbCaseRecord *record, char **digest, GError **error)
{
  const char *result = NULL;
  g_autoptr (json_t) sources = json_array ();
  set_reasons (self, record);
  const RbSign sign = signing (self, record, sources);
  g_autofree char *made = rb_sign_record (&sign, &result, error);
  if (made == NULL || (self->number > 0 && !rb_journal_pause (self->journal, self->number, made, error)))
    return NULL;
  g_autoptr (GBytes) envelope = envelope_of (self, made, error);
  if (envelope != NULL)
    *digest = g_steal_pointer (&made);
  return g_steal_pointer (&envelope);
}
