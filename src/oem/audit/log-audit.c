/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/log-audit.h"

#include "crypto/digest.h"
#include "crypto/dsse.h"
#include "db/sql.h"
#include "log/receipt.h"
#include "log/tiles.h"

#include <string.h>

#define PAGE 512
#define MAX_ENVELOPE (4 * 1024 * 1024)
#define HASH sizeof (RbMerkleHash)

enum { ENTRY_MISSING, ENTRY_MALFORMED, ENTRY_RECORD, ENTRY_VERDICT };

typedef struct {
  const RbLogAuditRequest *request;
  RbLogAuditResult *result;
  RbSql *sql;
  GArray *leaves; /* of RbMerkleHash */
  GByteArray *kinds; /* of each entry */
  GByteArray *met; /* 1: the entry's record or verdict row was met */
  gint64 entries, receipts, verdicts; /* rows read of each table */
  GHashTable *tiles; /* "level/number" → GBytes, computed from leaves */
  RbTiles tree;
} Audit;

void
rb_log_audit_file_free (RbLogAuditFile *self)
{
  g_free (self->name);
  g_bytes_unref (self->bytes);
  g_free (self);
}

void
rb_log_audit_result_free (RbLogAuditResult *self)
{
  g_ptr_array_unref (self->after_checkpoint);
  g_free (self);
}

static void G_GNUC_PRINTF (4, 5) fault (Audit *self, RbReason reason, const char *row, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  self->result->faults++;
  self->request->fault (row, reason, message, self->request->data);
}

static void G_GNUC_PRINTF (4, 5) fault_of (Audit *self, RbReason reason, guint64 index, const char *format, ...)
{
  va_list arguments;
  g_autofree char *row = g_strdup_printf ("entry %" G_GUINT64_FORMAT, index);
  va_start (arguments, format);
  g_autofree char *message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  fault (self, reason, row, "%s", message);
}

/* entries and tiles */

static GBytes *
read_stored_tile (Audit *self, guint level, guint64 number, GError **error)
{
  g_autoptr (RbSqlRows) rows
    = rb_sql_query (self->sql, error, "SELECT hashes FROM tiles WHERE level = $1 AND number = $2", "ii", (gint64) level,
                    (gint64) number);
  return rows == NULL ? NULL : rb_sql_rows_count (rows) == 0 ? g_bytes_new (NULL, 0) : rb_sql_rows_bytes (rows, 0, 0);
}

static guint8
kind_of (GBytes *bytes)
{
  g_autoptr (RbEntry) entry = rb_entry_parse (bytes, NULL);
  if (entry == NULL)
    return ENTRY_MALFORMED;
  return entry->kind == RB_ENTRY_RECORD ? ENTRY_RECORD : ENTRY_VERDICT;
}

static const RbMerkleHash *
hash_at (GBytes *tile, guint at)
{
  gsize length = 0;
  const guint8 *data = g_bytes_get_data (tile, &length);
  return (at + 1) * HASH <= length ? (const RbMerkleHash *) (data + at * HASH) : NULL;
}

/* The leaf is the stored hash where there is one: then an altered entry is told from an altered tree. */
static void
add_entry (Audit *self, GBytes *bytes, GBytes *tile)
{
  guint64 index = self->leaves->len;
  const RbMerkleHash *stored = hash_at (tile, (guint) (index % RB_TILES_WIDTH));
  gsize length = 0;
  gconstpointer data = bytes == NULL ? NULL : g_bytes_get_data (bytes, &length);
  RbMerkleHash leaf = rb_merkle_leaf (data, length);
  guint8 kind = bytes == NULL ? ENTRY_MISSING : kind_of (bytes), unmet = 0;
  if (bytes == NULL)
    fault_of (self, RB_REASON_LOG_PROOF, index, "it is missing");
  else if (kind == ENTRY_MALFORMED)
    fault_of (self, RB_REASON_MALFORMED, index, "its bytes are not an entry");
  if (stored == NULL)
    fault_of (self, RB_REASON_LOG_PROOF, index, "tile 0/%" G_GUINT64_FORMAT " has no hash of it",
              index / RB_TILES_WIDTH);
  else if (bytes != NULL && !rb_merkle_equal (stored, &leaf))
    fault_of (self, RB_REASON_LOG_PROOF, index, "its bytes are not those that the tree commits to");
  g_array_append_val (self->leaves, *(stored != NULL ? stored : &leaf));
  g_byte_array_append (self->kinds, &kind, 1);
  g_byte_array_append (self->met, &unmet, 1);
}

/* The entries of one tile; FALSE at the end. size: of the log, by its checkpoint. */
static gboolean
read_page (Audit *self, guint64 size, gboolean *more, GError **error)
{
  gint64 first = self->leaves->len;
  g_autoptr (RbSqlRows) rows
    = rb_sql_query (self->sql, error, "SELECT idx, entry FROM entries WHERE idx >= $1 AND idx < $2 ORDER BY idx", "ii",
                    first, first + RB_TILES_WIDTH);
  g_autoptr (GBytes) tile = rows == NULL ? NULL : read_stored_tile (self, 0, (guint64) first / RB_TILES_WIDTH, error);
  if (tile == NULL)
    return FALSE;
  guint count = rb_sql_rows_count (rows);
  for (guint i = 0; i < count; i++) {
    g_autoptr (GBytes) bytes = rb_sql_rows_bytes (rows, i, 1);
    while ((gint64) self->leaves->len < rb_sql_rows_integer (rows, i, 0))
      add_entry (self, NULL, tile);
    add_entry (self, bytes, tile);
  }
  self->entries += count;
  guint64 end = MIN (size, (guint64) first + RB_TILES_WIDTH);
  while (self->leaves->len < end)
    add_entry (self, NULL, tile);
  *more = self->leaves->len == (guint64) first + RB_TILES_WIDTH;
  return TRUE;
}

static GBytes *
read_tile (guint level, guint64 number, guint width, gpointer data, GError **error)
{
  Audit *self = data;
  g_autofree char *path = rb_tiles_path ((int) level, number, RB_TILES_WIDTH);
  GBytes *tile = g_hash_table_lookup (self->tiles, path);
  if (tile == NULL)
    rb_reason_deny (error, RB_AUDIT_ERROR, RB_REASON_INTERNAL, "no tile %s", path);
  return tile == NULL ? NULL : g_bytes_ref (tile);
}

static gboolean
write_tile (guint level, guint64 number, GBytes *hashes, gpointer data, GError **error)
{
  Audit *self = data;
  g_hash_table_insert (self->tiles, rb_tiles_path ((int) level, number, RB_TILES_WIDTH), g_bytes_ref (hashes));
  return TRUE;
}

/* Every stored tile is the one that follows from the leaves, and none is there besides. */
static gboolean
check_tiles (Audit *self, GError **error)
{
  g_autoptr (RbSqlRows) rows
    = rb_sql_query (self->sql, error, "SELECT level, number FROM tiles ORDER BY level, number", "");
  guint right = 0;
  for (guint i = 0; rows != NULL && i < rb_sql_rows_count (rows); i++) {
    guint64 number = (guint64) rb_sql_rows_integer (rows, i, 1);
    guint level = (guint) rb_sql_rows_integer (rows, i, 0);
    g_autofree char *path = rb_tiles_path ((int) level, number, RB_TILES_WIDTH);
    g_autofree char *row = g_strdup_printf ("tile %s", path);
    GBytes *computed = g_hash_table_lookup (self->tiles, path);
    g_autoptr (GBytes) stored = read_stored_tile (self, level, number, error);
    if (stored == NULL)
      return FALSE;
    if (computed == NULL)
      fault (self, RB_REASON_LOG_PROOF, row, "it is inserted: the tree has no such tile");
    else if (!g_bytes_equal (computed, stored))
      fault (self, RB_REASON_LOG_PROOF, row, "it is not the one that follows from the entries");
    right += computed != NULL;
  }
  if (rows != NULL && right < g_hash_table_size (self->tiles))
    fault (self, RB_REASON_LOG_PROOF, "tiles", "%u are missing", g_hash_table_size (self->tiles) - right);
  return rows != NULL;
}

static gboolean
check_root (Audit *self, guint64 size, const RbMerkleHash *root)
{
  RbMerkleHash own;
  return size <= self->leaves->len && rb_tiles_root (&self->tree, size, &own, NULL) && rb_merkle_equal (&own, root);
}

/* The size that the stored checkpoint says; its signature is verified where the key is known. */
static gboolean
read_head (Audit *self, char **note, guint64 *size, GError **error)
{
  g_autoptr (RbSqlRows) rows = rb_sql_query (self->sql, error, "SELECT size, note FROM head", "");
  *size = rows == NULL || rb_sql_rows_count (rows) == 0 ? 0 : (guint64) rb_sql_rows_integer (rows, 0, 0);
  *note = rows == NULL || rb_sql_rows_count (rows) == 0 ? NULL : g_strdup (rb_sql_rows_text (rows, 0, 1));
  return rows != NULL;
}

static void
check_head (Audit *self, const char *note, guint64 size)
{
  g_autoptr (GError) error = NULL;
  if (note == NULL && self->leaves->len > 0)
    fault (self, RB_REASON_LOG_SIGNATURE, "checkpoint", "the log has entries and no checkpoint");
  if (note == NULL || self->request->key == NULL)
    return;
  g_autoptr (RbCheckpoint) checkpoint = rb_checkpoint_open (note, self->request->key, &error);
  if (checkpoint == NULL)
    fault (self, rb_reason_of (error), "checkpoint", "%s", error->message);
  else if (checkpoint->size != size || checkpoint->size != self->leaves->len)
    fault (self, RB_REASON_LOG_PROOF, "checkpoint",
           "it is of %" G_GUINT64_FORMAT " entries, its row of %" G_GUINT64_FORMAT ", the log has %u", checkpoint->size,
           size, self->leaves->len);
  else if (!check_root (self, checkpoint->size, &checkpoint->root))
    fault (self, RB_REASON_LOG_PROOF, "checkpoint", "the entries are not those that it signs");
}

static gboolean
check_tree (Audit *self, GError **error)
{
  g_autofree char *note = NULL;
  guint64 size = 0;
  gboolean more = TRUE;
  if (!read_head (self, &note, &size, error))
    return FALSE;
  while (more)
    if (!read_page (self, size, &more, error))
      return FALSE;
  if (!rb_tiles_append (&self->tree, 0, self->leaves, error) || !check_tiles (self, error))
    return FALSE;
  check_head (self, note, size);
  self->result->size = self->leaves->len;
  return TRUE;
}

/* records, receipts and verdicts */

static gboolean
meet (Audit *self, guint64 index, guint8 kind)
{
  if (index >= self->kinds->len || self->kinds->data[index] != kind)
    return FALSE;
  self->met->data[index] = 1;
  return TRUE;
}

static void
check_record (Audit *self, const RbSqlRows *rows, guint i)
{
  guint64 index = (guint64) rb_sql_rows_integer (rows, i, 0);
  g_autofree char *row = g_strdup_printf ("record %.16s", rb_sql_rows_text (rows, i, 1));
  g_autoptr (GBytes) envelope = rb_sql_rows_bytes (rows, i, 3);
  g_autoptr (GBytes) bytes = rb_sql_rows_bytes (rows, i, 4);
  g_autoptr (GBytes) verdict_bytes = rb_sql_rows_bytes (rows, i, 5);
  g_autoptr (RbEntry) entry = rb_entry_parse (bytes, NULL), verdict = rb_entry_parse (verdict_bytes, NULL);
  g_autoptr (RbDsse) dsse = rb_dsse_parse (envelope, MAX_ENVELOPE, NULL);
  g_autofree char *sha256 = rb_digest_sha256_hex_of (envelope);
  if (!meet (self, index, ENTRY_RECORD) || entry == NULL) {
    fault (self, RB_REASON_LOG_PROOF, row, "it is inserted: entry %" G_GUINT64_FORMAT " is not a record's", index);
    return;
  }
  self->result->records++;
  if (strcmp (sha256, entry->envelope) != 0 || dsse == NULL || strcmp (rb_dsse_digest (dsse), entry->record) != 0)
    fault (self, RB_REASON_LOG_PROOF, row, "its envelope is not the one that entry %" G_GUINT64_FORMAT " commits to",
           index);
  else if (strcmp (rb_sql_rows_text (rows, i, 1), entry->record) != 0
           || strcmp (rb_sql_rows_text (rows, i, 2), entry->envelope) != 0)
    fault (self, RB_REASON_LOG_PROOF, row, "its digests are not those of entry %" G_GUINT64_FORMAT, index);
  else
    self->request->record (entry, index, envelope, verdict == NULL ? NULL : verdict->reason, self->request->data);
}

static gboolean
check_records (Audit *self, GError **error)
{
  gint64 next = G_MININT64;
  for (;;) {
    g_autoptr (RbSqlRows) rows
      = rb_sql_query (self->sql, error,
                      "SELECT r.idx, r.digest, r.envelope_sha256, r.envelope, e.entry, x.entry FROM records r"
                      " LEFT JOIN entries e ON e.idx = r.idx LEFT JOIN verdicts v ON v.record = r.idx"
                      " LEFT JOIN entries x ON x.idx = v.idx WHERE r.idx >= $1 ORDER BY r.idx LIMIT $2",
                      "ii", next, (gint64) PAGE);
    if (rows == NULL)
      return FALSE;
    for (guint i = 0; i < rb_sql_rows_count (rows); i++)
      check_record (self, rows, i);
    if (rb_sql_rows_count (rows) < PAGE)
      return TRUE;
    next = rb_sql_rows_integer (rows, PAGE - 1, 0) + 1;
  }
}

static void
check_verdict (Audit *self, const RbSqlRows *rows, guint i)
{
  guint64 index = (guint64) rb_sql_rows_integer (rows, i, 1);
  g_autofree char *row = g_strdup_printf ("verdict on entry %" G_GINT64_FORMAT, rb_sql_rows_integer (rows, i, 0));
  g_autoptr (GBytes) bytes = rb_sql_rows_bytes (rows, i, 2);
  g_autoptr (RbEntry) entry = rb_entry_parse (bytes, NULL);
  if (!meet (self, index, ENTRY_VERDICT) || entry == NULL || (gint64) entry->about != rb_sql_rows_integer (rows, i, 0))
    fault (self, RB_REASON_LOG_PROOF, row, "entry %" G_GUINT64_FORMAT " is not this verdict", index);
}

static gboolean
check_verdicts (Audit *self, GError **error)
{
  gint64 next = G_MININT64;
  for (;;) {
    g_autoptr (RbSqlRows) rows
      = rb_sql_query (self->sql, error,
                      "SELECT v.record, v.idx, e.entry FROM verdicts v LEFT JOIN entries e ON e.idx = v.idx"
                      " WHERE v.record >= $1 ORDER BY v.record LIMIT $2",
                      "ii", next, (gint64) PAGE);
    if (rows == NULL)
      return FALSE;
    for (guint i = 0; i < rb_sql_rows_count (rows); i++)
      check_verdict (self, rows, i);
    self->verdicts += rb_sql_rows_count (rows);
    if (rb_sql_rows_count (rows) < PAGE)
      return TRUE;
    next = rb_sql_rows_integer (rows, PAGE - 1, 0) + 1;
  }
}

static GBytes *
entry_bytes (Audit *self, guint64 index, GError **error)
{
  g_autoptr (RbSqlRows) rows
    = rb_sql_query (self->sql, error, "SELECT entry FROM entries WHERE idx = $1", "i", (gint64) index);
  return rows == NULL || rb_sql_rows_count (rows) == 0 ? NULL : rb_sql_rows_bytes (rows, 0, 0);
}

/* An entry whose record or verdict has no row. */
static void
check_met (Audit *self)
{
  for (guint i = 0; i < self->kinds->len; i++) {
    if (self->met->data[i] != 0)
      continue;
    if (self->kinds->data[i] == ENTRY_VERDICT)
      fault_of (self, RB_REASON_LOG_PROOF, i, "its verdict has no row");
    if (self->kinds->data[i] != ENTRY_RECORD)
      continue;
    g_autoptr (GBytes) bytes = entry_bytes (self, i, NULL);
    g_autoptr (RbEntry) entry = bytes == NULL ? NULL : rb_entry_parse (bytes, NULL);
    fault_of (self, RB_REASON_MISSING, i, "its record %.16s is gone", entry == NULL ? "" : entry->record);
  }
}

/* A receipt that the intake keeps: of this entry, and of this log. */
static void
check_stored_receipt (Audit *self, const RbSqlRows *rows, guint i)
{
  guint64 index = (guint64) rb_sql_rows_integer (rows, i, 0);
  g_autofree char *row = g_strdup_printf ("receipt of entry %" G_GUINT64_FORMAT, index);
  g_autoptr (GBytes) bytes = rb_sql_rows_bytes (rows, i, 1), entry = rb_sql_rows_bytes (rows, i, 2);
  g_autoptr (GError) error = NULL;
  g_autoptr (RbReceipt) receipt = rb_receipt_open (bytes, self->request->key, &error);
  if (receipt == NULL)
    fault (self, rb_reason_of (error), row, "%s", error->message);
  else if (receipt->index != index || !g_bytes_equal (receipt->entry, entry))
    fault (self, RB_REASON_LOG_PROOF, row, "it is of another entry than the log has there");
  else if (!check_root (self, receipt->size, &receipt->root))
    fault (self, RB_REASON_LOG_FORK, row, "its checkpoint is of another log");
}

static gboolean
check_stored_receipts (Audit *self, GError **error)
{
  gint64 next = G_MININT64;
  while (self->request->key != NULL) {
    g_autoptr (RbSqlRows) rows
      = rb_sql_query (self->sql, error,
                      "SELECT p.idx, p.receipt, e.entry FROM receipts p LEFT JOIN entries e ON e.idx = p.idx"
                      " WHERE p.idx >= $1 ORDER BY p.idx LIMIT $2",
                      "ii", next, (gint64) PAGE);
    if (rows == NULL)
      return FALSE;
    for (guint i = 0; i < rb_sql_rows_count (rows); i++)
      check_stored_receipt (self, rows, i);
    self->receipts += rb_sql_rows_count (rows);
    if (rb_sql_rows_count (rows) < PAGE)
      return TRUE;
    next = rb_sql_rows_integer (rows, PAGE - 1, 0) + 1;
  }
  return TRUE;
}

/* A record entry whose receipt the intake lost. */
static gboolean
check_receipts_complete (Audit *self, GError **error)
{
  g_autoptr (RbSqlRows) rows
    = rb_sql_query (self->sql, error,
                    "SELECT r.idx FROM records r WHERE NOT EXISTS (SELECT 1 FROM receipts p WHERE p.idx = r.idx)", "");
  for (guint i = 0; rows != NULL && i < rb_sql_rows_count (rows); i++)
    fault_of (self, RB_REASON_LOG_PROOF, (guint64) rb_sql_rows_integer (rows, i, 0), "its receipt is missing");
  return rows != NULL;
}

/* A row whose key is NULL, negative or past the end is read by no page: it is found by its number. */
static gboolean
check_count (Audit *self, const char *table, const char *count, gint64 expected, GError **error)
{
  g_autoptr (RbSqlRows) rows = rb_sql_query (self->sql, error, count, "");
  if (rows == NULL)
    return FALSE;
  gint64 stored = rb_sql_rows_integer (rows, 0, 0);
  if (stored != expected)
    fault (self, RB_REASON_LOG_PROOF, table, "it has %" G_GINT64_FORMAT " rows, %" G_GINT64_FORMAT " are of the log",
           stored, expected);
  return TRUE;
}

static gboolean
check_counts (Audit *self, GError **error)
{
  return check_count (self, "entries", "SELECT COUNT (*) FROM entries", self->entries, error)
         && check_count (self, "verdicts", "SELECT COUNT (*) FROM verdicts", self->verdicts, error)
         && (self->request->key == NULL
             || check_count (self, "receipts", "SELECT COUNT (*) FROM receipts", self->receipts, error))
         && check_count (self, "head", "SELECT COUNT (*) FROM head", self->leaves->len > 0, error)
         && check_count (self, "head", "SELECT COUNT (*) FROM head WHERE one = 1", self->leaves->len > 0, error)
         && check_count (self, "ledger_schema", "SELECT COUNT (*) FROM ledger_schema", 1, error)
         && check_count (self, "ledger_schema", "SELECT COUNT (*) FROM ledger_schema WHERE one = 1 AND version = 1", 1,
                         error);
}

/* from outside */

static gboolean
record_is_there (Audit *self, const RbReceipt *receipt)
{
  g_autoptr (GBytes) bytes = receipt->index < self->kinds->len ? entry_bytes (self, receipt->index, NULL) : NULL;
  return bytes != NULL && g_bytes_equal (bytes, receipt->entry) && self->met->data[receipt->index] != 0;
}

static void
check_receipt (Audit *self, const RbLogAuditFile *file, const RbCheckpoint *outside)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RbReceipt) receipt = rb_receipt_open (file->bytes, self->request->key, &error);
  g_autoptr (RbEntry) entry = receipt == NULL ? NULL : rb_entry_parse (receipt->entry, &error);
  if (entry == NULL) {
    fault (self, rb_reason_of (error), file->name, "%s", error->message);
    return;
  }
  if (outside != NULL && receipt->index >= outside->size)
    g_ptr_array_add (self->result->after_checkpoint, g_strdup (file->name));
  if (!record_is_there (self, receipt))
    fault (self, RB_REASON_MISSING, file->name,
           "record %.16s was in the log at index %" G_GUINT64_FORMAT " and is gone", entry->record, receipt->index);
  else if (!check_root (self, receipt->size, &receipt->root))
    fault (self, RB_REASON_LOG_FORK, file->name, "its checkpoint of %" G_GUINT64_FORMAT " entries is of another log",
           receipt->size);
}

static void
check_outside (Audit *self)
{
  const RbLogAuditRequest *request = self->request;
  g_autoptr (GError) error = NULL;
  g_autoptr (RbCheckpoint) outside
    = request->checkpoint == NULL ? NULL : rb_checkpoint_open (request->checkpoint, request->key, &error);
  if (error != NULL)
    fault (self, rb_reason_of (error), "--checkpoint", "%s", error->message);
  else if (outside != NULL && !check_root (self, outside->size, &outside->root))
    fault (self, RB_REASON_LOG_FORK, "--checkpoint",
           "the log of %u entries is not the one that it shows at %" G_GUINT64_FORMAT, self->leaves->len,
           outside->size);
  for (guint i = 0; request->receipts != NULL && i < request->receipts->len; i++)
    check_receipt (self, request->receipts->pdata[i], outside);
}

static gboolean
run (Audit *self, GError **error)
{
  if (!rb_sql_begin_to_read (self->sql, error) || !check_tree (self, error) || !check_records (self, error)
      || !check_verdicts (self, error))
    return FALSE;
  check_met (self);
  if (!check_stored_receipts (self, error) || !check_receipts_complete (self, error) || !check_counts (self, error))
    return FALSE;
  check_outside (self);
  return rb_sql_commit (self->sql, error);
}

RbLogAuditResult *
rb_log_audit_run (const RbLogAuditRequest *request, GError **error)
{
  Audit self = { .request = request, .tree = { read_tile, write_tile, NULL } };
  g_autoptr (RbLogAuditResult) result = g_new0 (RbLogAuditResult, 1);
  result->after_checkpoint = g_ptr_array_new_with_free_func (g_free);
  self.tree.data = &self;
  self.result = result;
  g_autoptr (RbSql) sql = self.sql = rb_sql_open_to_read (request->uri, error);
  if (sql == NULL)
    return NULL;
  g_autoptr (GArray) leaves = self.leaves = g_array_new (FALSE, FALSE, HASH);
  g_autoptr (GByteArray) kinds = self.kinds = g_byte_array_new ();
  g_autoptr (GByteArray) met = self.met = g_byte_array_new ();
  g_autoptr (GHashTable) tiles = self.tiles
    = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
  return run (&self, error) ? g_steal_pointer (&result) : NULL;
}
