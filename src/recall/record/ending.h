/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "record/error.h"

#include <jansson.h>

/*
 * Two members of a record of a vehicle that is left before it is complete. Such a record is made from the journal, so
 * the vehicle need not be connected.
 *
 *   handOver {evidence [{ecu, step "key"|"image", detail, shownBy {journal true} or {record digest}}]}: type partial,
 * result handed-over. The evidence shows that a key was made, or an image written, in this recovery; another
 * workstation names this record for it. exception {as "waiting-for-part"|"towed"|"left-against-advice", text?, photos
 * [{sha256, length}]}: type and result exception, signed by two people.
 */
#define RB_ENDING_TYPE_EXCEPTION "exception"
#define RB_ENDING_HANDED_OVER "handed-over"
#define RB_ENDING_MAX_TEXT 500
#define RB_ENDING_MAX_PHOTOS 64

/* Why a vehicle is closed with exception; ends with NULL. */
extern const char *const rb_ending_words[];

/* Both members, where they are there: record-malformed. */
gboolean rb_ending_is_well_formed (const json_t *predicate, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Do they agree with the type, the people and the rest of the record? Errors: record-result, second-person-missing. */
gboolean rb_ending_check (const json_t *predicate, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The result that goes with the predicate's type and completeness: completed, incomplete, aborted, declined,
 * no-work-needed, exception, handed-over; NULL when the type is not known or does not go with it. Static. */
const char *rb_ending_result (const json_t *predicate, gboolean complete);
/* Is it made from the journal only? Then no ECU was asked for anything. */
gboolean rb_ending_is_without_vehicle (const json_t *predicate);
/* The evidence of a hand-over for that step of an ECU; NULL: none. Borrowed. */
const json_t *rb_ending_evidence (const json_t *predicate, const char *serial, const char *step, const char *detail);
