/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "recovery/ecu-job.h"

#include <jansson.h>

/*
 * Diagnostic trouble codes of an ECU (19 02 FF), before and after the work. Of what it lists those count whose status
 * says that a test failed or that the code is pending or confirmed; not those that were merely not tested yet.
 */

/* Into work->dtcs_before at the first sight, else nothing. An ECU that rejects it, or whose list is not one, has none
 * to tell. Errors: those of the link, no-answer. */
gboolean rb_dtc_read_before (RbEcuJob *job, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Of all that respond, and tells where they differ (RB_EVENT_DTCS). link may be NULL. (element-type RbEcuJob) */
void rb_dtc_read_all_after (GPtrArray *jobs, RbLink *link, RbRecoveryWatch watch, gpointer user_data);
/* [{"code": "C10000", "status": 9}], by code; null where they are not known. (transfer full) */
json_t *rb_dtc_list (GBytes *dtcs);
