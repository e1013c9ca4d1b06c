/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "uptane/metadata.h"
#include "uptane/policy.h"
#include "uptane/target.h"

/*
 * The search through delegations (TUF 5.6.7, Uptane 5.4.4.7): pre-order, a terminating delegation ends it, hashed bins,
 * several roles that must agree. It loads nothing by itself: the caller gives a function that loads.
 */

/* One role that a targets file delegates to. Everything is borrowed. */
typedef struct {
  const RbMetadata *file; /* that delegates */
  const char *parent; /* role of that file */
  const char *role;
  const json_t *entry; /* with the role's keyids and threshold */
  gsize index; /* where it stands in the file's list, or which bin it is */
  gsize member; /* of a delegation to several roles */
} RbSearchDelegation;
/* Another one for every delegation: digest of the delegating file, and where in it this one stands. (transfer full) */
char *rb_search_place (const RbSearchDelegation *self);

/* A delegated targets file, verified by one delegation. */
typedef struct {
  char *place; /* of that delegation */
  char *parent;
  char *role;
  char *carrier; /* what it is as a carrier of release counters (uptane/target.h) */
  char *keys; /* fingerprint of the keys that signed */
  const RbMetadata *metadata; /* borrowed */
} RbDelegated;
void rb_search_delegated_free (RbDelegated *self);

/* Loads what a delegation leads to; NULL with error. Borrowed; it stays while the search goes on. */
typedef const RbDelegated *(*RbSearchLoadFunc) (const RbSearchDelegation *delegation, gpointer data, GError **error);

/* The target that path is, searched from the top-level targets file on. hardware_id may be NULL: not verified. NULL
 * without error: no role lists it. *role (transfer full): the role where the search failed or ended. */
RbTarget *rb_search_target (const RbMetadata *targets, const char *path, const char *hardware_id,
                            const RbPolicy *policy, RbSearchLoadFunc load, gpointer data, char **role, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Loads every role that a delegation leads to, each delegation once. Errors: too-large beyond 65,536 delegations. *role
 * (transfer full): the role where it failed. */
gboolean rb_search_all (const RbMetadata *targets, RbSearchLoadFunc load, gpointer data, char **role, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
