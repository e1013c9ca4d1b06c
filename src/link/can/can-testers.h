/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "frame/can.h"

/*
 * Inside link/ and its tests only: requests of another client on the bus. While it watches, a frame counts that has a
 * request id of the vehicle model, 7DF, or an id of ISO 15765-4 (18DAxxSS, 18DBxxSS) whose source SS is an external
 * tester (F0–FD).
 */
typedef struct {
  guint32 *ids;
  guint n; /* 0: it does not watch */
  guint32 heard; /* id of the first frame that counted, 0 */
} RbCanTesters;

/* n 0 ends it; begins anew otherwise. */
void rb_can_testers_watch (RbCanTesters *self, const guint32 *ids, guint n);
void rb_can_testers_note (RbCanTesters *self, const RbCanFrame *frame);
void rb_can_testers_clear (RbCanTesters *self);
