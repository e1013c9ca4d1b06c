/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "campaign/contents.h"
#include "campaign/unpack.h"

/*
 * Bundles: a tar file (.recall; zstd only where it holds no images) or a folder of the same shape. Hostile until
 * verified: sizes, numbers and names are bounded, everything but plain files and folders is refused.
 */

/* For auditors, without a data dir: service_root is the anchor, NULL takes the bundle as given. Expiry is evaluated at
 * the campaign's own time of issue. Images are read when asked for. (transfer full) */
RbContents *rb_bundle_open (const char *path, GBytes *service_root, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* For the library, which keeps what it reads. */
/* The Service repository, and by it the metadata that follows: source->folder receives both. (transfer full) */
RbContents *rb_bundle_read_metadata (RbUnpack *unpack, const RbContentsSource *source, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Packs of single vehicles. A pack is verified before the next one is read. */
gboolean rb_bundle_read_vins (RbUnpack *unpack, RbContents *contents, const char *folder, gint64 moment, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
