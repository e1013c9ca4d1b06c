/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "uptane/metadata.h"

/*
 * What a client has already accepted from one repository; a folder with N.root.json files (every accepted
 * root, byte for byte), timestamp.json, snapshot.json and versions.json (version and sha256 of every targets
 * file seen). Each write is durable before the next step. A rejected run changes nothing but the roots it
 * accepted and what their key changes drop.
 */
typedef struct _RbStore RbStore;
RbStore *rb_store_open (const char *folder, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* One that is gone when it is freed. */
RbStore *rb_store_new_in_memory (void);
void rb_store_free (RbStore *self);
/* The newest root, timestamp, snapshot and what is known of all roles as one value, and a store in memory made of it: for who has
 * a file for all that it keeps. json NULL: an empty store. (transfer full) */
json_t *rb_store_to_json (RbStore *self);
RbStore *rb_store_from_json (const json_t *json, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_store_has_root (RbStore *self);
/* Installs the first root (trust anchor). Does nothing when the store holds a root already. Checks that it is
 * a root signed by its own threshold. */
gboolean rb_store_anchor (RbStore *self, GBytes *root, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Replaces everything: out-of-band re-anchoring; drops all metadata. */
gboolean rb_store_reanchor (RbStore *self, GBytes *root, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gint64 rb_store_root_version (RbStore *self);   /* 0 when none */
const char *rb_store_root_sha256 (RbStore *self); /* of the file bytes, hex, borrowed, NULL when none */
GBytes *rb_store_file (RbStore *self, const char *role); /* "timestamp", "snapshot"; borrowed or NULL */
/* version of a stored role, 0 when there is none; sha256 may be NULL */
gint64 rb_store_version (RbStore *self, const char *role, const char **sha256);
/* drop: forgets timestamp, snapshot or a targets role */
gboolean rb_store_drop (RbStore *self, const char *role, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The newest root, parsed; borrowed, NULL when none. */
const RbMetadata *rb_store_root_metadata (RbStore *self);
/* Stores a root that the caller has verified against the one before it. */
gboolean rb_store_add_root (RbStore *self, GBytes *root, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Stores verified metadata of a role: timestamp and snapshot whole, of targets files version and digest. */
gboolean rb_store_accept (RbStore *self, const char *role, const RbMetadata *metadata, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Roles with a stored version. (transfer full) */
GStrv rb_store_roles (RbStore *self);
/* Highest release counter accepted for an ECU, -1 when none; dropped with the role targets. */
gint64 rb_store_counter (RbStore *self, const char *serial);
gboolean rb_store_set_counter (RbStore *self, const char *serial, gint64 counter, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Fingerprint of the keys by which a delegation ("PARENT\nROLE") was verified last, NULL when it never was; borrowed. */
const char *rb_store_keys (RbStore *self, const char *delegation);
gboolean rb_store_set_keys (RbStore *self, const char *delegation, const char *fingerprint, GError **error) G_GNUC_WARN_UNUSED_RESULT;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbStore, rb_store_free)
