/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "db/database.h"

#include <sqlite3.h>

/* SQLite's view of a connection, for db/ only. */

sqlite3 *rb_database_sqlite (RbDatabase *self); /* borrowed */
/* Held from a statement's first call to its result or error: both belong to the connection, and threads share it. */
GMutex *rb_database_lock (RbDatabase *self); /* borrowed */
/* FALSE with what the call that failed last failed with; names who holds the database where that is why. */
gboolean rb_database_fail (RbDatabase *self, GError **error);
/* Makes an empty file for its owner only; one that is there is left as it is. */
gboolean rb_database_make_private (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A connection to any file, with flags of sqlite3_open_v2() and no settings. name begins its errors. */
RbDatabase *rb_database_open_file (const char *path, int flags, const char *name, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
