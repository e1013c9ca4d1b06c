/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "uptane/metadata.h"

/*
 * What a client has already accepted from one repository: every accepted root and the newest timestamp and snapshot,
 * byte for byte; of every targets file version and digest; of delegated roles by the delegation, apart from the
 * top-level roles; release counters with the keys that signed them. In memory, or in a folder (uptane/store-files.h)
 * that is checked when it is opened. An accepted root is durable at once, everything else with rb_store_save(): a
 * rejected run changes nothing but the roots it accepted and what their key changes drop. Not thread safe.
 */
typedef struct _RbStore RbStore;
/* Errors: store-damaged where it cannot be told any more what was accepted. */
RbStore *rb_store_open (const char *folder, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* One that is gone when it is freed. */
RbStore *rb_store_new_in_memory (void);
void rb_store_free (RbStore *self);
/* Files that were damaged when the store was opened. Another copy was used, or they are fetched again. (element-type
 * utf8), borrowed. */
GPtrArray *rb_store_damaged (RbStore *self);
/* Makes everything that was accepted since durable. Writes nothing where nothing has changed. */
gboolean rb_store_save (RbStore *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The newest root, timestamp, snapshot and what is known of all roles as one value, and a store in memory made of it:
 * for who has a file for all that it keeps. json NULL: an empty store. (transfer full) */
json_t *rb_store_to_json (RbStore *self);
RbStore *rb_store_from_json (const json_t *json, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_store_has_root (RbStore *self);
/* Installs the first root (trust anchor). Does nothing when the store holds a root already. Checks that it is
 * a root signed by its own threshold. */
gboolean rb_store_anchor (RbStore *self, GBytes *root, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Replaces everything: out-of-band re-anchoring; drops all metadata. */
gboolean rb_store_reanchor (RbStore *self, GBytes *root, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gint64 rb_store_root_version (RbStore *self); /* 0 when none */
const char *rb_store_root_sha256 (RbStore *self); /* of the file bytes, hex, borrowed, NULL when none */
/* The newest root, parsed; borrowed, NULL when none. */
const RbMetadata *rb_store_root_metadata (RbStore *self);
GBytes *rb_store_file (RbStore *self, const char *role); /* "timestamp", "snapshot"; borrowed or NULL */
/* Version of a top-level role, or of a delegated role by whichever delegation; 0: none. sha256 may be NULL. */
gint64 rb_store_version (RbStore *self, const char *role, const char **sha256);
/* Forgets timestamp, snapshot or a targets role, and the release counters that it carried; durable at once. */
gboolean rb_store_drop (RbStore *self, const char *role, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Stores a root that the caller has verified against the one before it, and forgets the dropped top-level roles
 * (NULL-terminated), whose keys it changes; durable at once. Release counters stay: they bind by the keys that signed
 * them. */
gboolean rb_store_add_root (RbStore *self, GBytes *root, const char *const *dropped, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Verified metadata of a top-level role: timestamp and snapshot whole, of targets version and digest. */
void rb_store_accept (RbStore *self, const char *role, const RbMetadata *metadata);
/* The same of a delegated role. keys: fingerprint of the keys by which parent's delegation was verified. */
void rb_store_accept_delegated (RbStore *self, const char *parent, const char *role, const char *keys,
                                const RbMetadata *metadata);
/* What parent's delegation was verified as last: version, 0: never; keys (may be NULL) borrowed, NULL: never. */
gint64 rb_store_delegated (RbStore *self, const char *parent, const char *role, const char **keys);
/* Roles with a stored version, each once. (transfer full) */
GStrv rb_store_roles (RbStore *self);
/* The release counter accepted last for an ECU, -1: none. carrier: role whose metadata carried it ("targets", or as
 * rb_store_delegation() writes it), and keys that signed it; borrowed, may be NULL. */
gint64 rb_store_counter (RbStore *self, const char *serial, const char **carrier, const char **keys);
void rb_store_set_counter (RbStore *self, const char *serial, gint64 counter, const char *carrier, const char *keys);
/* The carrier that a delegated role is. (transfer full) */
char *rb_store_delegation (const char *parent, const char *role);
/* Keys by which a carrier was verified last; NULL: never. Borrowed. */
const char *rb_store_carrier_keys (RbStore *self, const char *carrier);
/* The latest moment that metadata was accepted at, 0: never. */
gint64 rb_store_time (RbStore *self);
void rb_store_set_time (RbStore *self, gint64 moment);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbStore, rb_store_free)
