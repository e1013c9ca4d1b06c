/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "crypto/key.h"

/*
 * The own keys of a technician or of a workstation, made where they are used, and the requests (PKCS#10, RFC 2986) with
 * which the OEM certifies them. Nothing else is made here: keys of ECUs, SHE updates and certificates are in
 * keymaker/, which no program of a workshop links.
 */
typedef enum {
  RB_IDENTITY_KEY_TECHNICIAN, /* one key */
  RB_IDENTITY_KEY_WORKSTATION, /* five, one for each purpose: records, TLS, vehicle link, 0x29, key agreement */
} RbIdentityKeyKind;

/* EC P-256 keys in PEM (PKCS#8, encrypted with passphrase), wiped by rb_secret_free(); *requests: for each key a
 * request in PEM, in the same order, with name as common name and its purpose as extended key usage. Errors: passphrase
 * (NULL or empty), malformed (a name that is empty, longer than 64 characters or not UTF-8), internal.
 * (transfer full) */
char *rb_identity_key_make (RbIdentityKeyKind kind, const char *name, const char *passphrase, char **requests,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
