/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "uptane/trusted.h"
#include "uptane/policy.h"
#include "uptane/search.h"
#include "uptane/source.h"
#include "uptane/rejection.h"

/*
 * One repository as a client meets it: the steps of TUF 5.3–5.6 and of the Uptane Standard 5.4.4.3–5.4.4.7, one
 * function a step, in the order the caller needs. A policy says where the two differ. Every verdict on metadata is made
 * here: for a TUF client by uptane/workflow.h, for a vehicle by uptane/vehicle.h. What a step accepts is held here;
 * accepted roots are kept at once, the rest as uptane/trusted.h has it. Each step fills the verdict given at creation.
 * Blocking, one thread.
 */
typedef struct _RbRepository RbRepository;

/* (transfer full) trusted. Borrows source and verdict (may be NULL) for its life. */
RbRepository *rb_repository_new (RbTrusted *trusted, RbSource *source, const RbPolicy *policy, RbRejection *verdict);
/* Borrows store for its life. */
RbRepository *rb_repository_new_for_store (RbStore *store, RbSource *source, const RbPolicy *policy,
                                           RbRejection *verdict);
void rb_repository_free (RbRepository *self);
/* Walks the root chain; expiry counts only for the last root. */
gboolean rb_repository_update_root (RbRepository *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same, whether the last root has expired or not. */
gboolean rb_repository_walk_roots (RbRepository *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Does the root list the role? */
gboolean rb_repository_has_role (RbRepository *self, const char *role);
gboolean rb_repository_is_consistent (RbRepository *self);
gboolean rb_repository_update_timestamp (RbRepository *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_repository_update_snapshot (RbRepository *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_repository_update_targets (RbRepository *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* What is trusted of a role in this run; borrowed, NULL: nothing yet. */
const RbMetadata *rb_repository_metadata (RbRepository *self, const char *role);
/* The top-level targets file that earlier runs accepted, without a step of this one. NULL without error: none.
 * (transfer full) */
RbMetadata *rb_repository_stored_targets (RbRepository *self, GError **error);
/* After update_targets: searches the delegations, loading what it needs. hardware_id may be NULL. target-missing when
 * no role lists it. (transfer full) */
RbTarget *rb_repository_find (RbRepository *self, const char *path, const char *hardware_id, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Loads every delegated role that a delegation leads to. */
gboolean rb_repository_load_delegations (RbRepository *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Each delegated file that was loaded, by each delegation. */
typedef void (*RbRepositoryDelegatedFunc) (const char *role, const RbMetadata *targets, gpointer data);
void rb_repository_each_delegated (RbRepository *self, RbRepositoryDelegatedFunc func, gpointer data);

/* Of a repository for a store: */
/* The release counter that an assigned image may not fall below, -1: none. It binds while the keys that signed the
 * metadata which carried it are those of that role. */
gint64 rb_repository_counter (RbRepository *self, const char *serial);
/* The counter of a target that rb_repository_find() or the top-level targets gave, for the commit that follows. */
void rb_repository_set_counter (RbRepository *self, const char *serial, const RbTarget *target);
/* Makes all that was accepted durable. */
gboolean rb_repository_commit (RbRepository *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbRepository, rb_repository_free)
