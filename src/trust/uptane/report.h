/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "crypto/key.h"
#include "uptane/error.h"
#include <jansson.h>

/*
 * ECU version reports and vehicle version manifests (members as aktualizr writes them, with the additions of
 * the Standard). A report's signed part:
 *  {"attacks_detected":"","ecu_serial":…,"hardware_id":…,"vin":…,"installed_image":{"filepath":…,"fileinfo":{"length":…,
 *   "hashes":{"sha256":…}}},"nonce":hex,"challenge":hex,"director_root":{"version":…,"sha256":…}|null,
 *   "image_root":{…}|null,"key_id":…,"report_counter":"12","timeserver_time":…,"previous_timeserver_time":…}
 * enveloped {"signatures":[{"keyid","method","sig"}],"signed":…}. Method "ed25519", "ecdsa-p256" or, for a SHE key,
 * "aes-cmac" (sig = 16 bytes), which only the OEM can check.
 */
/* Signs with an asymmetric key. (transfer full) */
GBytes *rb_report_sign (json_t *signed_part, RbPrivateKey *key, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Signs with a symmetric key under key id "she:SLOT:COUNTER". (transfer full) */
GBytes *rb_report_mac (json_t *signed_part, const guint8 key[16], const char *key_id);
/* Parses and checks the signature by key over the canonical signed part; key NULL: signature not verified (deferred).
 * Gives the signed part (transfer full). */
json_t *rb_report_verify (GBytes *envelope, RbPublicKey *key, const char *serial, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* {"primary_ecu_serial","vin","nonce","ecu_version_manifests":{SERIAL: report envelope}} signed by the Primary's key.
 */
GBytes *rb_report_manifest (const char *vin, const char *primary_serial, const char *nonce_hex, GHashTable *reports,
                            RbPrivateKey *key, GError **error) G_GNUC_WARN_UNUSED_RESULT;
