/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "db/database.h"

/*
 * A database by URI: sqlite:///ABS/PATH (made where it is missing) or postgresql://… (libpq). A committed transaction
 * survives a power cut. An object is used by one thread at a time. Errors: config (the URI), in-use, no-space,
 * database.
 *
 * Statements have parameters $1, $2, … in this order. kinds has a letter for each: i gint64, t const char *, b GBytes
 * *. Columns are BIGINT, TEXT or bytes.
 */
typedef struct _RbSql RbSql;
typedef struct _RbSqlRows RbSqlRows; /* the whole result */

RbSql *rb_sql_open (const char *uri, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* For reading only; a missing SQLite file is an error. */
RbSql *rb_sql_open_to_read (const char *uri, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_sql_close (RbSql *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbSql, rb_sql_close)

/* Statements without parameters and rows, separated by semicolons. BYTES is the type of byte columns. */
gboolean rb_sql_script (RbSql *self, const char *sql, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_sql_run (RbSql *self, GError **error, const char *sql, const char *kinds, ...) G_GNUC_WARN_UNUSED_RESULT;
RbSqlRows *rb_sql_query (RbSql *self, GError **error, const char *sql, const char *kinds, ...)
  G_GNUC_WARN_UNUSED_RESULT;

/* A transaction that excludes other writers until its end, in other processes too. A lost connection is opened again
 * first. */
gboolean rb_sql_begin (RbSql *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* When it fails, whether the transaction is stored is unknown only where the connection was lost. */
gboolean rb_sql_commit (RbSql *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_sql_rollback (RbSql *self);
/* A transaction that sees the database as it is now until its end. */
gboolean rb_sql_begin_to_read (RbSql *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

guint rb_sql_rows_count (const RbSqlRows *self);
gint64 rb_sql_rows_integer (const RbSqlRows *self, guint row, guint column);
/* Borrowed; "" of SQL NULL. */
const char *rb_sql_rows_text (const RbSqlRows *self, guint row, guint column);
GBytes *rb_sql_rows_bytes (const RbSqlRows *self, guint row, guint column);
void rb_sql_rows_free (RbSqlRows *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbSqlRows, rb_sql_rows_free)
