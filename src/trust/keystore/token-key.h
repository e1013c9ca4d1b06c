/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "crypto/key.h"

#include <p11-kit/pkcs11.h>

/* Inside keystore/ only: what a token says of a private key's public half. */

/* From the public key object of the same id. Errors: identity, unsafe-algorithm. */
RbPublicKey *rb_token_key_read (CK_FUNCTION_LIST *module, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE private,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* CKA_ID; empty when it has none. (transfer full) */
GBytes *rb_token_key_id (CK_FUNCTION_LIST *module, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE private);
