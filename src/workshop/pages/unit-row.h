/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "pages/unit-text.h"

/* An ECU in work. */
#define RB_TYPE_UNIT_ROW (rb_unit_row_get_type ())
G_DECLARE_FINAL_TYPE (RbUnitRow, rb_unit_row, RB, UNIT_ROW, AdwPreferencesRow)
RbUnitRow *rb_unit_row_new (void);
void rb_unit_row_show (RbUnitRow *self, const RbSessionUnit *unit);
