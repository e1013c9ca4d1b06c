/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "record/error.h"

#include <jansson.h>

/*
 * ECUs that were exchanged for a part. A record that has one quotes the Director targets by which the OEM directed the
 * part, in the member directorTargets (base64); the part's entry names the old serial number in the member replaces,
 * and ends as hardware-replaced.
 */

/* The targets file that the record quotes; NULL: none, or not base64. (transfer full) */
GBytes *rb_replaced_targets (const json_t *predicate);
/* Do the entries say of parts what these targets say? Whether the OEM signed them, the bundle tells
 * (record/campaign-check.h). Error record-replacement. */
gboolean rb_replaced_check (const json_t *predicate, GError **error) G_GNUC_WARN_UNUSED_RESULT;
