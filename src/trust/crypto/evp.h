/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "crypto/certificate.h"
#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

/* Inside crypto/ only: OpenSSL's view of our objects, its types for g_autoptr, and its error text. */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BIO, BIO_free_all)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CMS_ContentInfo, CMS_ContentInfo_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_MD_CTX, EVP_MD_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_PKEY, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_PKEY_CTX, EVP_PKEY_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PKCS12, PKCS12_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509, X509_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509_STORE, X509_STORE_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509_STORE_CTX, X509_STORE_CTX_free)

/* Takes pkey, also on failure. */
RbPrivateKey *rb_key_from_evp_private (EVP_PKEY *pkey, GError **error) G_GNUC_WARN_UNUSED_RESULT;
RbPublicKey *rb_key_from_evp_public (EVP_PKEY *pkey, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Takes x509, also on failure. */
RbCertificate *rb_certificate_from_x509 (X509 *x509, GError **error) G_GNUC_WARN_UNUSED_RESULT;
X509 *rb_certificate_x509 (RbCertificate *certificate); /* borrowed */
EVP_PKEY *rb_key_evp_private (RbPrivateKey *key); /* borrowed */
EVP_PKEY *rb_key_evp_public (RbPublicKey *key); /* borrowed */
/* Sets reason with OpenSSL's newest error text, and clears its queue. */
void rb_evp_set_error (GError **error, RbReason reason, const char *what);
/* A BIO over length bytes at data, which must outlive it. */
BIO *rb_evp_bio (gconstpointer data, gsize length);
/* What was written to a memory BIO. (transfer full) */
GBytes *rb_evp_bio_bytes (BIO *bio);
