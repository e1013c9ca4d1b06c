/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "sim-ecu/ecu-state.h"

/*
 * Attempts at unlocking by 0x27 or 0x29. After three wrong ones none is accepted for 10 s, by the monotonic clock; when
 * the ECU loses its power meanwhile, the delay begins again with power-on. Failures are in the ECU's memory.
 */

/* 0, or NRC 0x37 while the delay runs. */
guint8 rb_lockout_check (RbEcu *self);
/* One more wrong attempt: nrc, 0x36 at the last one, or 0x72 when it cannot be stored. */
guint8 rb_lockout_count (RbEcu *self, guint8 nrc);
/* A right one. FALSE: it cannot be stored. */
gboolean rb_lockout_clear (RbEcu *self) G_GNUC_WARN_UNUSED_RESULT;
/* Power-on. now is monotonic milliseconds. */
void rb_lockout_begin (RbEcu *self, gint64 now);
