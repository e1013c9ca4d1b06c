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
 * once, the rest by rb_repository_commit(). Each step fills the verdict given at creation.
 */
typedef struct _RbRepository RbRepository;
typedef struct {
  const char *repo; /* "director", "image", "service"; static */
  gint64 now;
  gsize max_root, max_timestamp, max_snapshot, max_targets; /* bytes, 0: default */
  /* Names with and without version are tried, and root.json tells of a root whose N.root.json is not there. A client of
   * a server must not set it: TUF prescribes its requests. */
  gboolean any_layout;
} RbRepositoryLimits;

/* Borrows everything for its life; verdict may be NULL. */
RbRepository *rb_repository_new (RbStore *store, RbSource *source, const RbRepositoryLimits *limits,
                                 RbVerdict *verdict);
void rb_repository_free (RbRepository *self);
/* Walks the root chain; expiry counts only for the last root. */
gboolean rb_repository_update_root (RbRepository *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same, whether the last root has expired or not. */
gboolean rb_repository_walk_roots (RbRepository *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Does the root list the role? */
gboolean rb_repository_has_role (RbRepository *self, const char *role);
gboolean rb_repository_update_timestamp (RbRepository *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_repository_update_snapshot (RbRepository *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_repository_update_targets (RbRepository *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Top-level targets; borrowed, NULL before update_targets. */
const RbMetadata *rb_repository_targets (RbRepository *self);
/* Pre-order search over delegations. hardware_id may be NULL. NULL with target-missing when no role lists it. (transfer
 * full) */
RbTarget *rb_repository_find (RbRepository *self, const char *path, const char *hardware_id, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Loads every delegated role that a delegation leads to, up to the bound of a search. */
gboolean rb_repository_load_delegations (RbRepository *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Each delegated file that was loaded, by each delegation. */
typedef void (*RbRepositoryDelegatedFunc) (const char *role, const RbMetadata *targets, gpointer data);
void rb_repository_each_delegated (RbRepository *self, RbRepositoryDelegatedFunc func, gpointer data);
/* The release counter that an assigned image may not fall below, -1: none. It binds while the keys that signed the
 * metadata which carried it are those of that role. */
gint64 rb_repository_counter (RbRepository *self, const char *serial);
/* The counter of a target that rb_repository_find() or the top-level targets gave, for the commit that follows. */
void rb_repository_set_counter (RbRepository *self, const char *serial, const RbTarget *target);
/* Makes all that was accepted durable. */
gboolean rb_repository_commit (RbRepository *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbRepository, rb_repository_free)
