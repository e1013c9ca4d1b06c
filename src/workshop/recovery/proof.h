/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "model/campaign.h"
#include "recovery/error.h"
#include <jansson.h>

/* Evidence for what an ECU has. No vehicle, no state. */

/* Is digest (hex) SHA-256(nonce ‖ image)? */
gboolean rb_proof_image (GBytes *image, GBytes *nonce, const char *digest);
/* The id of the key when proof is its signature over this vehicle, ECU, campaign and challenge; NULL otherwise.
 * (transfer full) */
char *rb_proof_possession (const RbCampaign *campaign, const char *vin, const char *serial, GBytes *spki,
                           GBytes *challenge, GBytes *proof);
/* update: {"serial","slot","counter","m1"…"m3","answer_sha256"} of she.json, the last of M4‖M5. M1‖M2‖M3; NULL when it
 * is malformed. (transfer full) */
GBytes *rb_proof_she_request (const json_t *update);
/* Is answer the expected M4‖M5? */
gboolean rb_proof_she_answer (const json_t *update, GBytes *answer);
gboolean rb_proof_she (const json_t *update, guint slot, gint64 counter, GBytes *answer);
/* Is report this ECU's, about this image, for these nonces, and signed by spki (NULL: the signature is not verified)?
 * Errors: report-not-proven. */
gboolean rb_proof_report (GBytes *report, GBytes *spki, const char *vin, const char *serial, const char *image_sha256,
                          GBytes *nonce, GBytes *challenge, GError **error) G_GNUC_WARN_UNUSED_RESULT;
