/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/entry.h"

gboolean
rb_entry_observe (RbEcuJob *job, const RbEcuJobContext *context, RbEntryObserve observe, GError **error)
{
  g_autoptr (GError) failure = NULL;
  if (observe (job, context, &failure))
    return TRUE;
  if (rb_ecu_client_lost_session (job->unit)) {
    g_debug ("%s; the session is entered again", failure->message);
    return observe (job, context, error);
  }
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

static gboolean
enter_and_unlock (RbEcuJob *job, const RbEcuJobContext *context, GError **error)
{
  const RbOwnership ownership = { .vin = context->vin, .serial = job->assignment->serial };
  return rb_ecu_client_session (job->unit, job->session, context->cancellable, error)
         && rb_ecu_client_unlock (job->unit, context->authentication, &ownership, context->cancellable, error);
}

gboolean
rb_entry_unlock (RbEcuJob *job, const RbEcuJobContext *context, guint8 session, GError **error)
{
  job->session = session;
  if (rb_ecu_client_is_unlocked (job->unit, session))
    return TRUE;
  if (!rb_entry_observe (job, context, enter_and_unlock, error))
    return FALSE;
  rb_ecu_job_set_state (job, context, RB_ECU_UNLOCKED, RB_REASON_NONE, NULL);
  return TRUE;
}

static gboolean
enter_again (RbEcuJob *job, const RbEcuJobContext *context, GError **error)
{
  RbEcuState state = job->state;
  if (!rb_entry_unlock (job, context, job->session, error))
    return FALSE;
  rb_ecu_job_set_state (job, context, state, RB_REASON_NONE, NULL);
  return TRUE;
}

/* Only a rejection says that the ECU did nothing; a lost response leaves open what it did, and only observing can tell.
 */
static gboolean
did_nothing (RbEcuJob *job, const GError *failure)
{
  return rb_ecu_client_lost_session (job->unit) && rb_ecu_client_last_nrc (job->unit) != 0
         && rb_reason_of (failure) != RB_REASON_ECU_BUSY;
}

gboolean
rb_entry_apply (RbEcuJob *job, const RbEcuJobContext *context, RbEntryApply apply, char **detail, GError **error)
{
  g_autoptr (GError) failure = NULL;
  if (rb_ecu_client_lost_session (job->unit) && !enter_again (job, context, error))
    return FALSE;
  if (apply (job, context, detail, &failure))
    return TRUE;
  if (did_nothing (job, failure)) {
    g_debug ("%s; the session is entered again", failure->message);
    g_clear_pointer (detail, g_free);
    return enter_again (job, context, error) && apply (job, context, detail, error);
  }
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}
