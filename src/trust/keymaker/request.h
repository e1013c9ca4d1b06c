/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "crypto/certificate.h"

/* Certificate signing requests (PKCS#10): they come from where the key was made. */
typedef struct {
  RbPublicKey *key;
  char *common_name; /* "" where it has none */
  int purpose; /* RbPurpose that the extended key usage asks for; -1: none, or several */
} RbRequest;

void rb_request_free (RbRequest *self);
/* Every request in a PEM text, each signed with its own key; at least one. (element-type RbRequest) Errors: malformed,
 * bad-signature, unsafe-algorithm. */
GPtrArray *rb_request_list_from_pem (const char *pem, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The serial number of a certificate in hex, lower case. (transfer full) */
char *rb_request_serial_of (RbCertificate *certificate);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbRequest, rb_request_free)
