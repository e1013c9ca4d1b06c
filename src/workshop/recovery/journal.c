/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/journal.h"

#include "core/bytes.h"
#include "db/database.h"

#include <glib/gstdio.h>
#include <string.h>

#define PROGRESS_US (250 * 1000)

struct _RbJournal {
  sqlite3 *db;
  sqlite3 *notes; /* of progress alone: not synced at once, for a transfer waits for it */
  GMutex lock; /* of db, from a statement's first call to its result or error: both belong to the connection, and lanes
                  share it */
  GMutex notes_lock; /* of notes and progress; a transfer does not wait for the disk */
  GHashTable *progress; /* row → monotonic time of its last progress */
};

static const char schema[]
  = "CREATE TABLE IF NOT EXISTS recovery (number INTEGER PRIMARY KEY, vin TEXT NOT NULL, campaign TEXT NOT NULL,"
    " started INTEGER NOT NULL, finished INTEGER, record TEXT) STRICT;"
    "CREATE UNIQUE INDEX IF NOT EXISTS recovery_open ON recovery (vin, campaign) WHERE finished IS NULL;"
    "CREATE TABLE IF NOT EXISTS step (row INTEGER PRIMARY KEY, recovery INTEGER NOT NULL REFERENCES recovery,"
    " serial TEXT NOT NULL, step TEXT NOT NULL, intended INTEGER NOT NULL, finished INTEGER, reason TEXT, detail TEXT,"
    " done INTEGER NOT NULL DEFAULT 0) STRICT;"
    "CREATE TABLE IF NOT EXISTS performer (recovery INTEGER NOT NULL REFERENCES recovery, serial TEXT NOT NULL, person TEXT NOT NULL,"
    " PRIMARY KEY (recovery, serial)) STRICT;"
    "CREATE TABLE IF NOT EXISTS owner (recovery INTEGER PRIMARY KEY REFERENCES recovery, anchor TEXT NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS inspection (recovery INTEGER PRIMARY KEY REFERENCES recovery, whole TEXT NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS pause (recovery INTEGER NOT NULL REFERENCES recovery, record TEXT NOT NULL, row INTEGER NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS taken (recovery INTEGER NOT NULL REFERENCES recovery, record TEXT NOT NULL, first_write INTEGER NOT NULL,"
    " PRIMARY KEY (recovery, record)) STRICT;"
    "CREATE TABLE IF NOT EXISTS evidence (recovery INTEGER NOT NULL REFERENCES recovery, serial TEXT NOT NULL, step TEXT NOT NULL,"
    " detail TEXT NOT NULL, record TEXT NOT NULL, PRIMARY KEY (recovery, serial, step, detail, record)) STRICT;"
    "CREATE TABLE IF NOT EXISTS network (recovery INTEGER PRIMARY KEY REFERENCES recovery) STRICT;"
    "CREATE TABLE IF NOT EXISTS coding (recovery INTEGER NOT NULL REFERENCES recovery, serial TEXT NOT NULL, did INTEGER NOT NULL,"
    " value TEXT NOT NULL, PRIMARY KEY (recovery, serial, did)) STRICT;";

static const RbDatabasePart part
  = { .name = "journal", .version_table = "journal_schema", .version = 1, .schema = schema };

static gboolean
fail (RbJournal *self, GError **error)
{
  g_autofree char *text = rb_database_text (self->db);
  g_set_error (error, RB_RECOVERY_ERROR, (int) rb_database_reason (self->db), "journal: %s", text);
  return FALSE;
}

typedef enum { INTEGER, TEXT } Kind;
typedef struct {
  Kind kind;
  gint64 integer;
  const char *text;
} Value;
#define INT(value) \
  { \
    INTEGER, (value), NULL \
  }
#define STR(value) \
  { \
    TEXT, 0, (value) \
  }

static sqlite3_stmt *
prepare (sqlite3 *db, const char *sql, const Value *values, guint n)
{
  sqlite3_stmt *statement = NULL;
  if (sqlite3_prepare_v2 (db, sql, -1, &statement, NULL) != SQLITE_OK)
    return NULL;
  for (guint i = 0; i < n; i++)
    if (values[i].kind == INTEGER)
      sqlite3_bind_int64 (statement, (int) i + 1, values[i].integer);
    else if (values[i].text != NULL)
      sqlite3_bind_text (statement, (int) i + 1, values[i].text, -1, SQLITE_TRANSIENT);
  return statement;
}

static char *
column (sqlite3_stmt *statement, int index)
{
  return g_strdup ((const char *) sqlite3_column_text (statement, index));
}

/* Reads the values of a row; called under the journal's lock. */
typedef void (*RowFunc) (sqlite3_stmt *statement, gpointer user_data);

static gboolean
each_row (RbJournal *self, const char *sql, const Value *values, guint n, RowFunc take, gpointer user_data,
          GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  sqlite3_stmt *statement = prepare (self->db, sql, values, n);
  int code = SQLITE_ERROR;
  while (statement != NULL && (code = sqlite3_step (statement)) == SQLITE_ROW)
    if (take != NULL)
      take (statement, user_data);
  if (code != SQLITE_DONE)
    fail (self, error);
  sqlite3_finalize (statement);
  return code == SQLITE_DONE;
}

static gboolean
execute (RbJournal *self, const char *sql, const Value *values, guint n, GError **error)
{
  return each_row (self, sql, values, n, NULL, NULL, error);
}

static void
take_number (sqlite3_stmt *statement, gpointer user_data)
{
  *(gint64 *) user_data = sqlite3_column_int64 (statement, 0);
}

/* *number stays when there is no row. */
static gboolean
number_of (RbJournal *self, const char *sql, const Value *values, guint n, gint64 *number, GError **error)
{
  return each_row (self, sql, values, n, take_number, number, error);
}

/* unreadable: what is given when the journal cannot be read */
static gint64
number_or (RbJournal *self, const char *sql, const Value *values, guint n, gint64 unreadable)
{
  gint64 number = 0;
  g_autoptr (GError) failure = NULL;
  if (number_of (self, sql, values, n, &number, &failure))
    return number;
  g_debug ("%s", failure->message);
  return unreadable;
}

static void
take_text (sqlite3_stmt *statement, gpointer user_data)
{
  char **text = user_data;
  g_free (*text);
  *text = column (statement, 0);
}

/* *text is NULL when there is no row. */
static gboolean
text_of (RbJournal *self, const char *sql, const Value *values, guint n, char **text, GError **error)
{
  *text = NULL;
  if (each_row (self, sql, values, n, take_text, text, error))
    return TRUE;
  g_clear_pointer (text, g_free);
  return FALSE;
}

RbJournal *
rb_journal_open (const char *data_dir, GError **error)
{
  sqlite3 *db = rb_database_open (data_dir, &part, error);
  sqlite3 *notes = db == NULL ? NULL : rb_database_open (data_dir, &part, error);
  if (notes == NULL) {
    sqlite3_close (db);
    return NULL;
  }
  sqlite3_exec (notes, "PRAGMA synchronous = NORMAL", NULL, NULL, NULL);
  RbJournal *self = g_new0 (RbJournal, 1);
  self->db = db;
  self->notes = notes;
  g_mutex_init (&self->lock);
  g_mutex_init (&self->notes_lock);
  self->progress = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  return self;
}

void
rb_journal_close (RbJournal *self)
{
  sqlite3_close (self->notes);
  sqlite3_close (self->db);
  g_hash_table_unref (self->progress);
  g_mutex_clear (&self->notes_lock);
  g_mutex_clear (&self->lock);
  g_free (self);
}

static void
take_open (sqlite3_stmt *statement, gpointer user_data)
{
  gint64 *const *numbers = user_data;
  *numbers[0] = sqlite3_column_int64 (statement, 0);
  *numbers[1] = sqlite3_column_int64 (statement, 1);
}

gboolean
rb_journal_find (RbJournal *self, const char *vin, const char *campaign, gint64 *number, gint64 *started,
                 GError **error)
{
  const Value values[] = { STR (vin), STR (campaign) };
  gint64 *numbers[] = { number, started };
  *number = *started = 0;
  return each_row (self, "SELECT number, started FROM recovery WHERE vin = ? AND campaign = ? AND finished IS NULL",
                   values, 2, take_open, numbers, error);
}

gboolean
rb_journal_begin (RbJournal *self, const char *vin, const char *campaign, gint64 now, gint64 *number, GError **error)
{
  const Value values[] = { STR (vin), STR (campaign), INT (now) };
  return number_of (self, "INSERT INTO recovery (vin, campaign, started) VALUES (?, ?, ?) RETURNING number", values, 3,
                    number, error);
}

gboolean
rb_journal_finish (RbJournal *self, gint64 number, const char *record, gint64 now, GError **error)
{
  const Value values[] = { INT (now), STR (record), INT (number) };
  return execute (self, "UPDATE recovery SET finished = ?, record = ? WHERE number = ?", values, 3, error);
}

gboolean
rb_journal_set_owner (RbJournal *self, gint64 number, const char *anchor, GError **error)
{
  const Value values[] = { INT (number), STR (anchor) };
  return execute (self, "INSERT OR REPLACE INTO owner (recovery, anchor) VALUES (?, ?)", values, 2, error);
}

gboolean
rb_journal_is_open (RbJournal *self, const char *anchor, const char *campaign)
{
  const Value values[] = { STR (campaign), STR (anchor) };
  /* what cannot be read may be open */
  return number_or (
           self,
           "SELECT 1 FROM recovery WHERE campaign = ?1 AND finished IS NULL AND NOT EXISTS (SELECT 1 FROM pause"
           " WHERE pause.recovery = number AND pause.row >= (SELECT coalesce(max(step.row), 0) FROM step"
           " WHERE step.recovery = number)) AND NOT EXISTS (SELECT 1 FROM owner WHERE owner.recovery = number"
           " AND owner.anchor <> ?2)",
           values, 2, 1)
         != 0;
}

gboolean
rb_journal_intend (RbJournal *self, gint64 number, const char *serial, const char *step, gint64 now, gint64 *row,
                   GError **error)
{
  const Value values[] = { INT (number), STR (serial), STR (step), INT (now) };
  return number_of (self, "INSERT INTO step (recovery, serial, step, intended) VALUES (?, ?, ?, ?) RETURNING row",
                    values, 4, row, error);
}

gboolean
rb_journal_result (RbJournal *self, gint64 row, const char *reason, const char *detail, gint64 now, GError **error)
{
  const Value values[] = { INT (now), STR (reason), STR (detail), INT (row) };
  gint64 written = 0;
  if (!number_of (
        self, "UPDATE step SET finished = ?, reason = ?, detail = ? WHERE row = ? AND finished IS NULL RETURNING row",
        values, 4, &written, error))
    return FALSE;
  if (written == row)
    return TRUE;
  g_set_error (error, RB_RECOVERY_ERROR, RB_REASON_DATABASE,
               "journal: step %" G_GINT64_FORMAT " does not wait for its result", row);
  return FALSE;
}

gboolean
rb_journal_perform (RbJournal *self, gint64 number, const char *serial, const char *person, GError **error)
{
  const Value values[] = { INT (number), STR (serial), STR (person) };
  return execute (self, "INSERT OR REPLACE INTO performer VALUES (?, ?, ?)", values, 3, error);
}

gboolean
rb_journal_prepare (RbJournal *self, gint64 number, gboolean prepared, GError **error)
{
  const Value values[] = { INT (number) };
  return execute (self,
                  prepared ? "INSERT OR IGNORE INTO network VALUES (?)" : "DELETE FROM network WHERE recovery = ?",
                  values, 1, error);
}

/* Under notes_lock. */
static gboolean
progress_is_due (RbJournal *self, gint64 row, gboolean all)
{
  gint64 now = g_get_monotonic_time ();
  const gint64 *last = g_hash_table_lookup (self->progress, &row);
  if (last != NULL && !all && now - *last < PROGRESS_US)
    return FALSE;
  g_hash_table_replace (self->progress, g_memdup2 (&row, sizeof row), g_memdup2 (&now, sizeof now));
  return TRUE;
}

void
rb_journal_progress (RbJournal *self, gint64 row, guint64 done, guint64 total)
{
  const Value values[] = { INT ((gint64) done), INT (row) };
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->notes_lock);
  if (!progress_is_due (self, row, done >= total))
    return;
  /* the ECU is the truth for how far it got; losing this row loses nothing */
  sqlite3_stmt *statement = prepare (self->notes, "UPDATE step SET done = ? WHERE row = ?", values, 2);
  if (statement == NULL || sqlite3_step (statement) != SQLITE_DONE)
    g_debug ("journal: progress: %s", sqlite3_errmsg (self->notes));
  sqlite3_finalize (statement);
}

guint
rb_journal_writes (RbJournal *self, gint64 number)
{
  const Value values[] = { INT (number) };
  return (guint) number_or (self,
                            "SELECT (SELECT count(*) FROM step WHERE recovery = ?1)"
                            " + (SELECT count(*) FROM taken WHERE recovery = ?1 AND first_write > 0)",
                            values, 1, G_MAXUINT);
}

gboolean
rb_journal_is_prepared (RbJournal *self, gint64 number)
{
  const Value values[] = { INT (number) };
  return number_or (self, "SELECT count(*) FROM network WHERE recovery = ?", values, 1, 1) > 0;
}

gint64
rb_journal_last_row (RbJournal *self)
{
  return number_or (self, "SELECT coalesce(max(row), 0) FROM step", NULL, 0, 0);
}

gint64
rb_journal_first_after (RbJournal *self, gint64 number, gint64 row)
{
  const Value values[] = { INT (number), INT (row) };
  return number_or (self, "SELECT coalesce(min(intended), 0) FROM step WHERE recovery = ? AND row > ?", values, 2, 0);
}

gboolean
rb_journal_final_record (RbJournal *self, const char *vin, const char *campaign, char **record, GError **error)
{
  const Value values[] = { STR (vin), STR (campaign) };
  return text_of (
    self,
    "SELECT record FROM recovery WHERE vin = ? AND campaign = ? AND finished IS NOT NULL AND record IS NOT NULL"
    " ORDER BY number DESC LIMIT 1",
    values, 2, record, error);
}

gboolean
rb_journal_performer (RbJournal *self, gint64 number, const char *serial, char **person, GError **error)
{
  const Value values[] = { INT (number), STR (serial) };
  return text_of (self, "SELECT person FROM performer WHERE recovery = ? AND serial = ?", values, 2, person, error);
}

gboolean
rb_journal_keep_coding (RbJournal *self, gint64 number, const char *serial, guint16 did, GBytes *value, GError **error)
{
  g_autofree char *hex = rb_bytes_hex (value);
  const Value values[] = { INT (number), STR (serial), INT (did), STR (hex) };
  return execute (self, "INSERT OR IGNORE INTO coding VALUES (?, ?, ?, ?)", values, 4, error);
}

gboolean
rb_journal_coding (RbJournal *self, const char *vin, const char *campaign, const char *serial, guint16 did,
                   GBytes **value, GError **error)
{
  const Value values[] = { STR (vin), STR (campaign), STR (serial), INT (did) };
  g_autofree char *hex = NULL;
  if (!text_of (
        self,
        "SELECT value FROM (SELECT recovery AS number, serial, did, value FROM coding UNION ALL"
        " SELECT recovery, serial, ?4, substr (detail, 6) FROM evidence WHERE step = 'coding-value'"
        " AND substr (detail, 1, 5) = printf ('%04X=', ?4)) AS known JOIN recovery ON recovery.number = known.number"
        " WHERE vin = ?1 AND campaign = ?2 AND recovery.finished IS NULL AND serial = ?3 AND did = ?4 LIMIT 1",
        values, 4, &hex, error))
    return FALSE;
  *value = hex == NULL ? NULL : rb_bytes_from_hex (hex);
  return TRUE;
}

gboolean
rb_journal_shows (RbJournal *self, const char *vin, const char *campaign, const char *serial, const char *step,
                  const char *detail, char **record, GError **error)
{
  const Value values[] = { STR (vin), STR (campaign), STR (serial), STR (step), STR (detail) };
  if (
    !text_of (
      self,
      "SELECT coalesce(recovery.record, '') FROM step JOIN recovery ON recovery.number = step.recovery WHERE recovery.vin = ?"
      " AND recovery.campaign = ? AND step.serial = ? AND step.step = ? AND step.detail = ? AND step.reason = 'ok'"
      " ORDER BY step.row DESC LIMIT 1",
      values, 5, record, error))
    return FALSE;
  return *record != NULL
         || text_of (
           self,
           "SELECT evidence.record FROM evidence JOIN recovery ON recovery.number = evidence.recovery WHERE recovery.vin = ?"
           " AND recovery.campaign = ? AND serial = ? AND step = ? AND detail = ? LIMIT 1",
           values, 5, record, error);
}

static void
row_free (RbJournalRow *self)
{
  g_free (self->vin);
  g_free (self->campaign);
  g_free (self->serial);
  g_free (self->step);
  g_free (self->reason);
  g_free (self->detail);
  g_free (self);
}

static RbJournalRow *
read_row (sqlite3_stmt *statement)
{
  RbJournalRow *row = g_new0 (RbJournalRow, 1);
  row->recovery = sqlite3_column_int64 (statement, 0);
  row->vin = column (statement, 1);
  row->campaign = column (statement, 2);
  row->serial = column (statement, 3);
  row->step = column (statement, 4);
  row->intended = sqlite3_column_int64 (statement, 5);
  row->finished = sqlite3_column_int64 (statement, 6);
  row->reason = column (statement, 7);
  row->detail = column (statement, 8);
  row->done = (guint64) sqlite3_column_int64 (statement, 9);
  return row;
}

static void
take_row (sqlite3_stmt *statement, gpointer rows)
{
  g_ptr_array_add (rows, read_row (statement));
}

GPtrArray *
rb_journal_list (RbJournal *self, const char *vin, GError **error)
{
  const Value values[] = { STR (vin) };
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify) row_free);
  gboolean good = each_row (
    self,
    "SELECT recovery.number, vin, campaign, serial, step, intended, coalesce(step.finished, 0), reason, detail, done"
    " FROM step JOIN recovery ON recovery.number = step.recovery WHERE ?1 IS NULL OR vin = ?1 ORDER BY step.row",
    values, 1, take_row, rows, error);
  return good ? g_steal_pointer (&rows) : NULL;
}

gboolean
rb_journal_keep_inspection (RbJournal *self, gint64 number, const char *whole, GError **error)
{
  const Value values[] = { INT (number), STR (whole) };
  return execute (self, "INSERT OR REPLACE INTO inspection VALUES (?, ?)", values, 2, error);
}

gboolean
rb_journal_inspection (RbJournal *self, gint64 number, char **whole, GError **error)
{
  const Value values[] = { INT (number) };
  return text_of (self, "SELECT whole FROM inspection WHERE recovery = ?", values, 1, whole, error);
}

gboolean
rb_journal_pause (RbJournal *self, gint64 number, const char *record, GError **error)
{
  const Value values[] = { INT (number), STR (record), INT (rb_journal_last_row (self)) };
  return execute (self, "INSERT INTO pause VALUES (?, ?, ?)", values, 3, error);
}

gint64
rb_journal_first_write (RbJournal *self, gint64 number)
{
  const Value values[] = { INT (number) };
  return number_or (self,
                    "SELECT coalesce(min(at), 0) FROM (SELECT intended AS at FROM step WHERE recovery = ?1"
                    " UNION ALL SELECT first_write FROM taken WHERE recovery = ?1 AND first_write > 0)",
                    values, 1, 0);
}

static void
take_name (sqlite3_stmt *statement, gpointer names)
{
  g_strv_builder_add (names, (const char *) sqlite3_column_text (statement, 0));
}

GStrv
rb_journal_campaigns (RbJournal *self, const char *vin, GError **error)
{
  const Value values[] = { STR (vin) };
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  gboolean good = each_row (self, "SELECT campaign FROM recovery WHERE vin = ? AND finished IS NULL ORDER BY number",
                            values, 1, take_name, names, error);
  return good ? g_strv_builder_end (names) : NULL;
}

void
rb_journal_evidence_free (RbJournalEvidence *self)
{
  g_free (self->serial);
  g_free (self->step);
  g_free (self->detail);
  g_free (self->record);
  g_free (self);
}

static RbJournalEvidence *
read_evidence (sqlite3_stmt *statement)
{
  RbJournalEvidence *evidence = g_new0 (RbJournalEvidence, 1);
  evidence->serial = column (statement, 0);
  evidence->step = column (statement, 1);
  evidence->detail = column (statement, 2);
  evidence->record = column (statement, 3);
  return evidence;
}

static void
take_evidence (sqlite3_stmt *statement, gpointer list)
{
  g_ptr_array_add (list, read_evidence (statement));
}

GPtrArray *
rb_journal_evidence (RbJournal *self, gint64 number, GError **error)
{
  const Value values[] = { INT (number) };
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_journal_evidence_free);
  gboolean good = each_row (
    self,
    "SELECT DISTINCT serial, step, detail, '' FROM step WHERE recovery = ?1 AND reason = 'ok' AND detail IS NOT NULL"
    " UNION ALL SELECT serial, 'coding-value', printf ('%04X=%s', did, value), '' FROM coding WHERE recovery = ?1"
    " UNION ALL SELECT serial, step, detail, record FROM evidence WHERE recovery = ?1",
    values, 1, take_evidence, list, error);
  return good ? g_steal_pointer (&list) : NULL;
}

static gboolean
add_evidence (RbJournal *self, gint64 number, const RbJournalTaken *taken, GError **error)
{
  const Value note[] = { INT (number), STR (taken->record), INT (taken->first_write) };
  if (!execute (self, "INSERT OR IGNORE INTO taken VALUES (?, ?, ?)", note, 3, error))
    return FALSE;
  for (guint i = 0; i < taken->evidence->len; i++) {
    const RbJournalEvidence *evidence = taken->evidence->pdata[i];
    const Value values[]
      = { INT (number), STR (evidence->serial), STR (evidence->step), STR (evidence->detail), STR (taken->record) };
    if (!execute (self, "INSERT OR IGNORE INTO evidence VALUES (?, ?, ?, ?, ?)", values, 5, error))
      return FALSE;
  }
  return taken->inspection == NULL || rb_journal_keep_inspection (self, number, taken->inspection, error);
}

/* In a transaction. */
static gboolean
take_over (RbJournal *self, const RbJournalTaken *taken, gint64 *number, GError **error)
{
  gint64 started = 0;
  return rb_journal_find (self, taken->vin, taken->campaign, number, &started, error)
         && (*number > 0 || rb_journal_begin (self, taken->vin, taken->campaign, taken->started, number, error))
         && add_evidence (self, *number, taken, error);
}

gboolean
rb_journal_take_over (RbJournal *self, const RbJournalTaken *taken, gint64 *number, GError **error)
{
  if (!execute (self, "BEGIN IMMEDIATE", NULL, 0, error))
    return FALSE;
  if (take_over (self, taken, number, error) && execute (self, "COMMIT", NULL, 0, error))
    return TRUE;
  sqlite3_exec (self->db, "ROLLBACK", NULL, NULL, NULL);
  return FALSE;
}

/* -1: it cannot be read. */
static int
count_of (sqlite3 *db, const char *sql, const Value *values, guint n)
{
  sqlite3_stmt *statement = prepare (db, sql, values, n);
  int count = statement != NULL && sqlite3_step (statement) == SQLITE_ROW ? sqlite3_column_int (statement, 0) : -1;
  sqlite3_finalize (statement);
  return count;
}

/* -1: it cannot be read. Exclusive: the index of the write-ahead log is made in memory, which works on a full disk. */
static int
count_started (const char *path, gboolean exclusive, const char *vin, const char *campaign)
{
  const Value values[] = { STR (vin), STR (campaign), STR (campaign) };
  sqlite3 *db = NULL;
  int count = -1, taken = 0;
  if (sqlite3_open_v2 (path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK
      && (!exclusive || sqlite3_exec (db, "PRAGMA locking_mode = EXCLUSIVE", NULL, NULL, NULL) == SQLITE_OK))
    count = count_of (db, "SELECT count(*) FROM sqlite_master WHERE name = 'step'", NULL, 0);
  if (count > 0)
    count = count_of (
      db,
      "SELECT count(*) FROM recovery, step WHERE vin = ? AND (? IS NULL OR campaign = ?) AND recovery.finished IS NULL"
      " AND step.recovery = recovery.number",
      values, 3);
  if (count == 0)
    taken = count_of (db, "SELECT count(*) FROM sqlite_master WHERE name = 'taken'", NULL, 0);
  if (taken > 0)
    taken = count_of (
      db,
      "SELECT count(*) FROM recovery, taken WHERE vin = ? AND (? IS NULL OR campaign = ?) AND recovery.finished IS NULL"
      " AND taken.recovery = recovery.number AND first_write > 0",
      values, 3);
  sqlite3_close (db);
  return taken < 0 ? taken : count + taken;
}

gboolean
rb_journal_was_started (const char *data_dir, const char *vin, const char *campaign)
{
  g_autofree char *path = g_build_filename (data_dir, "recallbay.db", NULL);
  GStatBuf status;
  if (g_stat (path, &status) != 0 || status.st_size == 0)
    return FALSE;
  int count = count_started (path, FALSE, vin, campaign);
  if (count < 0)
    count = count_started (path, TRUE, vin, campaign);
  return count != 0;
}
