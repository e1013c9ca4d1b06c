/* SPDX-License-Identifier: Apache-2.0 */
#include "keystore/token-key.h"

#include "crypto/evp.h"
#include "crypto/key-inside.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>

#define MAX_VALUE 4096

/* (transfer full) NULL: it has none. */
static GBytes *
attribute (CK_FUNCTION_LIST *module, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type)
{
  guint8 value[MAX_VALUE];
  CK_ATTRIBUTE wanted = { type, value, sizeof value };
  if (module->C_GetAttributeValue (session, object, &wanted, 1) != CKR_OK || wanted.ulValueLen > sizeof value)
    return NULL;
  return g_bytes_new (value, wanted.ulValueLen);
}

GBytes *
rb_token_key_id (CK_FUNCTION_LIST *module, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE private)
{
  GBytes *id = attribute (module, session, private, CKA_ID);
  return id == NULL ? g_bytes_new (NULL, 0) : id;
}

static CK_OBJECT_HANDLE
find_public (CK_FUNCTION_LIST *module, CK_SESSION_HANDLE session, GBytes *id)
{
  CK_OBJECT_CLASS class = CKO_PUBLIC_KEY;
  CK_OBJECT_HANDLE found = CK_INVALID_HANDLE;
  CK_ULONG n = 0;
  CK_ATTRIBUTE template[] = { { CKA_CLASS, &class, sizeof class },
                              { CKA_ID, (void *) g_bytes_get_data (id, NULL), (CK_ULONG) g_bytes_get_size (id) } };
  if (module->C_FindObjectsInit (session, template, G_N_ELEMENTS (template)) != CKR_OK)
    return CK_INVALID_HANDLE;
  if (module->C_FindObjects (session, &found, 1, &n) != CKR_OK || n == 0)
    found = CK_INVALID_HANDLE;
  module->C_FindObjectsFinal (session);
  return found;
}

static RbPublicKey *
rsa_key (GBytes *modulus, GBytes *exponent, GError **error)
{
  gsize n_length = 0, e_length = 0;
  const guint8 *n = g_bytes_get_data (modulus, &n_length), *e = g_bytes_get_data (exponent, &e_length);
  OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new ();
  BIGNUM *big_n = BN_bin2bn (n, (int) n_length, NULL), *big_e = BN_bin2bn (e, (int) e_length, NULL);
  EVP_PKEY *pkey = NULL;
  g_autoptr (EVP_PKEY_CTX) context = EVP_PKEY_CTX_new_from_name (NULL, "RSA", NULL);
  OSSL_PARAM *parameters = NULL;
  if (OSSL_PARAM_BLD_push_BN (build, OSSL_PKEY_PARAM_RSA_N, big_n) == 1
      && OSSL_PARAM_BLD_push_BN (build, OSSL_PKEY_PARAM_RSA_E, big_e) == 1)
    parameters = OSSL_PARAM_BLD_to_param (build);
  if (parameters == NULL || EVP_PKEY_fromdata_init (context) != 1
      || EVP_PKEY_fromdata (context, &pkey, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
    rb_evp_set_error (error, RB_REASON_IDENTITY, "RSA key of a token");
  OSSL_PARAM_free (parameters);
  OSSL_PARAM_BLD_free (build);
  BN_free (big_n);
  BN_free (big_e);
  return pkey == NULL ? NULL : rb_key_from_evp_public (pkey, error);
}

/* CKA_EC_POINT is the point in a DER OCTET STRING, or, of older modules, the point itself. */
static RbPublicKey *
curve_key (GBytes *point, gboolean edwards, GError **error)
{
  gsize length = 0;
  const guint8 *data = g_bytes_get_data (point, &length);
  gsize wanted = edwards ? 32 : 65;
  if (length == wanted + 2 && data[0] == 0x04 && data[1] == wanted) {
    data = &data[2];
    length = wanted;
  }
  return edwards ? rb_key_public_from_ed25519 (data, length, error)
                 : rb_key_public_from_p256_point (data, length, error);
}

RbPublicKey *
rb_token_key_read (CK_FUNCTION_LIST *module, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE private, GError **error)
{
  CK_KEY_TYPE type = 0;
  CK_ATTRIBUTE wanted = { CKA_KEY_TYPE, &type, sizeof type };
  g_autoptr (GBytes) id = rb_token_key_id (module, session, private);
  CK_OBJECT_HANDLE public = find_public (module, session, id);
  g_autoptr (GBytes) modulus = public == CK_INVALID_HANDLE ? NULL : attribute (module, session, public, CKA_MODULUS);
  g_autoptr (GBytes) exponent
    = public == CK_INVALID_HANDLE ? NULL : attribute (module, session, public, CKA_PUBLIC_EXPONENT);
  g_autoptr (GBytes) point = public == CK_INVALID_HANDLE ? NULL : attribute (module, session, public, CKA_EC_POINT);
  if (module->C_GetAttributeValue (session, private, &wanted, 1) == CKR_OK) {
    if (type == CKK_RSA && modulus != NULL && exponent != NULL)
      return rsa_key (modulus, exponent, error);
    if ((type == CKK_EC || type == CKK_EC_EDWARDS) && point != NULL)
      return curve_key (point, type == CKK_EC_EDWARDS, error);
  }
  rb_reason_deny (error, RB_CRYPTO_ERROR, RB_REASON_IDENTITY, "its public key cannot be read from the token");
  return NULL;
}
