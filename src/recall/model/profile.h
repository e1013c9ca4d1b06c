/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "model/error.h"
#include "model/recipe.h"

/* How one hardware id is unlocked, flashed, given metadata and keys, and asked for its report, over UDS. JSON:
 * data/schemas/profile.json. Immutable. */
typedef enum { RB_UNLOCK_NONE, RB_UNLOCK_AUTHENTICATION /* 0x29 */, RB_UNLOCK_SECURITY_ACCESS /* 0x27 */ } RbUnlock;
typedef enum { RB_KEY_KIND_NONE, RB_KEY_KIND_ASYMMETRIC, RB_KEY_KIND_SHE } RbKeyKind;
typedef enum {
  RB_STEP_UNLOCK,
  RB_STEP_ROOTS,
  RB_STEP_DROP,
  RB_STEP_METADATA,
  RB_STEP_IMAGE,
  RB_STEP_RESET,
  RB_STEP_CODING,
  RB_STEP_KEY,
  RB_STEP_REPORT
} RbStep;
const char *rb_profile_step_name (RbStep step);

/* A value that an erasure loses and no image holds: coding, adaptation. */
typedef struct {
  guint16 did;
  char *name; /* for people */
  GBytes *empty; /* what an ECU without coding tells; NULL: it rejects the request (0x22, 0x31) */
} RbProfileCoding;
#define RB_PROFILE_MAX_CODING 32
#define RB_PROFILE_MAX_CODING_BYTES 255

typedef struct {
  char *id;
  char *name;
  /* timing, milliseconds */
  gint64 p2_ms, p2_star_ms, s3_ms, erase_ms, boot_ms;
  gint64 p2_max_ms, p2_star_max_ms; /* most that the ECU may announce, 0: the client's default */
  gint64 busy_ms, security_delay_ms; /* how long 0x21 and 0x94, and 0x37, are waited for, 0: the client's default */
  guint max_pending;
  guint lost_responses; /* lost in a row before the ECU is parked */
  gboolean disable_rx; /* CommunicationControl around a run that writes: 28 03, else 28 01 */
  RbUnlock unlock;
  gboolean bare_challenge; /* 0x29: the ECU accepts a signature over its challenge only, which can be relayed */
  guint8 security_level; /* 0x27 */
  char *security_algorithm; /* "xor-a5a5a5a5" or NULL */
  /* data identifiers, 0: the ECU has none */
  guint16 did_vin, did_serial, did_hardware_id, did_software, did_boot, did_director_root, did_image_root, did_key_id,
    did_stored_metadata, did_voltage, did_ignition, did_speed, did_she_counter;
  guint16 did_part_number; /* of the spare part; F187 unless the profile says otherwise */
  guint16 did_rxswin; /* UN R156 software identification; F1EF unless the profile says otherwise */
  guint16 did_fingerprint; /* written before an erasure, 0: the ECU has none */
  GPtrArray *coding; /* of RbProfileCoding; may be empty, never NULL from rb_profile_parse() */
  /* flashing */
  guint16 routine_erase, routine_digest, routine_dependencies;
  gboolean digest_by_bootloader; /* digest over a nonce, computed from flash in a programming session */
  gsize max_block; /* cap on data bytes of a TransferData, 0 none */
  /* roots and metadata */
  guint16 routine_install, routine_anchor, routine_drop;
  gboolean root_in_image; /* no routine overwrites its roots: they are those of the image that it runs */
  /* keys and reports */
  RbKeyKind key_kind;
  guint16 routine_make_key, routine_prove_key, routine_she_load, routine_report, routine_manifest;
  guint8 she_slot;
  RbStep *order;
  guint n_order;
  gboolean abort_recoverable;
  RbRecipe *recipe; /* NULL: none */
} RbProfile;
gboolean rb_profile_has_step (const RbProfile *self, RbStep step);
RbProfile *rb_profile_parse (GBytes *json, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_profile_free (RbProfile *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbProfile, rb_profile_free)
