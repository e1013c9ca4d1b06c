/* SPDX-License-Identifier: Apache-2.0 */
#include "db/sql-inside.h"

#include <libpq-fe.h>
#include <string.h>

#define MAX_VALUES 16
#define OID_INT8 20
#define OID_TEXT 25
#define OID_BYTEA 17
#define BINARY 1
#define WRITERS_LOCK "7381240197" /* of pg_advisory_xact_lock(): any number that others do not use */

typedef struct {
  RbSql base;
  PGconn *connection;
} Postgres;

static gboolean
sql_postgres_error (PGconn *connection, const PGresult *result, GError **error)
{
  const char *state = result == NULL ? NULL : PQresultErrorField (result, PG_DIAG_SQLSTATE);
  g_autofree char *text = g_strdup (result == NULL ? PQerrorMessage (connection) : PQresultErrorMessage (result));
  g_strdelimit (g_strchomp (text), "\n", ' ');
  RbReason reason = g_strcmp0 (state, "53100") == 0 ? RB_REASON_NO_SPACE : RB_REASON_DATABASE;
  return rb_reason_deny (error, RB_DATABASE_ERROR, reason, "PostgreSQL: %s", text);
}

static gboolean
conclude (Postgres *self, PGresult *result, GError **error)
{
  ExecStatusType status = PQresultStatus (result);
  gboolean done
    = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || sql_postgres_error (self->connection, result, error);
  PQclear (result);
  return done;
}

static gboolean
run_script (RbSql *base, const char *sql, GError **error)
{
  Postgres *self = (Postgres *) base;
  return conclude (self, PQexec (self->connection, sql), error);
}

static void
ignore_notice (void *data, const PGresult *result)
{
  g_debug ("%s", PQresultErrorMessage (result));
}

static void
close_postgres (RbSql *base)
{
  Postgres *self = (Postgres *) base;
  PQfinish (self->connection);
  g_free (self);
}

static RbSql *
open_postgres (const char *uri, gboolean to_read, GError **error)
{
  Postgres *self = g_new0 (Postgres, 1);
  self->connection = PQconnectdb (uri);
  if (PQstatus (self->connection) != CONNECTION_OK)
    sql_postgres_error (self->connection, NULL, error);
  else {
    PQsetNoticeReceiver (self->connection, ignore_notice, NULL);
    if (!to_read || run_script (&self->base, "SET default_transaction_read_only = on", error))
      return &self->base;
  }
  close_postgres (&self->base);
  return NULL;
}

typedef struct {
  Oid types[MAX_VALUES];
  const char *values[MAX_VALUES];
  int lengths[MAX_VALUES], formats[MAX_VALUES];
  guint64 integers[MAX_VALUES];
} Parameters;

static void
set_parameter (Parameters *self, guint i, const RbSqlValue *value)
{
  self->formats[i] = BINARY;
  if (value->kind == 'i') {
    self->types[i] = OID_INT8;
    self->integers[i] = GUINT64_TO_BE ((guint64) value->integer);
    self->values[i] = (const char *) &self->integers[i];
    self->lengths[i] = sizeof self->integers[i];
  } else if (value->kind == 't') {
    self->types[i] = OID_TEXT;
    self->values[i] = value->text;
    self->lengths[i] = (int) strlen (value->text);
  } else {
    gsize length = 0;
    gconstpointer data = g_bytes_get_data (value->bytes, &length);
    self->types[i] = OID_BYTEA;
    self->values[i] = data == NULL ? "" : data;
    self->lengths[i] = (int) length;
  }
}

static void
read_cell (const PGresult *result, int row, int column, RbSqlRows *rows)
{
  const char *data = PQgetvalue (result, row, column);
  int length = PQgetlength (result, row, column);
  guint64 number = 0;
  if (PQgetisnull (result, row, column)) {
    rb_sql_rows_add (rows, 0, NULL);
    return;
  }
  if (PQftype (result, column) != OID_INT8) {
    rb_sql_rows_add (rows, 0, rb_sql_rows_bytes_new (data, (gsize) length));
    return;
  }
  memcpy (&number, data, sizeof number);
  rb_sql_rows_add (rows, (gint64) GUINT64_FROM_BE (number), NULL);
}

static gboolean
execute_postgres (RbSql *base, const char *sql, const RbSqlValue *values, guint n, RbSqlRows *rows, GError **error)
{
  Postgres *self = (Postgres *) base;
  Parameters parameters = { 0 };
  for (guint i = 0; i < n; i++)
    set_parameter (&parameters, i, &values[i]);
  PGresult *result = PQexecParams (self->connection, sql, (int) n, parameters.types, parameters.values,
                                   parameters.lengths, parameters.formats, BINARY);
  if (rows != NULL && PQresultStatus (result) == PGRES_TUPLES_OK) {
    rows->columns = (guint) PQnfields (result);
    for (int row = 0; row < PQntuples (result); row++)
      for (int column = 0; column < PQnfields (result); column++)
        read_cell (result, row, column, rows);
  }
  return conclude (self, result, error);
}

/* A lost connection shows when it is used, so a transaction that does not begin is begun again on another one. */
static gboolean
begin_postgres (RbSql *base, gboolean to_read, GError **error)
{
  Postgres *self = (Postgres *) base;
  const char *begin = to_read ? "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
                              : "BEGIN; SELECT pg_advisory_xact_lock (" WRITERS_LOCK ")";
  g_autoptr (GError) first = NULL;
  if (PQstatus (self->connection) == CONNECTION_OK && PQtransactionStatus (self->connection) != PQTRANS_IDLE)
    rb_sql_rollback (base);
  if (PQstatus (self->connection) == CONNECTION_OK && run_script (base, begin, &first))
    return TRUE;
  PQreset (self->connection);
  return run_script (base, begin, error);
}

const RbSqlEngine rb_sql_postgres_engine
  = { open_postgres, close_postgres, run_script, execute_postgres, begin_postgres, " BYTEA" };
