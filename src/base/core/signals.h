/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * SIGINT, SIGTERM and SIGHUP, which ask a program to end, on a thread of their own. A signal that was ignored when the
 * program started stays ignored. Child processes begin with the signals as they were.
 */

typedef void (*RbSignalsHandler) (gpointer user_data);

/* Starts to watch; handler is called for each signal, one call at a time. Called again: another handler, as
 * rb_signals_set(). */
void rb_signals_watch (RbSignalsHandler handler, gpointer user_data);
/* Another handler from now on; NULL: that of rb_signals_watch(). When it returns, the one before is not running. Not
 * from a handler. */
void rb_signals_set (RbSignalsHandler handler, gpointer user_data);
