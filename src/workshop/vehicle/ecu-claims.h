/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "vehicle/ecu-client.h"

/* Identification that an ECU reports. */

typedef struct {
  gint64 version; /* 0: the ECU keeps none */
  char sha256[65]; /* "" then */
} RbEcuRoot;

typedef struct {
  int repo; /* 0 Director, 1 Image */
  char *role;
  gint64 version;
  char sha256[65];
} RbEcuStoredRole;

/* Why an ECU is in its bootloader, by its own word. */
typedef enum {
  RB_ECU_BOOT_UNKNOWN, /* it does not say, or it is not */
  RB_ECU_BOOT_INTERRUPTED, /* a download was interrupted */
  RB_ECU_BOOT_NO_BANK, /* none of its banks holds a valid application */
} RbEcuBootCause;
const char *rb_ecu_claims_boot_word (RbEcuBootCause cause); /* "download-interrupted", "no-valid-bank"; static */

/* Identification that an ECU reports. Claims: none of it is evidence. */
typedef struct {
  char *serial, *hardware_id, *software, *key_id;
  char *rxswin; /* UN R156; "" where the ECU has none */
  gboolean application; /* running, else the bootloader */
  gboolean application_valid;
  RbEcuBootCause boot_cause;
  RbEcuRoot director, image;
  GPtrArray *stored; /* of RbEcuStoredRole */
  char claimed_sha256[65]; /* of the image; "" when it says none */
} RbEcuClaims;
void rb_ecu_claims_free (RbEcuClaims *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbEcuClaims, rb_ecu_claims_free)

/* software, key_id and rxswin are "" where the ECU rejects the request. Serial number and hardware id are never "":
 * wrong-answer. */
RbEcuClaims *rb_ecu_claims_read (RbEcuClient *self, GCancellable *cancellable, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
