/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "can/can-backend.h"

/*
 * What error frames (linux/can/error.h) and waiting say about a CAN bus. A word for each trouble a workshop meets:
 * bus-off, no-ack (no node on the bus acknowledges: cable, ignition), wrong-bitrate (a node is there, but sends faster
 * or slower), NULL while all is well.
 */
typedef struct {
  RbCanStateKind kind;
  guint tx_errors, rx_errors;
  guint unheard; /* ACK errors since the last frame that went well */
  guint garbled; /* bit, form and stuff errors since then */
} RbCanHealth;

/* An error frame. */
void rb_can_health_error (RbCanHealth *self, const RbCanFrame *frame);
/* A frame came, or one of ours was acknowledged. */
void rb_can_health_good (RbCanHealth *self);
/* The backend knows better; what it does not know is kept. */
void rb_can_health_merge (RbCanHealth *self, const RbCanState *state);
const char *rb_can_health_trouble (const RbCanHealth *self);
/* For people, static; NULL with no trouble. */
const char *rb_can_health_text (const char *trouble);
RbReason rb_can_health_reason (const char *trouble);
