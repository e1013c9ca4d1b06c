/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "crypto/certificate.h"
#include "model/reference-values.h"
#include "record/outcome.h"

/*
 * The verifier of records: from bytes to a verdict, with nothing but the anchors and bundles it is given. It names
 * the first thing wrong, in this order: size, base64, signatures, certificates at the time the record claims,
 * members, result computed again (with the proofs of possession and reports inside), and against a bundle the
 * campaign, scope, images, roots, nonces, and the signers by the OEM's trust list at the time the record claims.
 */

typedef struct {
  GPtrArray *anchors; /* of RbCertificate; NULL: certificates are not checked */
  GPtrArray *bundles; /* of RbReferenceValues; NULL: not checked */
  gint64 received; /* signers revoked until then are denied, whatever time the record claims; 0: by its time only */
  gboolean other_campaigns; /* a record of none of their campaigns is left unchecked instead of denied */
} RbVerifyRequest;

RbVerifyOutcome *rb_verify_record (GBytes *envelope, const RbVerifyRequest *request);
