/* SPDX-License-Identifier: Apache-2.0 */
#include "keymaker/keygen.h"

#include "crypto/evp.h"
#include "crypto/key-inside.h"

RbPrivateKey *
rb_keygen_new (RbKeyType type, GError **error)
{
  EVP_PKEY *pkey = NULL;
  switch (type) {
  case RB_KEY_ED25519: pkey = EVP_PKEY_Q_keygen (NULL, NULL, "ED25519"); break;
  case RB_KEY_RSA: pkey = EVP_PKEY_Q_keygen (NULL, NULL, "RSA", (size_t) 3072); break;
  case RB_KEY_EC_P256: pkey = EVP_PKEY_Q_keygen (NULL, NULL, "EC", "P-256"); break;
  default: break;
  }
  if (pkey == NULL) {
    rb_evp_set_error (error, RB_REASON_INTERNAL, "making a key");
    return NULL;
  }
  return rb_key_from_evp_private (pkey, error);
}
