/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "recovery/ecu-job.h"

/*
 * Coding and adaptation of an ECU: what its profile names, an erasure loses and no image holds. What was read from the
 * vehicle before the erasure is stored in the journal first, for after it nothing can be observed; the campaign's own
 * values win over it.
 */
/* (RbEntryObserve) Reads what the application tells, and sets need_coding. */
gboolean rb_coding_observe (RbEcuJob *job, const RbEcuJobContext *context, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Before the erasure: what was read is in the journal when this returns. */
gboolean rb_coding_keep (RbEcuJob *job, const RbEcuJobContext *context, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Is every value known? Error: coding-lost. */
gboolean rb_coding_is_known (const RbEcuJob *job, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* (RbEntryApply) Writes the values that differ. Extended session, unlocked. */
gboolean rb_coding_apply (RbEcuJob *job, const RbEcuJobContext *context, char **detail, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
