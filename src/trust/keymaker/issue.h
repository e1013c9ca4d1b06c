/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "crypto/certificate.h"

/* Issuing certificates: recall-oem and tests. */
typedef struct {
  const char *common_name;
  const char *organisation; /* may be NULL */
  const char *unit; /* of the organisation: a dealer's code; may be NULL */
  const char *country; /* ISO 3166, two letters; may be NULL */
  const char *const *dns; /* subjectAltName, may be NULL; NULL-terminated, "127.0.0.1" becomes an IP */
  int purpose; /* RbPurpose, -1 for a CA */
  gint64 not_before;
  gint64 not_after;
} RbIssueRequest;
/* Signed by issuer_key under issuer; issuer NULL makes a self-signed CA. */
RbCertificate *rb_issue_certificate (const RbIssueRequest *request, RbPublicKey *subject, RbCertificate *issuer,
                                     RbPrivateKey *issuer_key, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* PKCS#12 with one key, its certificate and chain. (transfer full) */
GBytes *rb_issue_pkcs12 (const char *name, RbPrivateKey *key, GPtrArray *chain, const char *passphrase, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
