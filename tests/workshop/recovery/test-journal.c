/* SPDX-License-Identifier: Apache-2.0 */
#include "journal-bench.h"

#include "core/bytes.h"
#include "core/files.h"
#include "db/database.h"
#include "recovery/error.h"

#include <sqlite3.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char *
performer_of (Bench *bench, gint64 number, const char *serial)
{
  g_autoptr (GError) error = NULL;
  char *person = NULL;
  g_assert_true (rb_journal_performer (bench->journal, number, serial, &person, &error));
  g_assert_no_error (error);
  return person;
}

static void
assert_open (Bench *bench, const char *vin, const char *campaign, gint64 number, gint64 started)
{
  g_autoptr (GError) error = NULL;
  gint64 found = -1;
  gint64 when = -1;
  g_assert_true (rb_journal_find (bench->journal, vin, campaign, &found, &when, &error));
  g_assert_no_error (error);
  g_assert_cmpint (found, ==, number);
  g_assert_cmpint (when, ==, started);
}

static void
test_one_recovery_a_vehicle (Bench *bench, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  gint64 twice = 0;
  assert_open (bench, VIN, "R-1", 0, 0);
  gint64 first = bench_begin (bench, VIN, "R-1", 1000);
  gint64 second = bench_begin (bench, OTHER, "R-1", 2000);
  gint64 third = bench_begin (bench, VIN, "R-2", 3000);
  assert_open (bench, VIN, "R-1", first, 1000);
  assert_open (bench, OTHER, "R-1", second, 2000);
  assert_open (bench, VIN, "R-2", third, 3000);
  assert_open (bench, OTHER, "R-2", 0, 0);
  g_assert_false (rb_journal_begin (bench->journal, VIN, "R-1", 4000, &twice, &error));
  g_assert_error (error, RB_DATABASE_ERROR, RB_REASON_DATABASE);
}

static void
test_finished_is_closed (Bench *bench, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  gint64 first = bench_begin (bench, VIN, "R-1", 1000);
  g_assert_true (rb_journal_is_open (bench->journal, "A", "R-1"));
  g_assert_false (rb_journal_is_open (bench->journal, "A", "R-2"));
  g_assert_true (rb_journal_finish (bench->journal, first, "digest", 1500, &error));
  g_assert_false (rb_journal_is_open (bench->journal, "A", "R-1"));
  assert_open (bench, VIN, "R-1", 0, 0);
  gint64 again = bench_begin (bench, VIN, "R-1", 2000);
  g_assert_cmpint (again, !=, first);
  assert_open (bench, VIN, "R-1", again, 2000);
}

static void
test_open_by_any_vehicle (Bench *bench, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  gint64 first = bench_begin (bench, VIN, "R-1", 1000);
  gint64 second = bench_begin (bench, OTHER, "R-1", 1000);
  g_assert_true (rb_journal_finish (bench->journal, first, "a", 2000, &error));
  g_assert_true (rb_journal_is_open (bench->journal, "A", "R-1"));
  g_assert_true (rb_journal_finish (bench->journal, second, "b", 2000, &error));
  g_assert_false (rb_journal_is_open (bench->journal, "A", "R-1"));
}

/* Two OEMs may give campaigns the same id; what is not known to be another's may be anybody's. */
static void
test_open_by_owner (Bench *bench, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  gint64 first = bench_begin (bench, VIN, "R-1", 1000);
  g_assert_true (rb_journal_is_open (bench->journal, "B", "R-1"));
  g_assert_true (rb_journal_set_owner (bench->journal, first, "A", &error));
  g_assert_true (rb_journal_is_open (bench->journal, "A", "R-1"));
  g_assert_false (rb_journal_is_open (bench->journal, "B", "R-1"));
  g_assert_true (rb_journal_is_open (bench->journal, NULL, "R-1"));
  gint64 second = bench_begin (bench, OTHER, "R-1", 1000);
  g_assert_true (rb_journal_set_owner (bench->journal, second, "B", &error));
  g_assert_true (rb_journal_finish (bench->journal, first, "a", 2000, &error));
  g_assert_false (rb_journal_is_open (bench->journal, "A", "R-1"));
  g_assert_true (rb_journal_is_open (bench->journal, "B", "R-1"));
}

static void
test_rows (Bench *bench, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  gint64 first = bench_begin (bench, VIN, "R-1", 1000);
  gint64 second = bench_begin (bench, OTHER, "R-1", 1000);
  g_assert_cmpint (rb_journal_last_row (bench->journal), ==, 0);
  bench_step (bench, first, "SN-1", "image", 1001, "ok", "abc");
  bench_step (bench, second, "SN-9", "roots", 1002, "refused", NULL);
  gint64 open_row = bench_step (bench, first, "SN-2", "key", 1003, NULL, NULL);
  g_assert_cmpint (rb_journal_last_row (bench->journal), ==, open_row);
  g_assert_cmpuint (rb_journal_writes (bench->journal, first), ==, 2);
  g_assert_cmpuint (rb_journal_writes (bench->journal, second), ==, 1);
  g_assert_cmpuint (rb_journal_writes (bench->journal, 99), ==, 0);
  g_autoptr (GPtrArray) all = rb_journal_list (bench->journal, NULL, &error);
  g_autoptr (GPtrArray) mine = rb_journal_list (bench->journal, VIN, &error);
  g_autoptr (GPtrArray) none = rb_journal_list (bench->journal, "nobody", &error);
  g_assert_cmpuint (all->len, ==, 3);
  g_assert_cmpuint (mine->len, ==, 2);
  g_assert_cmpuint (none->len, ==, 0);
  const RbJournalRow *written = mine->pdata[0];
  const RbJournalRow *unknown = mine->pdata[1];
  g_assert_cmpstr (written->serial, ==, "SN-1");
  g_assert_cmpstr (written->step, ==, "image");
  g_assert_cmpstr (written->reason, ==, "ok");
  g_assert_cmpstr (written->detail, ==, "abc");
  g_assert_cmpint (written->intended, ==, 1001);
  g_assert_cmpint (written->finished, ==, 1002);
  g_assert_cmpint (unknown->finished, ==, 0);
  g_assert_null (unknown->reason);
}

static void
test_first_write_of_a_run (Bench *bench, gconstpointer data)
{
  gint64 number = bench_begin (bench, VIN, "R-1", 1000);
  gint64 other = bench_begin (bench, OTHER, "R-1", 1000);
  g_assert_cmpint (rb_journal_first_after (bench->journal, number, 0), ==, 0);
  gint64 row = bench_step (bench, number, "SN-1", "image", 1001, "ok", NULL);
  bench_step (bench, other, "SN-9", "image", 1005, "ok", NULL);
  g_assert_cmpint (rb_journal_first_after (bench->journal, number, 0), ==, 1001);
  g_assert_cmpint (rb_journal_first_after (bench->journal, number, row), ==, 0);
  bench_step (bench, number, "SN-1", "key", 1010, "ok", NULL);
  bench_step (bench, number, "SN-2", "key", 1011, "ok", NULL);
  g_assert_cmpint (rb_journal_first_after (bench->journal, number, row), ==, 1010);
}

static const struct {
  const char *vin, *campaign, *serial, *step, *detail;
  gboolean shown;
} shows[] = {
  { VIN, "R-1", "SN-1", "key", "new-key", TRUE },
  { OTHER, "R-1", "SN-1", "key", "new-key", FALSE },
  { VIN, "R-2", "SN-1", "key", "new-key", FALSE },
  { VIN, "R-1", "SN-2", "key", "new-key", FALSE },
  { VIN, "R-1", "SN-1", "image", "new-key", FALSE },
  { VIN, "R-1", "SN-1", "key", "old-key", FALSE },
  { VIN, "R-1", "SN-1", "key", "failed-key", FALSE },
  { VIN, "R-1", "SN-1", "key", "", FALSE },
  { VIN, "R-1", "SN-1' OR '1'='1", "key", "new-key", FALSE },
};

static void
test_shows (Bench *bench, gconstpointer data)
{
  gint64 number = bench_begin (bench, VIN, "R-1", 1000);
  bench_step (bench, number, "SN-1", "key", 1001, "ok", "new-key");
  bench_step (bench, number, "SN-1", "key", 1002, "refused", "failed-key");
  bench_step (bench, number, "SN-1", "key", 1003, NULL, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (shows); i++) {
    g_autofree char *record
      = bench_record_of (bench, shows[i].vin, shows[i].campaign, shows[i].serial, shows[i].step, shows[i].detail);
    g_assert_cmpstr (record, ==, shows[i].shown ? "" : NULL);
  }
  g_autoptr (GError) error = NULL;
  g_assert_true (rb_journal_finish (bench->journal, number, "the-record", 2000, &error));
  g_autofree char *record = bench_shown (bench, "SN-1", "key", "new-key");
  g_assert_cmpstr (record, ==, "the-record");
}

/* a second recovery of the same campaign is not the first one's witness, but both count */
static void
test_shows_the_newest (Bench *bench, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  gint64 first = bench_begin (bench, VIN, "R-1", 1000);
  bench_step (bench, first, "SN-1", "image", 1001, "ok", "digest");
  g_assert_true (rb_journal_finish (bench->journal, first, "record-1", 1500, &error));
  gint64 second = bench_begin (bench, VIN, "R-1", 2000);
  g_autofree char *before = bench_shown (bench, "SN-1", "image", "digest");
  g_assert_cmpstr (before, ==, "record-1");
  bench_step (bench, second, "SN-1", "image", 2001, "ok", "digest");
  g_autofree char *after = bench_shown (bench, "SN-1", "image", "digest");
  g_assert_cmpstr (after, ==, "");
}

/* a load that was refused, or whose answer never came, made no key */
static void
test_intents_and_refusals_show_nothing (Bench *bench, gconstpointer data)
{
  gint64 number = bench_begin (bench, VIN, "R-1", 1000);
  bench_step (bench, number, "SN-1", "key", 1001, NULL, NULL);
  bench_step (bench, number, "SN-2", "key", 1002, "link-lost", "she:4:2");
  bench_step (bench, number, "SN-3", "key", 1003, "refused", "she:4:2");
  for (guint i = 1; i <= 3; i++) {
    g_autofree char *serial = g_strdup_printf ("SN-%u", i);
    g_assert_null (bench_shown (bench, serial, "key", "she:4:2"));
  }
}

static guint64
done_of (Bench *bench, guint i)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) rows = rb_journal_list (bench->journal, NULL, &error);
  g_assert_no_error (error);
  return ((RbJournalRow *) rows->pdata[i])->done;
}

static void
test_progress_is_thinned (Bench *bench, gconstpointer data)
{
  gint64 number = bench_begin (bench, VIN, "R-1", 1000);
  gint64 first = bench_step (bench, number, "SN-1", "image", 1001, NULL, NULL);
  gint64 second = bench_step (bench, number, "SN-2", "image", 1001, NULL, NULL);
  gint64 start = g_get_monotonic_time ();
  rb_journal_progress (bench->journal, first, 10, 200);
  for (guint64 done = 11; done < 200; done++)
    rb_journal_progress (bench->journal, first, done, 200);
  rb_journal_progress (bench->journal, second, 7, 200);
  if (g_get_monotonic_time () - start < 200 * 1000)
    g_assert_cmpuint (done_of (bench, 0), ==, 10);
  g_assert_cmpuint (done_of (bench, 1), ==, 7); /* each row has a clock of its own */
  rb_journal_progress (bench->journal, first, 200, 200);
  g_assert_cmpuint (done_of (bench, 0), ==, 200); /* the end is never left out */
}

static void
test_kept_over_reopening (Bench *bench, gconstpointer data)
{
  gint64 number = bench_begin (bench, VIN, "R-1", 1000);
  gint64 row = bench_step (bench, number, "SN-1", "image", 1001, NULL, NULL);
  bench_reopen (bench);
  assert_open (bench, VIN, "R-1", number, 1000);
  g_assert_cmpint (rb_journal_last_row (bench->journal), ==, row);
  g_assert_cmpint (bench_step (bench, number, "SN-1", "image", 1002, "ok", NULL), >, row);
}

/* what was acknowledged outlives the program's sudden end */
static void
test_kept_over_kill (Bench *bench, gconstpointer data)
{
  g_clear_pointer (&bench->journal, rb_journal_close);
  pid_t child = fork ();
  if (child == 0) {
    gint64 number = 0, row = 0;
    RbJournal *journal = rb_journal_open (bench->folder, NULL);
    if (journal == NULL || !rb_journal_begin (journal, VIN, "R-1", 1000, &number, NULL)
        || !rb_journal_intend (journal, number, "SN-1", "erase", 1001, &row, NULL))
      _exit (1);
    kill (getpid (), SIGKILL);
    _exit (2);
  }
  int status = 0;
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_true (WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL);
  g_autoptr (GError) error = NULL;
  bench->journal = rb_journal_open (bench->folder, &error);
  g_assert_no_error (error);
  g_autoptr (GPtrArray) rows = rb_journal_list (bench->journal, VIN, &error);
  g_assert_cmpuint (rows->len, ==, 1);
  g_assert_cmpint (((RbJournalRow *) rows->pdata[0])->finished, ==, 0);
}

typedef struct {
  RbJournal *journal;
  gint64 number;
  guint lane;
} Lane;

/* What a lane stores beside its steps has numbers of its own. */
static void
keep_beside (const Lane *lane, const char *serial, guint16 did)
{
  g_autoptr (GBytes) value = g_bytes_new (&did, sizeof did);
  g_assert_true (rb_journal_perform (lane->journal, lane->number, serial, "T-ONE", NULL));
  g_assert_true (rb_journal_keep_coding (lane->journal, lane->number, serial, did, value, NULL));
}

static gpointer
write_lane (gpointer data)
{
  Lane *lane = data;
  g_autofree char *serial = g_strdup_printf ("SN-%u", lane->lane);
  for (guint i = 0; i < 20; i++) {
    g_autofree char *name = g_strdup_printf ("%u", i);
    gint64 row = 0;
    g_assert_true (rb_journal_intend (lane->journal, lane->number, serial, name, i, &row, NULL));
    keep_beside (lane, serial, (guint16) i);
    rb_journal_progress (lane->journal, row, i, 20);
    g_assert_true (rb_journal_result (lane->journal, row, "ok", serial, i, NULL));
  }
  return NULL;
}

/* several buses at once: each result is at its own step */
static void
test_threads (Bench *bench, gconstpointer data)
{
  gint64 number = bench_begin (bench, VIN, "R-1", 1000);
  GThread *threads[4];
  Lane lanes[4];
  for (guint i = 0; i < 4; i++) {
    lanes[i] = (Lane){ bench->journal, number, i };
    threads[i] = g_thread_new ("lane", write_lane, &lanes[i]);
  }
  for (guint i = 0; i < 4; i++)
    g_thread_join (threads[i]);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) rows = rb_journal_list (bench->journal, VIN, &error);
  g_assert_cmpuint (rows->len, ==, 80);
  for (guint i = 0; i < rows->len; i++) {
    const RbJournalRow *row = rows->pdata[i];
    g_assert_cmpstr (row->serial, ==, row->detail);
  }
}

/* A result that is there is what a record is made of. */
static void
test_one_result (Bench *bench, gconstpointer data)
{
  gint64 number = bench_begin (bench, VIN, "R-1", 1000),
         row = bench_step (bench, number, "SN-1", "key", 1001, "ok", "new-key");
  for (gint64 i = row; i <= row + 1; i++) {
    g_autoptr (GError) error = NULL;
    g_assert_false (rb_journal_result (bench->journal, i, "ok", "other", 1002, &error));
    g_assert_error (error, RB_RECOVERY_ERROR, RB_REASON_DATABASE);
  }
  g_autofree char *kept = bench_shown (bench, "SN-1", "key", "new-key");
  g_assert_cmpstr (kept, ==, "");
}

/* What cannot be read is not "nothing": an ECU would be written again, or a record would say that nobody wrote. */
static void
test_unreadable (Bench *bench, gconstpointer data)
{
  gint64 number = bench_begin (bench, VIN, "R-1", 1000);
  bench_step (bench, number, "SN-1", "key", 1001, "ok", "new-key");
  g_autofree char *path = g_build_filename (bench->folder, "recallbay.db", NULL);
  sqlite3 *db = NULL;
  g_assert_cmpint (sqlite3_open (path, &db), ==, SQLITE_OK);
  static const char *const drop = "DROP TABLE evidence; DROP TABLE performer; DROP TABLE coding; DROP TABLE inspection";
  g_assert_cmpint (sqlite3_exec (db, drop, NULL, NULL, NULL), ==, SQLITE_OK);
  sqlite3_close (db);
  for (guint i = 0; i < 4; i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GBytes) value = NULL;
    g_autofree char *text = NULL;
    g_assert_false (i == 0   ? rb_journal_shows (bench->journal, VIN, "R-1", "SN-1", "key", "other", &text, &error)
                    : i == 1 ? rb_journal_performer (bench->journal, number, "SN-1", &text, &error)
                    : i == 2 ? rb_journal_coding (bench->journal, VIN, "R-1", "SN-1", 0x600, &value, &error)
                             : rb_journal_inspection (bench->journal, number, &text, &error));
    g_assert_error (error, RB_DATABASE_ERROR, RB_REASON_DATABASE);
    g_assert_null (text);
  }
}

static void
assert_unopenable (const char *folder)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RbJournal) journal = rb_journal_open (folder, &error);
  g_assert_null (journal);
  g_assert_nonnull (error);
}

static void
test_not_a_database (Bench *bench, gconstpointer data)
{
  g_autofree char *folder = g_build_filename (bench->folder, "bad", NULL);
  g_autofree char *path = g_build_filename (folder, "recallbay.db", NULL);
  g_autofree char *below = g_build_filename (path, "deeper", NULL);
  g_autofree char *junk = g_strnfill (8192, 'x');
  g_assert_true (rb_files_make_folder (folder, NULL));
  g_assert_true (rb_files_write_text (path, junk, NULL));
  g_autoptr (GError) error = NULL;
  g_assert_null (rb_journal_open (folder, &error));
  g_assert_error (error, RB_DATABASE_ERROR, RB_REASON_DATABASE);
  assert_unopenable (below);
}

/* a step of a recovery that is not there is refused by the database itself */
static void
test_step_of_nothing (Bench *bench, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  gint64 row = 0;
  g_assert_false (rb_journal_intend (bench->journal, 77, "SN-1", "image", 1, &row, &error));
  g_assert_error (error, RB_DATABASE_ERROR, RB_REASON_DATABASE);
  g_assert_cmpint (rb_journal_last_row (bench->journal), ==, 0);
}

/* Another program's hand in the same file. */
static void
tamper (Bench *bench, const char *sql)
{
  sqlite3 *db = NULL;
  g_autofree char *path = g_build_filename (bench->folder, "recallbay.db", NULL);
  g_assert_cmpint (sqlite3_open (path, &db), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (db, sql, NULL, NULL, NULL), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_close (db), ==, SQLITE_OK);
}

/* What cannot be counted is not nothing. */
static void
test_unreadable_is_written (Bench *bench, gconstpointer data)
{
  gint64 number = bench_begin (bench, VIN, "R-1", 1000);
  bench_step (bench, number, "SN-1", "image", 1001, "ok", NULL);
  g_assert_cmpuint (rb_journal_writes (bench->journal, number), ==, 1);
  tamper (bench, "ALTER TABLE step RENAME TO lost");
  g_assert_cmpuint (rb_journal_writes (bench->journal, number), ==, G_MAXUINT);
  tamper (bench, "ALTER TABLE lost RENAME TO step");
  g_assert_cmpuint (rb_journal_writes (bench->journal, number), ==, 1);
}

static void
test_another_version (Bench *bench, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  tamper (bench, "UPDATE journal_schema SET version = 2");
  g_assert_null (rb_journal_open (bench->folder, &error));
  g_assert_error (error, RB_DATABASE_ERROR, RB_REASON_DATABASE);
  g_assert_nonnull (strstr (error->message, "another version"));
  tamper (bench, "UPDATE journal_schema SET version = 1");
  bench_reopen (bench);
}

/* the last one who wrote to an ECU in a recovery, also for the next shift's program */
static void
test_performer (Bench *bench, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  gint64 one = bench_begin (bench, VIN, "R-1", 100), two = bench_begin (bench, OTHER, "R-1", 100);
  g_assert_true (rb_journal_perform (bench->journal, one, "SN-1", "T-ONE", &error));
  g_assert_true (rb_journal_perform (bench->journal, one, "SN-2", "T-ONE", &error));
  g_assert_true (rb_journal_perform (bench->journal, one, "SN-2", "T-TWO", &error));
  bench_reopen (bench);
  g_autofree char *first = performer_of (bench, one, "SN-1");
  g_autofree char *second = performer_of (bench, one, "SN-2");
  g_assert_cmpstr (first, ==, "T-ONE");
  g_assert_cmpstr (second, ==, "T-TWO");
  g_assert_null (performer_of (bench, one, "SN-3"));
  g_assert_null (performer_of (bench, two, "SN-1"));
}

/* What a program that is killed leaves behind shows in the next one. */
static void
test_prepared (Bench *bench, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  gint64 one = bench_begin (bench, VIN, "R-1", 1000), other = bench_begin (bench, OTHER, "R-1", 1000);
  g_assert_false (rb_journal_is_prepared (bench->journal, one));
  for (int i = 0; i < 2; i++)
    g_assert_true (rb_journal_prepare (bench->journal, one, TRUE, &error));
  bench_reopen (bench);
  g_assert_true (rb_journal_is_prepared (bench->journal, one));
  g_assert_false (rb_journal_is_prepared (bench->journal, other));
  g_assert_cmpuint (rb_journal_writes (bench->journal, one), ==, 0); /* not a write to an ECU */
  g_assert_true (rb_journal_prepare (bench->journal, one, FALSE, &error));
  g_assert_false (rb_journal_is_prepared (bench->journal, one));
  g_assert_no_error (error);
}

static void
assert_coding (Bench *bench, const char *serial, guint16 did, const char *hex)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) value = NULL;
  g_assert_true (rb_journal_coding (bench->journal, VIN, "R-1", serial, did, &value, &error));
  g_assert_no_error (error);
  g_autofree char *text = value == NULL ? NULL : rb_bytes_hex (value);
  g_assert_cmpstr (text, ==, hex);
}

/* What was read before the first erasure stays; it is of one ECU, one identifier and the recovery that is open. */
static void
test_coding (Bench *bench, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) first = g_bytes_new ("\x0a\x0b", 2), later = g_bytes_new ("\xff", 1);
  gint64 number = bench_begin (bench, VIN, "R-1", 1000);
  g_assert_true (rb_journal_keep_coding (bench->journal, number, "SN-1", 0x0600, first, &error));
  g_assert_true (rb_journal_keep_coding (bench->journal, number, "SN-1", 0x0600, later, &error));
  bench_reopen (bench);
  assert_coding (bench, "SN-1", 0x0600, "0a0b");
  assert_coding (bench, "SN-1", 0x0601, NULL);
  assert_coding (bench, "SN-2", 0x0600, NULL);
  g_assert_cmpuint (rb_journal_writes (bench->journal, number), ==, 0);
  g_assert_true (rb_journal_finish (bench->journal, number, "record", 2000, &error));
  assert_coding (bench, "SN-1", 0x0600, NULL);
  g_assert_no_error (error);
}

#define ADD(name) g_test_add ("/journal/" #name, Bench, NULL, bench_open, test_##name, bench_close)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD (one_recovery_a_vehicle);
  ADD (finished_is_closed);
  ADD (prepared);
  ADD (coding);
  ADD (open_by_any_vehicle);
  ADD (open_by_owner);
  ADD (rows);
  ADD (first_write_of_a_run);
  ADD (shows);
  ADD (shows_the_newest);
  ADD (intents_and_refusals_show_nothing);
  ADD (progress_is_thinned);
  ADD (kept_over_reopening);
  ADD (kept_over_kill);
  ADD (threads);
  ADD (one_result);
  ADD (unreadable);
  ADD (not_a_database);
  ADD (step_of_nothing);
  ADD (unreadable_is_written);
  ADD (another_version);
  ADD (performer);
  return g_test_run ();
}
