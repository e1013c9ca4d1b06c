/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "campaign/archive.h"

/*
 * The files of a bundle into a folder: first everything but images, then, when that has been verified, each
 * image that signed metadata names.
 */
typedef struct _RbUnpack RbUnpack;
/* Borrows archive. */
RbUnpack *rb_unpack_new (RbArchive *archive);
void rb_unpack_free (RbUnpack *self);
/* Everything up to the first image, into folder. Errors: path, too-large, malformed (twice), no-space. */
gboolean rb_unpack_metadata (RbUnpack *self, const char *folder, GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef void (*RbUnpackProgress) (RbUnpack *self, gpointer data);
/* Reads the images that follow: wanted is path (char *) → sha256 (char *). Each is hashed, and written to folder/HEX
 * unless folder is NULL. seen receives the digests found (char *). Errors: hash-mismatch, target-missing, malformed, no-space. */
gboolean rb_unpack_images (RbUnpack *self, GHashTable *wanted, const char *folder, GHashTable *seen,
                           RbUnpackProgress progress, gpointer data, GError **error) G_GNUC_WARN_UNUSED_RESULT;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbUnpack, rb_unpack_free)
