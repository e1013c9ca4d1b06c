/* SPDX-License-Identifier: Apache-2.0 */
#include "db/sql-inside.h"

#include <stdarg.h>
#include <string.h>

#define MAX_VALUES 16

static const RbSqlEngine *
engine_of (const char *uri)
{
  if (g_str_has_prefix (uri, "sqlite:///"))
    return &rb_sql_sqlite_engine;
  if (g_str_has_prefix (uri, "postgresql://") || g_str_has_prefix (uri, "postgres://"))
    return &rb_sql_postgres_engine;
  return NULL;
}

static RbSql *
open_uri (const char *uri, gboolean to_read, GError **error)
{
  const RbSqlEngine *engine = engine_of (uri);
  if (engine == NULL) {
    g_set_error (error, RB_DATABASE_ERROR, RB_REASON_CONFIG,
                 "“%s” is neither sqlite:///ABSOLUTE/PATH nor postgresql://…", uri);
    return NULL;
  }
  RbSql *self = engine->open (uri, to_read, error);
  if (self != NULL)
    self->engine = engine;
  return self;
}

RbSql *
rb_sql_open (const char *uri, GError **error)
{
  return open_uri (uri, FALSE, error);
}

RbSql *
rb_sql_open_to_read (const char *uri, GError **error)
{
  return open_uri (uri, TRUE, error);
}

void
rb_sql_close (RbSql *self)
{
  self->engine->close (self);
}

gboolean
rb_sql_script (RbSql *self, const char *sql, GError **error)
{
  g_autoptr (GString) text = g_string_new (sql);
  g_string_replace (text, " BYTES", self->engine->bytes_type, 0);
  return self->engine->script (self, text->str, error);
}

static guint
read_values (const char *kinds, va_list arguments, RbSqlValue *values)
{
  guint n = (guint) strlen (kinds);
  g_assert (n <= MAX_VALUES);
  for (guint i = 0; i < n; i++) {
    values[i] = (RbSqlValue){ .kind = kinds[i] };
    if (kinds[i] == 'i')
      values[i].integer = va_arg (arguments, gint64);
    else if (kinds[i] == 't')
      values[i].text = va_arg (arguments, const char *);
    else
      values[i].bytes = va_arg (arguments, GBytes *);
  }
  return n;
}

gboolean
rb_sql_run (RbSql *self, GError **error, const char *sql, const char *kinds, ...)
{
  RbSqlValue values[MAX_VALUES];
  va_list arguments;
  va_start (arguments, kinds);
  guint n = read_values (kinds, arguments, values);
  va_end (arguments);
  return self->engine->execute (self, sql, values, n, NULL, error);
}

static void
clear_cell (gpointer data)
{
  RbSqlCell *cell = data;
  g_clear_pointer (&cell->bytes, g_bytes_unref);
}

RbSqlRows *
rb_sql_query (RbSql *self, GError **error, const char *sql, const char *kinds, ...)
{
  RbSqlValue values[MAX_VALUES];
  va_list arguments;
  va_start (arguments, kinds);
  guint n = read_values (kinds, arguments, values);
  va_end (arguments);
  g_autoptr (RbSqlRows) rows = g_new0 (RbSqlRows, 1);
  rows->cells = g_array_new (FALSE, FALSE, sizeof (RbSqlCell));
  g_array_set_clear_func (rows->cells, clear_cell);
  return self->engine->execute (self, sql, values, n, rows, error) ? g_steal_pointer (&rows) : NULL;
}

gboolean
rb_sql_begin (RbSql *self, GError **error)
{
  return self->engine->begin (self, FALSE, error);
}

gboolean
rb_sql_begin_to_read (RbSql *self, GError **error)
{
  return self->engine->begin (self, TRUE, error);
}

gboolean
rb_sql_commit (RbSql *self, GError **error)
{
  return self->engine->script (self, "COMMIT", error);
}

void
rb_sql_rollback (RbSql *self)
{
  g_autoptr (GError) ignored = NULL; /* the transaction is undone already, or the connection is lost */
  if (!self->engine->script (self, "ROLLBACK", &ignored))
    g_debug ("%s", ignored->message);
}

GBytes *
rb_sql_rows_bytes_new (gconstpointer data, gsize length)
{
  char *copy = g_malloc (length + 1);
  if (length > 0)
    memcpy (copy, data, length);
  copy[length] = '\0';
  return g_bytes_new_with_free_func (copy, length, g_free, copy);
}

void
rb_sql_rows_add (RbSqlRows *self, gint64 integer, GBytes *bytes)
{
  RbSqlCell cell = { integer, bytes };
  g_array_append_val (self->cells, cell);
}

guint
rb_sql_rows_count (const RbSqlRows *self)
{
  return self->columns == 0 ? 0 : self->cells->len / self->columns;
}

static const RbSqlCell *
cell_at (const RbSqlRows *self, guint row, guint column)
{
  g_assert (column < self->columns && row < rb_sql_rows_count (self));
  return &g_array_index (self->cells, RbSqlCell, row * self->columns + column);
}

gint64
rb_sql_rows_integer (const RbSqlRows *self, guint row, guint column)
{
  return cell_at (self, row, column)->integer;
}

const char *
rb_sql_rows_text (const RbSqlRows *self, guint row, guint column)
{
  const RbSqlCell *cell = cell_at (self, row, column);
  return cell->bytes == NULL ? "" : g_bytes_get_data (cell->bytes, NULL);
}

GBytes *
rb_sql_rows_bytes (const RbSqlRows *self, guint row, guint column)
{
  const RbSqlCell *cell = cell_at (self, row, column);
  return cell->bytes == NULL ? g_bytes_new (NULL, 0) : g_bytes_ref (cell->bytes);
}

void
rb_sql_rows_free (RbSqlRows *self)
{
  g_array_unref (self->cells);
  g_free (self);
}
