/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "sim-ecu/host.h"

/*
 * One simulated ECU as a UDS server (ISO 14229-1): bootloader and application, sessions, and the services that a
 * profile of this project describes. It is written apart from uds/ on purpose, so that tester and ECU do not share a
 * mistake. Without sockets and threads: a request goes in with the time, answers come out.
 */
/* One response and how long after the one before it is sent. */
typedef struct {
  guint delay_ms;
  GBytes *message; /* NULL: what rb_ecu_work() of this ECU gives comes here */
  RbEcu *work; /* borrowed; NULL with a message */
} RbAnswer;
void rb_ecu_answer_free (RbAnswer *self);

RbEcu *rb_ecu_new (RbSimVehicle *vehicle, const RbModelEcu *model, RbMemory *memory);
void rb_ecu_free (RbEcu *self);
/* now is monotonic milliseconds. (element-type RbAnswer) (transfer full), empty when nothing is answered. */
GPtrArray *rb_ecu_request (RbEcu *self, GBytes *request, gboolean functional, gint64 now);
/* Does the work of a request that was answered with 0x78: so that the 0x78 is on the wire within P2, the caller sends
 * it before. (element-type RbAnswer) (transfer full) */
GPtrArray *rb_ecu_work (RbEcu *self);
/* A request of several frames begins to arrive, or no more does: S3 stands still meanwhile (ISO 14229-2). */
void rb_ecu_hear (RbEcu *self, gboolean hears, gint64 now);
