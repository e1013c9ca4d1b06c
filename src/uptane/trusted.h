/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "uptane/metadata.h"
#include "uptane/source.h"
#include "uptane/store.h"
#include "uptane/target.h"
#include "uptane/verdict.h"

/*
 * One repository as a client meets it: the steps of TUF 5.3–5.6 and of the Uptane Standard 5.4.4.3–5.4.4.7, one
 * function a step, in the order the caller needs. What a step accepts is held here; accepted roots are stored at
 * once, the rest by rb_trusted_commit(). Each step fills the verdict given at creation.
 */
typedef struct _RbTrusted RbTrusted;
typedef struct {
  const char *repo; /* "director", "image", "service"; static */
  gint64 now;
  gsize max_root, max_timestamp, max_snapshot, max_targets; /* bytes, 0: default */
} RbTrustedLimits;

/* Borrows everything for its life; verdict may be NULL. */
RbTrusted *rb_trusted_new (RbStore *store, RbSource *source, const RbTrustedLimits *limits, RbVerdict *verdict);
void rb_trusted_free (RbTrusted *self);
/* Walks the root chain; expiry counts only for the last root. */
gboolean rb_trusted_update_root (RbTrusted *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Does the root list the role? */
gboolean rb_trusted_has_role (RbTrusted *self, const char *role);
gboolean rb_trusted_update_timestamp (RbTrusted *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_trusted_update_snapshot (RbTrusted *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_trusted_update_targets (RbTrusted *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Top-level targets; borrowed, NULL before update_targets. */
const RbMetadata *rb_trusted_targets (RbTrusted *self);
/* Pre-order search over delegations. hardware_id may be NULL. NULL with target-missing when nobody vouches. (transfer full) */
RbTarget *rb_trusted_find (RbTrusted *self, const char *path, const char *hardware_id, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_trusted_commit (RbTrusted *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Held metadata of a role ("timestamp", "snapshot", "targets", delegated), else NULL; borrowed. */
const RbMetadata *rb_trusted_metadata (RbTrusted *self, const char *role);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbTrusted, rb_trusted_free)
