/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "campaign/error.h"
#include "model/campaign.h"
#include "uptane/store.h"

/* Root metadata in folders of metadata: N.root.json, from 1 or later without a gap. */

/* N of "N.root.json", 0 for other names. */
gint64 rb_roots_number (const char *name);
/* Every root, oldest first: (element-type GBytes) (transfer full), at least one; first (may be NULL) receives the
 * number of the oldest. */
GPtrArray *rb_roots_read_from (const char *folder, gint64 *first, GError **error) G_GNUC_WARN_UNUSED_RESULT;
GPtrArray *rb_roots_read (const char *folder, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The root the campaign wants of that repository; pin-mismatch when another has its number. (transfer full) */
GBytes *rb_roots_wanted (const char *folder, const RbCampaignRoot *wanted, const char *repo, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Walks the chain in folder to the root that the campaign wants, which must be the newest; a pinned root is the
 * beginning of its chain. */
gboolean rb_roots_check (const char *folder, const RbCampaignRoot *wanted, const char *repo, gint64 moment,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A store in memory that holds that root. */
RbStore *rb_roots_store (GBytes *root, GError **error) G_GNUC_WARN_UNUSED_RESULT;
