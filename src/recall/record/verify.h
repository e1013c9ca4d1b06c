/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "crypto/certificate.h"
#include "model/evidence.h"
#include "record/error.h"

#include <jansson.h>

/*
 * The verifier of records: from bytes to a verdict, with nothing but the anchors and bundles it is given. It names
 * the first thing wrong, in this order: size, base64, signatures, certificates at the time the record claims,
 * members, result computed again (with the proofs of possession and reports inside), and against a bundle the
 * campaign, scope, images, roots, nonces, and the signers by the OEM's trust list at the time the record claims.
 */

typedef struct {
  GPtrArray *anchors; /* of RbCertificate; NULL: certificates are not checked */
  GPtrArray *bundles; /* of RbEvidence; NULL: not checked */
  gint64 received; /* signers revoked until then are denied, whatever time the record claims; 0: by its time only */
  gboolean other_campaigns; /* a record of none of their campaigns is left unchecked instead of denied */
} RbVerifyRequest;

typedef struct {
  RbReason reason; /* RB_REASON_NONE: authentic and consistent */
  char *message;
  char *digest; /* NULL when there is no envelope to take it of */
  /* Told only when the signatures hold; else NULL, 0. */
  char *type, *result, *vin, *campaign, *workstation, *stream, *previous;
  gint64 sequence;
  gboolean signatures_checked, certificates_checked, result_checked, sequence_checked, campaign_checked,
    creation_checked;
  gint64 revoked_since; /* a signer was revoked after the time that the record claims, which no witness confirms; 0:
                           none was */
  json_t *predicate;
} RbVerifyOutcome;
RbVerifyOutcome *rb_verify_record (GBytes *envelope, const RbVerifyRequest *request);
void rb_verify_outcome_free (RbVerifyOutcome *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbVerifyOutcome, rb_verify_outcome_free)
/* A later finding (chain, --require): kept only when nothing was wrong before. */
void rb_verify_outcome_deny (RbVerifyOutcome *self, RbReason reason, const char *message);
/* {"digest", "type", "result", "vin", "checked"}, and "revoked_since" where it is not 0. (transfer full) */
json_t *rb_verify_outcome_to_json (const RbVerifyOutcome *self);
