/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "crypto/certificate.h"
#include "crypto/dsse.h"

/*
 * A key with its certificate chain, from a PKCS#12 or PEM file (several keys and certificates allowed;
 * a key belongs to the certificate with its public key).
 */
typedef struct _RbIdentity RbIdentity; /* ref counted */
typedef struct _RbIdentitySet RbIdentitySet;
/* passphrase may be NULL. Errors: identity, passphrase. */
RbIdentitySet *rb_identity_set_load (const char *path, const char *passphrase, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* The keys of a PEM text, as they stand in it, with the certificates that were issued for them: an identity in PEM.
 * Each key has one certificate, valid at moment, under a CA that certificates holds, for one purpose that no other has.
 * name is what errors call the certificates. Errors: identity, passphrase, certificate, certificate-expired, key-usage.
 * (transfer full); wipe it. */
char *rb_identity_set_join (const char *keys, const char *passphrase, const char *certificates, const char *name,
                            gint64 moment, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_identity_set_free (RbIdentitySet *self);
/* The identity of that purpose; error key-usage when the file holds none or more than one, or when its key is also for
 * another purpose. (transfer full) */
RbIdentity *rb_identity_set_find (RbIdentitySet *self, RbPurpose purpose, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Is there any certificate for that purpose? */
gboolean rb_identity_set_has (RbIdentitySet *self, RbPurpose purpose);
/* The key for vehicle links (RB_PURPOSE_DOIP_TLS) and its certificates as PEM, not encrypted: only keys for TLS are
 * given out, because the link process needs this one for TLS with the vehicle. Errors as rb_identity_set_find(). Wipe
 * it. (transfer full) */
char *rb_identity_set_link_pem (RbIdentitySet *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same of the key for the connection to the OEM's intake (RB_PURPOSE_TLS_CLIENT). */
char *rb_identity_set_upload_pem (RbIdentitySet *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_identity_unref (RbIdentity *self);
RbCertificate *rb_identity_certificate (RbIdentity *self); /* borrowed */
GPtrArray *rb_identity_chain (RbIdentity *self); /* borrowed; of RbCertificate, own first */
GBytes *rb_identity_sign (RbIdentity *self, gconstpointer message, gsize length, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Adds its signature and chain to an envelope. */
gboolean rb_identity_sign_envelope (RbIdentity *self, RbDsse *envelope, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* CMS addressed to this (key agreement) identity: AuthEnvelopedData as below, or EnvelopedData, which lets altered
 * bytes through. (transfer full) */
GBytes *rb_identity_decrypt (RbIdentity *self, GBytes *cms, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* CMS AuthEnvelopedData (AES-256-GCM) to recipients (of RbCertificate), DER. An ephemeral key is made for
 * the agreement. (transfer full) */
GBytes *rb_identity_encrypt_to (GPtrArray *recipients, GBytes *plain, GError **error) G_GNUC_WARN_UNUSED_RESULT;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbIdentitySet, rb_identity_set_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbIdentity, rb_identity_unref)
