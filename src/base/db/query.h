/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "db/database.h"

/*
 * Statements with values and rows. A value is copied; NULL text and NULL bytes are SQL's NULL. A row is valid during
 * the call that takes it. From any thread.
 */
typedef enum { RB_QUERY_INTEGER, RB_QUERY_TEXT, RB_QUERY_BLOB } RbQueryKind;
typedef struct {
  RbQueryKind kind;
  gint64 integer;
  const char *text;
  GBytes *blob; /* borrowed */
} RbQueryValue;
#define RB_QUERY_INT(value) \
  { \
    .kind = RB_QUERY_INTEGER, .integer = (value) \
  }
#define RB_QUERY_STR(value) \
  { \
    .kind = RB_QUERY_TEXT, .text = (value) \
  }
#define RB_QUERY_BYTES(value) \
  { \
    .kind = RB_QUERY_BLOB, .blob = (value) \
  }

typedef struct _RbQueryRow RbQueryRow;
/* Columns are counted from 0. */
gint64 rb_query_integer (RbQueryRow *row, int column); /* 0 for NULL */
char *rb_query_text (RbQueryRow *row, int column); /* (transfer full), NULL for NULL */
GBytes *rb_query_blob (RbQueryRow *row, int column); /* (transfer full), empty for NULL */

/* Takes a row; calls nothing of the database. */
typedef void (*RbQueryTake) (RbQueryRow *row, gpointer user_data);
/* Runs one statement to its end. take may be NULL. */
gboolean rb_query_run (RbDatabase *database, const char *sql, const RbQueryValue *values, guint n, RbQueryTake take,
                       gpointer user_data, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The first column of the last row; *number stays when there is no row. */
gboolean rb_query_number_of (RbDatabase *database, const char *sql, const RbQueryValue *values, guint n, gint64 *number,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same as text, (transfer full); *text is NULL when there is no row. */
gboolean rb_query_text_of (RbDatabase *database, const char *sql, const RbQueryValue *values, guint n, char **text,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
