/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "record/error.h"

#include <jansson.h>

/*
 * Recomputes the members of a well-formed predicate that follow from other members. Nothing
 * outside the predicate is asked. Each member's fault has its word:
 *   record-time        times of the recovery, its ECUs, its inspection and its campaign that exclude one another
 *   record-vin         VINs read from the vehicle that are not the record's, or none
 *   record-preflight   ECUs expected and found that are not those of the entries
 *   record-failures    failures that are not those of the ECUs which are not done
 *   record-method      an unknown method of an image digest or of roots
 *   record-inspection  record/checklist.h
 *   record-result      an outcome that contradicts the writes, or a type that does
 */
gboolean rb_consistency_check (const json_t *predicate, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The part about one ECU alone, for the maker of records, which calls no ECU done that fails it: record-method,
 * record-result. */
gboolean rb_consistency_check_ecu (const json_t *ecu, GError **error) G_GNUC_WARN_UNUSED_RESULT;
