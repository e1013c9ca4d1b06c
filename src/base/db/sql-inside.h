/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "db/sql.h"

/* For sql.c and the two engines behind it. */
typedef struct {
  char kind;
  gint64 integer;
  const char *text;
  GBytes *bytes; /* borrowed */
} RbSqlValue;

typedef struct {
  gint64 integer;
  GBytes *bytes; /* of text with a NUL behind; NULL for an integer and for SQL NULL */
} RbSqlCell;

typedef struct {
  RbSql *(*open) (const char *uri, gboolean to_read, GError **error);
  void (*close) (RbSql *self);
  gboolean (*script) (RbSql *self, const char *sql, GError **error);
  /* rows NULL: the statement gives none */
  gboolean (*execute) (RbSql *self, const char *sql, const RbSqlValue *values, guint n, RbSqlRows *rows,
                       GError **error);
  gboolean (*begin) (RbSql *self, gboolean to_read, GError **error);
  const char *bytes_type;
} RbSqlEngine;

struct _RbSql {
  const RbSqlEngine *engine;
};

struct _RbSqlRows {
  guint columns;
  GArray *cells; /* of RbSqlCell, row by row */
};

extern const RbSqlEngine rb_sql_sqlite_engine, rb_sql_postgres_engine;
/* With a NUL behind that is not counted. (transfer full) */
GBytes *rb_sql_rows_bytes_new (gconstpointer data, gsize length);
/* Takes bytes. */
void rb_sql_rows_add (RbSqlRows *self, gint64 integer, GBytes *bytes);
