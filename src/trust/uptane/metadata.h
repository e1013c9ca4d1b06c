/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "crypto/key.h"
#include "uptane/error.h"
#include "uptane/scan.h"
#include <jansson.h>

/*
 * One metadata file, parsed but not believed: what it says stands in `signed_part` and counts only after
 * rb_metadata_verify(). Both dialects are read.
 */
typedef enum { RB_METADATA_ROOT, RB_METADATA_TIMESTAMP, RB_METADATA_SNAPSHOT, RB_METADATA_TARGETS } RbMetadataType;

typedef struct {
  GBytes *bytes;
  char *sha256; /* of the bytes */
  RbMetadataType type;
  gboolean uptane_dialect; /* _type begins with a capital */
  gint64 version;
  gint64 expires;
  json_t *envelope;
  json_t *signed_part; /* borrowed from envelope; "targets" and "meta" are read by rb_metadata_entry() and the like */
  gboolean is_head; /* signed_part has only _type, version and expires: rb_metadata_verify() makes it whole */
  RbScan *scan; /* of a large file, whose table is no tree; else NULL */
} RbMetadata;

/* Large targets and snapshot files stay where they are: no tree is made of their entries.
 * Errors: too-large, malformed, wrong-type, duplicate-signature, illegal-threshold (in a file that delegates). */
RbMetadata *rb_metadata_parse (GBytes *bytes, RbMetadataType type, gsize max, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Which role of a refused file has the illegal threshold; NULL when none has. (transfer full) */
char *rb_metadata_illegal_role (GBytes *bytes);
/* The same of bytes from outside: of a large file only signatures, _type, version and expires become a tree before
 * rb_metadata_verify() has found it authentic, so that memory stays bounded by the file's length. */
RbMetadata *rb_metadata_read (GBytes *bytes, RbMetadataType type, gsize max, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_metadata_free (RbMetadata *self);
/* Canonical forms of the whole file, one after another, form A first; TRUE from func ends it and is returned. form is
 * gone after the call. */
typedef gboolean (*RbMetadataFormFunc) (GBytes *form, gpointer data);
gboolean rb_metadata_each_form (const RbMetadata *self, RbMetadataFormFunc func, gpointer data);
/* The targets of a targets file, the files of a snapshot or timestamp: NULL when nothing has that name; borrowed. */
const json_t *rb_metadata_entry (const RbMetadata *self, const char *name);
/* One after another; FALSE from func ends it and is returned. entry is gone after the call. */
typedef gboolean (*RbMetadataEntryFunc) (const char *name, const json_t *entry, gpointer data);
gboolean rb_metadata_each_entry (const RbMetadata *self, RbMetadataEntryFunc func, gpointer data);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbMetadata, rb_metadata_free)

/* The keys that may sign for a role, and how many must. */
typedef struct {
  GHashTable *keys; /* keyid → key entry (private) */
  GHashTable *absent; /* key ids without a key (private) */
  gint64 threshold;
} RbMetadataRole;
/* keys: the object of key objects; role: {"keyids","threshold"}. Keys that cannot be used are left out. */
RbMetadataRole *rb_metadata_role_new (const json_t *keys, const json_t *role, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_metadata_role_free (RbMetadataRole *self);
/* Have both the same public keys? */
gboolean rb_metadata_role_same_keys (const RbMetadataRole *a, const RbMetadataRole *b);
/* Its distinct public keys that can be used, in no order. (element-type RbPublicKey) (transfer full) */
GPtrArray *rb_metadata_role_keys (const RbMetadataRole *self);
/* sha256 over its distinct public keys: another one says that the keys have changed. (transfer full) */
char *rb_metadata_role_fingerprint (const RbMetadataRole *self);
/* The role of a root file. Errors: malformed, also where the root does not list it. */
RbMetadataRole *rb_metadata_root_role (const RbMetadata *root, const char *name, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbMetadataRole, rb_metadata_role_free)

/* Signed by a threshold of distinct public keys of role? Unusable signatures are skipped. Errors: threshold-unmet,
 * bad-signature, bad-key-id (signed with an id that the role lists and "keys" does not), and of a large file that was
 * read by its head malformed, illegal-threshold. */
gboolean rb_metadata_verify (RbMetadata *self, const RbMetadataRole *role, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Signed by the keys that root lists for a role (root may be self)? Errors: those, and malformed where root lists no
 * keys for the role. */
gboolean rb_metadata_verify_by_root (RbMetadata *self, const RbMetadata *root, const char *role, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Those of the role's keys whose signatures verify, each once, in no order. (element-type RbPublicKey) (transfer full)
 */
GPtrArray *rb_metadata_signers (const RbMetadata *self, const RbMetadataRole *role);
