/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <glib.h>
#include "crypto/error.h"

/* AUTOSAR SHE memory update protocol (SHE specification 4.7, vectors in its 13.7). Only the OEM, which
 * knows the keys, and the simulated ECU compute these; the workstation relays M1–M3 and compares M4, M5. */
typedef struct {
  guint8 m1[16];
  guint8 m2[32];
  guint8 m3[16];
  guint8 m4[32];
  guint8 m5[16];
} RbSheUpdate;

typedef struct {
  guint8 uid[15];
  guint8 slot; /* key id 0..15 */
  guint8 auth_slot; /* 1 = MASTER_ECU_KEY */
  guint32 counter; /* 28 bit, must grow */
  guint8 flags; /* 5 bit FID */
} RbSheSlot;

void rb_she_update (const RbSheSlot *slot, const guint8 auth_key[16], const guint8 new_key[16], RbSheUpdate *out);
/* What an ECU does with M1–M3: checks UID, M3, and that the counter is above stored_counter; gives the new
 * key, slot and M4/M5. Errors: refused with which check failed. */
gboolean rb_she_load (const guint8 m1[16], const guint8 m2[32], const guint8 m3[16], const guint8 uid[15],
                      const guint8 auth_key[16], guint32 stored_counter, RbSheSlot *slot, guint8 new_key[16],
                      RbSheUpdate *out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
