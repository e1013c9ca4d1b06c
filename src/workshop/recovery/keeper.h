/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "recovery/ecu-job.h"

/*
 * Holds the diagnostic session of every ECU while the work on it waits: for another lane, an interlock, an image on a
 * slow medium, a signing key on a slow token, a person at the screen. Sends TesterPresent (vehicle/ecu-client.h) from a
 * thread of its own, and never while a response of the ECU is outstanding.
 */
typedef struct _RbKeeper RbKeeper;

/* jobs (element-type RbEcuJob) and their units outlive it. */
RbKeeper *rb_keeper_new (GPtrArray *jobs);
/* Ends when what it sends is out. */
void rb_keeper_free (RbKeeper *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbKeeper, rb_keeper_free)
