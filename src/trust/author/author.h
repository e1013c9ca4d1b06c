/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "crypto/key.h"
#include "uptane/error.h"
#include <jansson.h>

/*
 * Writing metadata: `signed` objects as jansson values and signed envelopes as bytes, in one of the two dialects.
 * Versions above 2^31-2 are refused. Key ids: uptane dialect sha256(DER SPKI) as ota-tuf; TUF dialect
 * sha256(canonical key object).
 */
typedef enum { RB_DIALECT_UPTANE, RB_DIALECT_TUF } RbDialect;

typedef struct {
  const char *name; /* "root", "timestamp", "snapshot", "targets" */
  GPtrArray *keys; /* of RbPublicKey */
  guint threshold;
} RbAuthorRole;

typedef struct {
  const char *name;
  GPtrArray *keys; /* of RbPublicKey */
  guint threshold;
  GStrv paths;
  gboolean terminating;
  GStrv hardware_ids; /* may be NULL */
} RbAuthorDelegation;

/* (transfer full) `signed` of a root. roles has n of them. */
json_t *rb_author_root (RbDialect dialect, gint64 version, gint64 expires, const RbAuthorRole *roles, guint n);
/* targets: object path → {"length","hashes",["custom"]} (borrowed); delegations n may be 0; custom may be NULL
 * (top-level "custom" or "vin" members are merged in from extra). */
json_t *rb_author_targets (RbDialect dialect, gint64 version, gint64 expires, json_t *targets,
                           const RbAuthorDelegation *delegations, guint n, json_t *extra);
/* One entry {"length":…,"hashes":{"sha256":…},"custom":…} for image bytes; custom may be NULL (borrowed). */
json_t *rb_author_target (GBytes *image, json_t *custom);
/* files: name ("targets.json", "supplier-a.json") → GBytes of the envelope */
json_t *rb_author_snapshot (RbDialect dialect, gint64 version, gint64 expires, GHashTable *files);
json_t *rb_author_timestamp (RbDialect dialect, gint64 version, gint64 expires, GBytes *snapshot);
/* Signs with every key (of RbPrivateKey); canonical compact envelope. (transfer full) */
GBytes *rb_author_sign (RbDialect dialect, json_t *signed_part, GPtrArray *keys, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* The same in steps, for keys that are elsewhere. Versions and key types (of RbPublicKey) that may be signed; errors:
 * malformed, unsupported. */
gboolean rb_author_check (RbDialect dialect, const json_t *part, GPtrArray *keys, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* The bytes to be signed. (transfer full) */
GBytes *rb_author_message (RbDialect dialect, const json_t *part);
/* An entry of "signatures". (transfer full) */
json_t *rb_author_signature (RbDialect dialect, RbPublicKey *public, GBytes *signature);
/* part and signatures are borrowed. (transfer full) */
GBytes *rb_author_envelope (json_t *part, json_t *signatures);
/* The key id an RbPublicKey has in metadata of that dialect. (transfer full) */
char *rb_author_key_id (RbDialect dialect, RbPublicKey *key);
