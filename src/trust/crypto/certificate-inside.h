/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "crypto/certificate.h"

#include <openssl/x509.h>

/* OpenSSL's view of certificates, for crypto/, keymaker/ and keystore/ only. */

/* Takes x509, also on failure. */
RbCertificate *rb_certificate_from_x509 (X509 *x509, GError **error) G_GNUC_WARN_UNUSED_RESULT;
X509 *rb_certificate_x509 (RbCertificate *certificate); /* borrowed */
