/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/digest.h"

#include "core/bytes.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
#include <string.h>

struct _RbSha256 {
  EVP_MD_CTX *context;
};

/* Digests fail only when there is no memory or no provider, and then nothing here can be trusted. */
#define MUST(call) \
  do { \
    if ((call) <= 0) \
      g_error ("OpenSSL: " #call " failed"); \
  } while (0)

void
rb_digest_sha256 (gconstpointer data, gsize length, guint8 out[RB_SHA256_LENGTH])
{
  MUST (EVP_Digest (data, length, out, NULL, EVP_sha256 (), NULL));
}

char *
rb_digest_sha256_hex (gconstpointer data, gsize length)
{
  guint8 digest[RB_SHA256_LENGTH];
  rb_digest_sha256 (data, length, digest);
  return rb_bytes_to_hex (digest, sizeof digest);
}

char *
rb_digest_sha256_hex_of (GBytes *bytes)
{
  gsize length = 0;
  gconstpointer data = g_bytes_get_data (bytes, &length);
  return rb_digest_sha256_hex (data, length);
}

char *
rb_digest_sha512_hex (gconstpointer data, gsize length)
{
  guint8 digest[64];
  MUST (EVP_Digest (data, length, digest, NULL, EVP_sha512 (), NULL));
  return rb_bytes_to_hex (digest, sizeof digest);
}

static OSSL_PARAM
octets (const char *name, GBytes *bytes)
{
  gsize length = 0;
  gconstpointer data = g_bytes_get_data (bytes, &length);
  return OSSL_PARAM_construct_octet_string (name, (void *) (length == 0 ? "" : data), length);
}

GBytes *
rb_digest_hkdf (GBytes *ikm, GBytes *salt, GBytes *info, gsize out_length)
{
  guint8 *out = g_malloc (out_length);
  OSSL_PARAM parameters[5];
  guint n = 0;
  parameters[n++] = OSSL_PARAM_construct_utf8_string (OSSL_KDF_PARAM_DIGEST, (char *) "SHA256", 0);
  parameters[n++] = octets (OSSL_KDF_PARAM_KEY, ikm);
  parameters[n++] = octets (OSSL_KDF_PARAM_INFO, info);
  if (salt != NULL && g_bytes_get_size (salt) > 0)
    parameters[n++] = octets (OSSL_KDF_PARAM_SALT, salt);
  parameters[n] = OSSL_PARAM_construct_end ();
  EVP_KDF *kdf = EVP_KDF_fetch (NULL, "HKDF", NULL);
  EVP_KDF_CTX *context = EVP_KDF_CTX_new (kdf);
  MUST (EVP_KDF_derive (context, out, out_length, parameters));
  EVP_KDF_CTX_free (context);
  EVP_KDF_free (kdf);
  return g_bytes_new_take (out, out_length);
}

void
rb_digest_cmac (const guint8 key[16], gconstpointer data, gsize length, guint8 out[16])
{
  const OSSL_PARAM parameters[] = {
    OSSL_PARAM_construct_utf8_string (OSSL_MAC_PARAM_CIPHER, (char *) "AES-128-CBC", 0),
    OSSL_PARAM_construct_end (),
  };
  gsize written = 0;
  EVP_MAC *mac = EVP_MAC_fetch (NULL, "CMAC", NULL);
  EVP_MAC_CTX *context = EVP_MAC_CTX_new (mac);
  MUST (EVP_MAC_init (context, key, 16, parameters));
  MUST (EVP_MAC_update (context, data, length));
  MUST (EVP_MAC_final (context, out, &written, 16));
  EVP_MAC_CTX_free (context);
  EVP_MAC_free (mac);
}

GBytes *
rb_digest_random (gsize length)
{
  guint8 *data = g_malloc (length);
  MUST (RAND_bytes (data, (int) length));
  return g_bytes_new_take (data, length);
}

RbSha256 *
rb_digest_sha256_new (void)
{
  RbSha256 *self = g_new0 (RbSha256, 1);
  self->context = EVP_MD_CTX_new ();
  MUST (EVP_DigestInit_ex2 (self->context, EVP_sha256 (), NULL));
  return self;
}

void
rb_digest_sha256_update (RbSha256 *self, gconstpointer data, gsize length)
{
  MUST (EVP_DigestUpdate (self->context, data, length));
}

char *
rb_digest_sha256_finish (RbSha256 *self)
{
  guint8 digest[RB_SHA256_LENGTH];
  MUST (EVP_DigestFinal_ex (self->context, digest, NULL));
  return rb_bytes_to_hex (digest, sizeof digest);
}

void
rb_digest_sha256_free (RbSha256 *self)
{
  EVP_MD_CTX_free (self->context);
  g_free (self);
}
