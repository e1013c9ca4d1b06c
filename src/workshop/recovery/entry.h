/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "recovery/ecu-job.h"

/*
 * The session that work on an ECU needs: entered, unlocked, and once more when it ended by a wait (S3) or by the ECU.
 * Once a step: an ECU that loses its session in the same step again is parked with what it said.
 */

/* Nothing when the ECU is unlocked in that session. */
gboolean rb_entry_unlock (RbEcuJob *job, const RbEcuJobContext *context, guint8 session, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Writes. *detail is NULL before; (transfer full) */
typedef gboolean (*RbEntryApply) (RbEcuJob *job, const RbEcuJobContext *context, char **detail, GError **error);
/* In the session that rb_entry_unlock() was last called for. */
gboolean rb_entry_apply (RbEcuJob *job, const RbEcuJobContext *context, RbEntryApply apply, char **detail,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Reads, and enters the diagnostic session that this needs. */
typedef gboolean (*RbEntryObserve) (RbEcuJob *job, const RbEcuJobContext *context, GError **error);
gboolean rb_entry_observe (RbEcuJob *job, const RbEcuJobContext *context, RbEntryObserve observe, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
