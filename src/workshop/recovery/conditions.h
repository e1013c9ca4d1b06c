/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "recovery/ecu-job.h"

/*
 * The campaign's conditions of an ECU (hardware version, present software, coding class), verified by what it tells at
 * the first sight. What this campaign has changed is not verified again: software and coding class count until it has
 * written to the ECU, and an ECU in its bootloader has neither.
 */

/* Reads what the conditions ask for, into work->conditions. Errors: those of the link; not-compatible where the ECU
 * does not tell it or one does not hold. */
gboolean rb_conditions_check (RbEcuJob *job, const RbEcuJobContext *context, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Of all that are observed. (element-type RbEcuJob) */
gboolean rb_conditions_check_all (GPtrArray *jobs, const RbEcuJobContext *context, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
