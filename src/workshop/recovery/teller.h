/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "recovery/event.h"

/*
 * Passes events on in a thread of its own, in the order they are given, so that a screen or a pipe without a reader
 * holds up no work on an ECU. Of the progress of one ECU only the newest is passed on where several wait.
 */
typedef struct _RbTeller RbTeller;

RbTeller *rb_teller_new (RbRecoveryWatch watch, gpointer user_data);
/* From any thread; the event is copied. */
void rb_teller_tell (RbTeller *self, const RbRecoveryEvent *event);
/* Returns when all events so far were passed on. Not from the watch. */
void rb_teller_flush (RbTeller *self);
void rb_teller_free (RbTeller *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbTeller, rb_teller_free)
