/* SPDX-License-Identifier: Apache-2.0 */
#include "core/files.h"
#include "db/sql.h"

#include <glib/gstdio.h>
#include <string.h>

/* The database of the environment (RECALLBAY_DATABASE), else a SQLite file. */
typedef struct {
  char *folder, *uri;
  RbSql *sql;
} Case;

static void
set_up (Case *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  const char *given = g_getenv ("RECALLBAY_DATABASE");
  self->folder = g_dir_make_tmp ("recallbay-sql-XXXXXX", &error);
  self->uri = given != NULL ? g_strdup (given) : g_strdup_printf ("sqlite://%s/a.db", self->folder);
  self->sql = rb_sql_open (self->uri, &error);
  g_assert_no_error (error);
  g_assert_true (rb_sql_script (self->sql,
                                "DROP TABLE IF EXISTS things; CREATE TABLE things (id BIGINT PRIMARY KEY, name TEXT,"
                                " body BYTES)",
                                &error));
  g_assert_no_error (error);
}

static void
tear_down (Case *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  rb_sql_close (self->sql);
  g_assert_true (rb_files_remove_tree (self->folder, &error));
  g_free (self->folder);
  g_free (self->uri);
}

static gboolean
add (RbSql *sql, gint64 id, const char *name, gconstpointer body, gsize length, GError **error)
{
  g_autoptr (GBytes) bytes = g_bytes_new (body, length);
  return rb_sql_run (sql, error, "INSERT INTO things VALUES ($1, $2, $3)", "itb", id, name, bytes);
}

static guint
count (RbSql *sql)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RbSqlRows) rows = rb_sql_query (sql, &error, "SELECT id FROM things", "");
  g_assert_no_error (error);
  return rb_sql_rows_count (rows);
}

static void
test_values (Case *self, gconstpointer data)
{
  static const char body[] = "a\0b\xff";
  g_autoptr (GError) error = NULL;
  g_assert_true (add (self->sql, G_MAXINT64, "Müller", body, sizeof body, &error));
  g_assert_true (add (self->sql, G_MININT64, "", "", 0, &error));
  g_assert_true (rb_sql_script (self->sql, "INSERT INTO things VALUES (0, NULL, NULL)", &error));
  g_autoptr (RbSqlRows) rows = rb_sql_query (self->sql, &error, "SELECT id, name, body FROM things ORDER BY id", "");
  g_assert_no_error (error);
  g_assert_cmpuint (rb_sql_rows_count (rows), ==, 3);
  g_autoptr (GBytes) none = rb_sql_rows_bytes (rows, 1, 2), empty = rb_sql_rows_bytes (rows, 0, 2),
                     full = rb_sql_rows_bytes (rows, 2, 2);
  g_assert_cmpint (rb_sql_rows_integer (rows, 0, 0), ==, G_MININT64);
  g_assert_cmpint (rb_sql_rows_integer (rows, 2, 0), ==, G_MAXINT64);
  g_assert_cmpstr (rb_sql_rows_text (rows, 1, 1), ==, "");
  g_assert_cmpstr (rb_sql_rows_text (rows, 2, 1), ==, "Müller");
  g_assert_cmpuint (g_bytes_get_size (none), ==, 0);
  g_assert_cmpuint (g_bytes_get_size (empty), ==, 0);
  g_assert_cmpmem (g_bytes_get_data (full, NULL), g_bytes_get_size (full), body, sizeof body);
}

/* A value is never part of the statement. */
static void
test_quotes (Case *self, gconstpointer data)
{
  static const char name[] = "'); DROP TABLE things; --";
  g_autoptr (GError) error = NULL;
  g_assert_true (add (self->sql, 1, name, "", 0, &error));
  g_autoptr (RbSqlRows) rows = rb_sql_query (self->sql, &error, "SELECT id FROM things WHERE name = $1", "t", name);
  g_assert_no_error (error);
  g_assert_cmpuint (rb_sql_rows_count (rows), ==, 1);
}

static void
test_rollback (Case *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (rb_sql_begin (self->sql, &error) && add (self->sql, 1, "a", "", 0, &error));
  rb_sql_rollback (self->sql);
  g_assert_cmpuint (count (self->sql), ==, 0);
  g_assert_true (rb_sql_begin (self->sql, &error) && add (self->sql, 1, "a", "", 0, &error));
  g_assert_true (rb_sql_commit (self->sql, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (count (self->sql), ==, 1);
}

/* A transaction in which a statement failed is undone whole, and the next one begins. */
static void
test_failure (Case *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (rb_sql_begin (self->sql, &error) && add (self->sql, 1, "a", "", 0, &error));
  g_assert_false (add (self->sql, 1, "again", "", 0, &error));
  g_assert_error (error, RB_DATABASE_ERROR, RB_REASON_DATABASE);
  g_clear_error (&error);
  g_assert_true (rb_sql_begin (self->sql, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (count (self->sql), ==, 0);
  rb_sql_rollback (self->sql);
}

typedef struct {
  const char *uri;
  gint64 first;
} Writer;

#define ROUNDS 20

/* Reads the largest number and adds the next one: two of these at a time lose none. */
static gpointer
write_rounds (gpointer data)
{
  const Writer *writer = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (RbSql) sql = rb_sql_open (writer->uri, &error);
  g_assert_no_error (error);
  for (int i = 0; i < ROUNDS; i++) {
    g_assert_true (rb_sql_begin (sql, &error));
    g_autoptr (RbSqlRows) rows = rb_sql_query (sql, &error, "SELECT COALESCE (MAX (id), 0) FROM things", "");
    g_assert_no_error (error);
    g_assert_true (add (sql, rb_sql_rows_integer (rows, 0, 0) + 1, "w", "", 0, &error));
    g_assert_true (rb_sql_commit (sql, &error));
    g_assert_no_error (error);
  }
  return NULL;
}

static void
test_two_writers (Case *self, gconstpointer data)
{
  Writer one = { self->uri, 0 };
  GThread *a = g_thread_new ("a", write_rounds, &one), *b = g_thread_new ("b", write_rounds, &one);
  g_thread_join (a);
  g_thread_join (b);
  g_assert_cmpuint (count (self->sql), ==, 2 * ROUNDS);
}

static void
test_read_only (Case *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RbSql) reader = rb_sql_open_to_read (self->uri, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (count (reader), ==, 0);
  g_assert_false (add (reader, 1, "a", "", 0, &error));
  g_assert_nonnull (error);
}

static void
test_bad_uris (void)
{
  static const char *const bad[] = { "", "/a.db", "sqlite:a.db", "sqlite://a.db", "mysql://a/b", "postgres" };
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (rb_sql_open (bad[i], &error));
    g_assert_error (error, RB_DATABASE_ERROR, RB_REASON_CONFIG);
  }
  g_autoptr (GError) error = NULL;
  g_assert_null (rb_sql_open_to_read ("sqlite:///nowhere/at/all.db", &error));
  g_assert_error (error, RB_DATABASE_ERROR, RB_REASON_DATABASE);
}

/* What is written to a file that was removed would be lost. */
static void
test_removed_file (Case *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  if (g_getenv ("RECALLBAY_DATABASE") != NULL)
    return; /* of files */
  g_assert_cmpint (g_unlink (&self->uri[strlen ("sqlite://")]), ==, 0);
  g_assert_false (rb_sql_begin (self->sql, &error));
  g_assert_error (error, RB_DATABASE_ERROR, RB_REASON_DATABASE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/db/sql/values", Case, NULL, set_up, test_values, tear_down);
  g_test_add ("/db/sql/quotes", Case, NULL, set_up, test_quotes, tear_down);
  g_test_add ("/db/sql/rollback", Case, NULL, set_up, test_rollback, tear_down);
  g_test_add ("/db/sql/failure", Case, NULL, set_up, test_failure, tear_down);
  g_test_add ("/db/sql/two-writers", Case, NULL, set_up, test_two_writers, tear_down);
  g_test_add ("/db/sql/read-only", Case, NULL, set_up, test_read_only, tear_down);
  g_test_add ("/db/sql/removed-file", Case, NULL, set_up, test_removed_file, tear_down);
  g_test_add_func ("/db/sql/bad-uris", test_bad_uris);
  return g_test_run ();
}
