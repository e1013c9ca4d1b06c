/* SPDX-License-Identifier: Apache-2.0 */
#include "journal-bench.h"

#include "core/files.h"

void
bench_open (Bench *bench, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  bench->folder = g_dir_make_tmp ("recallbay-journal-XXXXXX", NULL);
  bench->journal = rb_journal_open (bench->folder, &error);
  g_assert_no_error (error);
}

void
bench_close (Bench *bench, gconstpointer data)
{
  g_clear_pointer (&bench->journal, rb_journal_close);
  g_assert_true (rb_files_remove_tree (bench->folder, NULL));
  g_free (bench->folder);
}

void
bench_reopen (Bench *bench)
{
  g_autoptr (GError) error = NULL;
  rb_journal_close (bench->journal);
  bench->journal = rb_journal_open (bench->folder, &error);
  g_assert_no_error (error);
}

gint64
bench_begin (Bench *bench, const char *vin, const char *campaign, gint64 now)
{
  g_autoptr (GError) error = NULL;
  gint64 number = 0;
  g_assert_true (rb_journal_begin (bench->journal, vin, campaign, now, &number, &error));
  g_assert_no_error (error);
  g_assert_cmpint (number, >, 0);
  return number;
}

char *
bench_record_of (Bench *bench, const char *vin, const char *campaign, const char *serial, const char *name,
                 const char *detail)
{
  g_autoptr (GError) error = NULL;
  char *record = NULL;
  g_assert_true (rb_journal_shows (bench->journal, vin, campaign, serial, name, detail, &record, &error));
  g_assert_no_error (error);
  return record;
}

char *
bench_shown (Bench *bench, const char *serial, const char *name, const char *detail)
{
  return bench_record_of (bench, VIN, "R-1", serial, name, detail);
}

gint64
bench_step (Bench *bench, gint64 number, const char *serial, const char *name, gint64 now, const char *reason,
            const char *detail)
{
  g_autoptr (GError) error = NULL;
  gint64 row = 0;
  g_assert_true (rb_journal_intend (bench->journal, number, serial, name, now, &row, &error));
  if (reason != NULL)
    g_assert_true (rb_journal_result (bench->journal, row, reason, detail, now + 1, &error));
  g_assert_no_error (error);
  return row;
}
