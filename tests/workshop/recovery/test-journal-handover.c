/* SPDX-License-Identifier: Apache-2.0 */
#include "journal-bench.h"

#include "core/files.h"

/* Recoveries that are paused, handed over, or taken over from another workstation. */

/* Also while no index of the log can be made, as on a full disk. */
static void
test_was_started (Bench *bench, gconstpointer data)
{
  gint64 number = 0, row = 0;
  g_autofree char *database = g_build_filename (bench->folder, "recallbay.db", NULL);
  g_assert_false (rb_journal_was_started (bench->folder, VIN, "C"));
  g_assert_true (rb_journal_begin (bench->journal, VIN, "C", 1, &number, NULL));
  g_assert_false (rb_journal_was_started (bench->folder, VIN, "C"));
  g_assert_true (rb_journal_intend (bench->journal, number, "S", "image", 2, &row, NULL));
  g_assert_true (rb_journal_was_started (bench->folder, VIN, "C"));
  g_assert_false (rb_journal_was_started (bench->folder, OTHER, "C"));
  g_assert_false (rb_journal_was_started (bench->folder, VIN, "D"));
  g_assert_true (rb_journal_finish (bench->journal, number, "record", 3, NULL));
  g_assert_false (rb_journal_was_started (bench->folder, VIN, "C"));
  g_assert_false (rb_journal_was_started ("/nonexistent", VIN, "C"));
  g_clear_pointer (&bench->journal, rb_journal_close);
  g_assert_true (rb_files_write_text (database, "no database", NULL));
  g_assert_true (rb_journal_was_started (bench->folder, VIN, "C"));
}

static RbJournalEvidence *
evidence (const char *serial, const char *name, const char *detail)
{
  RbJournalEvidence *made = g_new0 (RbJournalEvidence, 1);
  *made = (RbJournalEvidence){ g_strdup (serial), g_strdup (name), g_strdup (detail), g_strdup ("") };
  return made;
}

static gint64
take_over (Bench *bench, const char *record, gint64 first_write)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_journal_evidence_free);
  g_ptr_array_add (list, evidence ("SN-1", "key", "k1"));
  g_ptr_array_add (list, evidence ("SN-2", "image", "i2"));
  const RbJournalTaken taken = { VIN, "R-1", record, 100, first_write, "{}", list };
  gint64 number = 0;
  g_assert_true (rb_journal_take_over (bench->journal, &taken, &number, &error));
  g_assert_no_error (error);
  return number;
}

/* Another workstation's evidence is that of the hand-over, not of this journal. */
static void
test_taken_over (Bench *bench, gconstpointer data)
{
  gint64 started = 0, found = 0, number = take_over (bench, "d1", 120);
  g_assert_true (rb_journal_find (bench->journal, VIN, "R-1", &found, &started, NULL));
  g_assert_cmpint (found, ==, number);
  g_assert_cmpint (started, ==, 100);
  g_assert_cmpint (take_over (bench, "d1", 120), ==, number);
  g_autofree char *key = bench_shown (bench, "SN-1", "key", "k1"), *image = bench_shown (bench, "SN-2", "image", "i2");
  g_assert_cmpstr (key, ==, "d1");
  g_assert_cmpstr (image, ==, "d1");
  g_assert_null (bench_shown (bench, "SN-1", "key", "k2"));
  g_assert_null (bench_shown (bench, "SN-1", "image", "k1"));
  g_assert_cmpuint (rb_journal_writes (bench->journal, number), ==, 1);
  g_assert_true (rb_journal_was_started (bench->folder, VIN, "R-1"));
  g_assert_cmpint (rb_journal_first_write (bench->journal, number), ==, 120);
  bench_step (bench, number, "SN-1", "key", 130, "ok", "k1");
  g_autofree char *own = bench_shown (bench, "SN-1", "key", "k1"), *whole = NULL;
  g_assert_true (rb_journal_inspection (bench->journal, number, &whole, NULL));
  g_assert_cmpstr (own, ==, "");
  g_assert_cmpstr (whole, ==, "{}");
  g_autoptr (GPtrArray) all = rb_journal_evidence (bench->journal, number, NULL);
  g_assert_cmpuint (all->len, ==, 3);
  g_assert_cmpstr (((RbJournalEvidence *) all->pdata[0])->record, ==, "");
  g_assert_cmpstr (((RbJournalEvidence *) all->pdata[1])->record, ==, "d1");
}

static void
test_taken_over_before_any_write (Bench *bench, gconstpointer data)
{
  gint64 number = take_over (bench, "d1", 0);
  g_assert_cmpuint (rb_journal_writes (bench->journal, number), ==, 0);
  g_assert_false (rb_journal_was_started (bench->folder, VIN, "R-1"));
  g_assert_cmpint (rb_journal_first_write (bench->journal, number), ==, 0);
}

/* A vehicle that was handed over, or left, may be resumed, and holds no campaign until then. */
static void
test_paused (Bench *bench, gconstpointer data)
{
  gint64 number = bench_begin (bench, VIN, "R-1", 100), found = 0, started = 0;
  bench_step (bench, number, "SN-1", "key", 110, "ok", "k1");
  g_assert_true (rb_journal_is_open (bench->journal, "A", "R-1"));
  g_assert_true (rb_journal_pause (bench->journal, number, "d1", NULL));
  g_assert_false (rb_journal_is_open (bench->journal, "A", "R-1"));
  g_assert_true (rb_journal_find (bench->journal, VIN, "R-1", &found, &started, NULL));
  g_assert_cmpint (found, ==, number);
  g_assert_true (rb_journal_was_started (bench->folder, VIN, "R-1"));
  g_auto (GStrv) open = rb_journal_campaigns (bench->journal, VIN, NULL),
                 others = rb_journal_campaigns (bench->journal, OTHER, NULL);
  g_assert_cmpuint (g_strv_length (open), ==, 1);
  g_assert_cmpstr (open[0], ==, "R-1");
  g_assert_cmpuint (g_strv_length (others), ==, 0);
  bench_step (bench, number, "SN-1", "reset", 120, "ok", NULL);
  g_assert_true (rb_journal_is_open (bench->journal, "A", "R-1"));
}

#define ADD(name) g_test_add ("/journal/" #name, Bench, NULL, bench_open, test_##name, bench_close)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD (was_started);
  ADD (taken_over);
  ADD (taken_over_before_any_write);
  ADD (paused);
  return g_test_run ();
}
