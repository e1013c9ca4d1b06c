/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "sim-ecu/ecu-state.h"

/* The DTCs of an ECU: 0x19 02, 0x14 of all, 0x85. RbService each. */
guint8 rb_dtc_service_read (RbEcu *self, RbReader *request, GByteArray *out);
guint8 rb_dtc_service_clear (RbEcu *self, RbReader *request, GByteArray *out);
guint8 rb_dtc_service_control (RbEcu *self, RbReader *request, GByteArray *out);
