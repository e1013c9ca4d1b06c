/* SPDX-License-Identifier: Apache-2.0 */
#include "log/tiles.h"

#include <string.h>

#define HEIGHT 8
#define MAX_LEVEL 7
#define HASH sizeof (RbMerkleHash)

static gboolean
tiles_error (GError **error, const char *text)
{
  return rb_reason_deny (error, RB_LOG_ERROR, RB_REASON_LOG_PROOF, "Log: %s", text);
}

/* hashes first … first + count of a tile */
static GArray *
read_hashes (const RbTiles *self, guint level, guint64 number, guint first, guint count, GError **error)
{
  g_autoptr (GBytes) tile = self->read (level, number, first + count, self->data, error);
  if (tile == NULL)
    return NULL;
  if (g_bytes_get_size (tile) < (first + count) * HASH || g_bytes_get_size (tile) > RB_TILES_WIDTH * HASH) {
    tiles_error (error, "a tile has another number of hashes than the tree needs");
    return NULL;
  }
  GArray *hashes = g_array_sized_new (FALSE, FALSE, HASH, count);
  return g_array_append_vals (hashes, (const guint8 *) g_bytes_get_data (tile, NULL) + first * HASH, count);
}

/* Root of the full subtree over leaves index · 2^height … */
static gboolean
read_node (const RbTiles *self, guint height, guint64 index, RbMerkleHash *node, GError **error)
{
  guint level = height / HEIGHT, count = 1u << (height % HEIGHT);
  guint64 first = index * count;
  g_autoptr (GArray) hashes
    = read_hashes (self, level, first / RB_TILES_WIDTH, (guint) (first % RB_TILES_WIDTH), count, error);
  if (hashes == NULL)
    return FALSE;
  *node = rb_merkle_root (hashes, count);
  return TRUE;
}

static guint64
split_of (guint64 n)
{
  guint64 k = 1;
  while (k < n - k)
    k *= 2;
  return k;
}

static guint
height_of (guint64 n)
{
  guint height = 0;
  while ((G_GUINT64_CONSTANT (1) << height) < n)
    height++;
  return height;
}

/* Over leaves start … start + n, n > 0; a full subtree begins at a multiple of its size. */
static gboolean
read_range (const RbTiles *self, guint64 start, guint64 n, RbMerkleHash *root, GError **error)
{
  if ((n & (n - 1)) == 0)
    return read_node (self, height_of (n), start / n, root, error);
  guint64 k = split_of (n);
  RbMerkleHash left, right;
  if (!read_range (self, start, k, &left, error) || !read_range (self, start + k, n - k, &right, error))
    return FALSE;
  *root = rb_merkle_node (&left, &right);
  return TRUE;
}

gboolean
rb_tiles_root (const RbTiles *self, guint64 size, RbMerkleHash *root, GError **error)
{
  if (size > 0)
    return read_range (self, 0, size, root, error);
  g_autoptr (GArray) none = g_array_new (FALSE, FALSE, HASH);
  *root = rb_merkle_root (none, 0);
  return TRUE;
}

static gboolean
add_range (const RbTiles *self, GArray *proof, guint64 start, guint64 n, GError **error)
{
  RbMerkleHash value;
  if (!read_range (self, start, n, &value, error))
    return FALSE;
  g_array_append_val (proof, value);
  return TRUE;
}

/* PATH(m, D[n]) of RFC 9162 section 2.1.3.1 */
static gboolean
add_path (const RbTiles *self, GArray *proof, guint64 index, guint64 start, guint64 n, GError **error)
{
  if (n == 1)
    return TRUE;
  guint64 k = split_of (n);
  return index < k
           ? add_path (self, proof, index, start, k, error) && add_range (self, proof, start + k, n - k, error)
           : add_path (self, proof, index - k, start + k, n - k, error) && add_range (self, proof, start, k, error);
}

GArray *
rb_tiles_inclusion (const RbTiles *self, guint64 index, guint64 size, GError **error)
{
  g_autoptr (GArray) proof = g_array_new (FALSE, FALSE, HASH);
  gboolean made = index < size ? add_path (self, proof, index, 0, size, error)
                               : tiles_error (error, "no proof of an entry that is not in the tree");
  return made ? g_steal_pointer (&proof) : NULL;
}

/* SUBPROOF(m, D[n], b) of RFC 9162 section 2.1.4.1 */
static gboolean
add_subproof (const RbTiles *self, GArray *proof, guint64 old_size, guint64 start, guint64 n, gboolean whole,
              GError **error)
{
  if (old_size == n)
    return whole || add_range (self, proof, start, n, error);
  guint64 k = split_of (n);
  return old_size <= k ? add_subproof (self, proof, old_size, start, k, whole, error)
                           && add_range (self, proof, start + k, n - k, error)
                       : add_subproof (self, proof, old_size - k, start + k, n - k, FALSE, error)
                           && add_range (self, proof, start, k, error);
}

GArray *
rb_tiles_consistency (const RbTiles *self, guint64 old_size, guint64 size, GError **error)
{
  g_autoptr (GArray) proof = g_array_new (FALSE, FALSE, HASH);
  gboolean made = old_size > 0 && old_size <= size ? add_subproof (self, proof, old_size, 0, size, TRUE, error)
                                                   : tiles_error (error, "no proof between these sizes");
  return made ? g_steal_pointer (&proof) : NULL;
}

/* The tile that is not full yet, as a list to add to. */
static GArray *
read_edge (const RbTiles *self, guint level, guint64 size, GError **error)
{
  guint width = (guint) (size % RB_TILES_WIDTH);
  return width == 0 ? g_array_sized_new (FALSE, FALSE, HASH, RB_TILES_WIDTH)
                    : read_hashes (self, level, size / RB_TILES_WIDTH, 0, width, error);
}

static gboolean
write_tile (const RbTiles *self, guint level, guint64 number, GArray *hashes, GError **error)
{
  g_autoptr (GBytes) bytes = g_bytes_new (hashes->data, hashes->len * HASH);
  return self->write (level, number, bytes, self->data, error);
}

/* Adds hashes to a level of size hashes; above receives the roots of the tiles that became full. */
static gboolean
append_level (const RbTiles *self, guint level, guint64 size, GArray *hashes, GArray *above, GError **error)
{
  g_autoptr (GArray) edge = read_edge (self, level, size, error);
  guint64 number = size / RB_TILES_WIDTH;
  for (guint i = 0; edge != NULL && i < hashes->len; i++) {
    g_array_append_val (edge, g_array_index (hashes, RbMerkleHash, i));
    if (edge->len < RB_TILES_WIDTH)
      continue;
    RbMerkleHash root = rb_merkle_root (edge, RB_TILES_WIDTH);
    g_array_append_val (above, root);
    if (!write_tile (self, level, number++, edge, error))
      return FALSE;
    g_array_set_size (edge, 0);
  }
  return edge != NULL && (edge->len == 0 || write_tile (self, level, number, edge, error));
}

gboolean
rb_tiles_append (const RbTiles *self, guint64 size, GArray *leaves, GError **error)
{
  g_autoptr (GArray) hashes = g_array_ref (leaves);
  for (guint level = 0; level <= MAX_LEVEL && hashes->len > 0; level++) {
    g_autoptr (GArray) above = g_array_new (FALSE, FALSE, HASH);
    if (!append_level (self, level, size, hashes, above, error))
      return FALSE;
    size /= RB_TILES_WIDTH;
    g_array_unref (hashes);
    hashes = g_steal_pointer (&above);
  }
  return TRUE;
}

char *
rb_tiles_path (int level, guint64 number, guint width)
{
  g_autoptr (GString) groups = g_string_new (NULL);
  g_autofree char *last = g_strdup_printf ("%03u", (guint) (number % 1000));
  g_string_append (groups, last);
  for (number /= 1000; number > 0; number /= 1000) {
    g_autofree char *group = g_strdup_printf ("x%03u/", (guint) (number % 1000));
    g_string_prepend (groups, group);
  }
  if (width < RB_TILES_WIDTH)
    g_string_append_printf (groups, ".p/%u", width);
  return level < 0 ? g_strdup_printf ("entries/%s", groups->str) : g_strdup_printf ("%d/%s", level, groups->str);
}

static gboolean
read_digits (const char **at, guint digits, guint64 *number)
{
  for (guint i = 0; i < digits; i++, (*at)++) {
    if (!g_ascii_isdigit (**at))
      return FALSE;
    *number = *number * 10 + (guint64) (**at - '0');
  }
  return TRUE;
}

/* Reads loosely; rb_tiles_parse_path() compares with the one way to write it. */
static gboolean
read_path (const char *at, int *level, guint64 *number, guint *width)
{
  gboolean entries = g_str_has_prefix (at, "entries/");
  guint64 wide = 0;
  if (!entries && (at[0] < '0' || at[0] > '0' + MAX_LEVEL || at[1] != '/'))
    return FALSE;
  *level = entries ? -1 : at[0] - '0';
  at += entries ? strlen ("entries/") : 2;
  for (guint groups = 0; *at == 'x' && groups < 5; groups++) {
    at++;
    if (!read_digits (&at, 3, number) || *at++ != '/')
      return FALSE;
  }
  if (!read_digits (&at, 3, number))
    return FALSE;
  *width = RB_TILES_WIDTH;
  if (*at == '\0')
    return TRUE;
  if (!g_str_has_prefix (at, ".p/") || !g_ascii_string_to_unsigned (&at[3], 10, 1, RB_TILES_WIDTH - 1, &wide, NULL))
    return FALSE;
  *width = (guint) wide;
  return TRUE;
}

gboolean
rb_tiles_parse_path (const char *path, int *level, guint64 *number, guint *width)
{
  *number = 0;
  if (!read_path (path, level, number, width))
    return FALSE;
  g_autofree char *same = rb_tiles_path (*level, *number, *width);
  return strcmp (same, path) == 0;
}
