/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <glib.h>

/* The Merkle tree of RFC 9162 section 2.1 (and RFC 6962) with SHA-256. Proofs are arrays of RbMerkleHash, from the leaf
 * up. */
typedef struct {
  guint8 bytes[32];
} RbMerkleHash;

RbMerkleHash rb_merkle_leaf (gconstpointer entry, gsize length);
RbMerkleHash rb_merkle_node (const RbMerkleHash *left, const RbMerkleHash *right);
/* Over the first size of leaves (element-type RbMerkleHash). */
RbMerkleHash rb_merkle_root (GArray *leaves, guint64 size);
/* That leaf index is in the tree of the first size leaves; NULL when index is not below size. (transfer full) */
GArray *rb_merkle_inclusion (GArray *leaves, guint64 index, guint64 size);
/* That the tree of old_size leaves is a beginning of the tree of size leaves; NULL unless 0 < old_size <= size.
 * (transfer full) */
GArray *rb_merkle_consistency (GArray *leaves, guint64 old_size, guint64 size);

gboolean rb_merkle_is_included (const RbMerkleHash *leaf, guint64 index, guint64 size, GArray *proof,
                                const RbMerkleHash *root) G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_merkle_is_consistent (guint64 old_size, const RbMerkleHash *old_root, guint64 size,
                                  const RbMerkleHash *root, GArray *proof) G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_merkle_equal (const RbMerkleHash *a, const RbMerkleHash *b);
