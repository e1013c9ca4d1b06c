/* SPDX-License-Identifier: Apache-2.0 */
#include "keymaker/request.h"

#include "crypto/certificate-inside.h"
#include "crypto/evp.h"
#include "crypto/key-inside.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#define MAX_NAME 256

G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509_REQ, X509_REQ_free)

void
rb_request_free (RbRequest *self)
{
  if (self == NULL)
    return;
  g_clear_pointer (&self->key, rb_key_public_unref);
  g_free (self->common_name);
  g_free (self);
}

static int
purpose_of_oid (const ASN1_OBJECT *object)
{
  char text[128] = "";
  OBJ_obj2txt (text, sizeof text, object, 1);
  for (int p = 0; p <= RB_PURPOSE_TLS_SERVER; p++)
    if (strcmp (text, rb_certificate_purpose_oid ((RbPurpose) p)) == 0)
      return p;
  return -1;
}

static int
read_purpose (X509_REQ *request)
{
  STACK_OF (X509_EXTENSION) *extensions = X509_REQ_get_extensions (request);
  EXTENDED_KEY_USAGE *usage = X509V3_get_d2i (extensions, NID_ext_key_usage, NULL, NULL);
  int purpose
    = usage != NULL && sk_ASN1_OBJECT_num (usage) == 1 ? purpose_of_oid (sk_ASN1_OBJECT_value (usage, 0)) : -1;
  EXTENDED_KEY_USAGE_free (usage);
  sk_X509_EXTENSION_pop_free (extensions, X509_EXTENSION_free);
  return purpose;
}

static char *
read_name (X509_REQ *request)
{
  char text[MAX_NAME] = "";
  X509_NAME_get_text_by_NID (X509_REQ_get_subject_name (request), NID_commonName, text, sizeof text);
  return g_utf8_make_valid (text, -1);
}

static RbRequest *
read_request (X509_REQ *request, GError **error)
{
  g_autoptr (RbRequest) self = g_new0 (RbRequest, 1);
  EVP_PKEY *pkey = X509_REQ_get_pubkey (request);
  if (pkey == NULL || X509_REQ_verify (request, pkey) != 1) {
    EVP_PKEY_free (pkey);
    rb_evp_set_error (error, RB_REASON_BAD_SIGNATURE, "the request is not signed with its own key");
    return NULL;
  }
  self->key = rb_key_from_evp_public (pkey, error);
  self->common_name = read_name (request);
  self->purpose = read_purpose (request);
  return self->key == NULL ? NULL : g_steal_pointer (&self);
}

GPtrArray *
rb_request_list_from_pem (const char *pem, GError **error)
{
  g_autoptr (BIO) bio = rb_evp_bio (pem, strlen (pem));
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_request_free);
  while (TRUE) {
    g_autoptr (X509_REQ) request = PEM_read_bio_X509_REQ (bio, NULL, NULL, NULL);
    if (request == NULL)
      break;
    RbRequest *read = read_request (request, error);
    if (read == NULL)
      return NULL;
    g_ptr_array_add (list, read);
  }
  ERR_clear_error ();
  if (list->len > 0)
    return g_steal_pointer (&list);
  rb_reason_deny (error, RB_CRYPTO_ERROR, RB_REASON_MALFORMED, "no certificate signing request in PEM");
  return NULL;
}

char *
rb_request_serial_of (RbCertificate *certificate)
{
  BIGNUM *number = ASN1_INTEGER_to_BN (X509_get0_serialNumber (rb_certificate_x509 (certificate)), NULL);
  char *text = BN_bn2hex (number);
  char *lower = g_ascii_strdown (text, -1);
  OPENSSL_free (text);
  BN_free (number);
  return lower;
}
