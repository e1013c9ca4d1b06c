/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "recovery/ecu-job.h"

/* Does every step of the profile's order that does not hold, then reads back; steps that hold, once more when the ECU
 * rejects what builds on them. On success state is DONE. Errors: those of rb_observe_ecu(), not-compatible, and what
 * the ECU or the journal fails a step with. */
gboolean rb_ecu_steps_run (RbEcuJob *job, const RbEcuJobContext *context, GError **error) G_GNUC_WARN_UNUSED_RESULT;
