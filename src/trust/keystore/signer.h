/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "crypto/key.h"

/*
 * A signing key in a PEM file (PKCS#8), on a PKCS#11 token, or behind a program of a key service. It gives
 * signatures, never the key. Every signature is verified with the public half before it is given out.
 */
typedef struct _RbSigner RbSigner; /* ref counted */

/* References key. label: its place for messages, such as a file name. */
RbSigner *rb_signer_from_key (RbPrivateKey *key, const char *label);
/* where: a file, "pkcs11:…" (secret is the PIN, unless the URI has it), or "exec:PROGRAM ARGUMENT…", which reads the
 * bytes to sign on standard input and writes the raw signature (DER for ECDSA) to standard output. public: the public
 * half where it is known, needed for "exec:"; another key in that place is refused. Errors: not-found, passphrase,
 * identity, malformed. */
RbSigner *rb_signer_open (const char *where, const char *secret, RbPublicKey *public, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Does where name a file? */
gboolean rb_signer_is_file (const char *where);
RbSigner *rb_signer_ref (RbSigner *self);
void rb_signer_unref (RbSigner *self);
RbPublicKey *rb_signer_public (RbSigner *self); /* borrowed */
/* Token label, program, or file name. Borrowed. */
const char *rb_signer_label (RbSigner *self);
/* Under the key's own scheme. Errors: identity, io. (transfer full) */
GBytes *rb_signer_sign (RbSigner *self, GBytes *message, GError **error) G_GNUC_WARN_UNUSED_RESULT;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbSigner, rb_signer_unref)
