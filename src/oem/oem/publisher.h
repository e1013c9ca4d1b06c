/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "author/author.h"
#include "oem/keyring.h"

/*
 * One repository as its OEM sees it: the keys of its roles, the chain of its roots, and what is published.
 * Publications are tables of file name → GBytes, ready to be served or packed.
 */
typedef struct _RbPublisher RbPublisher; /* ref counted */

typedef struct {
  gint64 version; /* of timestamp and snapshot */
  gint64 targets_version;
  gint64 expires; /* of timestamp and snapshot */
  gint64 targets_expires; /* of targets and delegated roles */
  json_t *targets; /* path → entry, borrowed */
  json_t *extra; /* top-level members of targets, borrowed, may be NULL */
} RbPublisherPlan;

/* kind: "director", "image" or "service"; the first two speak the uptane dialect, the last TUF 1.0. */
RbPublisher *rb_publisher_new (const char *kind);
/* With the same keys, roots and delegations; each goes its own way from here. (transfer full) */
RbPublisher *rb_publisher_copy (RbPublisher *self);
void rb_publisher_free (RbPublisher *self);
const char *rb_publisher_kind (RbPublisher *self);
/* Takes keys into its role ("root", "timestamp", "snapshot", "targets"), replacing what was there. */
void rb_publisher_set_keys (RbPublisher *self, RbKeyring *keys);
/* Of a role that has keys; borrowed. */
RbKeyring *rb_publisher_keys (RbPublisher *self, const char *role);
/* Adds or replaces a delegated role; its keyring's role is its name. paths and hardware_ids are copied; targets is
 * borrowed and kept. */
void rb_publisher_delegate (RbPublisher *self, RbKeyring *keys, const char *const *paths,
                            const char *const *hardware_ids);
void rb_publisher_set_delegated (RbPublisher *self, const char *name, gint64 version, json_t *targets);
/* Publishes the next root with the keys as they are now, signed by a threshold of its own root keys and, when there
 * is a root already and chained is true, by the one that signs for the root before it. */
gboolean rb_publisher_publish_root (RbPublisher *self, gint64 expires, gboolean chained, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
GBytes *rb_publisher_root (RbPublisher *self, guint version); /* borrowed, from 1 */
guint rb_publisher_root_version (RbPublisher *self);
/* timestamp.json, snapshot.json, targets.json and delegated files. (transfer full) */
GHashTable *rb_publisher_publish (RbPublisher *self, const RbPublisherPlan *plan, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Adds 1.root.json … to a publication. */
void rb_publisher_add_roots (RbPublisher *self, GHashTable *files);
/* Holder of each key and whether it is online: keys.json beside the metadata. (transfer full) */
json_t *rb_publisher_describe_keys (RbPublisher *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbPublisher, rb_publisher_free)
