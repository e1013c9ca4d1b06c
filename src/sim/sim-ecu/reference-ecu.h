/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "sim-ecu/ecu-state.h"

/*
 * What an ECU of kind "plain" does that others do not: SecurityAccess whose key is the seed xor A5A5A5A5, a CRC-32 over
 * what was downloaded (0202), dependencies by that check (FF01). It knows nothing of Uptane and needs no seed: for
 * checking testers from outside.
 */
guint8 rb_reference_ecu_security_access (RbEcu *self, RbReader *request, GByteArray *out);
guint8 rb_reference_ecu_check_memory (RbEcu *self, RbReader *request, GByteArray *out);
guint8 rb_reference_ecu_dependencies (RbEcu *self, RbReader *request, GByteArray *out);
