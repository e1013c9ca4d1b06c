/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "sim-ecu/ecu-state.h"

/* (RbService) 0x22, all identifiers of an ECU: those of ISO 14229-1, and FD00 to FD20 of data/doc/ecu-protocol.md. */
guint8 rb_identification_read (RbEcu *self, RbReader *request, GByteArray *out);
