/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "recovery/ecu-job.h"

/*
 * What holds of the campaign's desired state on one ECU. Nothing is decided by what an ECU says of itself where it can
 * prove it instead. Writes nothing.
 */

/* Reads and proves; sets need_…. Errors: ecu-replaced, ecu-unexpected, hardware-mismatch, hardware-needed, those of the
 * link and of the journal. */
gboolean rb_observe_ecu (RbEcuJob *job, const RbEcuJobContext *context, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The claims alone, as they are now; those of the first sight are kept. */
gboolean rb_observe_claims (RbEcuJob *job, const RbEcuJobContext *context, GError **error) G_GNUC_WARN_UNUSED_RESULT;
