/* SPDX-License-Identifier: Apache-2.0 */
#include "log/merkle.h"

#include "crypto/digest.h"

#include <string.h>

#define LEAF 0
#define NODE 1

static RbMerkleHash
hash (guint8 kind, gconstpointer first, gsize first_length, gconstpointer second, gsize second_length)
{
  RbMerkleHash result = { 0 };
  g_autoptr (GByteArray) bytes = g_byte_array_sized_new ((guint) (1 + first_length + second_length));
  g_byte_array_append (bytes, &kind, 1);
  g_byte_array_append (bytes, first, (guint) first_length);
  if (second_length > 0)
    g_byte_array_append (bytes, second, (guint) second_length);
  rb_digest_sha256 (bytes->data, bytes->len, result.bytes);
  return result;
}

RbMerkleHash
rb_merkle_leaf (gconstpointer entry, gsize length)
{
  return hash (LEAF, length == 0 ? "" : entry, length, NULL, 0);
}

RbMerkleHash
rb_merkle_node (const RbMerkleHash *left, const RbMerkleHash *right)
{
  return hash (NODE, left->bytes, sizeof left->bytes, right->bytes, sizeof right->bytes);
}

gboolean
rb_merkle_equal (const RbMerkleHash *a, const RbMerkleHash *b)
{
  return memcmp (a->bytes, b->bytes, sizeof a->bytes) == 0;
}

/* The largest power of two below n, for n > 1. */
static guint64
split_of (guint64 n)
{
  guint64 k = 1;
  while (k < n - k)
    k *= 2;
  return k;
}

static const RbMerkleHash *
leaf_at (GArray *leaves, guint64 index)
{
  return &g_array_index (leaves, RbMerkleHash, index);
}

/* Over leaves start … start + n, n > 0. */
static RbMerkleHash
subtree (GArray *leaves, guint64 start, guint64 n)
{
  if (n == 1)
    return *leaf_at (leaves, start);
  guint64 k = split_of (n);
  RbMerkleHash left = subtree (leaves, start, k), right = subtree (leaves, start + k, n - k);
  return rb_merkle_node (&left, &right);
}

RbMerkleHash
rb_merkle_root (GArray *leaves, guint64 size)
{
  RbMerkleHash empty = { 0 };
  g_assert (size <= leaves->len);
  if (size > 0)
    return subtree (leaves, 0, size);
  rb_digest_sha256 ("", 0, empty.bytes);
  return empty;
}

static void
add_subtree (GArray *proof, GArray *leaves, guint64 start, guint64 n)
{
  RbMerkleHash value = subtree (leaves, start, n);
  g_array_append_val (proof, value);
}

/* PATH(m, D[n]) of RFC 9162 section 2.1.3.1 */
static void
add_path (GArray *proof, GArray *leaves, guint64 index, guint64 start, guint64 n)
{
  if (n == 1)
    return;
  guint64 k = split_of (n);
  if (index < k) {
    add_path (proof, leaves, index, start, k);
    add_subtree (proof, leaves, start + k, n - k);
  } else {
    add_path (proof, leaves, index - k, start + k, n - k);
    add_subtree (proof, leaves, start, k);
  }
}

GArray *
rb_merkle_inclusion (GArray *leaves, guint64 index, guint64 size)
{
  if (size > leaves->len || index >= size)
    return NULL;
  GArray *proof = g_array_new (FALSE, FALSE, sizeof (RbMerkleHash));
  add_path (proof, leaves, index, 0, size);
  return proof;
}

/* SUBPROOF(m, D[n], b) of RFC 9162 section 2.1.4.1 */
static void
add_subproof (GArray *proof, GArray *leaves, guint64 old_size, guint64 start, guint64 n, gboolean whole)
{
  if (old_size == n) {
    if (!whole)
      add_subtree (proof, leaves, start, n);
    return;
  }
  guint64 k = split_of (n);
  if (old_size <= k) {
    add_subproof (proof, leaves, old_size, start, k, whole);
    add_subtree (proof, leaves, start + k, n - k);
  } else {
    add_subproof (proof, leaves, old_size - k, start + k, n - k, FALSE);
    add_subtree (proof, leaves, start, k);
  }
}

GArray *
rb_merkle_consistency (GArray *leaves, guint64 old_size, guint64 size)
{
  if (size > leaves->len || old_size == 0 || old_size > size)
    return NULL;
  GArray *proof = g_array_new (FALSE, FALSE, sizeof (RbMerkleHash));
  add_subproof (proof, leaves, old_size, 0, size, TRUE);
  return proof;
}

/* One step up in the loops of RFC 9162: to the next level at which this node is not the last left child. */
static void
step_up (guint64 *fn, guint64 *sn)
{
  *fn >>= 1;
  *sn >>= 1;
}

static void
skip_lonely_levels (guint64 *fn, guint64 *sn)
{
  while ((*fn & 1) == 0 && *fn != 0)
    step_up (fn, sn);
}

/* RFC 9162 section 2.1.3.2 */
gboolean
rb_merkle_is_included (const RbMerkleHash *leaf, guint64 index, guint64 size, GArray *proof, const RbMerkleHash *root)
{
  guint64 fn = index, sn = size - 1;
  RbMerkleHash r = *leaf;
  if (index >= size)
    return FALSE;
  for (guint i = 0; i < proof->len; i++) {
    const RbMerkleHash *p = leaf_at (proof, i);
    if (sn == 0)
      return FALSE;
    if ((fn & 1) == 1 || fn == sn) {
      r = rb_merkle_node (p, &r);
      skip_lonely_levels (&fn, &sn);
    } else
      r = rb_merkle_node (&r, p);
    step_up (&fn, &sn);
  }
  return sn == 0 && rb_merkle_equal (&r, root);
}

/* Where old_size is a whole subtree its root begins the path and is not in the proof. */
static gboolean
begin_consistency (guint64 old_size, const RbMerkleHash *old_root, GArray *proof, RbMerkleHash *first, guint *used)
{
  gboolean whole = (old_size & (old_size - 1)) == 0;
  *used = whole ? 0 : 1;
  if (proof->len < 1)
    return FALSE;
  *first = whole ? *old_root : *leaf_at (proof, 0);
  return TRUE;
}

/* RFC 9162 section 2.1.4.2 */
gboolean
rb_merkle_is_consistent (guint64 old_size, const RbMerkleHash *old_root, guint64 size, const RbMerkleHash *root,
                         GArray *proof)
{
  RbMerkleHash fr;
  guint used = 0;
  if (old_size == 0 || old_size > size)
    return FALSE;
  if (old_size == size)
    return proof->len == 0 && rb_merkle_equal (old_root, root);
  if (!begin_consistency (old_size, old_root, proof, &fr, &used))
    return FALSE;
  guint64 fn = old_size - 1, sn = size - 1;
  while ((fn & 1) == 1)
    step_up (&fn, &sn);
  RbMerkleHash sr = fr;
  for (guint i = used; i < proof->len; i++) {
    const RbMerkleHash *c = leaf_at (proof, i);
    if (sn == 0)
      return FALSE;
    if ((fn & 1) == 1 || fn == sn) {
      fr = rb_merkle_node (c, &fr);
      sr = rb_merkle_node (c, &sr);
      skip_lonely_levels (&fn, &sn);
    } else
      sr = rb_merkle_node (&sr, c);
    step_up (&fn, &sn);
  }
  return sn == 0 && rb_merkle_equal (&fr, old_root) && rb_merkle_equal (&sr, root);
}
