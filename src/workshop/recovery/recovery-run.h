/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "recovery/recovery-state.h"

/* The run of a recovery that is inspected and planned, and may run: rank by rank, lane by lane, ECU by ECU. */

/* Errors: those of rb_recovery_run(). */
gboolean rb_recovery_run_all (RbRecovery *self, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* On every way out of a run: restores the vehicle's network and reads the DTCs again. */
void rb_recovery_run_conclude (RbRecovery *self);
