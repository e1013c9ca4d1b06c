/* SPDX-License-Identifier: Apache-2.0 */
#include "keymaker/issue.h"

#include "core/bytes.h"
#include "crypto/digest.h"
#include "crypto/certificate-inside.h"
#include "crypto/evp.h"
#include "crypto/key-inside.h"

#include <openssl/x509v3.h>

static gboolean
add_extension (X509 *x509, X509 *issuer, int nid, const char *value)
{
  X509V3_CTX context;
  X509V3_set_ctx (&context, issuer, x509, NULL, NULL, 0);
  X509_EXTENSION *extension = X509V3_EXT_conf_nid (NULL, &context, nid, value);
  gboolean added = extension != NULL && X509_add_ext (x509, extension, -1) == 1;
  X509_EXTENSION_free (extension);
  return added;
}

static char *
alternative_names (const char *const *dns)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; dns[i] != NULL; i++)
    g_string_append_printf (text, "%s%s:%s", i == 0 ? "" : ",", g_hostname_is_ip_address (dns[i]) ? "IP" : "DNS",
                            dns[i]);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static gboolean
add_name (X509_NAME *name, const char *field, const char *value)
{
  return value == NULL
         || X509_NAME_add_entry_by_txt (name, field, MBSTRING_UTF8, (const unsigned char *) value, -1, -1, 0) == 1;
}

static gboolean
fill_identity (X509 *x509, const RbIssueRequest *request, RbPublicKey *subject, X509 *issuer)
{
  g_autoptr (GBytes) serial = rb_digest_random (16);
  BIGNUM *number = BN_bin2bn (g_bytes_get_data (serial, NULL), 16, NULL);
  BN_clear_bit (number, 127); /* positive in DER within 16 bytes */
  BN_set_bit (number, 126);
  X509_NAME *name = X509_get_subject_name (x509);
  gboolean good
    = X509_set_version (x509, X509_VERSION_3) == 1 && BN_to_ASN1_INTEGER (number, X509_get_serialNumber (x509)) != NULL
      && X509_time_adj_ex (X509_getm_notBefore (x509), 0, 0, &(time_t){ (time_t) request->not_before }) != NULL
      && X509_time_adj_ex (X509_getm_notAfter (x509), 0, 0, &(time_t){ (time_t) request->not_after }) != NULL
      && add_name (name, "C", request->country) && add_name (name, "O", request->organisation)
      && add_name (name, "OU", request->unit) && add_name (name, "CN", request->common_name)
      && X509_set_issuer_name (x509, X509_get_subject_name (issuer == NULL ? x509 : issuer)) == 1
      && X509_set_pubkey (x509, rb_key_evp_public (subject)) == 1;
  BN_free (number);
  return good;
}

static gboolean
fill_extensions (X509 *x509, const RbIssueRequest *request, X509 *issuer)
{
  gboolean authority = request->purpose < 0;
  const char *usage = authority                                      ? "critical,keyCertSign,cRLSign"
                      : request->purpose == RB_PURPOSE_KEY_AGREEMENT ? "critical,keyAgreement"
                                                                     : "critical,digitalSignature";
  gboolean good
    = add_extension (x509, issuer, NID_basic_constraints, authority ? "critical,CA:TRUE" : "critical,CA:FALSE")
      && add_extension (x509, issuer, NID_key_usage, usage)
      && add_extension (x509, issuer, NID_subject_key_identifier, "hash")
      && add_extension (x509, issuer, NID_authority_key_identifier, "keyid:always");
  if (good && !authority)
    good = add_extension (x509, issuer, NID_ext_key_usage, rb_certificate_purpose_oid ((RbPurpose) request->purpose));
  if (good && request->dns != NULL) {
    g_autofree char *names = alternative_names (request->dns);
    good = add_extension (x509, issuer, NID_subject_alt_name, names);
  }
  return good;
}

RbCertificate *
rb_issue_certificate (const RbIssueRequest *request, RbPublicKey *subject, RbCertificate *issuer,
                      RbPrivateKey *issuer_key, GError **error)
{
  g_autoptr (X509) x509 = X509_new ();
  X509 *above = issuer == NULL ? NULL : rb_certificate_x509 (issuer);
  EVP_PKEY *key = rb_key_evp_private (issuer_key);
  const EVP_MD *digest
    = rb_key_public_type (rb_key_private_public (issuer_key)) == RB_KEY_ED25519 ? NULL : EVP_sha256 ();
  if (!fill_identity (x509, request, subject, above) || !fill_extensions (x509, request, above == NULL ? x509 : above)
      || X509_sign (x509, key, digest) == 0) {
    rb_evp_set_error (error, RB_REASON_INTERNAL, "issuing a certificate");
    return NULL;
  }
  return rb_certificate_from_x509 (g_steal_pointer (&x509), error);
}

GBytes *
rb_issue_pkcs12 (const char *name, RbPrivateKey *key, GPtrArray *chain, const char *passphrase, GError **error)
{
  STACK_OF (X509) *rest = sk_X509_new_null ();
  for (guint i = 1; i < chain->len; i++)
    if (sk_X509_push (rest, rb_certificate_x509 (chain->pdata[i])) == 0)
      g_error ("out of memory");
  g_autoptr (PKCS12) p12 = PKCS12_create (passphrase, name, rb_key_evp_private (key),
                                          rb_certificate_x509 (chain->pdata[0]), rest, 0, 0, 0, 0, 0);
  sk_X509_free (rest);
  unsigned char *der = NULL;
  int length = p12 == NULL ? -1 : i2d_PKCS12 (p12, &der);
  if (length <= 0) {
    rb_evp_set_error (error, RB_REASON_INTERNAL, "writing PKCS#12");
    return NULL;
  }
  GBytes *bytes = g_bytes_new (der, (gsize) length);
  OPENSSL_free (der);
  return bytes;
}
