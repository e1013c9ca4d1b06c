/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/certificate.h"

#include "core/bytes.h"
#include "core/moment.h"
#include "crypto/digest.h"
#include "crypto/certificate-inside.h"
#include "crypto/evp.h"
#include "crypto/key-inside.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#define MIN_SECURITY_LEVEL 2 /* OpenSSL's: 112 bits, so neither SHA-1 nor RSA below 2048 */

struct _RbCertificate {
  X509 *x509;
  GBytes *der;
  char *id;
  char *common_name, *unit, *country;
  RbPublicKey *key;
  gint64 not_after;
};

const char *
rb_certificate_purpose_oid (RbPurpose purpose)
{
  static const char *const oids[] = {
    [RB_PURPOSE_TECHNICIAN] = "1.3.6.1.4.1.58270.77.1",
    [RB_PURPOSE_WORKSTATION] = "1.3.6.1.4.1.58270.77.2",
    [RB_PURPOSE_TLS_CLIENT] = "1.3.6.1.5.5.7.3.2",
    [RB_PURPOSE_DOIP_TLS] = "1.3.6.1.4.1.58270.77.3",
    [RB_PURPOSE_ECU_AUTHENTICATION] = "1.3.6.1.4.1.58270.77.4",
    [RB_PURPOSE_KEY_AGREEMENT] = "1.3.6.1.4.1.58270.77.5",
    [RB_PURPOSE_TLS_SERVER] = "1.3.6.1.5.5.7.3.1",
  };
  return oids[purpose];
}

static gint64
moment_of (const ASN1_TIME *time)
{
  struct tm parts;
  if (ASN1_TIME_to_tm (time, &parts) != 1)
    return 0;
  g_autoptr (GDateTime) moment = g_date_time_new_utc (parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                                                      parts.tm_hour, parts.tm_min, parts.tm_sec);
  return moment == NULL ? 0 : g_date_time_to_unix (moment);
}

/* NULL when the subject has none. */
static char *
subject_part (X509 *x509, int nid)
{
  X509_NAME *subject = X509_get_subject_name (x509);
  int at = X509_NAME_get_index_by_NID (subject, nid, -1);
  unsigned char *utf8 = NULL;
  int length = at < 0 ? -1 : ASN1_STRING_to_UTF8 (&utf8, X509_NAME_ENTRY_get_data (X509_NAME_get_entry (subject, at)));
  char *part = length < 0 ? NULL : g_utf8_make_valid ((const char *) utf8, length);
  OPENSSL_free (utf8);
  return part;
}

static char *
common_name_of (X509 *x509)
{
  char *name = subject_part (x509, NID_commonName);
  return name == NULL ? g_strdup ("") : name;
}

/* Takes x509. */
static RbCertificate *
certificate_new (X509 *taken, GError **error)
{
  g_autoptr (X509) x509 = taken;
  unsigned char *der = NULL;
  EVP_PKEY *pkey = X509_get_pubkey (x509);
  g_autoptr (RbPublicKey) key = pkey == NULL ? NULL : rb_key_from_evp_public (pkey, error);
  if (key == NULL) {
    if (pkey == NULL)
      rb_evp_set_error (error, RB_REASON_CERTIFICATE, "a certificate without a usable key");
    return NULL;
  }
  int length = i2d_X509 (x509, &der);
  if (length <= 0) {
    rb_evp_set_error (error, RB_REASON_CERTIFICATE, "a certificate that cannot be written");
    return NULL;
  }
  RbCertificate *self = g_atomic_rc_box_new0 (RbCertificate);
  self->der = g_bytes_new (der, (gsize) length);
  OPENSSL_free (der);
  self->id = rb_digest_sha256_hex_of (self->der);
  self->common_name = common_name_of (x509);
  self->unit = subject_part (x509, NID_organizationalUnitName);
  self->country = subject_part (x509, NID_countryName);
  self->key = g_steal_pointer (&key);
  self->not_after = moment_of (X509_get0_notAfter (x509));
  self->x509 = g_steal_pointer (&x509);
  return self;
}

RbCertificate *
rb_certificate_from_x509 (X509 *x509, GError **error)
{
  return certificate_new (x509, error);
}

X509 *
rb_certificate_x509 (RbCertificate *certificate)
{
  return certificate->x509;
}

RbCertificate *
rb_certificate_from_der (GBytes *der, GError **error)
{
  gsize length = 0;
  const unsigned char *start = g_bytes_get_data (der, &length);
  const unsigned char *at = start;
  X509 *x509 = length == 0 || length > G_MAXINT ? NULL : d2i_X509 (NULL, &at, (long) length);
  if (x509 == NULL || (gsize) (at - start) != length) {
    X509_free (x509);
    rb_evp_set_error (error, RB_REASON_CERTIFICATE,
                      x509 == NULL ? "not an X.509 certificate" : "bytes after an X.509 certificate");
    return NULL;
  }
  RbCertificate *self = certificate_new (x509, error);
  if (self == NULL || g_bytes_equal (self->der, der))
    return self;
  rb_certificate_unref (self);
  rb_evp_set_error (error, RB_REASON_CERTIFICATE, "an X.509 certificate that is not DER");
  return NULL;
}

GPtrArray *
rb_certificate_list_from_pem (const char *pem, GError **error)
{
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_certificate_unref);
  g_autoptr (BIO) bio = rb_evp_bio (pem, strlen (pem));
  X509 *x509;
  while ((x509 = PEM_read_bio_X509 (bio, NULL, NULL, NULL)) != NULL) {
    RbCertificate *certificate = certificate_new (x509, error);
    if (certificate == NULL)
      return NULL;
    g_ptr_array_add (list, certificate);
  }
  if (list->len == 0) {
    rb_evp_set_error (error, RB_REASON_CERTIFICATE, "no certificate in PEM");
    return NULL;
  }
  ERR_clear_error ();
  return g_steal_pointer (&list);
}

RbCertificate *
rb_certificate_from_tls (GTlsCertificate *certificate, GError **error)
{
  g_autoptr (GByteArray) der = NULL;
  g_object_get (certificate, "certificate", &der, NULL);
  if (der == NULL) {
    rb_evp_set_error (error, RB_REASON_CERTIFICATE, "no certificate of a TLS peer");
    return NULL;
  }
  g_autoptr (GBytes) bytes = g_bytes_new (der->data, der->len);
  return rb_certificate_from_der (bytes, error);
}

GPtrArray *
rb_certificate_chain_from_tls (GTlsCertificate *leaf, GError **error)
{
  g_autoptr (GPtrArray) chain = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_certificate_unref);
  for (GTlsCertificate *one = leaf; one != NULL; one = g_tls_certificate_get_issuer (one)) {
    RbCertificate *certificate = rb_certificate_from_tls (one, error);
    if (certificate == NULL)
      return NULL;
    g_ptr_array_add (chain, certificate);
  }
  return g_steal_pointer (&chain);
}

RbCertificate *
rb_certificate_ref (RbCertificate *self)
{
  return g_atomic_rc_box_acquire (self);
}

static void
certificate_clear (gpointer data)
{
  RbCertificate *self = data;
  X509_free (self->x509);
  g_bytes_unref (self->der);
  g_free (self->id);
  g_free (self->common_name);
  g_free (self->unit);
  g_free (self->country);
  rb_key_public_unref (self->key);
}

void
rb_certificate_unref (RbCertificate *self)
{
  g_atomic_rc_box_release_full (self, certificate_clear);
}

GBytes *
rb_certificate_der (RbCertificate *self)
{
  return self->der;
}

const char *
rb_certificate_id (RbCertificate *self)
{
  return self->id;
}

const char *
rb_certificate_common_name (RbCertificate *self)
{
  return self->common_name;
}

RbPublicKey *
rb_certificate_key (RbCertificate *self)
{
  return self->key;
}

const char *
rb_certificate_unit (RbCertificate *self)
{
  return self->unit;
}

const char *
rb_certificate_country (RbCertificate *self)
{
  return self->country;
}

gboolean
rb_certificate_same_holder (RbCertificate *self, RbCertificate *other)
{
  return rb_key_public_equal (self->key, other->key) || strcmp (self->common_name, other->common_name) == 0;
}

gint64
rb_certificate_not_after (RbCertificate *self)
{
  return self->not_after;
}

gboolean
rb_certificate_has_purpose (RbCertificate *self, RbPurpose purpose)
{
  EXTENDED_KEY_USAGE *usages = X509_get_ext_d2i (self->x509, NID_ext_key_usage, NULL, NULL);
  gboolean found = FALSE;
  for (int i = 0; usages != NULL && i < sk_ASN1_OBJECT_num (usages) && !found; i++) {
    char oid[80];
    OBJ_obj2txt (oid, sizeof oid, sk_ASN1_OBJECT_value (usages, i), 1);
    found = strcmp (oid, rb_certificate_purpose_oid (purpose)) == 0;
  }
  EXTENDED_KEY_USAGE_free (usages);
  return found;
}

static STACK_OF (X509) * stack_of (GPtrArray *list, guint from)
{
  STACK_OF (X509) *stack = sk_X509_new_null ();
  for (guint i = from; i < list->len; i++)
    if (sk_X509_push (stack, ((RbCertificate *) list->pdata[i])->x509) == 0)
      g_error ("out of memory");
  return stack;
}

static RbReason
reason_of (int code)
{
  switch (code) {
  case X509_V_ERR_CERT_HAS_EXPIRED:
  case X509_V_ERR_CERT_NOT_YET_VALID: return RB_REASON_CERTIFICATE_EXPIRED;
  case X509_V_ERR_CA_MD_TOO_WEAK:
  case X509_V_ERR_CA_KEY_TOO_SMALL:
  case X509_V_ERR_EE_KEY_TOO_SMALL: return RB_REASON_UNSAFE_ALGORITHM;
  default: return RB_REASON_CERTIFICATE;
  }
}

static GPtrArray *
list_of (STACK_OF (X509) * stack)
{
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_certificate_unref);
  for (int i = 0; i < sk_X509_num (stack); i++) {
    X509 *x509 = sk_X509_value (stack, i);
    X509_up_ref (x509);
    RbCertificate *certificate = certificate_new (x509, NULL);
    if (certificate != NULL)
      g_ptr_array_add (list, certificate);
  }
  return list;
}

/* path receives what was found. */
static gboolean
chain_is_good (GPtrArray *chain, GPtrArray *anchors, gint64 moment, GPtrArray **path, GError **error)
{
  g_autoptr (X509_STORE) store = X509_STORE_new ();
  g_autoptr (X509_STORE_CTX) context = X509_STORE_CTX_new ();
  STACK_OF (X509) *helpers = stack_of (chain, 1);
  for (guint i = 0; i < anchors->len; i++)
    if (X509_STORE_add_cert (store, ((RbCertificate *) anchors->pdata[i])->x509) != 1)
      g_error ("out of memory");
  RbCertificate *leaf = chain->pdata[0];
  gboolean good = X509_STORE_CTX_init (context, store, leaf->x509, helpers) == 1;
  X509_STORE_CTX_set_time (context, 0, (time_t) moment);
  X509_STORE_CTX_set_flags (context, X509_V_FLAG_X509_STRICT | X509_V_FLAG_PARTIAL_CHAIN);
  X509_VERIFY_PARAM_set_auth_level (X509_STORE_CTX_get0_param (context), MIN_SECURITY_LEVEL);
  good = good && X509_verify_cert (context) == 1;
  int code = X509_STORE_CTX_get_error (context);
  *path = good ? list_of (X509_STORE_CTX_get0_chain (context)) : NULL;
  sk_X509_free (helpers);
  ERR_clear_error ();
  if (good)
    return TRUE;
  g_autofree char *when = rb_moment_to_text (moment);
  g_set_error (error, RB_CRYPTO_ERROR, (int) reason_of (code), "certificate “%s”: %s (verified at %s)",
               leaf->common_name, X509_verify_cert_error_string (code), when);
  return FALSE;
}

GPtrArray *
rb_certificate_find_path (GPtrArray *chain, GPtrArray *anchors, int purpose, gint64 moment, GError **error)
{
  g_autoptr (GPtrArray) path = NULL;
  if (chain == NULL || chain->len == 0) {
    g_set_error_literal (error, RB_CRYPTO_ERROR, RB_REASON_CERTIFICATE, "there is no certificate");
    return NULL;
  }
  if (!chain_is_good (chain, anchors, moment, &path, error))
    return NULL;
  RbCertificate *leaf = chain->pdata[0];
  if (purpose < 0 || rb_certificate_has_purpose (leaf, (RbPurpose) purpose))
    return g_steal_pointer (&path);
  g_set_error (error, RB_CRYPTO_ERROR, RB_REASON_KEY_USAGE, "certificate “%s” is not for this purpose (%s)",
               leaf->common_name, rb_certificate_purpose_oid ((RbPurpose) purpose));
  return NULL;
}

gboolean
rb_certificate_verify (GPtrArray *chain, GPtrArray *anchors, int purpose, gint64 moment, GError **error)
{
  g_autoptr (GPtrArray) path = rb_certificate_find_path (chain, anchors, purpose, moment, error);
  return path != NULL;
}

char *
rb_certificate_revocation_id (RbCertificate *self, RbCertificate *issuer)
{
  g_autoptr (RbSha256) digest = rb_digest_sha256_new ();
  unsigned char *key = NULL, *serial = NULL;
  int key_length = i2d_X509_PUBKEY (X509_get_X509_PUBKEY (issuer->x509), &key);
  int length = i2d_ASN1_INTEGER (X509_get0_serialNumber (self->x509), &serial);
  const unsigned char *at = serial;
  long contents = 0;
  int tag = 0, class = 0;
  if (key_length <= 0 || length <= 0 || (ASN1_get_object (&at, &contents, &tag, &class, length) & 0x80) != 0)
    g_error ("out of memory"); /* both were read from DER */
  rb_digest_sha256_update (digest, key, (gsize) key_length);
  rb_digest_sha256_update (digest, at, (gsize) contents);
  OPENSSL_free (key);
  OPENSSL_free (serial);
  return rb_digest_sha256_finish (digest);
}
