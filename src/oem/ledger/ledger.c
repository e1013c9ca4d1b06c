/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ledger.h"

#include "core/bytes.h"
#include "crypto/digest.h"
#include "ledger/shelf.h"
#include "log/receipt.h"

#include <string.h>

#define VERSION 1

struct _RbLedger {
  RbSql *sql;
  RbShelf *shelf;
  char *origin;
  RbPrivateKey *key; /* NULL: read only */
  RbNoteKey *verifier; /* of key */
};

static const char schema[]
  = "CREATE TABLE IF NOT EXISTS ledger_schema (one BIGINT PRIMARY KEY, version BIGINT NOT NULL);"
    "CREATE TABLE IF NOT EXISTS entries (idx BIGINT PRIMARY KEY, entry BYTES NOT NULL);"
    "CREATE TABLE IF NOT EXISTS records (envelope_sha256 TEXT PRIMARY KEY, digest TEXT NOT NULL,"
    " idx BIGINT NOT NULL UNIQUE, envelope BYTES NOT NULL);"
    "CREATE INDEX IF NOT EXISTS records_digest ON records (digest);"
    "CREATE TABLE IF NOT EXISTS receipts (idx BIGINT PRIMARY KEY, receipt BYTES NOT NULL);"
    "CREATE TABLE IF NOT EXISTS verdicts (record BIGINT PRIMARY KEY, idx BIGINT NOT NULL UNIQUE);"
    "CREATE TABLE IF NOT EXISTS tiles (level BIGINT NOT NULL, number BIGINT NOT NULL, hashes BYTES NOT NULL,"
    " PRIMARY KEY (level, number));"
    "CREATE TABLE IF NOT EXISTS head (one BIGINT PRIMARY KEY, size BIGINT NOT NULL, note TEXT NOT NULL);"
    "INSERT INTO ledger_schema VALUES (1, 1) ON CONFLICT (one) DO NOTHING";

static gboolean
check_schema (RbLedger *self, GError **error)
{
  g_autoptr (RbSqlRows) rows = rb_sql_query (self->sql, error, "SELECT version FROM ledger_schema", "");
  if (rows == NULL)
    return FALSE;
  if (rb_sql_rows_count (rows) == 1 && rb_sql_rows_integer (rows, 0, 0) == VERSION)
    return TRUE;
  return rb_reason_deny (error, RB_LEDGER_ERROR, RB_REASON_DATABASE, "Log: its tables are of another version than %d",
                         VERSION);
}

static gboolean
set_up (RbLedger *self, GError **error)
{
  if (!rb_sql_begin (self->sql, error))
    return FALSE;
  if (rb_sql_script (self->sql, schema, error) && check_schema (self, error))
    return rb_sql_commit (self->sql, error);
  rb_sql_rollback (self->sql);
  return FALSE;
}

/* The size that this log's key signed last; 0 where nothing is signed. */
static gboolean
read_head (RbLedger *self, guint64 *size, GError **error)
{
  g_autoptr (RbSqlRows) rows = rb_sql_query (self->sql, error, "SELECT note FROM head", "");
  *size = 0;
  if (rows == NULL || rb_sql_rows_count (rows) == 0)
    return rows != NULL;
  g_autoptr (RbCheckpoint) checkpoint = rb_checkpoint_open (rb_sql_rows_text (rows, 0, 0), self->verifier, error);
  if (checkpoint == NULL)
    return FALSE;
  *size = checkpoint->size;
  return TRUE;
}

static gboolean
check_head (RbLedger *self, GError **error)
{
  guint64 size = 0;
  g_autoptr (RbSqlRows) rows = read_head (self, &size, error)
                                 ? rb_sql_query (self->sql, error, "SELECT COALESCE (MAX (idx), -1) FROM entries", "")
                                 : NULL;
  if (rows == NULL)
    return FALSE;
  if (rb_sql_rows_integer (rows, 0, 0) + 1 == (gint64) size)
    return TRUE;
  return rb_reason_deny (error, RB_LEDGER_ERROR, RB_REASON_LOG_PROOF,
                         "Log: the checkpoint is of %" G_GUINT64_FORMAT
                         " entries, the last one has index %" G_GINT64_FORMAT,
                         size, rb_sql_rows_integer (rows, 0, 0));
}

static gboolean
set_key (RbLedger *self, RbPrivateKey *key, GError **error)
{
  if (rb_key_public_type (rb_key_private_public (key)) != RB_KEY_ED25519)
    return rb_reason_deny (error, RB_LEDGER_ERROR, RB_REASON_UNSAFE_ALGORITHM, "Log: its key is not an Ed25519 one");
  g_autofree char *vkey = rb_note_key_text (self->origin, rb_key_private_public (key));
  self->key = rb_key_private_ref (key);
  self->verifier = rb_note_key_parse (vkey, error);
  return self->verifier != NULL;
}

RbLedger *
rb_ledger_open (const char *uri, const char *origin, RbPrivateKey *key, GError **error)
{
  g_autoptr (RbLedger) self = g_new0 (RbLedger, 1);
  self->origin = g_strdup (origin);
  self->sql = key == NULL ? rb_sql_open_to_read (uri, error) : rb_sql_open (uri, error);
  if (self->sql == NULL)
    return NULL;
  self->shelf = rb_shelf_new (self->sql);
  if (key == NULL)
    return check_schema (self, error) ? g_steal_pointer (&self) : NULL;
  return set_key (self, key, error) && set_up (self, error) && check_head (self, error) ? g_steal_pointer (&self)
                                                                                        : NULL;
}

void
rb_ledger_close (RbLedger *self)
{
  g_clear_pointer (&self->shelf, rb_shelf_free);
  g_clear_pointer (&self->sql, rb_sql_close);
  g_clear_pointer (&self->key, rb_key_private_unref);
  g_clear_pointer (&self->verifier, rb_note_key_free);
  g_free (self->origin);
  g_free (self);
}

void
rb_ledger_upload_free (RbLedgerUpload *self)
{
  g_free (self->digest);
  g_free (self->workstation);
  g_clear_pointer (&self->envelope, g_bytes_unref);
  g_clear_pointer (&self->receipt, g_bytes_unref);
  g_free (self);
}

/* A group of entries that is being appended. */
typedef struct {
  guint64 size; /* of the log before */
  GPtrArray *entries; /* of GBytes */
  char *checkpoint; /* that covers them */
} Group;

static void
group_clear (Group *self)
{
  g_clear_pointer (&self->entries, g_ptr_array_unref);
  g_free (self->checkpoint);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Group, group_clear)

static gboolean
group_begin (RbLedger *self, Group *group, GError **error)
{
  rb_shelf_clear (self->shelf);
  group->entries = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  return rb_sql_begin (self->sql, error) && read_head (self, &group->size, error);
}

/* Takes entry; gives its index. */
static gboolean
group_add (RbLedger *self, Group *group, GBytes *entry, guint64 *index, GError **error)
{
  *index = group->size + group->entries->len;
  g_ptr_array_add (group->entries, entry);
  return rb_sql_run (self->sql, error, "INSERT INTO entries VALUES ($1, $2)", "ib", (gint64) *index, entry);
}

/* Integrates the entries and signs what the log is then. */
static gboolean
group_integrate (RbLedger *self, Group *group, GError **error)
{
  g_autoptr (GArray) leaves = g_array_new (FALSE, FALSE, sizeof (RbMerkleHash));
  RbMerkleHash root;
  guint64 size = group->size + group->entries->len;
  for (guint i = 0; i < group->entries->len; i++) {
    gsize length = 0;
    gconstpointer entry = g_bytes_get_data (group->entries->pdata[i], &length);
    RbMerkleHash leaf = rb_merkle_leaf (entry, length);
    g_array_append_val (leaves, leaf);
  }
  if (!rb_tiles_append (rb_shelf_tiles (self->shelf), group->size, leaves, error)
      || !rb_shelf_store (self->shelf, error) || !rb_tiles_root (rb_shelf_tiles (self->shelf), size, &root, error))
    return FALSE;
  group->checkpoint = rb_checkpoint_sign (self->origin, size, &root, self->key, error);
  return group->checkpoint != NULL
         && rb_sql_run (self->sql, error,
                        "INSERT INTO head VALUES (1, $1, $2) ON CONFLICT (one) DO UPDATE SET size = excluded.size, "
                        "note = excluded.note",
                        "it", (gint64) size, group->checkpoint);
}

static GBytes *
make_receipt (RbLedger *self, const Group *group, guint64 index, GError **error)
{
  g_autoptr (GArray) proof
    = rb_tiles_inclusion (rb_shelf_tiles (self->shelf), index, group->size + group->entries->len, error);
  return proof == NULL ? NULL
                       : rb_receipt_write (group->entries->pdata[index - group->size], index, proof, group->checkpoint);
}

static gboolean
end_transaction (RbLedger *self, gboolean good, GError **error)
{
  if (good)
    return rb_sql_commit (self->sql, error);
  rb_sql_rollback (self->sql);
  return FALSE;
}

/* The receipt of an envelope that is in the log already. */
static gboolean
find_receipt (RbLedger *self, const char *sha256, RbLedgerUpload *upload, GError **error)
{
  g_autoptr (RbSqlRows) rows = rb_sql_query (
    self->sql, error,
    "SELECT receipt FROM receipts JOIN records ON records.idx = receipts.idx WHERE envelope_sha256 = $1", "t", sha256);
  if (rows != NULL && rb_sql_rows_count (rows) > 0)
    upload->receipt = rb_sql_rows_bytes (rows, 0, 0);
  return rows != NULL;
}

static gboolean
add_record (RbLedger *self, Group *group, const RbLedgerUpload *upload, const char *sha256, gint64 moment,
            guint64 *index, GError **error)
{
  const RbEntry entry = { .kind = RB_ENTRY_RECORD,
                          .record = upload->digest,
                          .envelope = (char *) sha256,
                          .workstation = upload->workstation,
                          .at = moment };
  return group_add (self, group, rb_entry_write (&entry), index, error)
         && rb_sql_run (self->sql, error, "INSERT INTO records VALUES ($1, $2, $3, $4)", "ttib", sha256, upload->digest,
                        (gint64) *index, upload->envelope);
}

typedef struct {
  RbLedgerUpload *upload;
  guint64 index;
} Added;

/* The same envelope twice in one group is added once. */
static gboolean
add_new (RbLedger *self, Group *group, GPtrArray *uploads, gint64 moment, GArray *added, GHashTable *seen,
         GError **error)
{
  for (guint i = 0; i < uploads->len; i++) {
    RbLedgerUpload *upload = uploads->pdata[i];
    char *sha256 = rb_digest_sha256_hex_of (upload->envelope);
    const RbLedgerUpload *same = g_hash_table_lookup (seen, sha256);
    Added one = { upload, 0 };
    g_hash_table_insert (seen, sha256, same == NULL ? upload : (gpointer) same);
    g_clear_pointer (&upload->receipt, g_bytes_unref);
    if (same != NULL)
      continue;
    if (!find_receipt (self, sha256, upload, error))
      return FALSE;
    upload->is_new = upload->receipt == NULL;
    if (upload->is_new && !add_record (self, group, upload, sha256, moment, &one.index, error))
      return FALSE;
    if (upload->is_new)
      g_array_append_val (added, one);
  }
  return TRUE;
}

static gboolean
add_receipts (RbLedger *self, const Group *group, GArray *added, GError **error)
{
  for (guint i = 0; i < added->len; i++) {
    const Added *one = &g_array_index (added, Added, i);
    one->upload->receipt = make_receipt (self, group, one->index, error);
    if (one->upload->receipt == NULL
        || !rb_sql_run (self->sql, error, "INSERT INTO receipts VALUES ($1, $2)", "ib", (gint64) one->index,
                        one->upload->receipt))
      return FALSE;
  }
  return TRUE;
}

/* Uploads of an envelope that another one of the group has get that one's receipt. */
static void
share_receipts (GPtrArray *uploads, GHashTable *seen)
{
  for (guint i = 0; i < uploads->len; i++) {
    RbLedgerUpload *upload = uploads->pdata[i];
    g_autofree char *sha256 = rb_digest_sha256_hex_of (upload->envelope);
    const RbLedgerUpload *same = g_hash_table_lookup (seen, sha256);
    if (same == upload)
      continue;
    upload->receipt = g_bytes_ref (same->receipt);
    upload->is_new = FALSE;
  }
}

gboolean
rb_ledger_receive (RbLedger *self, GPtrArray *uploads, gint64 moment, GError **error)
{
  g_auto (Group) group = { 0 };
  g_autoptr (GArray) added = g_array_new (FALSE, FALSE, sizeof (Added));
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  gboolean good
    = group_begin (self, &group, error) && add_new (self, &group, uploads, moment, added, seen, error)
      && (added->len == 0 || (group_integrate (self, &group, error) && add_receipts (self, &group, added, error)));
  if (!end_transaction (self, good, error))
    return FALSE;
  share_receipts (uploads, seen);
  return TRUE;
}

/* verdicts */

static void
due_free (gpointer data)
{
  RbLedgerDue *self = data;
  g_free (self->digest);
  g_free (self->envelope_sha256);
  g_clear_pointer (&self->envelope, g_bytes_unref);
  g_free (self->reason);
  g_free (self);
}

/* When the record was received is in its entry. */
static RbLedgerDue *
read_due (const RbSqlRows *rows, guint row, GError **error)
{
  g_autoptr (GBytes) bytes = rb_sql_rows_bytes (rows, row, 4);
  g_autoptr (RbEntry) entry = rb_entry_parse (bytes, error);
  if (entry == NULL)
    return NULL;
  RbLedgerDue *due = g_new0 (RbLedgerDue, 1);
  due->index = (guint64) rb_sql_rows_integer (rows, row, 0);
  due->digest = g_strdup (rb_sql_rows_text (rows, row, 1));
  due->envelope_sha256 = g_strdup (rb_sql_rows_text (rows, row, 2));
  due->envelope = rb_sql_rows_bytes (rows, row, 3);
  due->received = entry->at;
  return due;
}

GPtrArray *
rb_ledger_due (RbLedger *self, guint max, GError **error)
{
  if (!rb_sql_begin_to_read (self->sql, error))
    return NULL;
  g_autoptr (RbSqlRows) rows = rb_sql_query (
    self->sql, error,
    "SELECT records.idx, digest, envelope_sha256, envelope, entry FROM records JOIN entries ON entries.idx = records.idx"
    " WHERE NOT EXISTS (SELECT 1 FROM verdicts WHERE verdicts.record = records.idx) ORDER BY records.idx LIMIT $1",
    "i", (gint64) max);
  if (!end_transaction (self, rows != NULL, error))
    return NULL;
  g_autoptr (GPtrArray) due = g_ptr_array_new_with_free_func (due_free);
  for (guint i = 0; i < rb_sql_rows_count (rows); i++) {
    RbLedgerDue *one = read_due (rows, i, error);
    if (one == NULL)
      return NULL;
    g_ptr_array_add (due, one);
  }
  return g_steal_pointer (&due);
}

static gboolean
add_verdict (RbLedger *self, Group *group, const RbLedgerDue *due, gint64 moment, GError **error)
{
  const RbEntry entry = { .kind = RB_ENTRY_VERDICT,
                          .record = due->digest,
                          .envelope = due->envelope_sha256,
                          .about = due->index,
                          .at = moment,
                          .reason = due->reason };
  guint64 index = 0;
  g_autoptr (RbSqlRows) rows
    = rb_sql_query (self->sql, error, "SELECT idx FROM verdicts WHERE record = $1", "i", (gint64) due->index);
  if (rows == NULL || rb_sql_rows_count (rows) > 0)
    return rows != NULL;
  return group_add (self, group, rb_entry_write (&entry), &index, error)
         && rb_sql_run (self->sql, error, "INSERT INTO verdicts VALUES ($1, $2)", "ii", (gint64) due->index,
                        (gint64) index);
}

gboolean
rb_ledger_add_verdicts (RbLedger *self, GPtrArray *due, gint64 moment, GError **error)
{
  g_auto (Group) group = { 0 };
  gboolean good = group_begin (self, &group, error);
  for (guint i = 0; good && i < due->len; i++)
    good = add_verdict (self, &group, due->pdata[i], moment, error);
  good = good && (group.entries->len == 0 || group_integrate (self, &group, error));
  return end_transaction (self, good, error);
}

/* reading */

static RbSqlRows *
read_rows (RbLedger *self, const char *sql, const char *digest, GError **error)
{
  if (!rb_sql_begin_to_read (self->sql, error))
    return NULL;
  g_autoptr (RbSqlRows) rows
    = digest == NULL ? rb_sql_query (self->sql, error, sql, "") : rb_sql_query (self->sql, error, sql, "t", digest);
  return end_transaction (self, rows != NULL, error) ? g_steal_pointer (&rows) : NULL;
}

char *
rb_ledger_checkpoint (RbLedger *self, GError **error)
{
  g_autoptr (RbSqlRows) rows = read_rows (self, "SELECT note FROM head", NULL, error);
  return rows == NULL || rb_sql_rows_count (rows) == 0 ? NULL : g_strdup (rb_sql_rows_text (rows, 0, 0));
}

static GBytes *
read_bytes (RbLedger *self, const char *sql, const char *digest, GError **error)
{
  g_autoptr (RbSqlRows) rows = read_rows (self, sql, digest, error);
  return rows == NULL || rb_sql_rows_count (rows) == 0 ? NULL : rb_sql_rows_bytes (rows, 0, 0);
}

GBytes *
rb_ledger_envelope (RbLedger *self, const char *digest, GError **error)
{
  return read_bytes (self, "SELECT envelope FROM records WHERE digest = $1 ORDER BY idx LIMIT 1", digest, error);
}

GBytes *
rb_ledger_receipt (RbLedger *self, const char *digest, GError **error)
{
  return read_bytes (self,
                     "SELECT receipt FROM receipts JOIN records ON records.idx = receipts.idx WHERE digest = $1"
                     " ORDER BY records.idx LIMIT 1",
                     digest, error);
}

static GBytes *
read_bundle (RbLedger *self, guint64 number, guint width, GError **error)
{
  gint64 first = (gint64) number * RB_TILES_WIDTH;
  g_autoptr (RbSqlRows) rows
    = rb_sql_query (self->sql, error, "SELECT entry FROM entries WHERE idx >= $1 AND idx < $2 ORDER BY idx", "ii",
                    first, first + width);
  if (rows == NULL || rb_sql_rows_count (rows) < width)
    return NULL;
  GByteArray *bundle = g_byte_array_new ();
  for (guint i = 0; i < width; i++) {
    g_autoptr (GBytes) entry = rb_sql_rows_bytes (rows, i, 0);
    rb_writer_field16 (bundle, g_bytes_get_data (entry, NULL), g_bytes_get_size (entry));
  }
  return g_byte_array_free_to_bytes (bundle);
}

static GBytes *
read_hashes (RbLedger *self, guint level, guint64 number, guint width, GError **error)
{
  gsize length = width * sizeof (RbMerkleHash);
  g_autoptr (RbSqlRows) rows
    = rb_sql_query (self->sql, error, "SELECT hashes FROM tiles WHERE level = $1 AND number = $2", "ii", (gint64) level,
                    (gint64) number);
  g_autoptr (GBytes) hashes = rows == NULL || rb_sql_rows_count (rows) == 0 ? NULL : rb_sql_rows_bytes (rows, 0, 0);
  return hashes == NULL || g_bytes_get_size (hashes) < length ? NULL : g_bytes_new_from_bytes (hashes, 0, length);
}

GBytes *
rb_ledger_tile (RbLedger *self, int level, guint64 number, guint width, GError **error)
{
  g_autoptr (GError) problem = NULL;
  if (!rb_sql_begin_to_read (self->sql, error))
    return NULL;
  g_autoptr (GBytes) tile = level < 0 ? read_bundle (self, number, width, &problem)
                                      : read_hashes (self, (guint) level, number, width, &problem);
  gboolean good = end_transaction (self, problem == NULL, error);
  if (problem != NULL)
    g_propagate_error (error, g_steal_pointer (&problem));
  return good ? g_steal_pointer (&tile) : NULL;
}
