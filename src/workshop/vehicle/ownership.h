/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <glib.h>

/*
 * What the workstation signs to prove ownership of its certificate in Authentication (0x29, ISO 14229-1:2020, 10.6):
 * "recallbay-0x29-v2", then direction, VIN, ECU serial number, challenge of the server, challenge of the client and
 * SHA-256 of the client's certificate (DER), each with its length as u16 big endian before it. A signature that one ECU
 * obtained is rejected by every other ECU. Vector: data/vectors/ecu-authentication.json.
 */
typedef struct {
  const char *vin; /* of the campaign, which equals the plate's and the vehicle's */
  const char *serial; /* as the Director's targets assign it to the address, never as the ECU claims it */
} RbOwnership;

/* The bytes that a client of that certificate signs. (transfer full) */
GBytes *rb_ownership_message (const RbOwnership *self, GBytes *server, GBytes *client, GBytes *certificate);
/* TRUE when a server's challenge begins as such a message does: signed bare, it would be a proof to another ECU. */
gboolean rb_ownership_is_imitated (GBytes *challenge);
