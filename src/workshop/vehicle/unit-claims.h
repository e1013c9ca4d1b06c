/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "vehicle/unit.h"

/* Identification that an ECU reports. */

typedef struct {
  gint64 version; /* 0: the ECU keeps none */
  char sha256[65]; /* "" then */
} RbUnitRoot;

typedef struct {
  int repo; /* 0 Director, 1 Image */
  char *role;
  gint64 version;
  char sha256[65];
} RbUnitStored;

/* Why an ECU is in its bootloader, by its own word. */
typedef enum {
  RB_UNIT_BOOT_UNKNOWN, /* it does not say, or it is not */
  RB_UNIT_BOOT_INTERRUPTED, /* a download was interrupted */
  RB_UNIT_BOOT_NO_BANK, /* none of its banks holds a valid application */
} RbUnitBootCause;
const char *rb_unit_claims_boot_word (RbUnitBootCause cause); /* "download-interrupted", "no-valid-bank"; static */

/* Identification that an ECU reports. Claims: none of it is evidence. */
typedef struct {
  char *serial, *hardware_id, *software, *key_id;
  char *rxswin; /* UN R156; "" where the ECU has none */
  gboolean application; /* running, else the bootloader */
  gboolean application_valid;
  RbUnitBootCause boot_cause;
  RbUnitRoot director, image;
  GPtrArray *stored; /* of RbUnitStored */
  char claimed_sha256[65]; /* of the image; "" when it says none */
} RbUnitClaims;
void rb_unit_claims_free (RbUnitClaims *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbUnitClaims, rb_unit_claims_free)

/* software, key_id and rxswin are "" where the ECU rejects the request. Serial number and hardware id are never "":
 * wrong-answer. */
RbUnitClaims *rb_unit_claims_read (RbUnit *self, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
