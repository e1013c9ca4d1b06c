/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "oem/keyring.h"
#include "uptane/author.h"

/*
 * One repository as its OEM sees it: the keys of its roles, the chain of its roots, and what is published.
 * Publications are tables of file name → GBytes, ready to be served or packed.
 */
typedef struct _RbRepository RbRepository; /* ref counted */

typedef struct {
  gint64 version; /* of timestamp and snapshot */
  gint64 targets_version;
  gint64 expires;         /* of timestamp and snapshot */
  gint64 targets_expires; /* of targets and delegated roles */
  json_t *targets;        /* path → entry, borrowed */
  json_t *extra;          /* top-level members of targets, borrowed, may be NULL */
} RbRepositoryPlan;

/* kind: "director", "image" or "service"; the first two speak the uptane dialect, the last TUF 1.0. */
RbRepository *rb_repository_new (const char *kind);
/* With the same keys, roots and delegations; each goes its own way from here. (transfer full) */
RbRepository *rb_repository_copy (RbRepository *self);
RbRepository *rb_repository_ref (RbRepository *self);
void rb_repository_unref (RbRepository *self);
const char *rb_repository_kind (RbRepository *self);
/* Takes keys into its role ("root", "timestamp", "snapshot", "targets"), replacing what was there. */
void rb_repository_set_keys (RbRepository *self, RbKeyring *keys);
RbKeyring *rb_repository_keys (RbRepository *self, const char *role); /* borrowed */
/* Adds or replaces a delegated role; its keyring's role is its name. paths and hardware_ids are copied; targets is
 * borrowed and kept. */
void rb_repository_delegate (RbRepository *self, RbKeyring *keys, const char *const *paths,
                             const char *const *hardware_ids);
void rb_repository_set_delegated (RbRepository *self, const char *name, gint64 version, json_t *targets);
/* Publishes the next root with the keys as they are now, signed by a threshold of its own root keys and, when there
 * is a root already and chained is true, by the one that signs for the root before it. */
gboolean rb_repository_publish_root (RbRepository *self, gint64 expires, gboolean chained, GError **error) G_GNUC_WARN_UNUSED_RESULT;
GBytes *rb_repository_root (RbRepository *self, guint version); /* borrowed, from 1 */
guint rb_repository_root_version (RbRepository *self);
/* timestamp.json, snapshot.json, targets.json and delegated files. (transfer full) */
GHashTable *rb_repository_publish (RbRepository *self, const RbRepositoryPlan *plan, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Adds 1.root.json … to a publication. */
void rb_repository_add_roots (RbRepository *self, GHashTable *files);
/* Who holds which key and whether it is online: keys.json beside the metadata. (transfer full) */
json_t *rb_repository_describe_keys (RbRepository *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbRepository, rb_repository_unref)
