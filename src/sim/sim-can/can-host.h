/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "sim-can/can-network.h"

/* Runs a network by CLOCK_MONOTONIC in the main loop: a timerfd at absolute deadlines, so that no delay adds up. */
typedef struct _RbCanHost RbCanHost;

/* Takes network. Error: io. */
RbCanHost *rb_can_host_new (RbCanNetwork *network, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_can_host_free (RbCanHost *self);
RbCanNetwork *rb_can_host_network (RbCanHost *self);
gint64 rb_can_host_now (void); /* nanoseconds */
/* After frames were sent from outside: does what is due and sets the timer. */
void rb_can_host_run (RbCanHost *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbCanHost, rb_can_host_free)
