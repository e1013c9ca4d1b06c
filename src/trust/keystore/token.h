/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "crypto/key.h"

/*
 * A key pair on a PKCS#11 token, by RFC 7512 URI through p11-kit. The URI names one token, and one key on it where the
 * token holds several. pin may be NULL where the URI has pin-value or pin-source. Errors: not-found, passphrase (with
 * what the token says of the tries left), identity.
 */
typedef struct _RbToken RbToken;
RbToken *rb_token_open (const char *uri, const char *pin, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Makes a key pair on the token, which never leaves it; label: its name there. exists when the token has a key of that
 * name. */
RbToken *rb_token_make_key (const char *uri, const char *pin, const char *label, RbKeyType type, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
void rb_token_free (RbToken *self);
RbPublicKey *rb_token_public (RbToken *self); /* borrowed */
const char *rb_token_label (RbToken *self); /* of the token; borrowed */
/* A URI of this very key, without its PIN. (transfer full) */
char *rb_token_uri (RbToken *self);
/* Does the URI hold its PIN or say where it is? */
gboolean rb_token_has_pin (const char *uri);
/* Raw for Ed25519 and RSA (PSS, SHA-256), DER for ECDSA. (transfer full) */
GBytes *rb_token_sign (RbToken *self, GBytes *message, GError **error) G_GNUC_WARN_UNUSED_RESULT;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbToken, rb_token_free)
