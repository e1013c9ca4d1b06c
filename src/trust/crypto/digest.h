/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <glib.h>

/* SHA-256 and SHA-512 and what is built on them. Cannot fail but for lack of memory, which is fatal. */
#define RB_SHA256_LENGTH 32

void rb_digest_sha256 (gconstpointer data, gsize length, guint8 out[RB_SHA256_LENGTH]);
/* Lower-case hex. (transfer full) */
char *rb_digest_sha256_hex (gconstpointer data, gsize length);
char *rb_digest_sha256_hex_of (GBytes *bytes);
char *rb_digest_sha512_hex (gconstpointer data, gsize length);
/* HKDF-SHA256 (RFC 5869); salt may be NULL with length 0. out_length <= 8160. (transfer full) */
GBytes *rb_digest_hkdf (GBytes *ikm, GBytes *salt, GBytes *info, gsize out_length);
/* AES-128-CMAC (RFC 4493) */
void rb_digest_cmac (const guint8 key[16], gconstpointer data, gsize length, guint8 out[16]);
/* Random bytes from the operating system; aborts when there are none. (transfer full) */
GBytes *rb_digest_random (gsize length);

/* Incremental SHA-256. */
typedef struct _RbSha256 RbSha256;
RbSha256 *rb_digest_sha256_new (void);
void rb_digest_sha256_update (RbSha256 *self, gconstpointer data, gsize length);
/* (transfer full) hex; the object is used up but must still be freed */
char *rb_digest_sha256_finish (RbSha256 *self);
void rb_digest_sha256_free (RbSha256 *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbSha256, rb_digest_sha256_free)
