/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/entry.h"

gboolean
rb_entry_observe (RbWork *work, const RbWorkContext *context, RbEntryObserve observe, GError **error)
{
  g_autoptr (GError) failure = NULL;
  if (observe (work, context, &failure))
    return TRUE;
  if (rb_ecu_client_lost_session (work->unit)) {
    g_debug ("%s; the session is entered again", failure->message);
    return observe (work, context, error);
  }
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

static gboolean
enter_and_unlock (RbWork *work, const RbWorkContext *context, GError **error)
{
  const RbOwnership ownership = { .vin = context->vin, .serial = work->assignment->serial };
  return rb_ecu_client_session (work->unit, work->session, context->cancellable, error)
         && rb_ecu_client_unlock (work->unit, context->authentication, &ownership, context->cancellable, error);
}

gboolean
rb_entry_unlock (RbWork *work, const RbWorkContext *context, guint8 session, GError **error)
{
  work->session = session;
  if (rb_ecu_client_is_unlocked (work->unit, session))
    return TRUE;
  if (!rb_entry_observe (work, context, enter_and_unlock, error))
    return FALSE;
  rb_work_set_state (work, context, RB_ECU_UNLOCKED, RB_REASON_NONE, NULL);
  return TRUE;
}

static gboolean
enter_again (RbWork *work, const RbWorkContext *context, GError **error)
{
  RbEcuState state = work->state;
  if (!rb_entry_unlock (work, context, work->session, error))
    return FALSE;
  rb_work_set_state (work, context, state, RB_REASON_NONE, NULL);
  return TRUE;
}

/* Only a rejection says that the ECU did nothing; a lost response leaves open what it did, and only observing can tell.
 */
static gboolean
did_nothing (RbWork *work, const GError *failure)
{
  return rb_ecu_client_lost_session (work->unit) && rb_ecu_client_last_nrc (work->unit) != 0
         && rb_reason_of (failure) != RB_REASON_ECU_BUSY;
}

gboolean
rb_entry_apply (RbWork *work, const RbWorkContext *context, RbEntryApply apply, char **detail, GError **error)
{
  g_autoptr (GError) failure = NULL;
  if (rb_ecu_client_lost_session (work->unit) && !enter_again (work, context, error))
    return FALSE;
  if (apply (work, context, detail, &failure))
    return TRUE;
  if (did_nothing (work, failure)) {
    g_debug ("%s; the session is entered again", failure->message);
    g_clear_pointer (detail, g_free);
    return enter_again (work, context, error) && apply (work, context, detail, error);
  }
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}
