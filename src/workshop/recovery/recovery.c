/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/recovery.h"

#include "core/files.h"
#include "core/json.h"
#include "core/moment.h"
#include "library/authority.h"
#include "library/library.h"
#include "recovery/conditions.h"
#include "recovery/dtc.h"
#include "recovery/fingerprint.h"
#include "recovery/schedule.h"
#include "recovery/observe.h"
#include "recovery/recovery-run.h"
#include "recovery/recovery-state.h"
#include "recovery/swapped.h"

#include <string.h>

#define JOURNAL_BYTES (1024 * 1024)
#define MARGIN_BYTES (64 * 1024 * 1024)

/* All events of a call come before its end. */
static gboolean
flushed (RbRecovery *self, gboolean good)
{
  rb_supervise_flush (self->supervise);
  return good;
}

static gboolean
check_vin (const RbRecoveryOptions *options, GError **error)
{
  if (options->vin == NULL || options->vin[0] == '\0') {
    g_set_error_literal (error, RB_RECOVERY_ERROR, RB_REASON_VIN_MISSING,
                         "the VIN as on the plate is needed before the vehicle is touched");
    return FALSE;
  }
  if (rb_campaign_vin_is_valid (options->vin))
    return TRUE;
  g_set_error (error, RB_RECOVERY_ERROR, RB_REASON_VIN_INVALID, "“%s” is not a VIN", options->vin);
  return FALSE;
}

static void
copy_options (RbRecovery *self, const RbRecoveryOptions *options)
{
  self->data_dir = g_strdup (options->data_dir);
  self->vin = g_strdup (options->vin);
  self->repair_order = g_strdup (options->repair_order);
  self->odometer_km = options->odometer_km;
  self->now = options->now;
  self->visit = options->visit;
  self->evidence = g_strdup (options->evidence);
  self->end = RB_STATEMENT_ABORTED;
  self->technician = options->technician;
  self->workstation = options->workstation;
  self->second = options->second;
  self->confirm = options->confirm;
  self->confirm_data = options->confirm_data;
}

static void
add_supervisor (RbRecovery *self, const RbRecoveryOptions *options)
{
  const RbSuperviseOptions watched = { .data_dir = options->data_dir,
                                       .link_uri = options->link,
                                       .vehicle_ca = options->vehicle_ca,
                                       .vin = options->vin,
                                       .link_timeout_s = options->link_timeout_s,
                                       .checklist = rb_recovery_campaign (self)->checklist,
                                       .model = rb_contents_model (self->contents),
                                       .watch = options->watch,
                                       .user_data = options->user_data };
  self->supervise = rb_supervise_new (&watched);
  self->jobs = rb_supervise_jobs (self->supervise);
}

static RbSignerSets
signer_sets (RbRecovery *self)
{
  return (RbSignerSets){ self->technician, self->workstation, self->second };
}

/* May this vehicle be worked on now, by those who are known already? The trust list may have been replaced since the
 * campaign was opened, so this is asked before the vehicle is and again before it is written to. */
static gboolean
check_authority (RbRecovery *self, GError **error)
{
  const RbSignerSets sets = signer_sets (self);
  gint64 now = rb_recovery_state_moment (self);
  g_autoptr (RbAuthority) authority = rb_authority_of (self->data_dir, self->contents, error);
  return authority != NULL
         && rb_authority_check (authority, rb_contents_campaign (self->contents), self->vin, now, self->number > 0,
                                error)
         && rb_signers_check (&sets, authority->list, now, error);
}

/* A vehicle that was started in time may be finished: expiry is then evaluated at the first run's start. */
static gboolean
open_campaign (RbRecovery *self, const char *name, GError **error)
{
  g_autoptr (RbLibrary) library = rb_library_new (self->data_dir);
  self->journal = rb_journal_open (self->data_dir, error);
  if (self->journal == NULL || !rb_library_check_clock (library, rb_recovery_state_moment (self), error)
      || !rb_journal_find (self->journal, self->vin, rb_library_id (name), &self->number, &self->started, error))
    return FALSE;
  self->contents = self->number > 0 ? rb_library_open_started (library, name, self->started, error)
                                    : rb_library_open (library, name, rb_recovery_state_moment (self), error);
  if (self->contents == NULL)
    return FALSE;
  rb_contents_keep_images (self->contents);
  if (self->number == 0 && !rb_contents_may_start (self->contents, rb_recovery_state_moment (self), error))
    return FALSE;
  return rb_campaign_check_vin (rb_contents_campaign (self->contents), self->vin, error)
         && check_authority (self, error);
}

/* A screen or program that plans no visit works on the campaign that is next for the vehicle. */
static gboolean
is_next (RbRecovery *self, const char *name, GError **error)
{
  const RbVisitOptions options = { .data_dir = self->data_dir, .vin = self->vin, .campaign = name, .now = self->now };
  if (self->visit != NULL)
    return TRUE;
  self->visit = self->own_visit = rb_visit_plan (&options, error);
  if (self->visit == NULL)
    return FALSE;
  const char *next = rb_library_id (rb_visit_campaign (self->visit));
  return strcmp (next, rb_library_id (name)) == 0
         || rb_reason_deny (error, RB_RECOVERY_ERROR, RB_REASON_CAMPAIGN_AFTER,
                            "campaign %s: campaign %s comes before it", name, next);
}

RbRecovery *
rb_recovery_open (const RbRecoveryOptions *options, GError **error)
{
  if (!check_vin (options, error))
    return NULL;
  g_autoptr (RbRecovery) self = g_new0 (RbRecovery, 1);
  copy_options (self, options);
  self->hold = rb_hold_take (options->link, self->vin, NULL, error);
  if (self->hold == NULL || !is_next (self, options->campaign, error)
      || !open_campaign (self, options->campaign, error))
    return NULL;
  self->inspection = rb_inspection_new (rb_contents_campaign (self->contents));
  g_autofree char *earlier = NULL;
  if (self->number != 0 && !rb_journal_inspection (self->journal, self->number, &earlier, error))
    return NULL;
  rb_inspection_resume (self->inspection, earlier);
  rb_inspection_share (self->inspection, rb_visit_inspection (self->visit));
  add_supervisor (self, options);
  rb_recovery_set_identities (self, options->technician, options->workstation, options->second);
  return g_steal_pointer (&self);
}

void
rb_recovery_free (RbRecovery *self)
{
  g_clear_pointer (&self->supervise, rb_supervise_free);
  g_clear_pointer (&self->hold, rb_hold_free);
  g_clear_pointer (&self->own_visit, rb_visit_free);
  g_clear_pointer (&self->complete, g_ptr_array_unref);
  g_clear_pointer (&self->contents, rb_contents_unref);
  g_clear_pointer (&self->journal, rb_journal_close);
  g_clear_pointer (&self->inspection, rb_inspection_free);
  g_clear_pointer (&self->authentication, rb_identity_unref);
  g_clear_pointer (&self->director_targets, g_bytes_unref);
  g_clear_pointer (&self->manifest_before, g_bytes_unref);
  g_clear_pointer (&self->manifest_after, g_bytes_unref);
  g_clear_pointer (&self->fingerprint, g_bytes_unref);
  json_decref (self->she);
  g_free (self->data_dir);
  g_free (self->vin);
  g_free (self->person);
  g_free (self->repair_order);
  g_free (self->evidence);
  g_free (self);
}

const RbCampaign *
rb_recovery_campaign (RbRecovery *self)
{
  return rb_contents_campaign (self->contents);
}

void
rb_recovery_set_identities (RbRecovery *self, RbIdentitySet *technician, RbIdentitySet *workstation,
                            RbIdentitySet *second)
{
  self->technician = technician;
  self->workstation = workstation;
  self->second = second;
  rb_supervise_set_workstation (self->supervise, workstation);
  g_autoptr (RbIdentity) person
    = technician == NULL ? NULL : rb_identity_set_find (technician, RB_PURPOSE_TECHNICIAN, NULL);
  g_free (self->person);
  self->person = person == NULL ? NULL : g_strdup (rb_certificate_common_name (rb_identity_certificate (person)));
  rb_inspection_set_person (self->inspection, self->person);
}

static void
add_jobs (RbRecovery *self)
{
  const RbVehicleModel *model = rb_contents_model (self->contents);
  for (int rank = 0; rank < RB_SCHEDULE_N_RANKS; rank++)
    for (guint i = 0; i < model->ecus->len; i++) {
      const RbModelEcu *ecu = model->ecus->pdata[i];
      const RbCampaignEcu *wanted = rb_campaign_ecu (rb_contents_campaign (self->contents), ecu->hardware_id);
      const RbProfile *profile = rb_contents_profile (self->contents, ecu->hardware_id);
      if (rb_schedule_rank (model, ecu) == (RbScheduleRank) rank && wanted != NULL && profile != NULL)
        g_ptr_array_add (self->jobs, rb_ecu_job_new (ecu, profile, wanted));
    }
}

static gboolean
is_directed (RbRecovery *self, GError **error)
{
  return rb_completeness_is_directed (self->complete, rb_contents_model (self->contents), error);
}

/* Director and Image metadata of this VIN, verified; each assignment finds its ECU by hardware id. */
static gboolean
assign (RbRecovery *self, GError **error)
{
  gint64 at = self->number > 0 ? self->started : rb_recovery_state_moment (self);
  g_autoptr (GPtrArray) assignments = rb_contents_assignments (self->contents, self->vin, at, NULL, 0, error);
  if (assignments == NULL)
    return FALSE;
  g_ptr_array_set_free_func (assignments, NULL);
  for (guint i = 0; i < assignments->len; i++) {
    RbAssignment *assignment = assignments->pdata[i];
    RbEcuJob *job = rb_recovery_state_work_of (self, assignment->hardware_id);
    if (job == NULL || job->assignment != NULL) {
      g_set_error (error, RB_RECOVERY_ERROR, RB_REASON_ECU_UNKNOWN,
                   "the campaign directs %s, which the vehicle model does not have", assignment->serial);
      return FALSE;
    }
    job->assignment = assignment;
  }
  for (guint i = self->jobs->len; i > 0; i--)
    if (((RbEcuJob *) self->jobs->pdata[i - 1])->assignment == NULL)
      g_ptr_array_remove_index (self->jobs, i - 1);
  g_clear_pointer (&self->complete, g_ptr_array_unref);
  self->complete = rb_contents_completeness (self->contents, self->vin, at, error);
  return self->complete != NULL
         && rb_swapped_take (self->jobs, self->complete, self->contents, self->vin, &self->director_targets, error)
         && is_directed (self, error);
}

/* An ECU that the vehicle may have, and to which nothing is directed: is it there? */
static gboolean
look_for (RbRecovery *self, RbCompletenessEcu *ecu, GCancellable *cancellable, GError **error)
{
  const RbModelEcu *known = rb_vehicle_model_by_hardware_id (rb_contents_model (self->contents), ecu->hardware_id);
  const RbProfile *profile = rb_contents_profile (self->contents, ecu->hardware_id);
  g_autoptr (GError) failure = NULL;
  g_autoptr (RbEcuClient) unit = rb_ecu_client_new (rb_supervise_link (self->supervise), known, profile, &failure);
  g_autofree char *serial
    = unit == NULL ? NULL : rb_ecu_client_read_text (unit, profile->did_serial, cancellable, &failure);
  if (failure != NULL && rb_supervise_is_fatal (failure)) {
    g_propagate_error (error, g_steal_pointer (&failure));
    return FALSE;
  }
  RbReason reason = rb_reason_of (failure);
  ecu->found = reason != RB_REASON_NO_ANSWER && reason != RB_REASON_ECU_MISSING;
  return TRUE;
}

static gboolean
look_for_others (RbRecovery *self, GCancellable *cancellable, GError **error)
{
  for (guint i = 0; i < self->complete->len; i++) {
    RbCompletenessEcu *ecu = self->complete->pdata[i];
    if (!ecu->directed && !look_for (self, ecu, cancellable, error))
      return FALSE;
  }
  return is_directed (self, error);
}

/* One ECU at first sight; one that does not answer is parked and does not hide the others. */
static gboolean
observe_ecu (RbRecovery *self, RbEcuJob *job, GCancellable *cancellable, GError **error)
{
  const RbEcuJobContext context = rb_recovery_state_work_context (self, cancellable);
  g_autoptr (GError) failure = NULL;
  if (rb_dtc_read_before (job, cancellable, &failure) && rb_observe_ecu (job, &context, &failure))
    return TRUE;
  if (rb_supervise_is_fatal (failure)) {
    g_propagate_error (error, g_steal_pointer (&failure));
    return FALSE;
  }
  rb_ecu_job_fail (job, &context, RB_ECU_PARKED, failure);
  return TRUE;
}

/* What an earlier run that was killed has prepared; with a client on the bus that is not ours nothing is sent. */
static gboolean
restore_earlier (RbRecovery *self, GError **error)
{
  return self->number == 0 || !rb_journal_is_prepared (self->journal, self->number)
         || (rb_supervise_check_testers (self->supervise, error)
             && rb_recovery_state_restore_network (self, FALSE, error));
}

static gboolean
read_she (RbRecovery *self, GError **error)
{
  g_autoptr (GError) failure = NULL;
  json_t *she = rb_contents_she (self->contents, self->vin, &failure);
  json_decref (self->she);
  self->she = she;
  if (failure == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/* (RbSuperviseRead) */
static gboolean
observe_all (gpointer user_data, GCancellable *cancellable, GError **error)
{
  RbRecovery *self = user_data;
  if (!rb_supervise_check_vehicle (self->supervise, cancellable, error) || !restore_earlier (self, error)
      || !rb_supervise_find_unexpected (self->supervise, cancellable, error))
    return FALSE;
  for (guint i = 0; i < self->jobs->len; i++)
    if (!observe_ecu (self, self->jobs->pdata[i], cancellable, error))
      return FALSE;
  return look_for_others (self, cancellable, error);
}

json_t *
rb_recovery_replaced (RbRecovery *self)
{
  return rb_swapped_list (self->jobs);
}

/* An ECU that was exchanged for a part holds the vehicle back before anything is written: the Primary would refuse what
 * names the old one. */
static gboolean
check_replaced (RbRecovery *self, GError **error)
{
  g_autoptr (json_t) list = rb_recovery_replaced (self);
  rb_swapped_keep (self->jobs, self->data_dir, self->vin, rb_recovery_state_moment (self));
  return rb_swapped_check (list, error);
}

/* (RbSuperviseRead) Before anything is written; an ECU that cannot be observed yet is verified when it can. */
static gboolean
check_conditions (gpointer user_data, GCancellable *cancellable, GError **error)
{
  RbRecovery *self = user_data;
  const RbEcuJobContext context = rb_recovery_state_work_context (self, cancellable);
  return rb_conditions_check_all (self->jobs, &context, error);
}

gboolean
rb_recovery_connect (RbRecovery *self, GCancellable *cancellable, GError **error)
{
  rb_recovery_state_emit_phase (self, "connect");
  if (self->first_look == 0)
    self->first_look = rb_visit_begin (self->visit, rb_recovery_state_moment (self));
  rb_supervise_close_link (self->supervise);
  g_ptr_array_set_size (self->jobs, 0);
  add_jobs (self);
  return flushed (self, check_authority (self, error) && assign (self, error) && read_she (self, error)
                          && rb_supervise_open_link (self->supervise, cancellable, error)
                          && rb_hold_add_link (self->hold, rb_supervise_link (self->supervise), cancellable, error)
                          && rb_supervise_read_through (self->supervise, observe_all, self, cancellable, error)
                          && check_replaced (self, error)
                          && rb_supervise_read_through (self->supervise, check_conditions, self, cancellable, error)
                          && rb_supervise_check_testers (self->supervise, error));
}

void
rb_recovery_answer (RbRecovery *self, const char *item, gboolean passed, const char *note)
{
  rb_inspection_answer (self->inspection, item, passed, note, rb_moment_now ());
}

gboolean
rb_recovery_is_answered (RbRecovery *self, const char *item)
{
  return rb_inspection_is_answered (self->inspection, item);
}

gboolean
rb_recovery_measure (RbRecovery *self, const RbChecklistItem *item, gint64 *value, gboolean *good,
                     GCancellable *cancellable, GError **error)
{
  return flushed (self, rb_supervise_measure (self->supervise, item, value, good, cancellable, error));
}

/* (RbSuperviseRead) */
static gboolean
measure_and_record (gpointer user_data, GCancellable *cancellable, GError **error)
{
  RbRecovery *self = user_data;
  return rb_supervise_measure_all (self->supervise, self->inspection, cancellable, error);
}

gboolean
rb_recovery_inspect (RbRecovery *self, GCancellable *cancellable, GError **error)
{
  rb_recovery_state_emit_phase (self, "inspect");
  self->inspected = FALSE;
  if (!flushed (self, rb_inspection_answers_pass (self->inspection, error)
                        && rb_supervise_read_through (self->supervise, measure_and_record, self, cancellable, error)))
    return FALSE;
  rb_inspection_complete (self->inspection, rb_moment_now ());
  self->inspected = TRUE;
  rb_visit_keep_inspection (self->visit, rb_inspection_json (self->inspection));
  return TRUE;
}

gboolean
rb_recovery_plan (RbRecovery *self, GError **error)
{
  rb_recovery_state_emit_phase (self, "plan");
  /* every image is read and hashed before the first byte is written to any ECU */
  for (guint i = 0; i < self->jobs->len; i++) {
    const RbEcuJob *job = self->jobs->pdata[i];
    g_autoptr (GBytes) image = rb_contents_image (self->contents, job->wanted->image_sha256, error);
    if (image == NULL)
      return flushed (self, FALSE);
  }
  return flushed (self, TRUE);
}

GPtrArray *
rb_recovery_unexpected (RbRecovery *self)
{
  return rb_supervise_unexpected (self->supervise);
}

guint
rb_recovery_n_rows (RbRecovery *self)
{
  return self->jobs->len;
}

void
rb_recovery_row (RbRecovery *self, guint i, RbPlanRow *row)
{
  const RbEcuJob *job = self->jobs->pdata[i];
  const RbCampaign *campaign = rb_recovery_campaign (self);
  gboolean keeps_image_root = job->profile->did_image_root != 0;
  memset (row, 0, sizeof *row);
  row->serial = rb_ecu_job_serial (job);
  row->name = job->model->label;
  row->hardware_id = job->model->hardware_id;
  row->software = job->now == NULL ? "" : job->now->software;
  row->target = job->wanted->image;
  row->image_differs = job->need_image;
  row->director_root_differs = job->need_director_root;
  row->image_root_differs = job->need_image_root;
  row->metadata_differs = job->need_metadata;
  row->new_key = job->need_key;
  row->abort_recoverable = job->profile->abort_recoverable;
  row->image_bytes = job->need_image && job->assignment != NULL ? job->assignment->target->length : 0;
  row->director_root_found = job->now == NULL ? 0 : job->now->director.version;
  row->director_root_wanted = campaign->director_root.version;
  row->image_root_found = job->now == NULL ? 0 : job->now->image.version;
  row->image_root_wanted = keeps_image_root ? campaign->image_root.version : 0;
  row->state = job->state;
  row->reason = job->reason;
}

/* Before the first write: what a run stores, and a margin for other programs that fill the disk meanwhile. */
static gboolean
has_space (RbRecovery *self, GError **error)
{
  guint64 left = 0, needed = RB_STATEMENT_MAX_BYTES + JOURNAL_BYTES + MARGIN_BYTES;
  if (!rb_files_space_left (self->data_dir, &left, error))
    return FALSE;
  if (left >= needed)
    return TRUE;
  g_set_error (error, RB_RECOVERY_ERROR, RB_REASON_NO_SPACE,
               "data directory: %" G_GUINT64_FORMAT " KiB are free, %" G_GUINT64_FORMAT
               " KiB are needed before a vehicle is written to",
               left / 1024, needed / 1024);
  return FALSE;
}

gboolean
rb_recovery_may_run (RbRecovery *self, GError **error)
{
  if (self->complete == NULL) {
    g_set_error_literal (error, RB_RECOVERY_ERROR, RB_REASON_NOT_STARTED, "the vehicle was not connected to yet");
    return FALSE;
  }
  if (!is_directed (self, error) || !check_replaced (self, error))
    return FALSE;
  if (!self->inspected) {
    g_set_error_literal (error, RB_RECOVERY_ERROR, RB_REASON_INSPECTION_MISSING,
                         "nothing is written before the inspection is passed");
    return FALSE;
  }
  if (!check_authority (self, error))
    return FALSE;
  const RbSign sign = rb_recovery_state_signing (self);
  g_autoptr (RbSigners) people = rb_sign_people (&sign, error);
  if (people == NULL || !has_space (self, error))
    return FALSE;
  g_clear_pointer (&self->authentication, rb_identity_unref);
  self->authentication = rb_identity_set_find (self->workstation, RB_PURPOSE_ECU_AUTHENTICATION, error);
  g_clear_pointer (&self->fingerprint, g_bytes_unref);
  self->fingerprint = self->authentication == NULL
                        ? NULL
                        : rb_fingerprint_new (self->workstation, rb_recovery_state_moment (self), error);
  return self->fingerprint != NULL;
}

gboolean
rb_recovery_run (RbRecovery *self, GCancellable *cancellable, GError **error)
{
  rb_recovery_state_emit_phase (self, "run");
  gboolean complete = rb_recovery_may_run (self, error) && rb_recovery_run_all (self, cancellable, error);
  rb_recovery_run_conclude (self);
  rb_supervise_end_stop (self->supervise);
  return flushed (self, complete);
}

void
rb_recovery_stop (RbRecovery *self)
{
  rb_supervise_stop (self->supervise);
}

guint
rb_recovery_writes (RbRecovery *self)
{
  guint writes = 0;
  for (guint i = 0; i < self->jobs->len; i++)
    writes += ((RbEcuJob *) self->jobs->pdata[i])->writes;
  return writes;
}

gboolean
rb_recovery_was_touched (RbRecovery *self)
{
  return self->number > 0 && rb_journal_writes (self->journal, self->number) > 0;
}

char *
rb_recovery_sign (RbRecovery *self, const char **result, GError **error)
{
  rb_recovery_state_emit_phase (self, "sign");
  if (!self->ran) {
    g_set_error_literal (error, RB_RECOVERY_ERROR, RB_REASON_NOT_STARTED, "there is nothing to sign yet");
    return NULL;
  }
  const RbSign sign = rb_recovery_state_signing (self);
  return rb_sign_record (&sign, result, error);
}
