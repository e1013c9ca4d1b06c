/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <glib.h>
#include "crypto/error.h"

/*
 * Public keys that verify, private keys that sign. Immutable after creation and usable from any thread.
 * Making keys is in keymaker/keygen.h, which only recall-oem, recall-sim and tests may link.
 */
typedef enum {
  RB_SCHEME_ED25519, /* pure Ed25519, 64 byte signature */
  RB_SCHEME_RSASSA_PSS_SHA256, /* MGF1-SHA-256, any salt length */
  RB_SCHEME_RSASSA_PSS_SHA384,
  RB_SCHEME_RSASSA_PSS_SHA512,
  RB_SCHEME_RSA_PKCS1V15_SHA256,
  RB_SCHEME_ECDSA_P256_SHA256, /* DER signature */
  RB_SCHEME_ECDSA_P256_SHA512, /* DER signature; ota-tuf's ecPrime256v1 */
} RbScheme;

typedef enum { RB_KEY_ED25519, RB_KEY_RSA, RB_KEY_EC_P256 } RbKeyType;

typedef struct _RbPublicKey RbPublicKey; /* ref counted */
typedef struct _RbPrivateKey RbPrivateKey; /* ref counted; wiped when the last reference goes */

/* From DER SubjectPublicKeyInfo. RSA below 2048 bits and other curves: unsafe-algorithm. */
RbPublicKey *rb_key_public_from_spki (GBytes *spki, GError **error) G_GNUC_WARN_UNUSED_RESULT;
RbPublicKey *rb_key_public_from_pem (const char *pem, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* raw 32 byte Ed25519 key */
RbPublicKey *rb_key_public_from_ed25519 (gconstpointer raw, gsize length, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* uncompressed (65) or compressed (33) P-256 point */
RbPublicKey *rb_key_public_from_p256_point (gconstpointer raw, gsize length, GError **error) G_GNUC_WARN_UNUSED_RESULT;
RbPublicKey *rb_key_public_ref (RbPublicKey *self);
void rb_key_public_unref (RbPublicKey *self);
RbKeyType rb_key_public_type (RbPublicKey *self);
/* Default signature scheme of this key. */
RbScheme rb_key_public_scheme (RbPublicKey *self);
/* DER SubjectPublicKeyInfo, borrowed: the identity of a key when signers are counted. The same bytes for the same key
 * in whatever encoding it came. */
GBytes *rb_key_public_spki (RbPublicKey *self);
/* sha256 of the SPKI, lower-case hex, borrowed: our key id everywhere outside foreign metadata. */
const char *rb_key_public_id (RbPublicKey *self);
/* raw 32 bytes of an Ed25519 key; NULL for others. (transfer full) */
GBytes *rb_key_public_ed25519 (RbPublicKey *self);
/* (transfer full) */
char *rb_key_public_pem (RbPublicKey *self);
gboolean rb_key_public_equal (RbPublicKey *a, RbPublicKey *b);
/* TRUE only when signature is one of message by this key under scheme. Never an error: what cannot be
 * a signature is not one. */
gboolean rb_key_verify (RbPublicKey *self, RbScheme scheme, gconstpointer message, gsize length,
                        gconstpointer signature, gsize signature_length) G_GNUC_WARN_UNUSED_RESULT;

/* Sets the error passphrase for a key that it does not open; NULL or "": none was given. */
void rb_key_set_passphrase_error (GError **error, const char *passphrase);
/* PEM, PKCS#8 plain or encrypted (passphrase may be NULL); wrong passphrase: passphrase. */
RbPrivateKey *rb_key_private_from_pem (const char *pem, const char *passphrase, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
RbPrivateKey *rb_key_private_ref (RbPrivateKey *self);
void rb_key_private_unref (RbPrivateKey *self);
RbPublicKey *rb_key_private_public (RbPrivateKey *self); /* borrowed */
/* Signs under the key's own scheme. (transfer full) */
GBytes *rb_key_sign (RbPrivateKey *self, gconstpointer message, gsize length, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* PKCS#8 PEM, encrypted (PBES2 AES-256) when passphrase is not NULL. (transfer full) */
char *rb_key_private_pem (RbPrivateKey *self, const char *passphrase);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbPublicKey, rb_key_public_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbPrivateKey, rb_key_private_unref)
