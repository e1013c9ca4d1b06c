/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "pages/row.h"
#include "session/session.h"

/* How an ECU is put into words: the same on every screen. */
RbRowState rb_unit_text_state (const RbSessionUnit *unit);
char *rb_unit_text_plan (const RbSessionUnit *unit); /* "Software 1.0.3 → brake-2.0.1.img · …" */
char *rb_unit_text_result (const RbSessionUnit *unit); /* what was read back */
