/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "recovery/ecu-job.h"
#include "uptane/vehicle.h"

#include <jansson.h>

/*
 * ECUs that were exchanged for a part: at the place of an ECU that the Director targets of this vehicle name responds
 * one with a serial number that they do not name. Nothing is written to such a vehicle until the OEM's VIN pack names
 * the part.
 */

/* The number of the spare part, by the ECU's own word; profile may be NULL. NULL: it does not say. (transfer full) */
char *rb_swapped_part_number (RbEcuClient *unit, const RbProfile *profile, GCancellable *cancellable);

/* Adds a row for each part among found (as above) to list. */
void rb_swapped_add (json_t *list, GPtrArray *assignments, const json_t *found);
/* Keeps what was read for a request to the OEM (recovery/findings.h); a recovery does without. */
void rb_swapped_keep (GPtrArray *jobs, const char *data_dir, const char *vin, gint64 now);
/* Notes in the jobs which parts the OEM directs in the place of other ECUs; *targets: the Director targets that say
 * so, NULL: none do. complete: (element-type RbCompletenessEcu). */
gboolean rb_swapped_take (GPtrArray *jobs, GPtrArray *complete, RbContents *contents, const char *vin, GBytes **targets,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Of the jobs that are parked for it; empty: none. (transfer full) */
json_t *rb_swapped_list (GPtrArray *jobs);
/* ecu-replaced, with all of them in the text, unless the list is empty. */
gboolean rb_swapped_check (const json_t *list, GError **error) G_GNUC_WARN_UNUSED_RESULT;
