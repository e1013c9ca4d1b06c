/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "uptane/source.h"
#include "uptane/store.h"
#include "uptane/target.h"
#include "uptane/verdict.h"

/*
 * TUF 1.0 client workflow (specification 5.3–5.7) of one repository: the Service repository, and any other TUF
 * repository for `recallctl tuf`. The store must hold a root.
 */
typedef struct _RbTuf RbTuf;
typedef struct {
  gint64 now;                    /* time that expiry is judged at */
  const char *repo;              /* name in verdicts: "service" */
  gsize max_root, max_timestamp, max_snapshot, max_targets; /* 0: defaults */
} RbTufOptions;
/* Borrows store and source for its life. */
RbTuf *rb_tuf_new (RbStore *store, RbSource *source, const RbTufOptions *options);
void rb_tuf_free (RbTuf *self);
/* Root chain, timestamp, snapshot, top-level targets. verdict may be NULL. */
gboolean rb_tuf_refresh (RbTuf *self, RbVerdict *verdict, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Entry of path over delegations; target-missing when no role vouches for it. (transfer full) */
RbTarget *rb_tuf_target (RbTuf *self, const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Fetches a target's bytes from source (HASH.name or name, beside or in targets/) and checks length and hashes. */
GBytes *rb_tuf_read_target (RbTuf *self, const RbTarget *target, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gint64 rb_tuf_expires (RbTuf *self, const char *role); /* of "timestamp": the bundle's validity */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbTuf, rb_tuf_free)
