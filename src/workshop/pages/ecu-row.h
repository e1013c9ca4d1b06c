/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "pages/ecu-text.h"

/* An ECU in work. */
#define RB_TYPE_ECU_ROW (rb_ecu_row_get_type ())
G_DECLARE_FINAL_TYPE (RbEcuRow, rb_ecu_row, RB, ECU_ROW, AdwPreferencesRow)
RbEcuRow *rb_ecu_row_new (void);
void rb_ecu_row_show (RbEcuRow *self, const RbSessionEcu *unit);
