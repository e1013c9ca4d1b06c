/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/key.h"

#include "core/bytes.h"
#include "crypto/digest.h"
#include "crypto/evp.h"
#include "crypto/key-inside.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>

#define MIN_RSA_BITS 2048

struct _RbPublicKey {
  EVP_PKEY *pkey;
  RbKeyType type;
  GBytes *spki;
  char *id;
};

struct _RbPrivateKey {
  EVP_PKEY *pkey;
  RbPublicKey *public_key;
};

static gboolean
type_of (EVP_PKEY *pkey, RbKeyType *type, GError **error)
{
  char curve[64] = "";
  switch (EVP_PKEY_get_base_id (pkey)) {
  case EVP_PKEY_ED25519: *type = RB_KEY_ED25519; return TRUE;
  case EVP_PKEY_RSA:
    *type = RB_KEY_RSA;
    if (EVP_PKEY_get_bits (pkey) >= MIN_RSA_BITS)
      return TRUE;
    g_set_error (error, RB_CRYPTO_ERROR, RB_REASON_UNSAFE_ALGORITHM, "RSA key of %d bits, at least %d are needed",
                 EVP_PKEY_get_bits (pkey), MIN_RSA_BITS);
    return FALSE;
  case EVP_PKEY_EC:
    *type = RB_KEY_EC_P256;
    if (EVP_PKEY_get_group_name (pkey, curve, sizeof curve, NULL) == 1 && strcmp (curve, "prime256v1") == 0)
      return TRUE;
    g_set_error (error, RB_CRYPTO_ERROR, RB_REASON_UNSAFE_ALGORITHM, "elliptic curve “%s”, only P-256 is used", curve);
    return FALSE;
  default:
    g_set_error_literal (error, RB_CRYPTO_ERROR, RB_REASON_UNSAFE_ALGORITHM, "key of an algorithm that is not used");
    return FALSE;
  }
}

static EVP_PKEY *
p256_from_point (gconstpointer raw, gsize length)
{
  OSSL_PARAM parameters[] = {
    OSSL_PARAM_construct_utf8_string (OSSL_PKEY_PARAM_GROUP_NAME, (char *) "prime256v1", 0),
    OSSL_PARAM_construct_octet_string (OSSL_PKEY_PARAM_PUB_KEY, (void *) raw, length),
    OSSL_PARAM_construct_end (),
  };
  g_autoptr (EVP_PKEY_CTX) context = EVP_PKEY_CTX_new_from_name (NULL, "EC", NULL);
  EVP_PKEY *pkey = NULL;
  if (EVP_PKEY_fromdata_init (context) != 1 || EVP_PKEY_fromdata (context, &pkey, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
    return NULL;
  return pkey;
}

/* A point can be written in four ways and a curve in two; signers are counted by SPKI, so a key may have only one:
 * named curve, uncompressed. Other key types have one encoding. Takes pkey. */
static EVP_PKEY *
in_one_encoding (EVP_PKEY *taken, RbKeyType type)
{
  g_autoptr (EVP_PKEY) pkey = taken;
  if (type != RB_KEY_EC_P256)
    return g_steal_pointer (&pkey);
  guint8 point[65] = { 0x04 };
  BIGNUM *x = NULL, *y = NULL;
  gboolean read = EVP_PKEY_get_bn_param (pkey, OSSL_PKEY_PARAM_EC_PUB_X, &x) == 1
                  && EVP_PKEY_get_bn_param (pkey, OSSL_PKEY_PARAM_EC_PUB_Y, &y) == 1
                  && BN_bn2binpad (x, &point[1], 32) == 32 && BN_bn2binpad (y, &point[33], 32) == 32;
  BN_free (x);
  BN_free (y);
  return read ? p256_from_point (point, sizeof point) : NULL;
}

static GBytes *
spki_of (EVP_PKEY *pkey)
{
  unsigned char *der = NULL;
  int length = i2d_PUBKEY (pkey, &der);
  if (length <= 0)
    return NULL;
  GBytes *bytes = g_bytes_new (der, (gsize) length);
  OPENSSL_free (der);
  return bytes;
}

RbPublicKey *
rb_key_from_evp_public (EVP_PKEY *pkey, GError **error)
{
  g_autoptr (EVP_PKEY) owned = pkey;
  RbKeyType type;
  if (!type_of (owned, &type, error))
    return NULL;
  owned = in_one_encoding (g_steal_pointer (&owned), type);
  g_autoptr (GBytes) spki = owned == NULL ? NULL : spki_of (owned);
  if (spki == NULL) {
    rb_evp_set_error (error, RB_REASON_MALFORMED, "public key");
    return NULL;
  }
  RbPublicKey *self = g_atomic_rc_box_new0 (RbPublicKey);
  self->pkey = g_steal_pointer (&owned);
  self->type = type;
  self->id = rb_digest_sha256_hex_of (spki);
  self->spki = g_steal_pointer (&spki);
  return self;
}

RbPublicKey *
rb_key_public_from_spki (GBytes *spki, GError **error)
{
  gsize length = 0;
  const unsigned char *start = g_bytes_get_data (spki, &length);
  const unsigned char *at = start;
  EVP_PKEY *pkey = length == 0 ? NULL : d2i_PUBKEY (NULL, &at, (long) length);
  if (pkey == NULL || (gsize) (at - start) != length) {
    EVP_PKEY_free (pkey);
    rb_evp_set_error (error, RB_REASON_MALFORMED, "not a SubjectPublicKeyInfo");
    return NULL;
  }
  return rb_key_from_evp_public (pkey, error);
}

RbPublicKey *
rb_key_public_from_pem (const char *pem, GError **error)
{
  g_autoptr (BIO) bio = rb_evp_bio (pem, strlen (pem));
  EVP_PKEY *pkey = PEM_read_bio_PUBKEY (bio, NULL, NULL, NULL);
  if (pkey == NULL) {
    rb_evp_set_error (error, RB_REASON_MALFORMED, "not a public key in PEM");
    return NULL;
  }
  return rb_key_from_evp_public (pkey, error);
}

RbPublicKey *
rb_key_public_from_ed25519 (gconstpointer raw, gsize length, GError **error)
{
  EVP_PKEY *pkey = length == 32 ? EVP_PKEY_new_raw_public_key (EVP_PKEY_ED25519, NULL, raw, length) : NULL;
  if (pkey == NULL) {
    rb_evp_set_error (error, RB_REASON_MALFORMED, "not an Ed25519 public key");
    return NULL;
  }
  return rb_key_from_evp_public (pkey, error);
}

RbPublicKey *
rb_key_public_from_p256_point (gconstpointer raw, gsize length, GError **error)
{
  EVP_PKEY *pkey = p256_from_point (raw, length);
  if (pkey == NULL) {
    rb_evp_set_error (error, RB_REASON_MALFORMED, "not a point of P-256");
    return NULL;
  }
  return rb_key_from_evp_public (pkey, error);
}

RbPublicKey *
rb_key_public_ref (RbPublicKey *self)
{
  return g_atomic_rc_box_acquire (self);
}

static void
public_clear (gpointer data)
{
  RbPublicKey *self = data;
  EVP_PKEY_free (self->pkey);
  g_bytes_unref (self->spki);
  g_free (self->id);
}

void
rb_key_public_unref (RbPublicKey *self)
{
  g_atomic_rc_box_release_full (self, public_clear);
}

RbKeyType
rb_key_public_type (RbPublicKey *self)
{
  return self->type;
}

RbScheme
rb_key_public_scheme (RbPublicKey *self)
{
  switch (self->type) {
  case RB_KEY_RSA: return RB_SCHEME_RSASSA_PSS_SHA256;
  case RB_KEY_EC_P256: return RB_SCHEME_ECDSA_P256_SHA256;
  case RB_KEY_ED25519:
  default: return RB_SCHEME_ED25519;
  }
}

GBytes *
rb_key_public_spki (RbPublicKey *self)
{
  return self->spki;
}

const char *
rb_key_public_id (RbPublicKey *self)
{
  return self->id;
}

GBytes *
rb_key_public_ed25519 (RbPublicKey *self)
{
  guint8 raw[32];
  size_t length = sizeof raw;
  if (self->type != RB_KEY_ED25519 || EVP_PKEY_get_raw_public_key (self->pkey, raw, &length) != 1)
    return NULL;
  return g_bytes_new (raw, length);
}

char *
rb_key_public_pem (RbPublicKey *self)
{
  g_autoptr (BIO) bio = BIO_new (BIO_s_mem ());
  if (PEM_write_bio_PUBKEY (bio, self->pkey) != 1)
    g_error ("a public key could not be written");
  g_autoptr (GBytes) bytes = rb_evp_bio_bytes (bio);
  return g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

gboolean
rb_key_public_equal (RbPublicKey *a, RbPublicKey *b)
{
  return g_bytes_equal (a->spki, b->spki);
}

EVP_PKEY *
rb_key_evp_public (RbPublicKey *key)
{
  return key->pkey;
}

EVP_PKEY *
rb_key_evp_private (RbPrivateKey *key)
{
  return key->pkey;
}

static const struct {
  RbKeyType type;
  const char *digest;
  int padding;
} schemes[] = {
  [RB_SCHEME_ED25519] = { RB_KEY_ED25519, NULL, 0 },
  [RB_SCHEME_RSASSA_PSS_SHA256] = { RB_KEY_RSA, "SHA256", RSA_PKCS1_PSS_PADDING },
  [RB_SCHEME_RSASSA_PSS_SHA384] = { RB_KEY_RSA, "SHA384", RSA_PKCS1_PSS_PADDING },
  [RB_SCHEME_RSASSA_PSS_SHA512] = { RB_KEY_RSA, "SHA512", RSA_PKCS1_PSS_PADDING },
  [RB_SCHEME_RSA_PKCS1V15_SHA256] = { RB_KEY_RSA, "SHA256", RSA_PKCS1_PADDING },
  [RB_SCHEME_ECDSA_P256_SHA256] = { RB_KEY_EC_P256, "SHA256", 0 },
  [RB_SCHEME_ECDSA_P256_SHA512] = { RB_KEY_EC_P256, "SHA512", 0 },
};

static gboolean
set_padding (EVP_PKEY_CTX *context, RbScheme scheme, int salt)
{
  int padding = schemes[scheme].padding;
  return padding == 0
         || (EVP_PKEY_CTX_set_rsa_padding (context, padding) == 1
             && (padding != RSA_PKCS1_PSS_PADDING || EVP_PKEY_CTX_set_rsa_pss_saltlen (context, salt) == 1));
}

gboolean
rb_key_verify (RbPublicKey *self, RbScheme scheme, gconstpointer message, gsize length, gconstpointer signature,
               gsize signature_length)
{
  if (scheme >= G_N_ELEMENTS (schemes) || schemes[scheme].type != self->type)
    return FALSE;
  g_autoptr (EVP_MD_CTX) context = EVP_MD_CTX_new ();
  EVP_PKEY_CTX *inner = NULL; /* owned by context */
  gboolean good = EVP_DigestVerifyInit_ex (context, &inner, schemes[scheme].digest, NULL, NULL, self->pkey, NULL) == 1
                  && set_padding (inner, scheme, RSA_PSS_SALTLEN_AUTO)
                  && EVP_DigestVerify (context, signature, signature_length, message, length) == 1;
  ERR_clear_error ();
  return good;
}

RbPrivateKey *
rb_key_from_evp_private (EVP_PKEY *pkey, GError **error)
{
  if (EVP_PKEY_up_ref (pkey) != 1)
    g_error ("a key could not be referenced");
  RbPublicKey *public_key = rb_key_from_evp_public (pkey, error);
  if (public_key == NULL) {
    EVP_PKEY_free (pkey);
    return NULL;
  }
  RbPrivateKey *self = g_atomic_rc_box_new0 (RbPrivateKey);
  self->pkey = pkey;
  self->public_key = public_key;
  return self;
}

static int
give_passphrase (char *buffer, int size, int writing, void *user_data)
{
  const char *passphrase = user_data;
  gsize length = passphrase == NULL ? 0 : strlen (passphrase);
  if (length == 0 || length > (gsize) size)
    return -1;
  memcpy (buffer, passphrase, length);
  return (int) length;
}

void
rb_key_set_passphrase_error (GError **error, const char *passphrase)
{
  ERR_clear_error ();
  g_set_error_literal (error, RB_CRYPTO_ERROR, RB_REASON_PASSPHRASE,
                       passphrase == NULL || *passphrase == '\0' ? "the key is encrypted and no passphrase was given"
                                                                 : "the passphrase is not right");
}

RbPrivateKey *
rb_key_private_from_pem (const char *pem, const char *passphrase, GError **error)
{
  g_autoptr (BIO) bio = rb_evp_bio (pem, strlen (pem));
  EVP_PKEY *pkey = PEM_read_bio_PrivateKey (bio, NULL, give_passphrase, (void *) passphrase);
  if (pkey != NULL)
    return rb_key_from_evp_private (pkey, error);
  gboolean encrypted = strstr (pem, "ENCRYPTED") != NULL;
  if (encrypted)
    rb_key_set_passphrase_error (error, passphrase);
  else
    rb_evp_set_error (error, RB_REASON_MALFORMED, "not a private key in PEM");
  return NULL;
}

RbPrivateKey *
rb_key_private_ref (RbPrivateKey *self)
{
  return g_atomic_rc_box_acquire (self);
}

static void
private_clear (gpointer data)
{
  RbPrivateKey *self = data;
  EVP_PKEY_free (self->pkey); /* OpenSSL wipes private keys */
  rb_key_public_unref (self->public_key);
}

void
rb_key_private_unref (RbPrivateKey *self)
{
  g_atomic_rc_box_release_full (self, private_clear);
}

RbPublicKey *
rb_key_private_public (RbPrivateKey *self)
{
  return self->public_key;
}

GBytes *
rb_key_sign (RbPrivateKey *self, gconstpointer message, gsize length, GError **error)
{
  RbScheme scheme = rb_key_public_scheme (self->public_key);
  g_autoptr (EVP_MD_CTX) context = EVP_MD_CTX_new ();
  EVP_PKEY_CTX *inner = NULL; /* owned by context */
  size_t size = 0;
  if (EVP_DigestSignInit_ex (context, &inner, schemes[scheme].digest, NULL, NULL, self->pkey, NULL) != 1
      || !set_padding (inner, scheme, RSA_PSS_SALTLEN_DIGEST)
      || EVP_DigestSign (context, NULL, &size, message, length) != 1) {
    rb_evp_set_error (error, RB_REASON_INTERNAL, "signing");
    return NULL;
  }
  g_autofree guint8 *signature = g_malloc (size);
  if (EVP_DigestSign (context, signature, &size, message, length) != 1) {
    rb_evp_set_error (error, RB_REASON_INTERNAL, "signing");
    return NULL;
  }
  return g_bytes_new_take (g_steal_pointer (&signature), size);
}

char *
rb_key_private_pem (RbPrivateKey *self, const char *passphrase)
{
  g_autoptr (BIO) bio = BIO_new (BIO_s_mem ());
  const EVP_CIPHER *cipher = passphrase == NULL ? NULL : EVP_aes_256_cbc ();
  if (PEM_write_bio_PKCS8PrivateKey (bio, self->pkey, cipher, passphrase,
                                     passphrase == NULL ? 0 : (int) strlen (passphrase), NULL, NULL)
      != 1)
    g_error ("a private key could not be written");
  char *data = NULL;
  long length = BIO_get_mem_data (bio, &data);
  return g_strndup (data, (gsize) MAX (length, 0));
}
