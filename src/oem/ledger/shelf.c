/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/shelf.h"

#include "ledger/error.h"

#define LEVEL_BITS 4

struct _RbShelf {
  RbSql *sql; /* borrowed */
  RbTiles tiles;
  GHashTable *read, *written; /* place → GBytes */
};

static gint64 *
place_of (guint level, guint64 number)
{
  gint64 *place = g_new (gint64, 1);
  *place = (gint64) (number << LEVEL_BITS | level);
  return place;
}

static GBytes *
load (RbShelf *self, guint level, guint64 number, GError **error)
{
  g_autoptr (RbSqlRows) rows
    = rb_sql_query (self->sql, error, "SELECT hashes FROM tiles WHERE level = $1 AND number = $2", "ii", (gint64) level,
                    (gint64) number);
  if (rows == NULL)
    return NULL;
  if (rb_sql_rows_count (rows) == 1)
    return rb_sql_rows_bytes (rows, 0, 0);
  rb_reason_deny (error, RB_LEDGER_ERROR, RB_REASON_LOG_PROOF, "Log: tile %u/%" G_GUINT64_FORMAT " is missing", level,
                  number);
  return NULL;
}

static GBytes *
read_tile (guint level, guint64 number, guint width, gpointer data, GError **error)
{
  RbShelf *self = data;
  g_autofree gint64 *place = place_of (level, number);
  GBytes *known = g_hash_table_lookup (self->written, place);
  if (known == NULL)
    known = g_hash_table_lookup (self->read, place);
  if (known != NULL)
    return g_bytes_ref (known);
  GBytes *loaded = load (self, level, number, error);
  if (loaded != NULL)
    g_hash_table_insert (self->read, g_steal_pointer (&place), g_bytes_ref (loaded));
  return loaded;
}

static gboolean
write_tile (guint level, guint64 number, GBytes *hashes, gpointer data, GError **error)
{
  RbShelf *self = data;
  g_hash_table_insert (self->written, place_of (level, number), g_bytes_ref (hashes));
  return TRUE;
}

RbShelf *
rb_shelf_new (RbSql *sql)
{
  RbShelf *self = g_new0 (RbShelf, 1);
  self->sql = sql;
  self->tiles = (RbTiles){ read_tile, write_tile, self };
  self->read = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, (GDestroyNotify) g_bytes_unref);
  self->written = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, (GDestroyNotify) g_bytes_unref);
  return self;
}

void
rb_shelf_free (RbShelf *self)
{
  g_hash_table_unref (self->read);
  g_hash_table_unref (self->written);
  g_free (self);
}

void
rb_shelf_clear (RbShelf *self)
{
  g_hash_table_remove_all (self->read);
  g_hash_table_remove_all (self->written);
}

const RbTiles *
rb_shelf_tiles (RbShelf *self)
{
  return &self->tiles;
}

gboolean
rb_shelf_store (RbShelf *self, GError **error)
{
  GHashTableIter iter;
  gpointer key, hashes;
  g_hash_table_iter_init (&iter, self->written);
  while (g_hash_table_iter_next (&iter, &key, &hashes)) {
    gint64 place = *(gint64 *) key;
    if (!rb_sql_run (self->sql, error,
                     "INSERT INTO tiles VALUES ($1, $2, $3) ON CONFLICT (level, number) DO UPDATE SET hashes = "
                     "excluded.hashes",
                     "iib", place & ((1 << LEVEL_BITS) - 1), place >> LEVEL_BITS, (GBytes *) hashes))
      return FALSE;
  }
  return TRUE;
}
