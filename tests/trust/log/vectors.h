/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/bytes.h"
#include "core/files.h"
#include "core/json.h"
#include "log/merkle.h"

/* tests/data/log/published.json */
static inline json_t *
load_vectors (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "..", "..", "data", "log", "published.json", NULL);
  json_t *vectors = rb_json_load (path, 1024 * 1024, &error);
  g_assert_no_error (error);
  return vectors;
}

static inline RbMerkleHash
hash_of_hex (const char *hex)
{
  RbMerkleHash hash;
  g_assert_true (rb_bytes_from_hex_exact (hex, hash.bytes, sizeof hash.bytes));
  return hash;
}

/* Hashes of leaves "0", "1", … (element-type RbMerkleHash) */
static inline GArray *
make_leaves (guint n)
{
  GArray *leaves = g_array_new (FALSE, FALSE, sizeof (RbMerkleHash));
  for (guint i = 0; i < n; i++) {
    g_autofree char *entry = g_strdup_printf ("%u", i);
    RbMerkleHash leaf = rb_merkle_leaf (entry, strlen (entry));
    g_array_append_val (leaves, leaf);
  }
  return leaves;
}
