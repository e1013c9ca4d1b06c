/* SPDX-License-Identifier: Apache-2.0 */
#include "outbox/receipt-store.h"

#include "crypto/digest.h"
#include "db/sql.h"
#include "log/entry.h"
#include "log/receipt.h"

#include <string.h>

struct _RbReceiptStore {
  RbSql *sql;
  RbNoteKey *key;
};

/* proven: of one history with every other checkpoint that is proven. */
static const char schema[]
  = "CREATE TABLE IF NOT EXISTS log_checkpoints (origin TEXT NOT NULL, size BIGINT NOT NULL, note TEXT NOT NULL,"
    " proven BIGINT NOT NULL, PRIMARY KEY (origin, size))";

static gboolean
receipt_store_error (GError **error, RbReason reason, const char *text)
{
  return rb_reason_deny (error, RB_RECORD_ERROR, reason, "Receipt: %s", text);
}

static RbSql *
open_database (const char *data_dir, GError **error)
{
  g_autofree char *path = g_build_filename (data_dir, "recallbay.db", NULL);
  g_autofree char *absolute = g_canonicalize_filename (path, NULL);
  g_autofree char *escaped = g_uri_escape_bytes ((const guint8 *) absolute, strlen (absolute), "/");
  g_autofree char *uri = g_strconcat ("sqlite://", escaped, NULL);
  return rb_sql_open (uri, error);
}

RbReceiptStore *
rb_receipt_store_open (const char *data_dir, const char *vkey, GError **error)
{
  g_autoptr (RbReceiptStore) self = g_new0 (RbReceiptStore, 1);
  if (vkey == NULL) {
    receipt_store_error (error, RB_REASON_NO_TRUST_ANCHOR, "the OEM's trust list names no log key to verify it with");
    return NULL;
  }
  self->key = rb_note_key_parse (vkey, error);
  self->sql = self->key == NULL ? NULL : open_database (data_dir, error);
  return self->sql != NULL && rb_sql_script (self->sql, schema, error) ? g_steal_pointer (&self) : NULL;
}

void
rb_receipt_store_free (RbReceiptStore *self)
{
  g_clear_pointer (&self->sql, rb_sql_close);
  g_clear_pointer (&self->key, rb_note_key_free);
  g_free (self);
}

/* Does the entry commit to the bytes of a record here? */
static gboolean
check_entry (RbReceiptStore *self, const RbEntry *entry, GError **error)
{
  g_autoptr (RbSqlRows) rows
    = rb_sql_query (self->sql, error, "SELECT envelope FROM records WHERE digest = $1", "t", entry->record);
  if (rows == NULL)
    return FALSE;
  if (entry->kind != RB_ENTRY_RECORD)
    return receipt_store_error (error, RB_REASON_LOG_PROOF, "its entry is not of kind record");
  if (rb_sql_rows_count (rows) == 0)
    return rb_reason_deny (error, RB_RECORD_ERROR, RB_REASON_NOT_FOUND, "Receipt: its record %.16s is not here",
                           entry->record);
  g_autoptr (GBytes) envelope = rb_sql_rows_bytes (rows, 0, 0);
  g_autofree char *sha256 = rb_digest_sha256_hex_of (envelope);
  return strcmp (sha256, entry->envelope) == 0
         || receipt_store_error (error, RB_REASON_LOG_PROOF, "its entry commits to other bytes than this record has");
}

static gboolean
deny_fork (GError **error, const RbCheckpoint *small, const RbCheckpoint *large, const char *text)
{
  return rb_reason_deny (error, RB_RECORD_ERROR, RB_REASON_LOG_FORK,
                         "Log %s: checkpoints of sizes %" G_GUINT64_FORMAT " and %" G_GUINT64_FORMAT " %s",
                         small->origin, small->size, large->size, text);
}

/* Is the smaller of two trees a beginning of the larger one? A log that lacks tiles of a tree that it signed is not. */
static gboolean
prove (const RbCheckpoint *a, const RbCheckpoint *b, const RbTiles *tiles, GError **error)
{
  const RbCheckpoint *small = a->size < b->size ? a : b, *large = small == a ? b : a;
  g_autoptr (GError) problem = NULL;
  g_autoptr (GArray) proof = NULL;
  if (small->size == 0)
    return TRUE;
  if (small->size == large->size)
    proof = g_array_new (FALSE, FALSE, sizeof (RbMerkleHash));
  else
    proof = rb_tiles_consistency (tiles, small->size, large->size, &problem);
  if (proof == NULL && rb_reason_of (problem) == RB_REASON_MISSING)
    return deny_fork (error, small, large, "are not both in the log: it has no tiles of the larger one");
  if (proof == NULL) {
    g_propagate_error (error, g_steal_pointer (&problem));
    return FALSE;
  }
  return rb_merkle_is_consistent (small->size, &small->root, large->size, &large->root, proof)
         || deny_fork (error, small, large, "are not of one history");
}

/* One checkpoint that was seen against the new one. Of one size they are compared without tiles. */
static gboolean
check_seen (RbReceiptStore *self, const char *note, const RbCheckpoint *fresh, const RbTiles *tiles, GError **error)
{
  g_autoptr (RbCheckpoint) seen = rb_checkpoint_open (note, self->key, error);
  if (seen == NULL)
    return FALSE;
  return (tiles == NULL && seen->size != fresh->size) || prove (seen, fresh, tiles, error);
}

/* Against the largest that is proven, and against each that is not. */
static gboolean
check_history (RbReceiptStore *self, const RbCheckpoint *fresh, const RbTiles *tiles, GError **error)
{
  g_autoptr (RbSqlRows) rows = rb_sql_query (
    self->sql, error,
    "SELECT note FROM log_checkpoints WHERE origin = $1 AND (proven = 0 OR size = $2 OR size = (SELECT MAX"
    " (size) FROM log_checkpoints WHERE origin = $1 AND proven = 1))",
    "ti", fresh->origin, (gint64) fresh->size);
  for (guint i = 0; rows != NULL && i < rb_sql_rows_count (rows); i++)
    if (!check_seen (self, rb_sql_rows_text (rows, i, 0), fresh, tiles, error))
      return FALSE;
  return rows != NULL;
}

static gboolean
keep (RbReceiptStore *self, const char *digest, GBytes *receipt, const RbReceipt *opened, gboolean proven,
      GError **error)
{
  if (!rb_sql_begin (self->sql, error))
    return FALSE;
  if (rb_sql_run (self->sql, error, "INSERT INTO receipts VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING", "tb",
                  digest, receipt)
      && rb_sql_run (self->sql, error,
                     "INSERT INTO log_checkpoints VALUES ($1, $2, $3, 0) ON CONFLICT (origin, size) DO NOTHING", "tit",
                     opened->origin, (gint64) opened->size, opened->checkpoint)
      && (!proven
          || rb_sql_run (self->sql, error, "UPDATE log_checkpoints SET proven = 1 WHERE origin = $1", "t",
                         opened->origin)))
    return rb_sql_commit (self->sql, error);
  rb_sql_rollback (self->sql);
  return FALSE;
}

char *
rb_receipt_store_accept (RbReceiptStore *self, GBytes *receipt, const RbTiles *tiles, GError **error)
{
  g_autoptr (RbReceipt) opened = rb_receipt_open (receipt, self->key, error);
  g_autoptr (RbEntry) entry = opened == NULL ? NULL : rb_entry_parse (opened->entry, error);
  if (entry == NULL || !check_entry (self, entry, error))
    return NULL;
  RbCheckpoint fresh = { opened->origin, opened->size, opened->root };
  return check_history (self, &fresh, tiles, error) && keep (self, entry->record, receipt, opened, tiles != NULL, error)
           ? g_strdup (entry->record)
           : NULL;
}

GBytes *
rb_receipt_store_read (const char *data_dir, const char *digest, GError **error)
{
  g_autoptr (RbSql) sql = open_database (data_dir, error);
  g_autoptr (RbSqlRows) rows
    = sql == NULL ? NULL : rb_sql_query (sql, error, "SELECT receipt FROM receipts WHERE digest = $1", "t", digest);
  return rows == NULL || rb_sql_rows_count (rows) == 0 ? NULL : rb_sql_rows_bytes (rows, 0, 0);
}
