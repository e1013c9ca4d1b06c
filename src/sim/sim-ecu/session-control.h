/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "sim-ecu/host.h"

/* The diagnostic session of an ECU (0x10), and what ends with it, with S3 and with power. */

/* (RbService) */
guint8 rb_session_control_service (RbEcu *self, RbReader *request, GByteArray *out);
void rb_session_control_enter_default (RbEcu *self);
/* The ECU loses its session by itself. */
void rb_session_control_lose (RbEcu *self);
/* Ends a session that was asked nothing for S3. now is monotonic milliseconds. */
void rb_session_control_expire (RbEcu *self, gint64 now);
/* Forgets what power or S3 forgets: unlock, staging, download. */
void rb_session_control_forget (RbEcu *self);
/* Its own power; the rest of the vehicle has it. */
void rb_session_control_lose_power (RbEcu *self);
