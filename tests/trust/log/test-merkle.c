/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "vectors.h"

#define SIZE 33

static GArray *
published_leaves (json_t *merkle)
{
  GArray *leaves = g_array_new (FALSE, FALSE, sizeof (RbMerkleHash));
  size_t i;
  json_t *hex;
  json_array_foreach (json_object_get (merkle, "leafInputsHex"), i, hex) {
    g_autoptr (GBytes) entry = rb_bytes_from_hex (json_string_value (hex));
    RbMerkleHash leaf = rb_merkle_leaf (g_bytes_get_data (entry, NULL), g_bytes_get_size (entry));
    g_array_append_val (leaves, leaf);
  }
  return leaves;
}

static void
test_published_roots (void)
{
  g_autoptr (json_t) vectors = load_vectors ();
  json_t *merkle = json_object_get (vectors, "merkle"), *roots = json_object_get (merkle, "rootsBySize");
  g_autoptr (GArray) leaves = published_leaves (merkle);
  g_assert_cmpuint (leaves->len, ==, 8);
  for (guint size = 0; size <= leaves->len; size++) {
    RbMerkleHash root = rb_merkle_root (leaves, size),
                 expected = hash_of_hex (json_string_value (json_array_get (roots, size)));
    g_assert_true (rb_merkle_equal (&root, &expected));
  }
}

/* The proof for leaf 5 of 8, as published with the vectors. */
static void
test_published_proof (void)
{
  g_autoptr (json_t) vectors = load_vectors ();
  json_t *merkle = json_object_get (vectors, "merkle");
  g_autoptr (GArray) leaves = published_leaves (merkle);
  g_autoptr (GArray) proof = rb_merkle_inclusion (leaves, 5, 8);
  static const char *const begin[] = { "bc1a0643", "ca854ea1", "d37ee418" };
  g_assert_cmpuint (proof->len, ==, G_N_ELEMENTS (begin));
  for (guint i = 0; i < proof->len; i++) {
    g_autofree char *hex = rb_bytes_to_hex (g_array_index (proof, RbMerkleHash, i).bytes, 4);
    g_assert_cmpstr (hex, ==, begin[i]);
  }
  static const char *const consistent[] = { "0ebc5d34", "ca854ea1", "d37ee418" };
  g_autoptr (GArray) from_6 = rb_merkle_consistency (leaves, 6, 8);
  g_assert_cmpuint (from_6->len, ==, G_N_ELEMENTS (consistent));
  for (guint i = 0; i < from_6->len; i++) {
    g_autofree char *hex = rb_bytes_to_hex (g_array_index (from_6, RbMerkleHash, i).bytes, 4);
    g_assert_cmpstr (hex, ==, consistent[i]);
  }
}

static void
flip (GArray *proof, guint i)
{
  g_array_index (proof, RbMerkleHash, i).bytes[7] ^= 1;
}

/* Every leaf of every size: the proof holds, and not with a bit changed, for another place, size, leaf, or length. */
static void
test_inclusion (void)
{
  g_autoptr (GArray) leaves = make_leaves (SIZE);
  for (guint size = 1; size <= SIZE; size++) {
    RbMerkleHash root = rb_merkle_root (leaves, size), bad_root = root;
    bad_root.bytes[0] ^= 1;
    for (guint i = 0; i < size; i++) {
      const RbMerkleHash *leaf = &g_array_index (leaves, RbMerkleHash, i);
      g_autoptr (GArray) proof = rb_merkle_inclusion (leaves, i, size);
      g_assert_true (rb_merkle_is_included (leaf, i, size, proof, &root));
      g_assert_false (rb_merkle_is_included (leaf, i, size, proof, &bad_root));
      g_assert_false (rb_merkle_is_included (leaf, size, size, proof, &root));
      g_assert_false (rb_merkle_is_included (&bad_root, i, size, proof, &root));
      if (size > 1)
        g_assert_false (rb_merkle_is_included (leaf, i ^ 1, size, proof, &root));
      for (guint k = 0; k < proof->len; k++) {
        flip (proof, k);
        g_assert_false (rb_merkle_is_included (leaf, i, size, proof, &root));
        flip (proof, k);
      }
      g_array_append_val (proof, root);
      g_assert_false (rb_merkle_is_included (leaf, i, size, proof, &root));
      g_array_set_size (proof, proof->len - 1);
      if (proof->len > 0) {
        g_array_set_size (proof, proof->len - 1);
        g_assert_false (rb_merkle_is_included (leaf, i, size, proof, &root));
      }
    }
  }
}

static void
test_consistency (void)
{
  g_autoptr (GArray) leaves = make_leaves (SIZE);
  for (guint size = 1; size <= SIZE; size++)
    for (guint old = 1; old <= size; old++) {
      RbMerkleHash root = rb_merkle_root (leaves, size), old_root = rb_merkle_root (leaves, old), bad = old_root;
      bad.bytes[31] ^= 1;
      g_autoptr (GArray) proof = rb_merkle_consistency (leaves, old, size);
      g_assert_true (rb_merkle_is_consistent (old, &old_root, size, &root, proof));
      g_assert_false (rb_merkle_is_consistent (old, &bad, size, &root, proof));
      g_assert_false (rb_merkle_is_consistent (old, &old_root, size, &bad, proof));
      for (guint k = 0; k < proof->len; k++) {
        flip (proof, k);
        g_assert_false (rb_merkle_is_consistent (old, &old_root, size, &root, proof));
        flip (proof, k);
      }
      g_array_append_val (proof, root);
      g_assert_false (rb_merkle_is_consistent (old, &old_root, size, &root, proof));
    }
}

/* What cannot be asked has no proof, and nothing is proven of it. */
static void
test_limits (void)
{
  g_autoptr (GArray) leaves = make_leaves (3);
  g_autoptr (GArray) none = g_array_new (FALSE, FALSE, sizeof (RbMerkleHash));
  RbMerkleHash root = rb_merkle_root (leaves, 3);
  g_assert_null (rb_merkle_inclusion (leaves, 3, 3));
  g_assert_null (rb_merkle_inclusion (leaves, 0, 4));
  g_assert_null (rb_merkle_consistency (leaves, 0, 3));
  g_assert_null (rb_merkle_consistency (leaves, 4, 3));
  g_assert_false (rb_merkle_is_included (&root, 0, 0, none, &root));
  g_assert_false (rb_merkle_is_consistent (0, &root, 3, &root, none));
  g_assert_false (rb_merkle_is_consistent (3, &root, 2, &root, none));
  g_assert_false (rb_merkle_is_consistent (2, &root, 3, &root, none));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/merkle/published-roots", test_published_roots);
  g_test_add_func ("/merkle/published-proof", test_published_proof);
  g_test_add_func ("/merkle/inclusion", test_inclusion);
  g_test_add_func ("/merkle/consistency", test_consistency);
  g_test_add_func ("/merkle/limits", test_limits);
  return g_test_run ();
}
