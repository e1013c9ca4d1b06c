/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "crypto/error.h"
#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

/* For folders that call OpenSSL: its types for g_autoptr, its error text, its BIOs. Its view of our objects is
 * in crypto/key-inside.h and crypto/certificate-inside.h. */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BIO, BIO_free_all)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CMS_ContentInfo, CMS_ContentInfo_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_MD_CTX, EVP_MD_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_PKEY, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_PKEY_CTX, EVP_PKEY_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PKCS12, PKCS12_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509, X509_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509_STORE, X509_STORE_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509_STORE_CTX, X509_STORE_CTX_free)

/* Sets reason with OpenSSL's newest error text, and clears its queue. */
void rb_evp_set_error (GError **error, RbReason reason, const char *what);
/* A BIO over length bytes at data, which must outlive it. */
BIO *rb_evp_bio (gconstpointer data, gsize length);
/* Contents of a memory BIO. (transfer full) */
GBytes *rb_evp_bio_bytes (BIO *bio);
