/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/by-hand.h"

#include "core/moment.h"
#include "recovery/swapped.h"

#include <string.h>

#define POLL_MS 250

/* Parked, after work on it, for a reason that a recipe may mend? */
static gboolean
is_needed (const RbEcuJob *job)
{
  static const RbReason reasons[]
    = { RB_REASON_NO_ANSWER,    RB_REASON_ECU_MISSING, RB_REASON_BOOT_FAILED, RB_REASON_BOOTLOADER,
        RB_REASON_WRONG_ANSWER, RB_REASON_ECU_BUSY,    RB_REASON_REFUSED };
  gboolean parked = job->state == RB_ECU_PARKED && job->finished != 0;
  for (guint i = 0; parked && i < G_N_ELEMENTS (reasons); i++)
    if (job->reason == reasons[i])
      return TRUE;
  return FALSE;
}

static gboolean
may_help (const RbEcuJob *job)
{
  return is_needed (job) && job->profile->recipe != NULL && job->recipe_steps == NULL;
}

static void
tell (const RbEcuJob *job, const RbByHand *context, const RbRecipeStep *step, gboolean done)
{
  const RbRecoveryEvent event = { .kind = RB_EVENT_RECIPE,
                                  .serial = rb_ecu_job_serial (job),
                                  .name = job->model->label,
                                  .state = job->state,
                                  .item = step->id,
                                  .text = step->text,
                                  .good = done };
  rb_supervise_emit (&event, context->supervise);
}

/* *responds: whether the ECU responds; any response counts, a rejection too. */
static gboolean
observe_response (RbEcuJob *job, gboolean *responds, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autofree char *serial
    = job->unit == NULL ? NULL : rb_ecu_client_read_text (job->unit, job->profile->did_serial, cancellable, &failure);
  RbReason reason = rb_reason_of (failure);
  if (failure != NULL && rb_supervise_is_fatal (failure)) {
    g_propagate_error (error, g_steal_pointer (&failure));
    return FALSE;
  }
  *responds = serial != NULL || (failure != NULL && reason != RB_REASON_NO_ANSWER && reason != RB_REASON_ECU_MISSING);
  return TRUE;
}

static gboolean
observe_ignition (const RbRecipeStep *step, const RbByHand *context, gboolean *holds, GCancellable *cancellable,
                  GError **error)
{
  const RbChecklistItem item = { .id = step->id,
                                 .text = step->text,
                                 .kind = RB_ITEM_MEASURED,
                                 .measure = (char *) "ignition",
                                 .low = step->position,
                                 .high = step->position,
                                 .unit = (char *) "position" };
  g_autoptr (GError) failure = NULL;
  gint64 value = 0;
  *holds = FALSE;
  if (rb_supervise_measure (context->supervise, &item, &value, holds, cancellable, &failure))
    return TRUE;
  if (!rb_supervise_is_fatal (failure))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

static gboolean
observe (RbEcuJob *job, const RbRecipeStep *step, const RbByHand *context, gboolean *holds, GCancellable *cancellable,
         GError **error)
{
  if (step->check == RB_RECIPE_CHECK_IGNITION)
    return observe_ignition (step, context, holds, cancellable, error);
  if (!observe_response (job, holds, cancellable, error))
    return FALSE;
  if (step->check == RB_RECIPE_CHECK_SILENT)
    *holds = !*holds;
  return TRUE;
}

/* FALSE without error: it does not hold within its time. */
static gboolean
wait_for_check (RbEcuJob *job, const RbRecipeStep *step, const RbByHand *context, GCancellable *cancellable,
                GError **error)
{
  gint64 end = g_get_monotonic_time () + step->within_s * G_USEC_PER_SEC;
  gboolean holds = step->check == RB_RECIPE_CHECK_NONE;
  while (!holds) {
    if (!observe (job, step, context, &holds, cancellable, error))
      return FALSE;
    if (!holds && g_get_monotonic_time () >= end)
      return FALSE;
    if (!holds
        && (!rb_moment_pause (POLL_MS, cancellable, error) || !rb_supervise_may_go_on (context->supervise, error)))
      return FALSE;
  }
  return TRUE;
}

static gboolean
not_done (RbEcuJob *job, const RbRecipeStep *step, const char *why)
{
  g_autofree char *before = g_steal_pointer (&job->text);
  job->text = g_strdup_printf ("%s; recovery recipe, step %s: %s", before == NULL ? "" : before, step->id, why);
  return FALSE;
}

static gboolean
follow_step (RbEcuJob *job, const RbRecipeStep *step, const RbByHand *context, GCancellable *cancellable,
             GError **error)
{
  g_autoptr (GError) failure = NULL;
  tell (job, context, step, FALSE);
  if (!step->pause && !context->confirm (rb_ecu_job_serial (job), step, cancellable, context->user_data))
    return not_done (job, step, "it is not confirmed");
  if (!wait_for_check (job, step, context, cancellable, &failure)) {
    if (failure == NULL)
      return not_done (job, step,
                       step->check == RB_RECIPE_CHECK_SILENT     ? "the ECU still responds"
                       : step->check == RB_RECIPE_CHECK_RESPONDS ? "the ECU does not respond"
                                                                 : "the ignition is in another position");
    g_propagate_error (error, g_steal_pointer (&failure));
    return FALSE;
  }
  if (step->wait_s > 0 && !rb_moment_pause ((guint) step->wait_s * 1000, cancellable, error))
    return FALSE;
  g_ptr_array_add (job->recipe_steps, g_strdup (step->id));
  tell (job, context, step, TRUE);
  return TRUE;
}

/* Every step in order. FALSE without error: a person could not, or a check does not hold; the work's text says so. */
static gboolean
follow (RbEcuJob *job, const RbByHand *context, GCancellable *cancellable, GError **error)
{
  const RbRecipe *recipe = job->profile->recipe;
  job->recipe_steps = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < recipe->steps->len; i++)
    if (!follow_step (job, recipe->steps->pdata[i], context, cancellable, error))
      return FALSE;
  return TRUE;
}

GPtrArray *
rb_by_hand_follow (GPtrArray *jobs, const RbByHand *by_hand, const RbEcuJobContext *context, GError **error)
{
  g_autoptr (GPtrArray) tried = g_ptr_array_new ();
  for (guint i = 0; by_hand->confirm != NULL && i < jobs->len; i++) {
    RbEcuJob *job = jobs->pdata[i];
    g_autoptr (GError) failure = NULL;
    guint8 nrc = job->nrc; /* of what it was parked for; the checks ask the ECU too */
    if (!may_help (job))
      continue;
    if (follow (job, by_hand, context->cancellable, &failure)) {
      job->finished = job->silent = job->silent_in_all = job->doubt = job->doubted = 0;
      rb_ecu_job_set_state (job, context, RB_ECU_WAITING, RB_REASON_NONE, NULL);
      g_ptr_array_add (tried, job);
      continue;
    }
    if (failure != NULL) {
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }
    rb_ecu_job_set_state (job, context, RB_ECU_PARKED, job->reason, job->text);
    job->nrc = nrc;
  }
  return g_steal_pointer (&tried);
}

static void
give_up (RbEcuJob *job, const RbEcuJobContext *context)
{
  guint8 nrc = job->nrc;
  g_autofree char *told
    = job->unit == NULL ? NULL : rb_swapped_part_number (job->unit, job->profile, context->cancellable);
  const char *part = told != NULL ? told : job->profile->recipe->part;
  g_autofree char *text = g_strdup_printf (
    "%s; its recipe does not help: hardware %s has to be replaced, part number %s",
    job->text == NULL ? job->model->label : job->text, job->model->hardware_id, part == NULL ? "not known" : part);
  rb_ecu_job_set_state (job, context, RB_ECU_PARKED, RB_REASON_HARDWARE_NEEDED, text);
  job->nrc = nrc;
}

void
rb_by_hand_give_up (GPtrArray *tried, const RbEcuJobContext *context)
{
  for (guint i = 0; i < tried->len; i++)
    if (is_needed (tried->pdata[i]))
      give_up (tried->pdata[i], context);
}
