/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "log/error.h"
#include "log/merkle.h"

/*
 * A log's tree as tiles of RB_TILES_WIDTH hashes (C2SP tlog-tiles): level 0 has the leaf hashes, and each hash of the
 * level above is the root of a full tile below. Where tiles lie is the caller's business.
 */
#define RB_TILES_WIDTH 256

typedef struct {
  /* At least width hashes of the tile; NULL with error where it has fewer. (transfer full) */
  GBytes *(*read) (guint level, guint64 number, guint width, gpointer data, GError **error);
  /* The tile now has these hashes; may be NULL in a log that is only read. */
  gboolean (*write) (guint level, guint64 number, GBytes *hashes, gpointer data, GError **error);
  gpointer data;
} RbTiles;

/* Errors: those of read and write, log-proof (a tile of a wrong length; an index or size out of range). */
gboolean rb_tiles_root (const RbTiles *self, guint64 size, RbMerkleHash *root, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* As rb_merkle_inclusion() and rb_merkle_consistency(). (transfer full) */
GArray *rb_tiles_inclusion (const RbTiles *self, guint64 index, guint64 size, GError **error) G_GNUC_WARN_UNUSED_RESULT;
GArray *rb_tiles_consistency (const RbTiles *self, guint64 old_size, guint64 size, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Adds leaves (of RbMerkleHash) to a log of size leaves. */
gboolean rb_tiles_append (const RbTiles *self, guint64 size, GArray *leaves, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* "0/x001/234" or "0/x001/234.p/7"; level -1 is "entries". (transfer full) */
char *rb_tiles_path (int level, guint64 number, guint width);
/* The same read; FALSE of anything else. width is RB_TILES_WIDTH of a full tile. */
gboolean rb_tiles_parse_path (const char *path, int *level, guint64 *number, guint *width) G_GNUC_WARN_UNUSED_RESULT;
