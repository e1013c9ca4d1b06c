/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "sim/ecu.h"

/* 0x29, variant APCE, unidirectional (ISO 14229-1:2020, 10.6): the tester's certificate under the dealer CA that the ECU
 * was made with, then a signature over the ECU's challenge. Three wrong proofs lock it for ten seconds, reset or not. */
guint8 rb_authentication_service (RbEcu *self, RbReader *request, GByteArray *out);
