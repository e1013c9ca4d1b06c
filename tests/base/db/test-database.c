/* SPDX-License-Identifier: Apache-2.0 */
#include "core/files.h"
#include "db/database-inside.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const RbDatabasePart first
  = { "First", "first_schema", 1, "CREATE TABLE IF NOT EXISTS first (text TEXT NOT NULL) STRICT" };
static const RbDatabasePart second
  = { "Second", "second_schema", 3, "CREATE TABLE IF NOT EXISTS second (text TEXT NOT NULL) STRICT" };

typedef struct {
  char *folder;
  RbDatabase *db;
} Bench;

static RbDatabase *
open_part (Bench *self, const RbDatabasePart *part)
{
  g_autoptr (GError) error = NULL;
  RbDatabase *db = rb_database_open (self->folder, part, &error);
  g_assert_no_error (error);
  return db;
}

static void
set_up (Bench *self, gconstpointer data)
{
  self->folder = g_dir_make_tmp ("recallbay-database-XXXXXX", NULL);
  self->db = open_part (self, &first);
}

static void
tear_down (Bench *self, gconstpointer data)
{
  rb_database_close (self->db);
  g_assert_true (rb_files_remove_tree (self->folder, NULL));
  g_free (self->folder);
}

static int
run (RbDatabase *db, const char *sql)
{
  return sqlite3_exec (rb_database_sqlite (db), sql, NULL, NULL, NULL);
}

static int
ask (RbDatabase *db, const char *sql)
{
  sqlite3_stmt *statement = NULL;
  g_assert_cmpint (sqlite3_prepare_v2 (rb_database_sqlite (db), sql, -1, &statement, NULL), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_step (statement), ==, SQLITE_ROW);
  int answer = sqlite3_column_int (statement, 0);
  sqlite3_finalize (statement);
  return answer;
}

static void
refuse (Bench *self, const RbDatabasePart *part, const char *says)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (rb_database_open (self->folder, part, &error));
  g_assert_error (error, RB_DATABASE_ERROR, RB_REASON_DATABASE);
  g_assert_true (g_str_has_prefix (error->message, part->name));
  g_assert_nonnull (strstr (error->message, says));
}

/* What a power cut must not take is written as SQLite does it then. */
static void
test_settings (Bench *self, gconstpointer data)
{
  g_assert_cmpint (ask (self->db, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), ==, 1);
  g_assert_cmpint (ask (self->db, "PRAGMA synchronous"), ==, 2);
  g_assert_cmpint (ask (self->db, "PRAGMA foreign_keys"), ==, 1);
  g_assert_cmpint (ask (self->db, "PRAGMA trusted_schema"), ==, 0);
}

static void
test_two_parts (Bench *self, gconstpointer data)
{
  RbDatabase *other = open_part (self, &second), *again = open_part (self, &first);
  g_assert_cmpint (run (self->db, "INSERT INTO first VALUES ('a')"), ==, SQLITE_OK);
  g_assert_cmpint (run (other, "INSERT INTO second VALUES ('b')"), ==, SQLITE_OK);
  g_assert_cmpint (ask (again, "SELECT count(*) FROM first, second"), ==, 1);
  g_assert_cmpint (
    ask (again,
         "SELECT sum(version) FROM (SELECT version FROM first_schema UNION ALL SELECT version FROM second_schema)"),
    ==, 4);
  rb_database_close (other);
  rb_database_close (again);
}

/* An older program beside a newer one's tables: it makes none of its own among them. */
static void
test_another_version (Bench *self, gconstpointer data)
{
  const RbDatabasePart newer = { "First", "first_schema", 2, "CREATE TABLE made_by_newer (text TEXT) STRICT" };
  refuse (self, &newer, "another version of Recallbay (schema 1, this one knows 2)");
  g_assert_cmpint (ask (self->db, "SELECT count(*) FROM sqlite_schema WHERE name = 'made_by_newer'"), ==, 0);
  g_assert_cmpint (run (self->db, "UPDATE first_schema SET version = -5"), ==, SQLITE_OK);
  g_autoptr (GError) error = NULL;
  g_assert_null (rb_database_open (self->folder, &first, &error));
  g_assert_error (error, RB_DATABASE_ERROR, RB_REASON_DATABASE);
}

static void
test_schema_that_fails (Bench *self, gconstpointer data)
{
  const RbDatabasePart half
    = { "Third", "third_schema", 1, "CREATE TABLE third (text TEXT) STRICT; CREATE TABLE third (text TEXT) STRICT" };
  refuse (self, &half, "already exists");
  g_assert_cmpint (ask (self->db, "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'third%'"), ==, 0);
}

static void
test_no_database (Bench *self, gconstpointer data)
{
  g_autofree char *inner = g_build_filename (self->folder, "inner", NULL);
  g_autofree char *path = g_build_filename (inner, "recallbay.db", NULL);
  g_autofree char *junk = g_strnfill (8192, 'x');
  Bench bad = { .folder = inner }, below = { .folder = path };
  g_assert_true (rb_files_make_folder (inner, NULL));
  g_assert_true (rb_files_write_text (path, junk, NULL));
  refuse (&bad, &first, "not a database");
  g_autoptr (GError) error = NULL;
  g_assert_null (rb_database_open (below.folder, &first, &error));
  g_assert_nonnull (error);
}

/* Every page of the file in turn made nonsense: an error or a good answer, never a crash. */
static void
test_torn_pages (Bench *self, gconstpointer data)
{
  g_autofree char *path = g_build_filename (self->folder, "recallbay.db", NULL);
  g_assert_cmpint (run (self->db, "INSERT INTO first VALUES ('kept'); PRAGMA wal_checkpoint(TRUNCATE)"), ==, SQLITE_OK);
  rb_database_close (self->db);
  g_autofree char *whole = NULL;
  gsize length;
  guint refused = 0;
  g_assert_true (g_file_get_contents (path, &whole, &length, NULL));
  for (gsize at = 0; at < length; at += 4096) {
    g_autofree char *torn = g_memdup2 (whole, length);
    g_autoptr (GError) error = NULL;
    memset (torn + at, 0xa5, 4096);
    g_assert_true (g_file_set_contents (path, torn, (gssize) length, NULL));
    RbDatabase *db = rb_database_open (self->folder, &first, &error);
    g_assert_true (db != NULL || error->code == RB_REASON_DATABASE);
    refused += db == NULL;
    rb_database_close (db);
  }
  g_assert_cmpuint (refused, >=, 2); /* the header's page and the version's */
  g_assert_true (g_file_set_contents (path, whole, (gssize) length, NULL));
  self->db = open_part (self, &first);
  g_assert_cmpint (ask (self->db, "SELECT count(*) FROM first WHERE text = 'kept'"), ==, 1);
}

static void
fail (RbDatabase *db, const char *sql, RbReason reason)
{
  g_autoptr (GError) error = NULL;
  g_assert_false (rb_database_execute (db, sql, &error));
  g_assert_error (error, RB_DATABASE_ERROR, (int) reason);
  g_assert_true (g_str_has_prefix (error->message, "First: "));
}

static void
test_reasons (Bench *self, gconstpointer data)
{
  RbDatabase *other = open_part (self, &first);
  sqlite3_busy_timeout (rb_database_sqlite (other), 0);
  g_assert_true (rb_database_begin (self->db, NULL));
  fail (other, "INSERT INTO first VALUES ('a')", RB_REASON_IN_USE);
  rb_database_roll_back (self->db);
  g_assert_cmpint (run (self->db, "PRAGMA max_page_count = 1"), ==, SQLITE_OK);
  fail (self->db, "INSERT INTO first VALUES (hex (randomblob (100000)))", RB_REASON_NO_SPACE);
  fail (self->db, "INSERT INTO nowhere VALUES (1)", RB_REASON_DATABASE);
  rb_database_close (other);
}

static void
test_transaction (Bench *self, gconstpointer data)
{
  g_assert_true (rb_database_begin (self->db, NULL));
  g_assert_true (rb_database_execute (self->db, "INSERT INTO first VALUES ('lost')", NULL));
  rb_database_roll_back (self->db);
  g_assert_cmpint (ask (self->db, "SELECT count(*) FROM first"), ==, 0);
  g_assert_true (rb_database_begin (self->db, NULL));
  g_assert_true (rb_database_execute (self->db, "INSERT INTO first VALUES ('kept')", NULL));
  g_assert_true (rb_database_commit (self->db, NULL));
  g_assert_cmpint (ask (self->db, "SELECT count(*) FROM first"), ==, 1);
  fail (self->db, "COMMIT", RB_REASON_DATABASE);
}

/* Looking at a file makes nothing. */
static void
test_look (Bench *self, gconstpointer data)
{
  g_autofree char *path = g_build_filename (self->folder, "recallbay.db", NULL);
  g_autofree char *none = g_build_filename (self->folder, "none.db", NULL);
  g_autoptr (GError) error = NULL;
  g_assert_null (rb_database_look (none, "Looked", FALSE, &error));
  g_assert_error (error, RB_DATABASE_ERROR, RB_REASON_DATABASE);
  g_assert_true (g_str_has_prefix (error->message, "Looked: "));
  g_assert_false (rb_files_exists (none));
  g_clear_pointer (&self->db, rb_database_close);
  for (int exclusive = 0; exclusive < 2; exclusive++) {
    g_autoptr (RbDatabase) db = rb_database_look (path, "Looked", exclusive, NULL);
    g_assert_nonnull (db);
    g_assert_cmpint (ask (db, "SELECT version FROM first_schema"), ==, 1);
    g_assert_cmpint (ask (db, "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'second%'"), ==, 0);
  }
}

/* Opening the database once more must not end the locks by which other processes see that this one has it open: the
 * last one to close it removes the log. */
static void
test_others_see_it_open (Bench *self, gconstpointer data)
{
  int status = 0;
  RbDatabase *again = open_part (self, &second);
  g_assert_cmpint (run (self->db, "INSERT INTO first VALUES ('before')"), ==, SQLITE_OK);
  pid_t child = fork ();
  g_assert_cmpint (child, >=, 0);
  if (child == 0) {
    RbDatabase *other = rb_database_open (self->folder, &first, NULL);
    rb_database_close (other);
    _exit (other == NULL);
  }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_cmpint (status, ==, 0);
  g_assert_cmpint (run (self->db, "INSERT INTO first VALUES ('after')"), ==, SQLITE_OK);
  rb_database_close (again);
  rb_database_close (self->db);
  self->db = open_part (self, &first);
  g_assert_cmpint (ask (self->db, "SELECT count(*) FROM first"), ==, 2);
}

#define ADD(name, function) g_test_add ("/database/" name, Bench, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("settings", test_settings);
  ADD ("two-parts", test_two_parts);
  ADD ("another-version", test_another_version);
  ADD ("schema-that-fails", test_schema_that_fails);
  ADD ("no-database", test_no_database);
  ADD ("torn-pages", test_torn_pages);
  ADD ("reasons", test_reasons);
  ADD ("transaction", test_transaction);
  ADD ("look", test_look);
  ADD ("others-see-it-open", test_others_see_it_open);
  return g_test_run ();
}
