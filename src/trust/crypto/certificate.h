/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "crypto/key.h"

#include <gio/gio.h>

/*
 * X.509 certificates under the OEM's dealer CA. Purposes are extended key usages, told apart by OID
 * below 1.3.6.1.4.1.58270.77 (record, technician, ...) or the standard ones for TLS.
 */
typedef enum {
  RB_PURPOSE_TECHNICIAN, /* 1.3.6.1.4.1.58270.77.1  signs records as a person */
  RB_PURPOSE_WORKSTATION, /* 1.3.6.1.4.1.58270.77.2  signs records as a workstation */
  RB_PURPOSE_TLS_CLIENT, /* 1.3.6.1.5.5.7.3.2 */
  RB_PURPOSE_DOIP_TLS, /* 1.3.6.1.4.1.58270.77.3 */
  RB_PURPOSE_ECU_AUTHENTICATION, /* 1.3.6.1.4.1.58270.77.4  UDS 0x29 */
  RB_PURPOSE_KEY_AGREEMENT, /* 1.3.6.1.4.1.58270.77.5  CMS recipient */
  RB_PURPOSE_TLS_SERVER, /* 1.3.6.1.5.5.7.3.1 */
} RbPurpose;

/* Dotted OID of a purpose, static. */
const char *rb_certificate_purpose_oid (RbPurpose purpose);

typedef struct _RbCertificate RbCertificate; /* ref counted, immutable */
RbCertificate *rb_certificate_from_der (GBytes *der, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Every certificate in a PEM text, (element-type RbCertificate) (transfer full); at least one. */
GPtrArray *rb_certificate_list_from_pem (const char *pem, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The certificate that a peer has shown over TLS, and with those that it sent above it: leaf first, (element-type
 * RbCertificate) (transfer full). */
RbCertificate *rb_certificate_from_tls (GTlsCertificate *certificate, GError **error) G_GNUC_WARN_UNUSED_RESULT;
GPtrArray *rb_certificate_chain_from_tls (GTlsCertificate *leaf, GError **error) G_GNUC_WARN_UNUSED_RESULT;
RbCertificate *rb_certificate_ref (RbCertificate *self);
void rb_certificate_unref (RbCertificate *self);
GBytes *rb_certificate_der (RbCertificate *self); /* borrowed */
const char *rb_certificate_id (RbCertificate *self); /* sha256 of the DER, hex, borrowed */
const char *rb_certificate_common_name (RbCertificate *self); /* borrowed, "" when there is none */
/* Of the subject: organisational unit (a dealer's code) and country. Borrowed; NULL when there is none. */
const char *rb_certificate_unit (RbCertificate *self);
const char *rb_certificate_country (RbCertificate *self);
RbPublicKey *rb_certificate_key (RbCertificate *self); /* borrowed */
/* By key or by common name: one person or machine, whatever other certificates it has. */
gboolean rb_certificate_same_holder (RbCertificate *self, RbCertificate *other);
gint64 rb_certificate_not_after (RbCertificate *self);
gboolean rb_certificate_has_purpose (RbCertificate *self, RbPurpose purpose);
/*
 * Checks that chain[0] leads, over the rest of the chain as helpers, to one of anchors, that all are
 * valid at moment and that chain[0] has the purpose (pass -1 for none). Errors: certificate,
 * certificate-expired, unsafe-algorithm, key-usage.
 */
gboolean rb_certificate_verify (GPtrArray *chain, GPtrArray *anchors, int purpose, gint64 moment, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* The same check; returns the path that was found: chain[0] first, then each issuer, the anchor last.
 * (element-type RbCertificate) (transfer full) */
GPtrArray *rb_certificate_find_path (GPtrArray *chain, GPtrArray *anchors, int purpose, gint64 moment, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Names a certificate in a trust list: SHA-256 (SubjectPublicKeyInfo of its issuer, DER ‖ contents octets of its
 * serialNumber), hex. (transfer full) */
char *rb_certificate_revocation_id (RbCertificate *self, RbCertificate *issuer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbCertificate, rb_certificate_unref)
