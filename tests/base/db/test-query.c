/* SPDX-License-Identifier: Apache-2.0 */
#include "core/files.h"
#include "db/query.h"

#include <string.h>

#define N_THREADS 4
#define N_ROWS 50

static const RbDatabasePart part
  = { "Part", "part_schema", 1,
      "CREATE TABLE IF NOT EXISTS thing (number INTEGER UNIQUE, text TEXT, blob BLOB, at INTEGER) STRICT" };

typedef struct {
  char *folder;
  RbDatabase *db;
} Bench;

static void
set_up (Bench *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  self->folder = g_dir_make_tmp ("recallbay-query-XXXXXX", NULL);
  self->db = rb_database_open (self->folder, &part, &error);
  g_assert_no_error (error);
}

static void
tear_down (Bench *self, gconstpointer data)
{
  rb_database_close (self->db);
  g_assert_true (rb_files_remove_tree (self->folder, NULL));
  g_free (self->folder);
}

static gboolean
add (Bench *self, gint64 number, const char *text, GBytes *blob, GError **error)
{
  const RbQueryValue values[]
    = { RB_QUERY_INT (number), RB_QUERY_STR (text), RB_QUERY_BYTES (blob), RB_QUERY_INT (G_MAXINT64) };
  return rb_query_run (self->db, "INSERT INTO thing VALUES (?, ?, ?, ?)", values, 4, NULL, NULL, error);
}

typedef struct {
  gint64 number, at;
  char *text;
  GBytes *blob;
  guint rows;
} Thing;

static void
take_thing (RbQueryRow *row, gpointer user_data)
{
  Thing *thing = user_data;
  thing->number = rb_query_integer (row, 0);
  g_free (thing->text);
  thing->text = rb_query_text (row, 1);
  g_clear_pointer (&thing->blob, g_bytes_unref);
  thing->blob = rb_query_blob (row, 2);
  thing->at = rb_query_integer (row, 3);
  thing->rows++;
}

static void
expect (Bench *self, gint64 number, const char *text, const void *blob, gsize length)
{
  Thing thing = { 0 };
  g_autoptr (GError) error = NULL;
  const RbQueryValue values[] = { RB_QUERY_INT (number) };
  g_assert_true (
    rb_query_run (self->db, "SELECT * FROM thing WHERE number = ?", values, 1, take_thing, &thing, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (thing.rows, ==, 1);
  g_assert_cmpint (thing.number, ==, number);
  g_assert_cmpint (thing.at, ==, G_MAXINT64);
  g_assert_cmpstr (thing.text, ==, text);
  g_assert_cmpmem (g_bytes_get_data (thing.blob, NULL), g_bytes_get_size (thing.blob), blob, length);
  g_free (thing.text);
  g_bytes_unref (thing.blob);
}

/* What is bound is what is read: text with quotes, bytes with NULs, NULL and empty ones. */
static void
test_values (Bench *self, gconstpointer data)
{
  static const guint8 bytes[] = { 0, '\'', 0xff, 0 };
  g_autoptr (GBytes) blob = g_bytes_new_static (bytes, sizeof bytes), empty = g_bytes_new (NULL, 0);
  g_assert_true (add (self, 1, "it's \"so\"; DROP TABLE thing", blob, NULL));
  g_assert_true (add (self, G_MININT64, NULL, NULL, NULL));
  g_assert_true (add (self, 3, "", empty, NULL));
  expect (self, 1, "it's \"so\"; DROP TABLE thing", bytes, sizeof bytes);
  expect (self, G_MININT64, NULL, NULL, 0);
  expect (self, 3, "", NULL, 0);
  gint64 nulls = 0;
  g_assert_true (rb_query_number_of (self->db, "SELECT count(*) FROM thing WHERE text IS NULL AND blob IS NULL", NULL,
                                     0, &nulls, NULL));
  g_assert_cmpint (nulls, ==, 1);
}

static void
test_one_value (Bench *self, gconstpointer data)
{
  gint64 number = 77;
  char *text = NULL;
  g_assert_true (rb_query_number_of (self->db, "SELECT number FROM thing", NULL, 0, &number, NULL));
  g_assert_cmpint (number, ==, 77); /* no row */
  g_assert_true (rb_query_text_of (self->db, "SELECT text FROM thing", NULL, 0, &text, NULL));
  g_assert_null (text);
  g_assert_true (add (self, 1, "first", NULL, NULL) && add (self, 2, "last", NULL, NULL));
  g_assert_true (rb_query_number_of (self->db, "SELECT number FROM thing ORDER BY number", NULL, 0, &number, NULL));
  g_assert_cmpint (number, ==, 2);
  g_assert_true (rb_query_text_of (self->db, "SELECT text FROM thing ORDER BY number", NULL, 0, &text, NULL));
  g_assert_cmpstr (text, ==, "last");
  g_free (text);
}

static void
test_failures (Bench *self, gconstpointer data)
{
  static const char *const wrong[] = { "SELECT", "SELECT * FROM nowhere", "INSERT INTO thing VALUES (1, 2, 'x', 4)" };
  const RbQueryValue value[] = { RB_QUERY_INT (1) };
  char *text = g_strdup ("before");
  g_assert_true (add (self, 1, "one", NULL, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_false (rb_query_run (self->db, wrong[i], NULL, 0, NULL, NULL, &error));
    g_assert_error (error, RB_DATABASE_ERROR, RB_REASON_DATABASE);
    g_assert_true (g_str_has_prefix (error->message, "Part: "));
  }
  g_autoptr (GError) twice = NULL, none = NULL;
  g_assert_false (add (self, 1, "again", NULL, &twice));
  g_assert_error (twice, RB_DATABASE_ERROR, RB_REASON_DATABASE);
  /* more values than the statement has */
  g_assert_false (rb_query_run (self->db, "SELECT 1", value, 1, NULL, NULL, &none));
  g_assert_error (none, RB_DATABASE_ERROR, RB_REASON_DATABASE);
  g_free (text);
  g_assert_false (rb_query_text_of (self->db, "SELECT * FROM nowhere", NULL, 0, &text, NULL));
  g_assert_null (text);
  expect (self, 1, "one", NULL, 0);
}

typedef struct {
  Bench *bench;
  gint64 from;
} Writer;

/* Each gets the error of its own statement, and none another's. */
static gpointer
write_rows (gpointer data)
{
  const Writer *writer = data;
  for (gint64 i = 0; i < N_ROWS; i++) {
    g_autoptr (GError) error = NULL;
    g_assert_true (add (writer->bench, writer->from + i, "row", NULL, &error));
    g_assert_no_error (error);
    g_assert_false (add (writer->bench, writer->from + i, "row", NULL, &error));
    g_assert_nonnull (strstr (error->message, "UNIQUE"));
  }
  return NULL;
}

static void
test_threads (Bench *self, gconstpointer data)
{
  GThread *threads[N_THREADS];
  Writer writers[N_THREADS];
  gint64 count = 0;
  g_assert_true (rb_database_begin (self->db, NULL));
  for (guint i = 0; i < N_THREADS; i++) {
    writers[i] = (Writer){ self, i * N_ROWS };
    threads[i] = g_thread_new ("writer", write_rows, &writers[i]);
  }
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  g_assert_true (rb_database_commit (self->db, NULL));
  g_assert_true (rb_query_number_of (self->db, "SELECT count(*) FROM thing", NULL, 0, &count, NULL));
  g_assert_cmpint (count, ==, N_THREADS * N_ROWS);
}

#define ADD(name, function) g_test_add ("/query/" name, Bench, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("values", test_values);
  ADD ("one-value", test_one_value);
  ADD ("failures", test_failures);
  ADD ("threads", test_threads);
  return g_test_run ();
}
