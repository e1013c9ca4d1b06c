/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "vehicle/ecu-client.h"

/* The keys of an ECU, and what it signs with them. */

/* The ECU makes a key pair; its SPKI. Extended session, unlocked. (transfer full) */
GBytes *rb_ecu_keys_make (RbEcuClient *self, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Asks for a proof of possession; gives SPKI and signature, neither verified. */
gboolean rb_ecu_keys_prove (RbEcuClient *self, const char *campaign, GBytes *nonce, GBytes *challenge, GBytes **spki,
                            GBytes **signature, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* M1‖M2‖M3 → M4‖M5. Extended session, unlocked. (transfer full) */
GBytes *rb_ecu_keys_load_she (RbEcuClient *self, GBytes *m123, GCancellable *cancellable, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Slot and counter of the SHE key, and the M4‖M5 of the last load (NULL when the ECU has none). */
gboolean rb_ecu_keys_read_she (RbEcuClient *self, guint *slot, gint64 *counter, GBytes **proof,
                               GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Report or, from a Primary, vehicle version manifest. (transfer full) */
GBytes *rb_ecu_keys_report (RbEcuClient *self, GBytes *nonce, GBytes *challenge, GCancellable *cancellable,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
GBytes *rb_ecu_keys_manifest (RbEcuClient *self, GBytes *nonce, GBytes *challenge, GCancellable *cancellable,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;
