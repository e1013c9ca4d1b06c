/* SPDX-License-Identifier: Apache-2.0 */
#include "keystore/identity.h"

#include "core/files.h"
#include "crypto/certificate-inside.h"
#include "crypto/evp.h"
#include "crypto/key-inside.h"
#include "crypto/secret.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#define BEGIN "-----BEGIN "
#define MAX_IDENTITY_FILE (1024 * 1024)

struct _RbIdentity {
  RbPrivateKey *key;
  GPtrArray *chain; /* of RbCertificate, own first */
};

struct _RbIdentitySet {
  char *name;
  GPtrArray *identities;
};

static RbIdentity *
identity_new (RbPrivateKey *key, GPtrArray *chain)
{
  RbIdentity *self = g_atomic_rc_box_new0 (RbIdentity);
  self->key = rb_key_private_ref (key);
  self->chain = g_ptr_array_ref (chain);
  return self;
}

static void
identity_clear (gpointer data)
{
  RbIdentity *self = data;
  rb_key_private_unref (self->key);
  g_ptr_array_unref (self->chain);
}

static RbIdentity *
identity_ref (RbIdentity *self)
{
  return g_atomic_rc_box_acquire (self);
}

void
rb_identity_unref (RbIdentity *self)
{
  g_atomic_rc_box_release_full (self, identity_clear);
}

static gboolean
issued (RbCertificate *issuer, RbCertificate *subject)
{
  return X509_check_issued (rb_certificate_x509 (issuer), rb_certificate_x509 (subject)) == X509_V_OK;
}

/* own, then each certificate of the pool that issued the one before, up to a self-signed one */
static GPtrArray *
chain_for (RbCertificate *own, GPtrArray *pool)
{
  GPtrArray *chain = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_certificate_unref);
  RbCertificate *last = own;
  g_ptr_array_add (chain, rb_certificate_ref (own));
  while (last != NULL && !issued (last, last) && chain->len <= pool->len) {
    RbCertificate *above = NULL;
    for (guint i = 0; i < pool->len && above == NULL; i++)
      if (issued (pool->pdata[i], last))
        above = pool->pdata[i];
    if (above != NULL)
      g_ptr_array_add (chain, rb_certificate_ref (above));
    last = above;
  }
  return chain;
}

static void
pair (RbIdentitySet *self, GPtrArray *keys, GPtrArray *certificates)
{
  for (guint k = 0; k < keys->len; k++)
    for (guint c = 0; c < certificates->len; c++)
      if (rb_key_public_equal (rb_key_private_public (keys->pdata[k]), rb_certificate_key (certificates->pdata[c]))) {
        g_autoptr (GPtrArray) chain = chain_for (certificates->pdata[c], certificates);
        g_ptr_array_add (self->identities, identity_new (keys->pdata[k], chain));
      }
}

/* Each "-----BEGIN … PRIVATE KEY-----" block of a PEM text; (element-type utf8), wiped when it goes. */
static GPtrArray *
key_blocks (const char *pem)
{
  GPtrArray *blocks = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_secret_free);
  for (const char *at = strstr (pem, BEGIN); at != NULL;) {
    const char *title_end = strstr (at + strlen (BEGIN), "-----");
    const char *next = strstr (at + strlen (BEGIN), BEGIN);
    if (title_end != NULL && g_strstr_len (at, title_end - at, "PRIVATE KEY") != NULL)
      g_ptr_array_add (blocks, g_strndup (at, next == NULL ? strlen (at) : (gsize) (next - at)));
    at = next;
  }
  return blocks;
}

static GPtrArray *
keys_in_pem (const char *pem, const char *passphrase, GError **error)
{
  g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_key_private_unref);
  g_autoptr (GPtrArray) blocks = key_blocks (pem);
  for (guint i = 0; i < blocks->len; i++) {
    RbPrivateKey *key = rb_key_private_from_pem (blocks->pdata[i], passphrase, error);
    if (key == NULL)
      return NULL;
    g_ptr_array_add (keys, key);
  }
  return g_steal_pointer (&keys);
}

static gboolean
load_pem (RbIdentitySet *self, const char *pem, const char *passphrase, GError **error)
{
  g_autoptr (GPtrArray) certificates = rb_certificate_list_from_pem (pem, error);
  g_autoptr (GPtrArray) keys = certificates == NULL ? NULL : keys_in_pem (pem, passphrase, error);
  if (keys == NULL)
    return FALSE;
  pair (self, keys, certificates);
  return TRUE;
}

static gboolean
add_certificate (GPtrArray *list, X509 *taken, GError **error)
{
  RbCertificate *certificate = rb_certificate_from_x509 (taken, error);
  if (certificate == NULL)
    return FALSE;
  g_ptr_array_add (list, certificate);
  return TRUE;
}

static gboolean
collect_p12 (EVP_PKEY *pkey, X509 *own, STACK_OF (X509) * rest, GPtrArray *keys, GPtrArray *certificates,
             GError **error)
{
  gboolean good = own != NULL ? add_certificate (certificates, own, error) : TRUE;
  while (sk_X509_num (rest) > 0)
    if (good)
      good = add_certificate (certificates, sk_X509_shift (rest), error);
    else
      X509_free (sk_X509_shift (rest));
  sk_X509_free (rest);
  RbPrivateKey *key = pkey == NULL ? NULL : rb_key_from_evp_private (pkey, good ? error : NULL);
  if (key != NULL)
    g_ptr_array_add (keys, key);
  if (good && pkey == NULL)
    g_set_error_literal (error, RB_CRYPTO_ERROR, RB_REASON_IDENTITY, "there is no key in it");
  return good && key != NULL;
}

static gboolean
load_pkcs12 (RbIdentitySet *self, GBytes *bytes, const char *passphrase, GError **error)
{
  g_autoptr (BIO) bio = rb_evp_bio (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  g_autoptr (PKCS12) p12 = d2i_PKCS12_bio (bio, NULL);
  g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_key_private_unref);
  g_autoptr (GPtrArray) certificates = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_certificate_unref);
  EVP_PKEY *pkey = NULL;
  X509 *own = NULL;
  STACK_OF (X509) *rest = NULL;
  if (p12 == NULL) {
    rb_evp_set_error (error, RB_REASON_IDENTITY, "neither PEM nor PKCS#12");
    return FALSE;
  }
  if (PKCS12_parse (p12, passphrase == NULL ? "" : passphrase, &pkey, &own, &rest) != 1) {
    rb_key_set_passphrase_error (error, passphrase);
    return FALSE;
  }
  if (!collect_p12 (pkey, own, rest, keys, certificates, error))
    return FALSE;
  pair (self, keys, certificates);
  return TRUE;
}

static RbIdentitySet *
set_new (const char *name)
{
  RbIdentitySet *self = g_new0 (RbIdentitySet, 1);
  self->name = g_strdup (name);
  self->identities = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_identity_unref);
  return self;
}

RbIdentitySet *
rb_identity_set_load (const char *path, const char *passphrase, GError **error)
{
  g_autoptr (GBytes) bytes = rb_secret_read (path, MAX_IDENTITY_FILE, error);
  if (bytes == NULL)
    return NULL;
  g_autofree char *name = g_path_get_basename (path);
  g_autoptr (RbIdentitySet) self = set_new (name);
  char *text = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  gboolean loaded = strstr (text, BEGIN) != NULL ? load_pem (self, text, passphrase, error)
                                                 : load_pkcs12 (self, bytes, passphrase, error);
  rb_secret_free (text);
  if (!loaded) {
    g_prefix_error (error, "%s: ", path);
    return NULL;
  }
  if (self->identities->len == 0) {
    g_set_error (error, RB_CRYPTO_ERROR, RB_REASON_IDENTITY, "%s: no key with its certificate is in it", path);
    return NULL;
  }
  return g_steal_pointer (&self);
}

void
rb_identity_set_free (RbIdentitySet *self)
{
  g_free (self->name);
  g_ptr_array_unref (self->identities);
  g_free (self);
}

/* Has the key of identity a certificate in this file that makes it serve anything but purpose? */
static gboolean
serves_more (RbIdentitySet *self, RbIdentity *identity, RbPurpose purpose)
{
  RbPublicKey *key = rb_key_private_public (identity->key);
  for (guint i = 0; i < self->identities->len; i++) {
    const RbIdentity *other = self->identities->pdata[i];
    for (int p = 0; p <= RB_PURPOSE_TLS_SERVER; p++)
      if (p != (int) purpose && rb_key_public_equal (rb_key_private_public (other->key), key)
          && rb_certificate_has_purpose (other->chain->pdata[0], (RbPurpose) p))
        return TRUE;
  }
  return FALSE;
}

gboolean
rb_identity_set_has (RbIdentitySet *self, RbPurpose purpose)
{
  for (guint i = 0; i < self->identities->len; i++)
    if (rb_certificate_has_purpose (((RbIdentity *) self->identities->pdata[i])->chain->pdata[0], purpose))
      return TRUE;
  return FALSE;
}

RbIdentity *
rb_identity_set_find (RbIdentitySet *self, RbPurpose purpose, GError **error)
{
  RbIdentity *found = NULL;
  guint count = 0;
  for (guint i = 0; i < self->identities->len; i++) {
    RbIdentity *identity = self->identities->pdata[i];
    if (rb_certificate_has_purpose (identity->chain->pdata[0], purpose)) {
      found = identity;
      count++;
    }
  }
  if (count == 1 && !serves_more (self, found, purpose))
    return identity_ref (found);
  if (count == 1) {
    g_set_error (error, RB_CRYPTO_ERROR, RB_REASON_KEY_USAGE, "%s: one key in it is for several purposes", self->name);
    return NULL;
  }
  g_set_error (error, RB_CRYPTO_ERROR, RB_REASON_KEY_USAGE, "%s: %s", self->name,
               count == 0 ? "no certificate in it is for this purpose"
                          : "several certificates in it are for one purpose");
  return NULL;
}

static void
append_certificate (GString *pem, RbCertificate *certificate)
{
  g_autoptr (BIO) bio = BIO_new (BIO_s_mem ());
  if (bio == NULL || PEM_write_bio_X509 (bio, rb_certificate_x509 (certificate)) != 1)
    g_error ("out of memory");
  g_autoptr (GBytes) text = rb_evp_bio_bytes (bio);
  g_string_append_len (pem, g_bytes_get_data (text, NULL), (gssize) g_bytes_get_size (text));
}

/* The purpose that this certificate, and no other of the set, is for; -1 with error. */
static int
only_purpose (RbIdentitySet *self, RbCertificate *certificate, GError **error)
{
  g_autoptr (RbIdentity) found = NULL;
  for (int p = 0; p <= RB_PURPOSE_TLS_SERVER; p++)
    if (rb_certificate_has_purpose (certificate, (RbPurpose) p)) {
      found = rb_identity_set_find (self, (RbPurpose) p, error);
      return found == NULL ? -1 : p;
    }
  g_set_error (error, RB_CRYPTO_ERROR, RB_REASON_KEY_USAGE, "%s: a certificate in it is for no purpose of ours",
               self->name);
  return -1;
}

/* One certificate for each key, each under a CA of the same file. */
static gboolean
check_joined (RbIdentitySet *self, guint n_keys, gint64 moment, GError **error)
{
  if (self->identities->len != n_keys)
    return rb_reason_deny (error, RB_CRYPTO_ERROR, RB_REASON_IDENTITY, "%s: certificates for %u of %u keys are in it",
                           self->name, self->identities->len, n_keys);
  for (guint i = 0; i < n_keys; i++) {
    GPtrArray *chain = ((RbIdentity *) self->identities->pdata[i])->chain;
    g_autoptr (GPtrArray) anchors = g_ptr_array_new ();
    g_ptr_array_add (anchors, chain->pdata[chain->len - 1]);
    int purpose = only_purpose (self, chain->pdata[0], error);
    if (purpose < 0)
      return FALSE;
    if (chain->len < 2)
      return rb_reason_deny (error, RB_CRYPTO_ERROR, RB_REASON_CERTIFICATE, "%s: the CA's certificate is not in it",
                             self->name);
    if (!rb_certificate_verify (chain, anchors, purpose, moment, error)) {
      g_prefix_error (error, "%s: ", self->name);
      return FALSE;
    }
  }
  return TRUE;
}

char *
rb_identity_set_join (const char *keys, const char *passphrase, const char *certificates, const char *name,
                      gint64 moment, GError **error)
{
  g_autoptr (RbIdentitySet) self = set_new (name);
  g_autoptr (GPtrArray) given = rb_certificate_list_from_pem (certificates, error);
  g_autoptr (GPtrArray) own = given == NULL ? NULL : keys_in_pem (keys, passphrase, error);
  if (own == NULL)
    return NULL;
  pair (self, own, given);
  if (!check_joined (self, own->len, moment, error))
    return NULL;
  g_autoptr (GPtrArray) blocks = key_blocks (keys);
  g_autoptr (GString) rest = g_string_new (NULL);
  for (guint i = 0; i < given->len; i++)
    append_certificate (rest, given->pdata[i]);
  g_ptr_array_add (blocks, g_string_free (g_steal_pointer (&rest), FALSE));
  g_ptr_array_add (blocks, NULL);
  return g_strjoinv (NULL, (char **) blocks->pdata);
}

static char *
tls_pem (RbIdentitySet *self, RbPurpose purpose, GError **error)
{
  g_autoptr (RbIdentity) identity = rb_identity_set_find (self, purpose, error);
  char *key = identity == NULL ? NULL : rb_key_private_pem (identity->key, NULL);
  if (key == NULL) {
    if (identity != NULL)
      g_set_error (error, RB_CRYPTO_ERROR, RB_REASON_IDENTITY, "%s: the key for TLS cannot leave it", self->name);
    return NULL;
  }
  g_autoptr (GString) certificates = g_string_new (NULL);
  for (guint i = 0; i < identity->chain->len; i++)
    append_certificate (certificates, identity->chain->pdata[i]);
  char *pem = g_strconcat (key, certificates->str, NULL);
  rb_secret_free (key);
  return pem;
}

char *
rb_identity_set_link_pem (RbIdentitySet *self, GError **error)
{
  return tls_pem (self, RB_PURPOSE_DOIP_TLS, error);
}

char *
rb_identity_set_upload_pem (RbIdentitySet *self, GError **error)
{
  return tls_pem (self, RB_PURPOSE_TLS_CLIENT, error);
}

RbCertificate *
rb_identity_certificate (RbIdentity *self)
{
  return self->chain->pdata[0];
}

GPtrArray *
rb_identity_chain (RbIdentity *self)
{
  return self->chain;
}

GBytes *
rb_identity_sign (RbIdentity *self, gconstpointer message, gsize length, GError **error)
{
  return rb_key_sign (self->key, message, length, error);
}

gboolean
rb_identity_sign_envelope (RbIdentity *self, RbDsse *envelope, GError **error)
{
  g_autoptr (GBytes) signed_bytes = rb_dsse_pae (rb_dsse_payload_type (envelope), rb_dsse_payload (envelope));
  gsize length = 0;
  gconstpointer data = g_bytes_get_data (signed_bytes, &length);
  g_autoptr (GBytes) signature = rb_identity_sign (self, data, length, error);
  if (signature == NULL)
    return FALSE;
  rb_dsse_add (envelope, rb_certificate_id (rb_identity_certificate (self)), signature, rb_identity_chain (self));
  return TRUE;
}

GBytes *
rb_identity_decrypt (RbIdentity *self, GBytes *cms, GError **error)
{
  g_autoptr (BIO) in = rb_evp_bio (g_bytes_get_data (cms, NULL), g_bytes_get_size (cms));
  g_autoptr (BIO) out = BIO_new (BIO_s_mem ());
  g_autoptr (CMS_ContentInfo) content = d2i_CMS_bio (in, NULL);
  if (content == NULL) {
    rb_evp_set_error (error, RB_REASON_MALFORMED, "not a CMS message");
    return NULL;
  }
  if (CMS_decrypt (content, rb_key_evp_private (self->key), rb_certificate_x509 (self->chain->pdata[0]), NULL, out,
                   CMS_BINARY)
      != 1) {
    rb_evp_set_error (error, RB_REASON_IDENTITY, "CMS message that this key does not open");
    return NULL;
  }
  return rb_evp_bio_bytes (out);
}

GBytes *
rb_identity_encrypt_to (GPtrArray *recipients, GBytes *plain, GError **error)
{
  STACK_OF (X509) *stack = sk_X509_new_null ();
  for (guint i = 0; i < recipients->len; i++)
    if (sk_X509_push (stack, rb_certificate_x509 (recipients->pdata[i])) == 0)
      g_error ("out of memory");
  g_autoptr (BIO) in = rb_evp_bio (g_bytes_get_data (plain, NULL), g_bytes_get_size (plain));
  g_autoptr (BIO) out = BIO_new (BIO_s_mem ());
  g_autoptr (CMS_ContentInfo) content = CMS_encrypt (stack, in, EVP_aes_256_gcm (), CMS_BINARY);
  sk_X509_free (stack);
  if (content == NULL || i2d_CMS_bio (out, content) != 1) {
    rb_evp_set_error (error, RB_REASON_INTERNAL, "encrypting a CMS message");
    return NULL;
  }
  return rb_evp_bio_bytes (out);
}
