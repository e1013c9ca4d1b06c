/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/reason.h"
RB_DECLARE_ERROR_DOMAIN (database);
#define RB_DATABASE_ERROR (rb_database_error_quark ())

/*
 * DATA/recallbay.db, the workstation's one database. Each part of the program has its own tables in it and its own
 * schema version; what a part commits survives a power cut. A connection may be used by several threads; a transaction
 * of one thread holds what the others execute meanwhile. Statements: db/query.h. Errors: in-use, no-space, database.
 */
typedef struct _RbDatabase RbDatabase; /* a connection */

typedef struct {
  const char *name; /* begins its errors */
  const char *version_table; /* one row, one integer: version */
  int version;
  const char *schema; /* statements that may be run again */
} RbDatabasePart;

/* Makes folder, file and tables where they are missing. Another version's tables are left as they are: database. part
 * is borrowed. */
RbDatabase *rb_database_open (const char *data_dir, const RbDatabasePart *part, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Opens a file that is there, to look at it: makes no table, changes nothing. name begins its errors. exclusive: the
 * index of the write-ahead log is made in memory, which works on a full disk. */
RbDatabase *rb_database_look (const char *path, const char *name, gboolean exclusive, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Rolls back an open transaction. self may be NULL. */
void rb_database_close (RbDatabase *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbDatabase, rb_database_close)

/* Statements without values and rows. */
gboolean rb_database_execute (RbDatabase *self, const char *sql, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Begins a transaction that writes. Error in-use: another process writes. */
gboolean rb_database_begin (RbDatabase *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_database_commit (RbDatabase *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_database_roll_back (RbDatabase *self);
