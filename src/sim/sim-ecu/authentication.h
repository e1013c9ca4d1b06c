/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "sim-ecu/ecu-state.h"

/* 0x29, variant APCE, unidirectional (ISO 14229-1:2020, 10.6): the tester's certificate under the dealer CA that the
 * ECU was made with, then a signature over what rb_authentication_message() composes. Three wrong proofs lock it for
 * ten seconds, reset or not. */
guint8 rb_authentication_service (RbEcu *self, RbReader *request, GByteArray *out);
/* The bytes that a client signs to unlock this ECU in this vehicle. Written apart from vehicle/ownership.c on purpose.
 */
GByteArray *rb_authentication_message (const char *vin, const char *serial, GBytes *server_challenge,
                                       GBytes *client_challenge, const guint8 client_certificate[RB_SHA256_LENGTH]);
