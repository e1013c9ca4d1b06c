/* SPDX-License-Identifier: Apache-2.0 */
#include "db/database-inside.h"
#include "db/query-inside.h"
#include "db/sql-inside.h"

#include <string.h>

#define BUSY_MS 30000
#define PREFIX "sqlite://"

typedef struct {
  RbSql base;
  char *path;
  gboolean to_read;
  RbDatabase *db;
} Sqlite;

static gboolean
run_script (RbSql *base, const char *sql, GError **error)
{
  Sqlite *self = (Sqlite *) base;
  return rb_database_execute (self->db, sql, error);
}

static gboolean
connect_file (Sqlite *self, GError **error)
{
  int flags = self->to_read ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  if (!self->to_read && !rb_database_make_private (self->path, error))
    return FALSE;
  self->db = rb_database_open_file (self->path, flags | SQLITE_OPEN_FULLMUTEX, self->path, error);
  if (self->db == NULL)
    return FALSE;
  sqlite3_busy_timeout (rb_database_sqlite (self->db), BUSY_MS);
  return run_script (&self->base,
                     self->to_read
                       ? "PRAGMA trusted_schema = OFF"
                       : "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF",
                     error);
}

static void
close_sqlite (RbSql *base)
{
  Sqlite *self = (Sqlite *) base;
  rb_database_close (self->db);
  g_free (self->path);
  g_free (self);
}

static RbSql *
open_sqlite (const char *uri, gboolean to_read, GError **error)
{
  Sqlite *self = g_new0 (Sqlite, 1);
  self->path = g_uri_unescape_string (&uri[strlen (PREFIX)], NULL);
  self->to_read = to_read;
  gboolean named = (self->path != NULL && self->path[0] == '/')
                   || rb_reason_deny (error, RB_DATABASE_ERROR, RB_REASON_CONFIG, "“%s” names no file", uri);
  if (named && connect_file (self, error))
    return &self->base;
  close_sqlite (&self->base);
  return NULL;
}

static void
read_cell (sqlite3_stmt *statement, int column, RbSqlRows *rows)
{
  int type = sqlite3_column_type (statement, column);
  if (type == SQLITE_INTEGER || type == SQLITE_NULL) {
    rb_sql_rows_add (rows, sqlite3_column_int64 (statement, column), NULL);
    return;
  }
  gconstpointer data
    = type == SQLITE_BLOB ? sqlite3_column_blob (statement, column) : sqlite3_column_text (statement, column);
  gsize length = (gsize) sqlite3_column_bytes (statement, column);
  rb_sql_rows_add (rows, 0, rb_sql_rows_bytes_new (data, length));
}

/* (RbQueryTake) */
static void
take_row (RbQueryRow *row, gpointer user_data)
{
  RbSqlRows *rows = user_data;
  sqlite3_stmt *statement = rb_query_statement (row);
  rows->columns = (guint) sqlite3_column_count (statement);
  for (guint i = 0; i < rows->columns; i++)
    read_cell (statement, (int) i, rows);
}

static gboolean
execute_sqlite (RbSql *base, const char *sql, const RbSqlValue *values, guint n, RbSqlRows *rows, GError **error)
{
  Sqlite *self = (Sqlite *) base;
  g_autofree RbQueryValue *bound = g_new0 (RbQueryValue, MAX (n, 1));
  for (guint i = 0; i < n; i++)
    bound[i] = (RbQueryValue){ .kind = values[i].kind == 'i'   ? RB_QUERY_INTEGER
                                       : values[i].kind == 't' ? RB_QUERY_TEXT
                                                               : RB_QUERY_BLOB,
                               .integer = values[i].integer,
                               .text = values[i].text,
                               .blob = values[i].bytes };
  return rb_query_run (self->db, sql, bound, n, rows == NULL ? NULL : take_row, rows, error);
}

/* A write to a removed file is lost although SQLite reports no error. */
static gboolean
is_in_place (Sqlite *self)
{
  int moved = 0;
  return self->db != NULL
         && sqlite3_file_control (rb_database_sqlite (self->db), "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK
         && moved == 0;
}

static gboolean
begin_sqlite (RbSql *base, gboolean to_read, GError **error)
{
  Sqlite *self = (Sqlite *) base;
  if (!is_in_place (self))
    return rb_reason_deny (error, RB_DATABASE_ERROR, RB_REASON_DATABASE, "%s: the file was removed or replaced",
                           self->path);
  if (sqlite3_get_autocommit (rb_database_sqlite (self->db)) == 0) /* a transaction that failed */
    rb_sql_rollback (base);
  return run_script (base, to_read ? "BEGIN" : "BEGIN IMMEDIATE", error);
}

const RbSqlEngine rb_sql_sqlite_engine
  = { open_sqlite, close_sqlite, run_script, execute_sqlite, begin_sqlite, " BLOB" };
