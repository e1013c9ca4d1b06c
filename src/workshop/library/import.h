/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "library/library.h"

/* Imports bundles, and the trust that a bundle brings. */

/* done of total bytes read; may be called often. */
typedef void (*RbImportProgress) (guint64 done, guint64 total, gpointer data);

/* Imports into the library: all or nothing. in_place: images stay where they are and are verified at each use. Errors:
 * bundle-truncated, malformed, path, too-large, no-space, no-trust-anchor, wrong-oem, campaign-expired,
 * campaign-rollback, clock, not-in-scope, image-missing, hash-mismatch and the words for metadata. (transfer full) */
RbContents *rb_import_bundle (RbLibrary *library, const char *path, gboolean in_place, gint64 now,
                              RbImportProgress progress, gpointer data, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same checks, images included, with nothing stored. */
RbContents *rb_import_verify (RbLibrary *library, const char *path, gint64 now, RbImportProgress progress,
                              gpointer data, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Walks trust anchors to the newest Service root in a bundle, whatever else is in it, and takes its trust list where
 * that is newer than the one known and its metadata has not expired. Reads service/ alone. advanced is as
 * rb_trust_update gives it. */
gboolean rb_import_trust (const char *data_dir, const char *path, gint64 now, GPtrArray **advanced, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
