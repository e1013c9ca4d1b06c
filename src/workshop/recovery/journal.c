/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/journal.h"

#include "core/bytes.h"
#include "db/query.h"

#include <glib/gstdio.h>
#include <string.h>

#define PROGRESS_US (250 * 1000)

struct _RbJournal {
  RbDatabase *db;
  RbDatabase *notes; /* of progress alone: not synced at once, for a transfer waits for it */
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

/* unreadable: what is given when the journal cannot be read */
static gint64
number_or (RbJournal *self, const char *sql, const RbQueryValue *values, guint n, gint64 unreadable)
{
  gint64 number = 0;
  g_autoptr (GError) failure = NULL;
  if (rb_query_number_of (self->db, sql, values, n, &number, &failure))
    return number;
  g_debug ("%s", failure->message);
  return unreadable;
}

RbJournal *
rb_journal_open (const char *data_dir, GError **error)
{
  g_autoptr (RbDatabase) db = rb_database_open (data_dir, &part, error);
  g_autoptr (RbDatabase) notes = db == NULL ? NULL : rb_database_open (data_dir, &part, error);
  if (notes == NULL || !rb_database_execute (notes, "PRAGMA synchronous = NORMAL", error))
    return NULL;
  RbJournal *self = g_new0 (RbJournal, 1);
  self->db = g_steal_pointer (&db);
  self->notes = g_steal_pointer (&notes);
  g_mutex_init (&self->notes_lock);
  self->progress = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  return self;
}

void
rb_journal_close (RbJournal *self)
{
  rb_database_close (self->notes);
  rb_database_close (self->db);
  g_hash_table_unref (self->progress);
  g_mutex_clear (&self->notes_lock);
  g_free (self);
}

static void
take_open (RbQueryRow *row, gpointer user_data)
{
  gint64 *const *numbers = user_data;
  *numbers[0] = rb_query_integer (row, 0);
  *numbers[1] = rb_query_integer (row, 1);
}

gboolean
rb_journal_find (RbJournal *self, const char *vin, const char *campaign, gint64 *number, gint64 *started,
                 GError **error)
{
  const RbQueryValue values[] = { RB_QUERY_STR (vin), RB_QUERY_STR (campaign) };
  gint64 *numbers[] = { number, started };
  *number = *started = 0;
  return rb_query_run (self->db,
                       "SELECT number, started FROM recovery WHERE vin = ? AND campaign = ? AND finished IS NULL",
                       values, 2, take_open, numbers, error);
}

gboolean
rb_journal_begin (RbJournal *self, const char *vin, const char *campaign, gint64 now, gint64 *number, GError **error)
{
  const RbQueryValue values[] = { RB_QUERY_STR (vin), RB_QUERY_STR (campaign), RB_QUERY_INT (now) };
  return rb_query_number_of (self->db,
                             "INSERT INTO recovery (vin, campaign, started) VALUES (?, ?, ?) RETURNING number", values,
                             3, number, error);
}

gboolean
rb_journal_finish (RbJournal *self, gint64 number, const char *record, gint64 now, GError **error)
{
  const RbQueryValue values[] = { RB_QUERY_INT (now), RB_QUERY_STR (record), RB_QUERY_INT (number) };
  return rb_query_run (self->db, "UPDATE recovery SET finished = ?, record = ? WHERE number = ?", values, 3, NULL, NULL,
                       error);
}

gboolean
rb_journal_set_owner (RbJournal *self, gint64 number, const char *anchor, GError **error)
{
  const RbQueryValue values[] = { RB_QUERY_INT (number), RB_QUERY_STR (anchor) };
  return rb_query_run (self->db, "INSERT OR REPLACE INTO owner (recovery, anchor) VALUES (?, ?)", values, 2, NULL, NULL,
                       error);
}

gboolean
rb_journal_is_open (RbJournal *self, const char *anchor, const char *campaign)
{
  const RbQueryValue values[] = { RB_QUERY_STR (campaign), RB_QUERY_STR (anchor) };
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
  const RbQueryValue values[]
    = { RB_QUERY_INT (number), RB_QUERY_STR (serial), RB_QUERY_STR (step), RB_QUERY_INT (now) };
  return rb_query_number_of (self->db,
                             "INSERT INTO step (recovery, serial, step, intended) VALUES (?, ?, ?, ?) RETURNING row",
                             values, 4, row, error);
}

gboolean
rb_journal_result (RbJournal *self, gint64 row, const char *reason, const char *detail, gint64 now, GError **error)
{
  const RbQueryValue values[]
    = { RB_QUERY_INT (now), RB_QUERY_STR (reason), RB_QUERY_STR (detail), RB_QUERY_INT (row) };
  gint64 written = 0;
  if (!rb_query_number_of (
        self->db,
        "UPDATE step SET finished = ?, reason = ?, detail = ? WHERE row = ? AND finished IS NULL RETURNING row", values,
        4, &written, error))
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
  const RbQueryValue values[] = { RB_QUERY_INT (number), RB_QUERY_STR (serial), RB_QUERY_STR (person) };
  return rb_query_run (self->db, "INSERT OR REPLACE INTO performer VALUES (?, ?, ?)", values, 3, NULL, NULL, error);
}

gboolean
rb_journal_prepare (RbJournal *self, gint64 number, gboolean prepared, GError **error)
{
  const RbQueryValue values[] = { RB_QUERY_INT (number) };
  const char *sql = prepared ? "INSERT OR IGNORE INTO network VALUES (?)" : "DELETE FROM network WHERE recovery = ?";
  return rb_query_run (self->db, sql, values, 1, NULL, NULL, error);
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
  const RbQueryValue values[] = { RB_QUERY_INT ((gint64) done), RB_QUERY_INT (row) };
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->notes_lock);
  if (!progress_is_due (self, row, done >= total))
    return;
  /* the ECU is the truth for how far it got; losing this row loses nothing */
  g_autoptr (GError) failure = NULL;
  if (!rb_query_run (self->notes, "UPDATE step SET done = ? WHERE row = ?", values, 2, NULL, NULL, &failure))
    g_debug ("progress: %s", failure->message);
}

guint
rb_journal_writes (RbJournal *self, gint64 number)
{
  const RbQueryValue values[] = { RB_QUERY_INT (number) };
  return (guint) number_or (self,
                            "SELECT (SELECT count(*) FROM step WHERE recovery = ?1)"
                            " + (SELECT count(*) FROM taken WHERE recovery = ?1 AND first_write > 0)",
                            values, 1, G_MAXUINT);
}

gboolean
rb_journal_is_prepared (RbJournal *self, gint64 number)
{
  const RbQueryValue values[] = { RB_QUERY_INT (number) };
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
  const RbQueryValue values[] = { RB_QUERY_INT (number), RB_QUERY_INT (row) };
  return number_or (self, "SELECT coalesce(min(intended), 0) FROM step WHERE recovery = ? AND row > ?", values, 2, 0);
}

gboolean
rb_journal_final_record (RbJournal *self, const char *vin, const char *campaign, char **record, GError **error)
{
  const RbQueryValue values[] = { RB_QUERY_STR (vin), RB_QUERY_STR (campaign) };
  return rb_query_text_of (
    self->db,
    "SELECT record FROM recovery WHERE vin = ? AND campaign = ? AND finished IS NOT NULL AND record IS NOT NULL"
    " ORDER BY number DESC LIMIT 1",
    values, 2, record, error);
}

gboolean
rb_journal_performer (RbJournal *self, gint64 number, const char *serial, char **person, GError **error)
{
  const RbQueryValue values[] = { RB_QUERY_INT (number), RB_QUERY_STR (serial) };
  return rb_query_text_of (self->db, "SELECT person FROM performer WHERE recovery = ? AND serial = ?", values, 2,
                           person, error);
}

gboolean
rb_journal_keep_coding (RbJournal *self, gint64 number, const char *serial, guint16 did, GBytes *value, GError **error)
{
  g_autofree char *hex = rb_bytes_hex (value);
  const RbQueryValue values[]
    = { RB_QUERY_INT (number), RB_QUERY_STR (serial), RB_QUERY_INT (did), RB_QUERY_STR (hex) };
  return rb_query_run (self->db, "INSERT OR IGNORE INTO coding VALUES (?, ?, ?, ?)", values, 4, NULL, NULL, error);
}

gboolean
rb_journal_coding (RbJournal *self, const char *vin, const char *campaign, const char *serial, guint16 did,
                   GBytes **value, GError **error)
{
  const RbQueryValue values[]
    = { RB_QUERY_STR (vin), RB_QUERY_STR (campaign), RB_QUERY_STR (serial), RB_QUERY_INT (did) };
  g_autofree char *hex = NULL;
  if (!rb_query_text_of (
        self->db,
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
  const RbQueryValue values[] = { RB_QUERY_STR (vin), RB_QUERY_STR (campaign), RB_QUERY_STR (serial),
                                  RB_QUERY_STR (step), RB_QUERY_STR (detail) };
  if (
    !rb_query_text_of (
      self->db,
      "SELECT coalesce(recovery.record, '') FROM step JOIN recovery ON recovery.number = step.recovery WHERE recovery.vin = ?"
      " AND recovery.campaign = ? AND step.serial = ? AND step.step = ? AND step.detail = ? AND step.reason = 'ok'"
      " ORDER BY step.row DESC LIMIT 1",
      values, 5, record, error))
    return FALSE;
  return *record != NULL
         || rb_query_text_of (
           self->db,
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
read_row (RbQueryRow *found)
{
  RbJournalRow *row = g_new0 (RbJournalRow, 1);
  row->recovery = rb_query_integer (found, 0);
  row->vin = rb_query_text (found, 1);
  row->campaign = rb_query_text (found, 2);
  row->serial = rb_query_text (found, 3);
  row->step = rb_query_text (found, 4);
  row->intended = rb_query_integer (found, 5);
  row->finished = rb_query_integer (found, 6);
  row->reason = rb_query_text (found, 7);
  row->detail = rb_query_text (found, 8);
  row->done = (guint64) rb_query_integer (found, 9);
  return row;
}

static void
take_row (RbQueryRow *row, gpointer rows)
{
  g_ptr_array_add (rows, read_row (row));
}

GPtrArray *
rb_journal_list (RbJournal *self, const char *vin, GError **error)
{
  const RbQueryValue values[] = { RB_QUERY_STR (vin) };
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify) row_free);
  gboolean good = rb_query_run (
    self->db,
    "SELECT recovery.number, vin, campaign, serial, step, intended, coalesce(step.finished, 0), reason, detail, done"
    " FROM step JOIN recovery ON recovery.number = step.recovery WHERE ?1 IS NULL OR vin = ?1 ORDER BY step.row",
    values, 1, take_row, rows, error);
  return good ? g_steal_pointer (&rows) : NULL;
}

gboolean
rb_journal_keep_inspection (RbJournal *self, gint64 number, const char *whole, GError **error)
{
  const RbQueryValue values[] = { RB_QUERY_INT (number), RB_QUERY_STR (whole) };
  return rb_query_run (self->db, "INSERT OR REPLACE INTO inspection VALUES (?, ?)", values, 2, NULL, NULL, error);
}

gboolean
rb_journal_inspection (RbJournal *self, gint64 number, char **whole, GError **error)
{
  const RbQueryValue values[] = { RB_QUERY_INT (number) };
  return rb_query_text_of (self->db, "SELECT whole FROM inspection WHERE recovery = ?", values, 1, whole, error);
}

gboolean
rb_journal_pause (RbJournal *self, gint64 number, const char *record, GError **error)
{
  const RbQueryValue values[]
    = { RB_QUERY_INT (number), RB_QUERY_STR (record), RB_QUERY_INT (rb_journal_last_row (self)) };
  return rb_query_run (self->db, "INSERT INTO pause VALUES (?, ?, ?)", values, 3, NULL, NULL, error);
}

gint64
rb_journal_first_write (RbJournal *self, gint64 number)
{
  const RbQueryValue values[] = { RB_QUERY_INT (number) };
  return number_or (self,
                    "SELECT coalesce(min(at), 0) FROM (SELECT intended AS at FROM step WHERE recovery = ?1"
                    " UNION ALL SELECT first_write FROM taken WHERE recovery = ?1 AND first_write > 0)",
                    values, 1, 0);
}

static void
take_name (RbQueryRow *row, gpointer names)
{
  g_autofree char *name = rb_query_text (row, 0);
  g_strv_builder_add (names, name);
}

GStrv
rb_journal_campaigns (RbJournal *self, const char *vin, GError **error)
{
  const RbQueryValue values[] = { RB_QUERY_STR (vin) };
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  gboolean good
    = rb_query_run (self->db, "SELECT campaign FROM recovery WHERE vin = ? AND finished IS NULL ORDER BY number",
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
read_evidence (RbQueryRow *row)
{
  RbJournalEvidence *evidence = g_new0 (RbJournalEvidence, 1);
  evidence->serial = rb_query_text (row, 0);
  evidence->step = rb_query_text (row, 1);
  evidence->detail = rb_query_text (row, 2);
  evidence->record = rb_query_text (row, 3);
  return evidence;
}

static void
take_evidence (RbQueryRow *row, gpointer list)
{
  g_ptr_array_add (list, read_evidence (row));
}

GPtrArray *
rb_journal_evidence (RbJournal *self, gint64 number, GError **error)
{
  const RbQueryValue values[] = { RB_QUERY_INT (number) };
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_journal_evidence_free);
  gboolean good = rb_query_run (
    self->db,
    "SELECT DISTINCT serial, step, detail, '' FROM step WHERE recovery = ?1 AND reason = 'ok' AND detail IS NOT NULL"
    " UNION ALL SELECT serial, 'coding-value', printf ('%04X=%s', did, value), '' FROM coding WHERE recovery = ?1"
    " UNION ALL SELECT serial, step, detail, record FROM evidence WHERE recovery = ?1",
    values, 1, take_evidence, list, error);
  return good ? g_steal_pointer (&list) : NULL;
}

static gboolean
add_evidence (RbJournal *self, gint64 number, const RbJournalTaken *taken, GError **error)
{
  const RbQueryValue note[]
    = { RB_QUERY_INT (number), RB_QUERY_STR (taken->record), RB_QUERY_INT (taken->first_write) };
  if (!rb_query_run (self->db, "INSERT OR IGNORE INTO taken VALUES (?, ?, ?)", note, 3, NULL, NULL, error))
    return FALSE;
  for (guint i = 0; i < taken->evidence->len; i++) {
    const RbJournalEvidence *evidence = taken->evidence->pdata[i];
    const RbQueryValue values[]
      = { RB_QUERY_INT (number), RB_QUERY_STR (evidence->serial), RB_QUERY_STR (evidence->step),
          RB_QUERY_STR (evidence->detail), RB_QUERY_STR (taken->record) };
    if (!rb_query_run (self->db, "INSERT OR IGNORE INTO evidence VALUES (?, ?, ?, ?, ?)", values, 5, NULL, NULL, error))
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
  if (!rb_database_begin (self->db, error))
    return FALSE;
  if (take_over (self, taken, number, error) && rb_database_commit (self->db, error))
    return TRUE;
  rb_database_roll_back (self->db);
  return FALSE;
}

/* -1: it cannot be read. */
static gint64
count_of (RbDatabase *db, const char *sql, const RbQueryValue *values, guint n)
{
  gint64 count = -1;
  g_autoptr (GError) failure = NULL;
  if (rb_query_number_of (db, sql, values, n, &count, &failure))
    return count;
  g_debug ("%s", failure->message);
  return -1;
}

/* As count_of(); 0 where the table is not there. */
static gint64
count_in (RbDatabase *db, const char *table, const char *sql, const RbQueryValue *values, guint n)
{
  const RbQueryValue name[] = { RB_QUERY_STR (table) };
  gint64 there = count_of (db, "SELECT count(*) FROM sqlite_master WHERE name = ?", name, 1);
  return there > 0 ? count_of (db, sql, values, n) : there;
}

/* -1: it cannot be read. */
static gint64
count_started (const char *path, gboolean exclusive, const char *vin, const char *campaign)
{
  const RbQueryValue values[] = { RB_QUERY_STR (vin), RB_QUERY_STR (campaign), RB_QUERY_STR (campaign) };
  g_autoptr (RbDatabase) db = rb_database_look (path, part.name, exclusive, NULL);
  if (db == NULL)
    return -1;
  gint64 count = count_in (
    db, "step",
    "SELECT count(*) FROM recovery, step WHERE vin = ? AND (? IS NULL OR campaign = ?) AND recovery.finished IS NULL"
    " AND step.recovery = recovery.number",
    values, 3);
  if (count != 0)
    return count;
  return count_in (
    db, "taken",
    "SELECT count(*) FROM recovery, taken WHERE vin = ? AND (? IS NULL OR campaign = ?) AND recovery.finished IS NULL"
    " AND taken.recovery = recovery.number AND first_write > 0",
    values, 3);
}

gboolean
rb_journal_was_started (const char *data_dir, const char *vin, const char *campaign)
{
  g_autofree char *path = g_build_filename (data_dir, "recallbay.db", NULL);
  GStatBuf status;
  if (g_stat (path, &status) != 0 || status.st_size == 0)
    return FALSE;
  gint64 count = count_started (path, FALSE, vin, campaign);
  if (count < 0)
    count = count_started (path, TRUE, vin, campaign);
  return count != 0;
}
