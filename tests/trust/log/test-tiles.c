/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "log/entry.h"
#include "log/tiles.h"

/* A log in memory, as tiles and as the leaves that merkle.h is given. */
typedef struct {
  GHashTable *tiles; /* "level/number" → GBytes */
  GArray *leaves;
  RbTiles log;
} Case;

static GBytes *
read_tile (guint level, guint64 number, guint width, gpointer data, GError **error)
{
  Case *self = data;
  g_autofree char *path = rb_tiles_path ((int) level, number, RB_TILES_WIDTH);
  GBytes *tile = g_hash_table_lookup (self->tiles, path);
  if (tile == NULL)
    rb_reason_deny (error, RB_LOG_ERROR, RB_REASON_LOG_PROOF, "no tile %s", path);
  return tile == NULL ? NULL : g_bytes_ref (tile);
}

static gboolean
write_tile (guint level, guint64 number, GBytes *hashes, gpointer data, GError **error)
{
  Case *self = data;
  g_hash_table_insert (self->tiles, rb_tiles_path ((int) level, number, RB_TILES_WIDTH), g_bytes_ref (hashes));
  return TRUE;
}

static void
set_up (Case *self, gconstpointer data)
{
  self->tiles = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
  self->leaves = g_array_new (FALSE, FALSE, sizeof (RbMerkleHash));
  self->log = (RbTiles){ read_tile, write_tile, self };
}

static void
tear_down (Case *self, gconstpointer data)
{
  g_hash_table_unref (self->tiles);
  g_array_unref (self->leaves);
}

static void
grow (Case *self, guint n)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) added = g_array_new (FALSE, FALSE, sizeof (RbMerkleHash));
  guint size = self->leaves->len;
  for (guint i = 0; i < n; i++) {
    guint number = size + i;
    RbMerkleHash leaf = rb_merkle_leaf (&number, sizeof number);
    g_array_append_val (added, leaf);
  }
  g_assert_true (rb_tiles_append (&self->log, size, added, &error));
  g_assert_no_error (error);
  g_array_append_vals (self->leaves, added->data, added->len);
}

static void
assert_same (GArray *a, GArray *b)
{
  g_assert_nonnull (a);
  g_assert_cmpmem (a->data, a->len * sizeof (RbMerkleHash), b->data, b->len * sizeof (RbMerkleHash));
}

static void
check_size (Case *self, guint64 size)
{
  g_autoptr (GError) error = NULL;
  RbMerkleHash root, expected = rb_merkle_root (self->leaves, size);
  g_assert_true (rb_tiles_root (&self->log, size, &root, &error));
  g_assert_true (rb_merkle_equal (&root, &expected));
  guint64 index = size == 0 ? 0 : (guint64) g_test_rand_int_range (0, (gint32) size), old = index + 1;
  if (size == 0)
    return;
  g_autoptr (GArray) inclusion = rb_tiles_inclusion (&self->log, index, size, &error);
  g_autoptr (GArray) same_inclusion = rb_merkle_inclusion (self->leaves, index, size);
  g_autoptr (GArray) consistency = rb_tiles_consistency (&self->log, old, size, &error);
  g_autoptr (GArray) same_consistency = rb_merkle_consistency (self->leaves, old, size);
  g_assert_no_error (error);
  assert_same (inclusion, same_inclusion);
  assert_same (consistency, same_consistency);
}

/* Tiles give what the definitions of RFC 9162 give, at every size of a log that grows by groups of any number. */
static void
test_as_merkle (Case *self, gconstpointer data)
{
  check_size (self, 0);
  while (self->leaves->len < 600) {
    grow (self, (guint) g_test_rand_int_range (1, 40));
    check_size (self, self->leaves->len);
    check_size (self, (guint64) g_test_rand_int_range (0, (gint32) self->leaves->len + 1));
  }
  grow (self, 70000 - self->leaves->len);
  check_size (self, 70000);
  check_size (self, 65536);
  check_size (self, 65537);
}

/* The published geometry: 70,000 entries have 273 full tiles and one of 112 below, 1 full and one of 17, and one of 1.
 */
static void
test_geometry (Case *self, gconstpointer data)
{
  static const struct {
    const char *path;
    guint width;
  } tiles[] = { { "0/272", 256 }, { "0/273", 112 }, { "1/000", 256 }, { "1/001", 17 }, { "2/000", 1 } };
  grow (self, 70000);
  g_assert_cmpuint (g_hash_table_size (self->tiles), ==, 277);
  for (guint i = 0; i < G_N_ELEMENTS (tiles); i++) {
    GBytes *tile = g_hash_table_lookup (self->tiles, tiles[i].path);
    g_assert_nonnull (tile);
    g_assert_cmpuint (g_bytes_get_size (tile), ==, tiles[i].width * sizeof (RbMerkleHash));
  }
}

static void
test_missing (Case *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  RbMerkleHash root;
  grow (self, 300);
  g_hash_table_remove (self->tiles, "0/001");
  g_assert_false (rb_tiles_root (&self->log, 300, &root, &error));
  g_assert_error (error, RB_LOG_ERROR, RB_REASON_LOG_PROOF);
  g_clear_error (&error);
  g_assert_null (rb_tiles_inclusion (&self->log, 300, 300, &error));
  g_assert_error (error, RB_LOG_ERROR, RB_REASON_LOG_PROOF);
  g_clear_error (&error);
  g_assert_null (rb_tiles_consistency (&self->log, 0, 300, &error));
  g_assert_error (error, RB_LOG_ERROR, RB_REASON_LOG_PROOF);
}

static void
test_short_tile (Case *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  RbMerkleHash root;
  grow (self, 3);
  g_hash_table_insert (self->tiles, g_strdup ("0/000"), g_bytes_new ("12345", 5));
  g_assert_false (rb_tiles_root (&self->log, 3, &root, &error));
  g_assert_error (error, RB_LOG_ERROR, RB_REASON_LOG_PROOF);
}

static void
test_paths (void)
{
  static const struct {
    const char *path;
    int level;
    guint64 number;
    guint width;
  } good[] = { { "0/000", 0, 0, 256 },
               { "0/x001/x234/067", 0, 1234067, 256 },
               { "3/255.p/1", 3, 255, 1 },
               { "entries/x001/000.p/255", -1, 1000, 255 } };
  static const char *const bad[]
    = { "",          "0",           "0/",         "0/0",       "0/0000",   "8/000",    "0/x000/000", "0/x001/x001",
        "0/000.p/0", "0/000.p/256", "0/000.p/01", "0/000/",    "entries/", "../0/000", "0/000.p",    "00/000",
        "-1/000",    "0/x01/000",   "0/001 ",     "entries/-1" };
  int level = 0;
  guint64 number = 0;
  guint width = 0;
  for (guint i = 0; i < G_N_ELEMENTS (good); i++) {
    g_autofree char *path = rb_tiles_path (good[i].level, good[i].number, good[i].width);
    g_assert_cmpstr (path, ==, good[i].path);
    g_assert_true (rb_tiles_parse_path (path, &level, &number, &width));
    g_assert_cmpint (level, ==, good[i].level);
    g_assert_cmpuint (number, ==, good[i].number);
    g_assert_cmpuint (width, ==, good[i].width);
  }
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (rb_tiles_parse_path (bad[i], &level, &number, &width));
}

#define DIGEST "7ff8dd2aeec8514da4d2f940b9fe44910a3fa6d4885ba9bd1d4648443346fbbd"

static void
test_entries (void)
{
  static const char *const bad[] = {
    "",
    "[]",
    "{\"v\":1}",
    "{\"v\":2,\"kind\":\"record\",\"record\":\"" DIGEST "\",\"envelope\":\"" DIGEST
    "\",\"at\":\"2026-11-30T20:34:36Z\",\"workstation\":\"" DIGEST "\"}",
    "{\"v\":1,\"kind\":\"other\",\"record\":\"" DIGEST "\",\"envelope\":\"" DIGEST
    "\",\"at\":\"2026-11-30T20:34:36Z\",\"workstation\":\"" DIGEST "\"}",
    "{\"v\":1,\"kind\":\"record\",\"record\":\"" DIGEST "\",\"envelope\":\"" DIGEST
    "\",\"at\":\"2026-11-30T20:34:36Z\",\"workstation\":\"" DIGEST "\",\"vin\":\"\"}",
    "{\"v\":1,\"kind\":\"record\",\"record\":\"" DIGEST
    "\",\"envelope\":\"0\",\"at\":\"2026-11-30T20:34:36Z\",\"workstation\":\"" DIGEST "\"}",
    "{\"v\":1,\"kind\":\"verdict\",\"record\":\"" DIGEST "\",\"envelope\":\"" DIGEST
    "\",\"at\":\"2026-11-30T20:34:36Z\",\"about\":-1,\"reason\":\"ok\"}",
    "{\"v\":1,\"kind\":\"verdict\",\"record\":\"" DIGEST "\",\"envelope\":\"" DIGEST
    "\",\"at\":\"yesterday\",\"about\":0,\"reason\":\"ok\"}",
  };
  const RbEntry verdict = { .kind = RB_ENTRY_VERDICT,
                            .record = (char *) DIGEST,
                            .envelope = (char *) DIGEST,
                            .at = 1,
                            .about = 7,
                            .reason = (char *) "ok" };
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = rb_entry_write (&verdict);
  g_autoptr (RbEntry) same = rb_entry_parse (bytes, &error);
  g_assert_no_error (error);
  g_assert_cmpint (same->kind, ==, RB_ENTRY_VERDICT);
  g_assert_cmpuint (same->about, ==, 7);
  g_assert_cmpstr (same->reason, ==, "ok");
  g_assert_cmpint (same->at, ==, 1);
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) problem = NULL;
    g_autoptr (GBytes) text = g_bytes_new_static (bad[i], strlen (bad[i]));
    g_assert_null (rb_entry_parse (text, &problem));
    g_assert_nonnull (problem);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/log/tiles/as-merkle", Case, NULL, set_up, test_as_merkle, tear_down);
  g_test_add ("/log/tiles/geometry", Case, NULL, set_up, test_geometry, tear_down);
  g_test_add ("/log/tiles/missing", Case, NULL, set_up, test_missing, tear_down);
  g_test_add ("/log/tiles/short-tile", Case, NULL, set_up, test_short_tile, tear_down);
  g_test_add_func ("/log/tiles/paths", test_paths);
  g_test_add_func ("/log/tiles/entries", test_entries);
  return g_test_run ();
}
