/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/by-hand.h"

#include "core/moment.h"
#include "recovery/swapped.h"

#include <string.h>

#define POLL_MS 250

/* Parked, after work on it, for a reason that a recipe may mend? */
static gboolean
is_needed (const RbWork *work)
{
  static const RbReason reasons[]
    = { RB_REASON_NO_ANSWER,    RB_REASON_ECU_MISSING, RB_REASON_BOOT_FAILED, RB_REASON_BOOTLOADER,
        RB_REASON_WRONG_ANSWER, RB_REASON_ECU_BUSY,    RB_REASON_REFUSED };
  gboolean parked = work->state == RB_ECU_PARKED && work->finished != 0;
  for (guint i = 0; parked && i < G_N_ELEMENTS (reasons); i++)
    if (work->reason == reasons[i])
      return TRUE;
  return FALSE;
}

static gboolean
may_help (const RbWork *work)
{
  return is_needed (work) && work->profile->recipe != NULL && work->recipe_steps == NULL;
}

static void
tell (const RbWork *work, const RbByHand *context, const RbRecipeStep *step, gboolean done)
{
  const RbRecoveryEvent event = { .kind = RB_EVENT_RECIPE,
                                  .serial = rb_work_serial (work),
                                  .name = work->model->label,
                                  .state = work->state,
                                  .item = step->id,
                                  .text = step->text,
                                  .good = done };
  rb_supervise_emit (&event, context->supervise);
}

/* *responds: whether the ECU responds; any response counts, a rejection too. */
static gboolean
observe_response (RbWork *work, gboolean *responds, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autofree char *serial = work->unit == NULL
                              ? NULL
                              : rb_ecu_client_read_text (work->unit, work->profile->did_serial, cancellable, &failure);
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
observe (RbWork *work, const RbRecipeStep *step, const RbByHand *context, gboolean *holds, GCancellable *cancellable,
         GError **error)
{
  if (step->check == RB_RECIPE_CHECK_IGNITION)
    return observe_ignition (step, context, holds, cancellable, error);
  if (!observe_response (work, holds, cancellable, error))
    return FALSE;
  if (step->check == RB_RECIPE_CHECK_SILENT)
    *holds = !*holds;
  return TRUE;
}

/* FALSE without error: it does not hold within its time. */
static gboolean
wait_for_check (RbWork *work, const RbRecipeStep *step, const RbByHand *context, GCancellable *cancellable,
                GError **error)
{
  gint64 end = g_get_monotonic_time () + step->within_s * G_USEC_PER_SEC;
  gboolean holds = step->check == RB_RECIPE_CHECK_NONE;
  while (!holds) {
    if (!observe (work, step, context, &holds, cancellable, error))
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
not_done (RbWork *work, const RbRecipeStep *step, const char *why)
{
  g_autofree char *before = g_steal_pointer (&work->text);
  work->text = g_strdup_printf ("%s; recovery recipe, step %s: %s", before == NULL ? "" : before, step->id, why);
  return FALSE;
}

static gboolean
follow_step (RbWork *work, const RbRecipeStep *step, const RbByHand *context, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) failure = NULL;
  tell (work, context, step, FALSE);
  if (!step->pause && !context->confirm (rb_work_serial (work), step, cancellable, context->user_data))
    return not_done (work, step, "it is not confirmed");
  if (!wait_for_check (work, step, context, cancellable, &failure)) {
    if (failure == NULL)
      return not_done (work, step,
                       step->check == RB_RECIPE_CHECK_SILENT     ? "the ECU still responds"
                       : step->check == RB_RECIPE_CHECK_RESPONDS ? "the ECU does not respond"
                                                                 : "the ignition is in another position");
    g_propagate_error (error, g_steal_pointer (&failure));
    return FALSE;
  }
  if (step->wait_s > 0 && !rb_moment_pause ((guint) step->wait_s * 1000, cancellable, error))
    return FALSE;
  g_ptr_array_add (work->recipe_steps, g_strdup (step->id));
  tell (work, context, step, TRUE);
  return TRUE;
}

/* Every step in order. FALSE without error: a person could not, or a check does not hold; the work's text says so. */
static gboolean
follow (RbWork *work, const RbByHand *context, GCancellable *cancellable, GError **error)
{
  const RbRecipe *recipe = work->profile->recipe;
  work->recipe_steps = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < recipe->steps->len; i++)
    if (!follow_step (work, recipe->steps->pdata[i], context, cancellable, error))
      return FALSE;
  return TRUE;
}

GPtrArray *
rb_by_hand_follow (GPtrArray *works, const RbByHand *by_hand, const RbWorkContext *context, GError **error)
{
  g_autoptr (GPtrArray) tried = g_ptr_array_new ();
  for (guint i = 0; by_hand->confirm != NULL && i < works->len; i++) {
    RbWork *work = works->pdata[i];
    g_autoptr (GError) failure = NULL;
    guint8 nrc = work->nrc; /* of what it was parked for; the checks ask the ECU too */
    if (!may_help (work))
      continue;
    if (follow (work, by_hand, context->cancellable, &failure)) {
      work->finished = work->silent = work->silent_in_all = work->doubt = work->doubted = 0;
      rb_work_set_state (work, context, RB_ECU_WAITING, RB_REASON_NONE, NULL);
      g_ptr_array_add (tried, work);
      continue;
    }
    if (failure != NULL) {
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }
    rb_work_set_state (work, context, RB_ECU_PARKED, work->reason, work->text);
    work->nrc = nrc;
  }
  return g_steal_pointer (&tried);
}

static void
give_up (RbWork *work, const RbWorkContext *context)
{
  guint8 nrc = work->nrc;
  g_autofree char *told
    = work->unit == NULL ? NULL : rb_swapped_part_number (work->unit, work->profile, context->cancellable);
  const char *part = told != NULL ? told : work->profile->recipe->part;
  g_autofree char *text = g_strdup_printf (
    "%s; its recipe does not help: hardware %s has to be replaced, part number %s",
    work->text == NULL ? work->model->label : work->text, work->model->hardware_id, part == NULL ? "not known" : part);
  rb_work_set_state (work, context, RB_ECU_PARKED, RB_REASON_HARDWARE_NEEDED, text);
  work->nrc = nrc;
}

void
rb_by_hand_give_up (GPtrArray *tried, const RbWorkContext *context)
{
  for (guint i = 0; i < tried->len; i++)
    if (is_needed (tried->pdata[i]))
      give_up (tried->pdata[i], context);
}
