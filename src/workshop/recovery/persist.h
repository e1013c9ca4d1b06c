/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "recovery/ecu-job.h"

/* After failure of a request to the ECU: was its response lost or wrong, and are some in a row still allowed? Counts
 * this one. */
gboolean rb_persist_may_repeat (RbEcuJob *job, const GError *failure);

/*
 * The work on one ECU while it responds: after a lost or a wrong response the ECU is observed again and the work
 * continues. Requests that may be repeated were repeated before (uds/uds-client.c). Errors of rb_ecu_steps_run().
 */
gboolean rb_persist_run (RbEcuJob *job, const RbEcuJobContext *context, GError **error) G_GNUC_WARN_UNUSED_RESULT;
