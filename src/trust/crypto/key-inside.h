/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "crypto/key.h"

#include <openssl/evp.h>

/* OpenSSL's view of keys, for crypto/, keymaker/ and keystore/ only. */

/* Takes pkey, also on failure. */
RbPrivateKey *rb_key_from_evp_private (EVP_PKEY *pkey, GError **error) G_GNUC_WARN_UNUSED_RESULT;
RbPublicKey *rb_key_from_evp_public (EVP_PKEY *pkey, GError **error) G_GNUC_WARN_UNUSED_RESULT;
EVP_PKEY *rb_key_evp_private (RbPrivateKey *key); /* borrowed */
EVP_PKEY *rb_key_evp_public (RbPublicKey *key); /* borrowed */
