/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "recovery/event.h"
#include "recovery/supervise.h"

/*
 * The recipe of an ECU that is parked because it does not respond, or rejects what it has to do: a person does its
 * steps, and the program checks each where it can. Afterwards the ECU is worked on again. In the recovery's own thread,
 * while no lane works.
 */
typedef struct {
  RbSupervise *supervise;
  RbRecoveryConfirm confirm; /* NULL: no person is there, no recipe is followed */
  gpointer user_data;
} RbByHand;

/* Follows the recipes of parked ECUs, once a run each. Gives those whose recipe was done, which are waiting for work
 * again; one whose recipe was not keeps its reason, and its text says which step is open. jobs: (element-type
 * RbEcuJob). (element-type RbEcuJob) (transfer container) Errors: cancelled, those that end a run. */
GPtrArray *rb_by_hand_follow (GPtrArray *jobs, const RbByHand *by_hand, const RbEcuJobContext *context, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* After work on these: one that is parked all the same is hardware-needed, with the number of the part. */
void rb_by_hand_give_up (GPtrArray *tried, const RbEcuJobContext *context);
