/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "recovery/work.h"
#include "uptane/vehicle.h"

#include <jansson.h>

/*
 * ECUs that were exchanged for a part: at the place of an ECU that the Director targets of this vehicle name responds
 * one with a serial number that they do not name. Nothing is written to such a vehicle until the OEM's VIN pack names
 * the part.
 */

/* The assignment of the ECU in whose place that one responds; NULL: serial is assigned, or nothing is assigned to its
 * hardware. assignments: (element-type RbAssignment). Borrowed. */
const RbAssignment *rb_swapped_place (GPtrArray *assignments, const char *serial, const char *hardware_id);

/* The number of the spare part, by the ECU's own word; profile may be NULL. NULL: it does not say. (transfer full) */
char *rb_swapped_part_number (RbUnit *unit, const RbProfile *profile, GCancellable *cancellable);

/* {"name", "old", "new", "hardware_id", "part_number" (null: not told)}. (transfer full) */
json_t *rb_swapped_row (const char *name, const char *old_serial, const char *new_serial, const char *hardware_id,
                        const char *part_number);
/* What was read of every ECU, for recovery/findings.h: {"name", "serial", "hardware_id", "part_number", "software",
 * "key_id", "boot"}, or null members and "reason" where it was not read. (transfer full) */
json_t *rb_swapped_found (GPtrArray *works);
/* Adds a row for each part among found (as above) to list. */
void rb_swapped_add (json_t *list, GPtrArray *assignments, const json_t *found);
/* Keeps what was read for a request to the OEM (recovery/findings.h); a recovery does without. */
void rb_swapped_keep (GPtrArray *works, const char *data_dir, const char *vin, gint64 now);
/* Notes in the works which parts the OEM directs in the place of other ECUs; *targets: the Director targets that say
 * so, NULL: none do. complete: (element-type RbCompletenessEcu). */
gboolean rb_swapped_take (GPtrArray *works, GPtrArray *complete, RbContents *contents, const char *vin,
                          GBytes **targets, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Of the works that are parked for it; empty: none. (transfer full) */
json_t *rb_swapped_list (GPtrArray *works);
/* ecu-replaced, with all of them in the text, unless the list is empty. */
gboolean rb_swapped_check (const json_t *list, GError **error) G_GNUC_WARN_UNUSED_RESULT;
