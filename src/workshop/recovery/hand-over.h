/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "recovery/case.h"

/*
 * A recovery goes on at another workstation. The first one signs what its journal shows of made keys, written images
 * and coding; the second one verifies that and counts it as evidence. Without it the vehicle can be finished as well,
 * by observing: keys are made again, and an ECU that was erased has lost its coding.
 */

/* Signs the record and gives its envelope: the file that travels. Errors: those of rb_case_open() and rb_case_sign().
 * (transfer full) */
GBytes *rb_hand_over_make (const RbCaseOptions *options, char **digest, GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef struct {
  char *vin, *campaign, *record; /* record: its digest */
  char *result; /* of the record */
  guint keys, images, coding; /* evidence taken; coding: values */
} RbHandOverTaken;
void rb_hand_over_taken_free (RbHandOverTaken *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbHandOverTaken, rb_hand_over_taken_free)
/* The envelope is a hand-over, or the record of a run that did not complete the vehicle (recovery/partial-evidence.h).
 * Verifies it by the OEM's trust list and by the campaign in this library, keeps it in the outbox and its evidence in
 * the journal. now 0: the wall clock. Errors: not-handed-over, campaign-unknown, in-use, those of rb_verify_record().
 * (transfer full) */
RbHandOverTaken *rb_hand_over_take (const char *data_dir, GBytes *envelope, gint64 now, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
