/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "crypto/certificate.h"

/*
 * DSSE v1.0.2 envelopes (secure-systems-lab/dsse) with ECDSA signatures in DER, Ed25519 raw,
 * and beside the signatures "verification": {"x5c": [[base64 DER, ...] per signature, in order]}.
 */
typedef struct _RbDsse RbDsse;
/* PAE(type, payload). (transfer full) */
GBytes *rb_dsse_pae (const char *payload_type, GBytes *payload);
RbDsse *rb_dsse_new (const char *payload_type, GBytes *payload);
/* Adds a signature of rb_dsse_pae() that was made elsewhere. keyid is the id of the first certificate of chain (of
 * RbCertificate). */
void rb_dsse_add (RbDsse *self, const char *keyid, GBytes *signature, GPtrArray *chain);
/* At most max bytes; structure only, no signature is checked. */
RbDsse *rb_dsse_parse (GBytes *json, gsize max, GError **error) G_GNUC_WARN_UNUSED_RESULT;
GBytes *rb_dsse_to_json (RbDsse *self); /* (transfer full) */
void rb_dsse_free (RbDsse *self);
const char *rb_dsse_payload_type (RbDsse *self);
GBytes *rb_dsse_payload (RbDsse *self); /* borrowed; parse these bytes, never the envelope again */
const char *rb_dsse_digest (RbDsse *self); /* sha256 of the PAE, hex, borrowed: the name of a record */
guint rb_dsse_signature_count (RbDsse *self);
/* chain (of RbCertificate) beside signature i, borrowed; NULL when there is none */
GPtrArray *rb_dsse_chain (RbDsse *self, guint i);
/* Is signature i one by the key of the first certificate of its chain? (certificates themselves are not verified) */
gboolean rb_dsse_signature_is_valid (RbDsse *self, guint i) G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_dsse_verify_with_key (RbDsse *self, guint i, RbPublicKey *key) G_GNUC_WARN_UNUSED_RESULT;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbDsse, rb_dsse_free)
