/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "crypto/digest.h"
#include "model/error.h"

/*
 * VINs by the million: the scope of a campaign, the VIN packs of a region. A file of pieces holds them sorted by
 * SHA-256(salt ‖ VIN), the first two bytes of the digest number the piece. The table names the SHA-256 and length of
 * each piece and is a target of the Service repository: a look-up reads the table and one piece. The digest orders the
 * file; it keeps no VIN secret.
 *
 * Table, big endian: "recallbay-vins-1", salt (32 bytes), number of VINs (u64), length of the file of pieces (u64);
 * then of each piece its SHA-256 and its length (u32). A piece: entries in ascending order, each the digest (32 bytes),
 * the length of its contents (u32), its contents.
 */
#define RB_VIN_INDEX_PIECES 65536
#define RB_VIN_INDEX_MAGIC "recallbay-vins-1"
#define RB_VIN_INDEX_SALT 32
/* bytes of a table */
#define RB_VIN_INDEX_TABLE (16 + RB_VIN_INDEX_SALT + 8 + 8 + RB_VIN_INDEX_PIECES * (RB_SHA256_LENGTH + 4))
#define RB_VIN_INDEX_MAX_PIECE (16 * 1024 * 1024)
#define RB_VIN_INDEX_MAX_ENTRY (8 * 1024 * 1024) /* contents of one VIN */

/* SHA-256(salt ‖ VIN); the salt is RB_VIN_INDEX_SALT bytes. */
void rb_vin_index_digest (gconstpointer salt, const char *vin, guint8 digest[RB_SHA256_LENGTH]);
guint rb_vin_index_piece (const guint8 digest[RB_SHA256_LENGTH]);

/* Immutable and usable from any thread. */
typedef struct _RbVinIndex RbVinIndex;
/* table: verified bytes; name: what a person calls it; pieces: path of the file, which is opened at each look-up.
 * Errors: malformed. */
RbVinIndex *rb_vin_index_new (GBytes *table, const char *name, const char *pieces, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
void rb_vin_index_free (RbVinIndex *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbVinIndex, rb_vin_index_free)
/* Borrowed. */
const char *rb_vin_index_name (const RbVinIndex *self);
GBytes *rb_vin_index_table (const RbVinIndex *self);
guint64 rb_vin_index_vins (const RbVinIndex *self);
guint64 rb_vin_index_size (const RbVinIndex *self); /* bytes of the file of pieces */
/* *contents is NULL where the VIN is not in it, else (transfer full). Errors: missing, length-mismatch, hash-mismatch,
 * malformed, io. */
gboolean rb_vin_index_find (const RbVinIndex *self, const char *vin, GBytes **contents, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;

/* The whole file of pieces as it comes in. Borrows the index. */
typedef struct _RbVinIndexCheck RbVinIndexCheck;
RbVinIndexCheck *rb_vin_index_check_new (const RbVinIndex *index);
void rb_vin_index_check_free (RbVinIndexCheck *self);
/* hash-mismatch at the first piece that is another one. */
gboolean rb_vin_index_check_update (RbVinIndexCheck *self, gconstpointer data, gsize length, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* length-mismatch unless all of it has come. */
gboolean rb_vin_index_check_finish (RbVinIndexCheck *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbVinIndexCheck, rb_vin_index_check_free)
