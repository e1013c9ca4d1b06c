/* SPDX-License-Identifier: Apache-2.0 */
#include "outbox/outbox.h"

#include "core/bytes.h"
#include "core/json.h"
#include "crypto/digest.h"
#include "crypto/dsse.h"
#include "db/database.h"

#include <string.h>

#define MAX_ENVELOPE (4 * 1024 * 1024)
#define NO_PREVIOUS "0000000000000000000000000000000000000000000000000000000000000000"
#define COLUMNS \
  "digest, workstation, stream, sequence, previous, type, result, vin, campaign, finished, envelope, " \
  "EXISTS (SELECT 1 FROM receipts WHERE receipts.digest = records.digest)"

struct _RbOutbox {
  sqlite3 *db;
  gboolean open; /* between begin and add or abandon */
};

G_DEFINE_AUTOPTR_CLEANUP_FUNC (sqlite3_stmt, sqlite3_finalize)

static const char schema[]
  = "CREATE TABLE IF NOT EXISTS streams (stream TEXT PRIMARY KEY, made INTEGER NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS records (digest TEXT PRIMARY KEY, workstation TEXT NOT NULL, stream TEXT NOT NULL,"
    " sequence INTEGER NOT NULL CHECK (sequence >= 1), previous TEXT NOT NULL, type TEXT NOT NULL, result TEXT NOT NULL,"
    " vin TEXT NOT NULL, campaign TEXT NOT NULL, finished INTEGER NOT NULL, envelope BLOB NOT NULL,"
    " UNIQUE (workstation, stream, sequence)) STRICT;"
    "CREATE INDEX IF NOT EXISTS records_vin ON records (vin, campaign);"
    "CREATE TABLE IF NOT EXISTS receipts (digest TEXT PRIMARY KEY REFERENCES records (digest), receipt BLOB NOT NULL) STRICT;"
    "CREATE TRIGGER IF NOT EXISTS records_keep BEFORE DELETE ON records"
    " BEGIN SELECT RAISE (ABORT, 'records are never deleted'); END;"
    "CREATE TRIGGER IF NOT EXISTS records_stay BEFORE UPDATE ON records"
    " BEGIN SELECT RAISE (ABORT, 'records are never changed'); END;"
    "CREATE TRIGGER IF NOT EXISTS streams_keep BEFORE DELETE ON streams"
    " BEGIN SELECT RAISE (ABORT, 'streams are never deleted'); END;"
    "CREATE TRIGGER IF NOT EXISTS streams_stay BEFORE UPDATE ON streams"
    " BEGIN SELECT RAISE (ABORT, 'streams are never changed'); END;";

static const RbDatabasePart part
  = { .name = "Outbox", .version_table = "record_schema", .version = 1, .schema = schema };

static gboolean
fail (RbOutbox *self, const char *doing, GError **error)
{
  g_autofree char *text = rb_database_text (self->db);
  g_set_error (error, RB_RECORD_ERROR, (int) rb_database_reason (self->db), "Outbox: %s: %s", doing, text);
  return FALSE;
}

static gboolean
execute (RbOutbox *self, const char *sql, GError **error)
{
  if (sqlite3_exec (self->db, sql, NULL, NULL, NULL) != SQLITE_OK)
    return fail (self, "cannot be written", error);
  return TRUE;
}

static sqlite3_stmt *
prepare (RbOutbox *self, const char *sql, GError **error)
{
  sqlite3_stmt *statement = NULL;
  if (sqlite3_prepare_v2 (self->db, sql, -1, &statement, NULL) != SQLITE_OK)
    fail (self, "cannot be read", error);
  return statement;
}

static void
bind_text (sqlite3_stmt *statement, int index, const char *text)
{
  sqlite3_bind_text (statement, index, text, -1, SQLITE_TRANSIENT);
}

RbOutbox *
rb_outbox_open (const char *data_dir, GError **error)
{
  sqlite3 *db = rb_database_open (data_dir, &part, error);
  if (db == NULL)
    return NULL;
  RbOutbox *self = g_new0 (RbOutbox, 1);
  self->db = db;
  return self;
}

void
rb_outbox_close (RbOutbox *self)
{
  if (self == NULL)
    return;
  rb_outbox_abandon (self);
  sqlite3_close (self->db);
  g_free (self);
}

static gboolean
make_stream (RbOutbox *self, RbStatementPlace *place, GError **error)
{
  g_autoptr (GBytes) random = rb_digest_random (16);
  g_autofree char *stream = rb_bytes_hex (random);
  g_autoptr (sqlite3_stmt) make = prepare (self, "INSERT INTO streams VALUES (?, unixepoch ())", error);
  if (make == NULL)
    return FALSE;
  bind_text (make, 1, stream);
  if (sqlite3_step (make) != SQLITE_DONE)
    return fail (self, "no stream can be made", error);
  g_strlcpy (place->stream, stream, sizeof place->stream);
  return TRUE;
}

/* The stream of this data dir, made at its first record. */
static gboolean
find_stream (RbOutbox *self, RbStatementPlace *place, GError **error)
{
  g_autoptr (sqlite3_stmt) look = prepare (self, "SELECT stream FROM streams ORDER BY rowid DESC LIMIT 1", error);
  if (look == NULL)
    return FALSE;
  if (sqlite3_step (look) == SQLITE_ROW) {
    g_strlcpy (place->stream, (const char *) sqlite3_column_text (look, 0), sizeof place->stream);
    return TRUE;
  }
  return make_stream (self, place, error);
}

/* The position after a record, by its signed contents: FALSE if they cannot be read or are of another chain. */
static gboolean
place_after (sqlite3_stmt *row, const char *workstation, RbStatementPlace *place)
{
  g_autoptr (GBytes) envelope = g_bytes_new (sqlite3_column_blob (row, 0), (gsize) sqlite3_column_bytes (row, 0));
  g_autoptr (RbDsse) dsse = rb_dsse_parse (envelope, MAX_ENVELOPE, NULL);
  g_autoptr (json_t) statement
    = dsse == NULL ? NULL : rb_json_parse (rb_dsse_payload (dsse), MAX_ENVELOPE, "record", NULL);
  const json_t *predicate = json_object_get (statement, "predicate");
  gint64 sequence = rb_json_integer_or (predicate, "sequence", 0);
  if (sequence < 1 || strcmp (rb_json_string_or (predicate, "stream", ""), place->stream) != 0
      || strcmp (rb_json_string_or (json_object_get (predicate, "workstation"), "certSha256", ""), workstation) != 0)
    return FALSE;
  place->sequence = sequence + 1;
  g_strlcpy (place->previous, rb_dsse_digest (dsse), sizeof place->previous);
  return TRUE;
}

/* A chain whose last record is damaged is not continued: the digest of the previous record is unknown. */
static gboolean
find_last (RbOutbox *self, const char *workstation, RbStatementPlace *place, GError **error)
{
  g_autoptr (sqlite3_stmt) look = prepare (
    self, "SELECT envelope FROM records WHERE workstation = ? AND stream = ? ORDER BY rowid DESC LIMIT 1", error);
  if (look == NULL)
    return FALSE;
  bind_text (look, 1, workstation);
  bind_text (look, 2, place->stream);
  int step = sqlite3_step (look);
  if (step != SQLITE_ROW && step != SQLITE_DONE)
    return fail (self, "cannot be read", error);
  if (step == SQLITE_ROW && place_after (look, workstation, place))
    return TRUE;
  place->sequence = 1;
  g_strlcpy (place->previous, NO_PREVIOUS, sizeof place->previous);
  return step == SQLITE_DONE || make_stream (self, place, error);
}

gboolean
rb_outbox_begin (RbOutbox *self, const char *workstation, RbStatementPlace *place, GError **error)
{
  g_return_val_if_fail (!self->open, FALSE);
  if (!execute (self, "BEGIN IMMEDIATE", error))
    return FALSE;
  self->open = TRUE;
  if (find_stream (self, place, error) && find_last (self, workstation, place, error))
    return TRUE;
  rb_outbox_abandon (self);
  return FALSE;
}

void
rb_outbox_abandon (RbOutbox *self)
{
  if (self->open)
    sqlite3_exec (self->db, "ROLLBACK", NULL, NULL, NULL);
  self->open = FALSE;
}

static gboolean
insert (RbOutbox *self, const char *sql, const RbStatementRecord *record, GError **error)
{
  g_autoptr (sqlite3_stmt) add = prepare (self, sql, error);
  if (add == NULL)
    return FALSE;
  bind_text (add, 1, record->digest);
  bind_text (add, 2, record->workstation);
  bind_text (add, 3, record->stream);
  sqlite3_bind_int64 (add, 4, record->sequence);
  bind_text (add, 5, record->previous);
  bind_text (add, 6, record->type);
  bind_text (add, 7, record->result);
  bind_text (add, 8, record->vin);
  bind_text (add, 9, record->campaign);
  sqlite3_bind_int64 (add, 10, record->finished);
  sqlite3_bind_blob64 (add, 11, g_bytes_get_data (record->envelope, NULL), g_bytes_get_size (record->envelope),
                       SQLITE_TRANSIENT);
  if (sqlite3_step (add) != SQLITE_DONE)
    return fail (self, "the record cannot be stored", error);
  return TRUE;
}

gboolean
rb_outbox_add (RbOutbox *self, const RbStatementRecord *record, GError **error)
{
  g_return_val_if_fail (self->open, FALSE);
  if (insert (self, "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", record, error)
      && execute (self, "COMMIT", error)) {
    self->open = FALSE;
    return TRUE;
  }
  rb_outbox_abandon (self);
  return FALSE;
}

gboolean
rb_outbox_keep (RbOutbox *self, const RbStatementRecord *record, GError **error)
{
  return insert (self, "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (digest) DO NOTHING",
                 record, error);
}

static char *
column (sqlite3_stmt *row, int index)
{
  return g_strdup ((const char *) sqlite3_column_text (row, index));
}

static RbStatementRecord *
read_row (sqlite3_stmt *row)
{
  RbStatementRecord *record = g_new0 (RbStatementRecord, 1);
  record->digest = column (row, 0);
  record->workstation = column (row, 1);
  record->stream = column (row, 2);
  record->sequence = sqlite3_column_int64 (row, 3);
  record->previous = column (row, 4);
  record->type = column (row, 5);
  record->result = column (row, 6);
  record->vin = column (row, 7);
  record->campaign = column (row, 8);
  record->finished = sqlite3_column_int64 (row, 9);
  record->envelope = g_bytes_new (sqlite3_column_blob (row, 10), (gsize) sqlite3_column_bytes (row, 10));
  record->acknowledged = sqlite3_column_int (row, 11) != 0;
  return record;
}

static GPtrArray *
read_all (RbOutbox *self, sqlite3_stmt *statement, GError **error)
{
  g_autoptr (GPtrArray) records = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_statement_record_free);
  int step;
  while ((step = sqlite3_step (statement)) == SQLITE_ROW)
    g_ptr_array_add (records, read_row (statement));
  if (step == SQLITE_DONE)
    return g_steal_pointer (&records);
  fail (self, "cannot be read", error);
  return NULL;
}

GPtrArray *
rb_outbox_rows (RbOutbox *self, GError **error)
{
  g_autoptr (sqlite3_stmt) look = prepare (self, "SELECT " COLUMNS " FROM records ORDER BY rowid", error);
  return look == NULL ? NULL : read_all (self, look, error);
}

RbStatementRecord *
rb_outbox_make (RbOutbox *self, const RbStatementRequest *request, GError **error)
{
  RbStatementPlace place;
  if (!rb_outbox_begin (self, rb_certificate_id (rb_identity_certificate (request->workstation)), &place, error))
    return NULL;
  g_autoptr (RbStatementRecord) record = rb_statement_make_at (&place, request, error);
  if (record == NULL) {
    rb_outbox_abandon (self);
    return NULL;
  }
  return rb_outbox_add (self, record, error) ? g_steal_pointer (&record) : NULL;
}
