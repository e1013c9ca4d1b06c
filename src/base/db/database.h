/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <sqlite3.h>

#include "core/reason.h"
RB_DECLARE_ERROR_DOMAIN (database);
#define RB_DATABASE_ERROR (rb_database_error_quark ())

/*
 * DATA/recallbay.db, the workstation's one database. Each part of the program has its own tables in it and its own
 * schema version; what a part commits survives a power cut. The connection may be used by several threads.
 */
typedef struct {
  const char *name; /* begins its errors */
  const char *version_table; /* one row, one integer: version */
  int version;
  const char *schema; /* statements that may be run again */
} RbDatabasePart;

/* Makes folder, file and tables where they are missing. Another version's tables are left as they are: database. */
sqlite3 *rb_database_open (const char *data_dir, const RbDatabasePart *part, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Makes an empty file for its owner only; one that is there is left as it is. */
gboolean rb_database_make_private (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Error text of the last failed call; names the holder of the database for in-use. (transfer full) */
char *rb_database_text (sqlite3 *db);
/* Of the call that failed last: in-use, no-space or database. */
RbReason rb_database_reason (sqlite3 *db);
