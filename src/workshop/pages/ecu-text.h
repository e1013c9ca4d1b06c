/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "pages/row.h"
#include "session/session.h"

/* How an ECU is put into words: the same on every screen. */
RbRowState rb_ecu_text_state (const RbSessionEcu *unit);
char *rb_ecu_text_plan (const RbSessionEcu *unit); /* "Software 1.0.3 → brake-2.0.1.img · …" */
char *rb_ecu_text_result (const RbSessionEcu *unit); /* what was read back */
