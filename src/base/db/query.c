/* SPDX-License-Identifier: Apache-2.0 */
#include "db/query-inside.h"

#include "db/database-inside.h"

sqlite3_stmt *
rb_query_statement (RbQueryRow *row)
{
  return (sqlite3_stmt *) row;
}

gint64
rb_query_integer (RbQueryRow *row, int column)
{
  return sqlite3_column_int64 (rb_query_statement (row), column);
}

char *
rb_query_text (RbQueryRow *row, int column)
{
  return g_strdup ((const char *) sqlite3_column_text (rb_query_statement (row), column));
}

GBytes *
rb_query_blob (RbQueryRow *row, int column)
{
  const void *data = sqlite3_column_blob (rb_query_statement (row), column);
  return g_bytes_new (data, (gsize) sqlite3_column_bytes (rb_query_statement (row), column));
}

static int
bind_blob (sqlite3_stmt *statement, int index, GBytes *blob)
{
  gsize length = 0;
  const void *data = g_bytes_get_data (blob, &length);
  return sqlite3_bind_blob64 (statement, index, data == NULL ? "" : data, length, SQLITE_TRANSIENT);
}

static int
bind (sqlite3_stmt *statement, int index, const RbQueryValue *value)
{
  if (value->kind == RB_QUERY_INTEGER)
    return sqlite3_bind_int64 (statement, index, value->integer);
  if (value->kind == RB_QUERY_TEXT && value->text != NULL)
    return sqlite3_bind_text (statement, index, value->text, -1, SQLITE_TRANSIENT);
  if (value->kind == RB_QUERY_BLOB && value->blob != NULL)
    return bind_blob (statement, index, value->blob);
  return sqlite3_bind_null (statement, index);
}

/* NULL: the connection has the error. */
static sqlite3_stmt *
prepare (sqlite3 *db, const char *sql, const RbQueryValue *values, guint n)
{
  sqlite3_stmt *statement = NULL;
  gboolean good = sqlite3_prepare_v2 (db, sql, -1, &statement, NULL) == SQLITE_OK;
  for (guint i = 0; good && i < n; i++)
    good = bind (statement, (int) i + 1, &values[i]) == SQLITE_OK;
  if (good)
    return statement;
  sqlite3_finalize (statement);
  return NULL;
}

gboolean
rb_query_run (RbDatabase *database, const char *sql, const RbQueryValue *values, guint n, RbQueryTake take,
              gpointer user_data, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (rb_database_lock (database));
  sqlite3_stmt *statement = prepare (rb_database_sqlite (database), sql, values, n);
  int code = SQLITE_ERROR;
  while (statement != NULL && (code = sqlite3_step (statement)) == SQLITE_ROW)
    if (take != NULL)
      take ((RbQueryRow *) statement, user_data);
  gboolean good = code == SQLITE_DONE || rb_database_fail (database, error);
  sqlite3_finalize (statement);
  return good;
}

static void
take_number (RbQueryRow *row, gpointer user_data)
{
  *(gint64 *) user_data = rb_query_integer (row, 0);
}

gboolean
rb_query_number_of (RbDatabase *database, const char *sql, const RbQueryValue *values, guint n, gint64 *number,
                    GError **error)
{
  return rb_query_run (database, sql, values, n, take_number, number, error);
}

static void
take_text (RbQueryRow *row, gpointer user_data)
{
  char **text = user_data;
  g_free (*text);
  *text = rb_query_text (row, 0);
}

gboolean
rb_query_text_of (RbDatabase *database, const char *sql, const RbQueryValue *values, guint n, char **text,
                  GError **error)
{
  *text = NULL;
  if (rb_query_run (database, sql, values, n, take_text, text, error))
    return TRUE;
  g_clear_pointer (text, g_free);
  return FALSE;
}
