/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/persist.h"

#include "recovery/ecu-steps.h"

#define MAX_SILENT_IN_ALL 20 /* of one ECU in one run, above every value in a profile */

/*
 * A lost or a wrong response leaves the state of the ECU unknown. Some in a row are allowed, counted between successes.
 * The response to a lost request for a key may come to its repetition: it names a key that the ECU has replaced since,
 * so that its key is not proven.
 */
gboolean
rb_persist_may_repeat (RbEcuJob *job, const GError *failure)
{
  RbReason reason = rb_reason_of (failure);
  gboolean lost = reason == RB_REASON_NO_ANSWER || reason == RB_REASON_WRONG_ANSWER;
  gboolean mistaken = reason == RB_REASON_KEY_NOT_PROVEN && job->silent_in_all > 0;
  return (lost || mistaken) && job->silent++ < job->profile->lost_responses && job->silent_in_all++ < MAX_SILENT_IN_ALL;
}

gboolean
rb_persist_run (RbEcuJob *job, const RbEcuJobContext *context, GError **error)
{
  for (;;) {
    g_autoptr (GError) failure = NULL;
    if (rb_ecu_steps_run (job, context, &failure))
      return TRUE;
    if (!rb_persist_may_repeat (job, failure)) {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
    rb_ecu_job_fail (job, context, RB_ECU_UNKNOWN, failure);
  }
}
