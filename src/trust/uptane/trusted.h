/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "uptane/accepted.h"
#include "uptane/policy.h"
#include "uptane/store.h"

/*
 * Where a client keeps what it has accepted of one repository. A store keeps roots at once and everything else when a
 * run is accepted as a whole; it knows versions without files. Files of their own, one a role, are kept as they are
 * accepted, and nothing is known beside them.
 */
typedef struct {
  RbStore *store; /* borrowed; NULL: files */
  RbAccepted *files; /* owned */
  RbMetadata *root; /* of files; owned */
} RbTrusted;

/* Borrows store for its life. */
RbTrusted *rb_trusted_new_for_store (RbStore *store);
/* (transfer full) files. Errors: no-trust-anchor where they hold no usable root, or store-damaged by the policy. */
RbTrusted *rb_trusted_new_for_files (RbAccepted *files, const RbPolicy *policy, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
void rb_trusted_free (RbTrusted *self);
/* The newest root; borrowed, NULL: none. */
const RbMetadata *rb_trusted_root (RbTrusted *self);
/* A verified root; what is kept of the dropped top-level roles (NULL-terminated) falls. Durable at once. (transfer
 * full) root on success */
gboolean rb_trusted_add_root (RbTrusted *self, RbMetadata *root, const char *const *dropped, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* What was accepted last of a role. */
typedef struct {
  RbMetadata *file; /* NULL: not at hand */
  gint64 version; /* 0: none */
} RbTrustedBefore;
void rb_trusted_before_clear (RbTrustedBefore *self);
/* keys: those of the role now; by the policy they must have signed the file for it to count. Errors: store-damaged, by
 * the policy. */
gboolean rb_trusted_load (RbTrusted *self, const RbPolicy *policy, const char *role, RbMetadataType type,
                          const RbMetadataRole *keys, RbTrustedBefore *before, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* A version that is known also without its file; 0: none is. */
gint64 rb_trusted_version (RbTrusted *self, const char *role);
/* The same of a role by parent's delegation, which counts only under the same keys (a fingerprint). */
gint64 rb_trusted_delegated_version (RbTrusted *self, const char *parent, const char *role, const char *keys);
/* All roles with such a version. (transfer full) */
GStrv rb_trusted_roles (RbTrusted *self);
/* Files of their own keep it now; a store when rb_store_accept() is called. */
gboolean rb_trusted_accept (RbTrusted *self, const char *role, const RbMetadata *metadata, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Makes what a store has of the roots, and of what they dropped, durable. */
gboolean rb_trusted_save (RbTrusted *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbTrusted, rb_trusted_free)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (RbTrustedBefore, rb_trusted_before_clear)
