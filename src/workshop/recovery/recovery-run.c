/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/recovery-run.h"

#include "core/moment.h"
#include "crypto/digest.h"
#include "library/library.h"
#include "recovery/by-hand.h"
#include "recovery/dtc.h"
#include "recovery/evidence.h"
#include "recovery/schedule.h"
#include "recovery/persist.h"
#include "vehicle/ecu-keys.h"

#include <string.h>

#define MAX_LOST 5

typedef struct {
  RbRecovery *recovery;
  GCancellable *cancellable;
  gint wants; /* atomic; an ECU has something to write, and nothing was prepared for it, or its coding is in no record
                 outside */
} Run;

/* Done or parked, it has been reset or is in its default session: the others are not. */
static gboolean
end_one (Run *run, RbEcuJob *job)
{
  if (job->reason != RB_REASON_NO_ANSWER)
    rb_supervise_join_network (run->recovery->supervise, job, run->cancellable);
  return TRUE;
}

/* (RbScheduleJob) One ECU to its end: done, parked, or FALSE when the run cannot go on. */
static gboolean
run_one (RbEcuJob *job, gpointer user_data, GError **error)
{
  Run *run = user_data;
  const RbEcuJobContext context = rb_recovery_state_work_context (run->recovery, run->cancellable);
  g_autoptr (GError) failure = NULL;
  if (!rb_supervise_may_go_on (run->recovery->supervise, error))
    return FALSE;
  if (rb_persist_run (job, &context, &failure))
    return end_one (run, job);
  if (job->wants_network || job->wants_evidence) {
    job->wants_network = job->wants_evidence = FALSE;
    g_atomic_int_set (&run->wants, TRUE);
    return FALSE;
  }
  /* an ECU under which the link goes away again and again is not tried for ever */
  gboolean lost = rb_reason_is_link_lost (rb_reason_of (failure)) && job->lost++ < MAX_LOST;
  rb_ecu_job_fail (job, &context, lost ? RB_ECU_UNKNOWN : RB_ECU_PARKED, failure);
  job->finished = rb_moment_now ();
  if (!lost && (!rb_supervise_is_fatal (failure) || rb_reason_is_link_lost (rb_reason_of (failure))))
    return end_one (run, job);
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/* ECUs of that rank that are neither done nor parked. (element-type RbEcuJob) */
static GPtrArray *
open_jobs (RbRecovery *self, RbScheduleRank rank)
{
  GPtrArray *open = g_ptr_array_new ();
  for (guint i = 0; i < self->jobs->len; i++) {
    RbEcuJob *job = self->jobs->pdata[i];
    gboolean ended = job->finished != 0 && (job->state == RB_ECU_DONE || job->state == RB_ECU_PARKED);
    if (rb_schedule_rank (rb_contents_model (self->contents), job->model) == rank && !ended)
      g_ptr_array_add (open, job);
  }
  return open;
}

/* (RbSuperviseRead) Noted first: who is killed after it leaves a network that the next run restores. */
static gboolean
prepare_network (gpointer user_data, GCancellable *cancellable, GError **error)
{
  RbRecovery *self = user_data;
  return rb_journal_prepare (self->journal, self->number, TRUE, error)
         && rb_supervise_prepare_network (self->supervise, cancellable, error);
}

/* Preconditions of a write, while no lane is active. */
static gboolean
provide (RbRecovery *self, GCancellable *cancellable, GError **error)
{
  const RbSign sign = rb_recovery_state_signing (self);
  const RbEcuJobContext context = rb_recovery_state_work_context (self, cancellable);
  return (self->evidence == NULL || rb_evidence_leave (&sign, &context, self->evidence, error))
         && (rb_supervise_has_network (self->supervise)
             || rb_supervise_read_through (self->supervise, prepare_network, self, cancellable, error));
}

/* A run with nothing to write leaves the vehicle's network alone. An ECU that could not be observed yet may ask for it
 * later. */
static gboolean
prepare (RbRecovery *self, GCancellable *cancellable, GError **error)
{
  return !rb_ecu_job_any_has_needs (self->jobs) || provide (self, cancellable, error);
}

/* On every way out. Where the link is gone S3 ends it, and the next run restores the rest. */
void
rb_recovery_run_conclude (RbRecovery *self)
{
  g_autoptr (GError) failure = NULL;
  if (rb_supervise_has_network (self->supervise) && !rb_recovery_state_restore_network (self, TRUE, &failure))
    g_debug ("network of the vehicle: %s", failure->message);
  if (self->ran && failure == NULL)
    rb_dtc_read_all_after (self->jobs, rb_supervise_link (self->supervise), rb_supervise_emit, self->supervise);
}

/* When the link is lost every lane ends; with a new one the ECUs that are still open are observed and worked on again.
 */
static gboolean
run_rank (RbRecovery *self, RbScheduleRank rank, GCancellable *cancellable, GError **error)
{
  for (;;) {
    Run run = { .recovery = self, .cancellable = cancellable };
    g_autoptr (GPtrArray) jobs = open_jobs (self, rank);
    g_autoptr (GError) failure = NULL;
    gboolean ended = rb_schedule_run (jobs, run_one, &run, &failure);
    if (ended && (!run.wants || !provide (self, cancellable, error)))
      return !run.wants;
    if (ended)
      continue;
    if (!rb_reason_is_link_lost (rb_reason_of (failure))) {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
    if (!rb_supervise_find_again (self->supervise, cancellable, error))
      return FALSE;
  }
}

static gboolean
run_rank_and_recipes (RbRecovery *self, RbScheduleRank rank, GCancellable *cancellable, GError **error)
{
  const RbEcuJobContext context = rb_recovery_state_work_context (self, cancellable);
  const RbByHand by_hand = { self->supervise, self->confirm, self->confirm_data };
  if (!run_rank (self, rank, cancellable, error))
    return FALSE;
  g_autoptr (GPtrArray) tried = rb_by_hand_follow (self->jobs, &by_hand, &context, error);
  if (tried == NULL || (tried->len > 0 && !run_rank (self, rank, cancellable, error)))
    return FALSE;
  rb_by_hand_give_up (tried, &context);
  return TRUE;
}

/* The vehicle version manifest, signed by the Primary; an error when it gives none. */
static GBytes *
read_manifest (RbRecovery *self, RbEcuJob *job, GCancellable *cancellable, GError **error)
{
  g_autoptr (GBytes) nonce
    = rb_campaign_ecu_nonce (rb_contents_campaign (self->contents), self->vin, job->assignment->serial);
  g_autoptr (GBytes) challenge = rb_digest_random (16);
  if (job->profile->routine_manifest != 0 && job->unit != NULL)
    return rb_ecu_keys_manifest (job->unit, nonce, challenge, cancellable, error);
  g_set_error (error, RB_RECOVERY_ERROR, RB_REASON_UNSUPPORTED, "%s: its profile has no vehicle version manifest",
               job->model->label);
  return NULL;
}

/* Each request has a challenge of its own, so that it can be repeated when its response is lost. */
static GBytes *
ask_for_manifest (RbRecovery *self, RbEcuJob *job, GCancellable *cancellable, GError **error)
{
  for (;;) {
    g_autoptr (GError) failure = NULL;
    GBytes *manifest = read_manifest (self, job, cancellable, &failure);
    if (manifest != NULL || !rb_persist_may_repeat (job, failure)) {
      if (failure != NULL)
        g_propagate_error (error, g_steal_pointer (&failure));
      return manifest;
    }
    g_debug ("vehicle version manifest: %s", failure->message);
  }
}

/* Of the vehicle as it came in: told where it is to be had. */
static void
read_manifest_before (RbRecovery *self, GCancellable *cancellable)
{
  RbEcuJob *job = rb_supervise_primary (self->supervise);
  g_autoptr (GError) refused = NULL;
  g_clear_pointer (&self->manifest_before, g_bytes_unref);
  self->manifest_before = job == NULL ? NULL : ask_for_manifest (self, job, cancellable, &refused);
  if (refused != NULL)
    g_debug ("no vehicle version manifest: %s", refused->message);
  if (job != NULL)
    job->silent = job->silent_in_all = 0; /* the work on the ECU has its own count */
}

/* (RbSuperviseRead) The vehicle's signed state is what the record is about: a Primary that does not give it is not
 * done. */
static gboolean
read_manifest_after (gpointer user_data, GCancellable *cancellable, GError **error)
{
  RbRecovery *self = user_data;
  RbEcuJob *job = rb_supervise_primary (self->supervise);
  g_autoptr (GError) refused = NULL;
  g_clear_pointer (&self->manifest_after, g_bytes_unref);
  if (job == NULL || job->state != RB_ECU_DONE)
    return TRUE;
  self->manifest_after = ask_for_manifest (self, job, cancellable, &refused);
  if (refused == NULL)
    return TRUE;
  if (rb_supervise_is_fatal (refused)) {
    g_propagate_error (error, g_steal_pointer (&refused));
    return FALSE;
  }
  const RbEcuJobContext context = rb_recovery_state_work_context (self, cancellable);
  rb_ecu_job_fail (job, &context, RB_ECU_PARKED, refused);
  return TRUE;
}

/* For who resumes after this run, here or elsewhere. */
static gboolean
keep_inspection (RbRecovery *self, GError **error)
{
  char *text = json_dumps (rb_inspection_json (self->inspection), JSON_COMPACT);
  gboolean kept = rb_journal_keep_inspection (self->journal, self->number, text, error);
  free (text);
  return kept;
}

static gboolean
park_unproven (RbRecovery *self, GError **error)
{
  const RbSign sign = rb_recovery_state_signing (self);
  const RbEcuJobContext context = rb_recovery_state_work_context (self, NULL);
  return rb_sign_park_unproven (&sign, &context, error);
}

/* Under the library's lock: a campaign is removed only while no recovery of it is open. */
static gboolean
begin (RbRecovery *self, GError **error)
{
  self->run_started = rb_recovery_state_moment (self);
  if (self->number > 0)
    return rb_journal_set_owner (self->journal, self->number, rb_contents_anchor (self->contents), error);
  self->started = self->run_started;
  g_autoptr (RbLibrary) library = rb_library_new (self->data_dir);
  g_autoptr (RbLock) lock = rb_library_lock (library, error);
  return lock != NULL && rb_library_begin (library, self->contents, self->vin, error)
         && rb_journal_begin (self->journal, self->vin, rb_contents_campaign (self->contents)->id, self->started,
                              &self->number, error)
         && rb_journal_set_owner (self->journal, self->number, rb_contents_anchor (self->contents), error);
}

/* Of all that this vehicle needs to be complete. */
static guint
count_open (RbRecovery *self)
{
  guint open = 0;
  for (guint i = 0; i < self->complete->len; i++) {
    RbCompletenessEcu *ecu = self->complete->pdata[i];
    const RbEcuJob *job = rb_recovery_state_work_of (self, ecu->hardware_id);
    ecu->done = job != NULL && job->state == RB_ECU_DONE;
    RbCompletenessVerdict verdict = rb_completeness_judge (ecu);
    open += verdict != RB_COMPLETENESS_DONE && verdict != RB_COMPLETENESS_NOT_FITTED ? 1 : 0;
  }
  return open;
}

static void
begin_jobs (RbRecovery *self)
{
  for (guint i = 0; i < self->jobs->len; i++) {
    RbEcuJob *job = self->jobs->pdata[i];
    job->finished = 0;
    job->lost = job->silent = job->silent_in_all = 0;
    job->doubt = job->doubted = 0;
    job->reset_for_download = FALSE;
    g_clear_pointer (&job->recipe_steps, g_ptr_array_unref);
  }
}

gboolean
rb_recovery_run_all (RbRecovery *self, GCancellable *cancellable, GError **error)
{
  if (!begin (self, error) || !keep_inspection (self, error))
    return FALSE;
  self->ran = TRUE;
  begin_jobs (self);
  self->row_before = rb_journal_last_row (self->journal);
  self->end = RB_STATEMENT_ABORTED;
  /* an earlier run of this object may have ended with the link */
  if (!rb_supervise_resume (self->supervise, cancellable, error))
    return FALSE;
  read_manifest_before (self, cancellable);
  if (!prepare (self, cancellable, error))
    return FALSE;
  for (int rank = 0; rank < RB_SCHEDULE_N_RANKS; rank++)
    if (!run_rank_and_recipes (self, (RbScheduleRank) rank, cancellable, error))
      return FALSE;
  if (!rb_supervise_read_through (self->supervise, read_manifest_after, self, cancellable, error))
    return FALSE;
  self->end = RB_STATEMENT_FINISHED;
  if (!park_unproven (self, error))
    return FALSE;
  guint open = count_open (self);
  if (open == 0)
    return TRUE;
  g_set_error (error, RB_RECOVERY_ERROR, RB_REASON_NOT_COMPLETE, "not done: %u of %u ECUs", open, self->jobs->len);
  return FALSE;
}
