/* SPDX-License-Identifier: Apache-2.0 */
#include "outbox/outbox.h"

#include "core/bytes.h"
#include "core/json.h"
#include "crypto/digest.h"
#include "crypto/dsse.h"
#include "db/query.h"

#include <string.h>

#define MAX_ENVELOPE (4 * 1024 * 1024)
#define NO_PREVIOUS "0000000000000000000000000000000000000000000000000000000000000000"
#define COLUMNS \
  "digest, workstation, stream, sequence, previous, type, result, vin, campaign, finished, envelope, " \
  "EXISTS (SELECT 1 FROM receipts WHERE receipts.digest = records.digest)"

struct _RbOutbox {
  RbDatabase *db;
  gboolean open; /* between begin and add or abandon */
};

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

RbOutbox *
rb_outbox_open (const char *data_dir, GError **error)
{
  RbDatabase *db = rb_database_open (data_dir, &part, error);
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
  rb_database_close (self->db);
  g_free (self);
}

static gboolean
make_stream (RbOutbox *self, RbStatementPlace *place, GError **error)
{
  g_autoptr (GBytes) random = rb_digest_random (16);
  g_autofree char *stream = rb_bytes_hex (random);
  const RbQueryValue values[] = { RB_QUERY_STR (stream) };
  if (!rb_query_run (self->db, "INSERT INTO streams VALUES (?, unixepoch ())", values, 1, NULL, NULL, error))
    return FALSE;
  g_strlcpy (place->stream, stream, sizeof place->stream);
  return TRUE;
}

/* The stream of this data dir, made at its first record. */
static gboolean
find_stream (RbOutbox *self, RbStatementPlace *place, GError **error)
{
  g_autofree char *stream = NULL;
  if (!rb_query_text_of (self->db, "SELECT stream FROM streams ORDER BY rowid DESC LIMIT 1", NULL, 0, &stream, error))
    return FALSE;
  if (stream == NULL)
    return make_stream (self, place, error);
  g_strlcpy (place->stream, stream, sizeof place->stream);
  return TRUE;
}

/* The position after a record, by its signed contents: FALSE if they cannot be read or are of another chain. */
static gboolean
place_after (GBytes *envelope, const char *workstation, RbStatementPlace *place)
{
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

/* (RbQueryTake) */
static void
take_envelope (RbQueryRow *row, gpointer user_data)
{
  GBytes **envelope = user_data;
  g_clear_pointer (envelope, g_bytes_unref);
  *envelope = rb_query_blob (row, 0);
}

/* A chain whose last record is damaged is not continued: the digest of the previous record is unknown. */
static gboolean
find_last (RbOutbox *self, const char *workstation, RbStatementPlace *place, GError **error)
{
  const RbQueryValue values[] = { RB_QUERY_STR (workstation), RB_QUERY_STR (place->stream) };
  g_autoptr (GBytes) envelope = NULL;
  if (!rb_query_run (self->db,
                     "SELECT envelope FROM records WHERE workstation = ? AND stream = ? ORDER BY rowid DESC LIMIT 1",
                     values, 2, take_envelope, &envelope, error))
    return FALSE;
  if (envelope != NULL && place_after (envelope, workstation, place))
    return TRUE;
  place->sequence = 1;
  g_strlcpy (place->previous, NO_PREVIOUS, sizeof place->previous);
  return envelope == NULL || make_stream (self, place, error);
}

gboolean
rb_outbox_begin (RbOutbox *self, const char *workstation, RbStatementPlace *place, GError **error)
{
  g_return_val_if_fail (!self->open, FALSE);
  if (!rb_database_begin (self->db, error))
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
    rb_database_roll_back (self->db);
  self->open = FALSE;
}

static gboolean
insert (RbOutbox *self, const char *sql, const RbStatementRecord *record, GError **error)
{
  const RbQueryValue values[]
    = { RB_QUERY_STR (record->digest),   RB_QUERY_STR (record->workstation), RB_QUERY_STR (record->stream),
        RB_QUERY_INT (record->sequence), RB_QUERY_STR (record->previous),    RB_QUERY_STR (record->type),
        RB_QUERY_STR (record->result),   RB_QUERY_STR (record->vin),         RB_QUERY_STR (record->campaign),
        RB_QUERY_INT (record->finished), RB_QUERY_BYTES (record->envelope) };
  return rb_query_run (self->db, sql, values, G_N_ELEMENTS (values), NULL, NULL, error);
}

gboolean
rb_outbox_add (RbOutbox *self, const RbStatementRecord *record, GError **error)
{
  g_return_val_if_fail (self->open, FALSE);
  if (insert (self, "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", record, error)
      && rb_database_commit (self->db, error)) {
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

static RbStatementRecord *
read_row (RbQueryRow *row)
{
  RbStatementRecord *record = g_new0 (RbStatementRecord, 1);
  record->digest = rb_query_text (row, 0);
  record->workstation = rb_query_text (row, 1);
  record->stream = rb_query_text (row, 2);
  record->sequence = rb_query_integer (row, 3);
  record->previous = rb_query_text (row, 4);
  record->type = rb_query_text (row, 5);
  record->result = rb_query_text (row, 6);
  record->vin = rb_query_text (row, 7);
  record->campaign = rb_query_text (row, 8);
  record->finished = rb_query_integer (row, 9);
  record->envelope = rb_query_blob (row, 10);
  record->acknowledged = rb_query_integer (row, 11) != 0;
  return record;
}

/* (RbQueryTake) */
static void
take_record (RbQueryRow *row, gpointer records)
{
  g_ptr_array_add (records, read_row (row));
}

GPtrArray *
rb_outbox_rows (RbOutbox *self, GError **error)
{
  g_autoptr (GPtrArray) records = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_statement_record_free);
  gboolean good
    = rb_query_run (self->db, "SELECT " COLUMNS " FROM records ORDER BY rowid", NULL, 0, take_record, records, error);
  return good ? g_steal_pointer (&records) : NULL;
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
