/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "campaign/archive.h"
#include "model/vin-index.h"

/*
 * The files of a bundle into a folder, part by part (campaign/shape.h): the caller verifies a part before it asks for
 * the next one. Files and bytes of what is not verified yet are bounded; an entry of an earlier part is malformed.
 */
typedef struct _RbUnpack RbUnpack;
/* Borrows archive. */
RbUnpack *rb_unpack_new (RbArchive *archive);
void rb_unpack_free (RbUnpack *self);

/* Everything in service/, up to the first file of another part. Errors: path, too-large, malformed, no-space. */
gboolean rb_unpack_service (RbUnpack *self, const char *folder, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same for the metadata of the vehicle repositories. */
gboolean rb_unpack_metadata (RbUnpack *self, const char *folder, GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef struct {
  /* The index that a target of the Service repository is the table of, NULL: no role vouches for it. (borrowed) */
  const RbVinIndex *(*index) (const char *table, gpointer data);
  /* All files of a VIN's pack are there. */
  gboolean (*pack) (const char *vin, gpointer data, GError **error);
  gpointer data;
} RbUnpackVins;
/* Scope, VIN packs and regions, each verified before the next one is read; pieces by the table that names them. Errors
 * besides: target-missing, length-mismatch, hash-mismatch, those of pack. */
gboolean rb_unpack_vins (RbUnpack *self, const char *folder, const RbUnpackVins *vins, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;

typedef void (*RbUnpackProgress) (RbUnpack *self, gpointer data);
/* Told of what is read from now on. */
void rb_unpack_set_progress (RbUnpack *self, RbUnpackProgress progress, gpointer data);
/* Reads the images that follow: wanted is path (char *) → sha256 (char *). Each is hashed, and written to folder/HEX
 * unless folder is NULL. seen receives the digests found (char *). Errors: hash-mismatch, target-missing, malformed,
 * no-space. */
gboolean rb_unpack_images (RbUnpack *self, GHashTable *wanted, const char *folder, GHashTable *seen, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbUnpack, rb_unpack_free)
