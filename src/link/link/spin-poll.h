/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <glib.h>
#include <poll.h>

/*
 * Waiting that looks again for a moment before it sleeps. To sleep and to be woken costs more than the whole exchange
 * where the other side answers within some ten microseconds, as over loopback and a fast switch; a peer that answers
 * later is waited for as ever, because only a wait that was short makes the next one eager. One thread a waiter; begin
 * with zeros.
 */
typedef struct {
  gboolean eager;
} RbSpinPoll;

/* As poll(); microseconds -1: no end. */
int rb_spin_poll_wait (RbSpinPoll *self, struct pollfd *fds, guint n, gint64 microseconds);
