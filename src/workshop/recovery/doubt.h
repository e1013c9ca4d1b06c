/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "recovery/ecu-job.h"

/*
 * What an ECU rejects although the plan says that it holds. An ECU that lost its power between two writes of its own
 * may report metadata, an image or a key that it cannot use. Such a step is taken as not holding and made again, once a
 * run, before the ECU is parked: the nearest step before the rejected one first.
 */

/* After an observation of all: which steps hold, as the plan says. */
void rb_doubt_begin (RbEcuJob *job);
/* Is that step to be made again, whatever the ECU reports? */
gboolean rb_doubt_of (const RbEcuJob *job, RbStep step);
/* It was made, or it held. */
void rb_doubt_settle (RbEcuJob *job, RbStep step);
/* After an attempt that failed: TRUE when another one may bring the ECU further. */
gboolean rb_doubt_take (RbEcuJob *job, const GError *failure);
