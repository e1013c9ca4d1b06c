/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "model/recipe.h"
#include "recovery/event.h"
#include "recovery/recovery.h"
#include "recovery/supervise.h"

/*
 * The recipe of an ECU that is parked because it does not respond, or rejects what it has to do: a person does its steps, and the program
 * checks each where it can. Afterwards the ECU is worked on again.
 */

/* Is it parked for a reason that a recipe may mend, after work on it? */
gboolean rb_by_hand_is_needed (const RbWork *work);
/* Is there also a recipe for it, not yet followed in this run? */
gboolean rb_by_hand_may_help (const RbWork *work);

typedef struct {
  RbSupervise *supervise;
  RbRecoveryConfirm confirm; /* NULL: no person is there */
  gpointer user_data;
} RbByHand;
/* Every step in order. FALSE without error: a person could not, or its check does not hold; the work's text says so. Errors: cancelled,
 * those that end a run. */
gboolean rb_by_hand_follow (RbWork *work, const RbByHand *context, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The recipe was followed and the ECU is parked all the same: hardware-needed, with the number of the part. */
void rb_by_hand_give_up (RbWork *work, const RbWorkContext *context);
