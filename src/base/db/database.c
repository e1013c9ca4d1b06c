/* SPDX-License-Identifier: Apache-2.0 */
#include "db/database.h"

#include "core/files.h"
#include "core/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define BUSY_MS 5000

RB_DEFINE_ERROR_DOMAIN (database)

RbReason
rb_database_reason (sqlite3 *db)
{
  if (sqlite3_system_errno (db) == ENOSPC || sqlite3_system_errno (db) == EDQUOT)
    return RB_REASON_NO_SPACE;
  switch (sqlite3_errcode (db)) {
  case SQLITE_BUSY: return RB_REASON_IN_USE;
  case SQLITE_FULL: return RB_REASON_NO_SPACE;
  default: return RB_REASON_DATABASE;
  }
}

/* In WAL mode the writer's lock is one of the shared memory's file. */
char *
rb_database_text (sqlite3 *db)
{
  if (sqlite3_errcode (db) != SQLITE_BUSY)
    return g_strdup (sqlite3_errmsg (db));
  g_autofree char *memory = g_strconcat (sqlite3_db_filename (db, "main"), "-shm", NULL);
  g_autofree char *holder = rb_lock_holder_of (memory);
  return g_strdup_printf ("in use by %s", holder);
}

static gboolean
fail (sqlite3 *db, const RbDatabasePart *part, GError **error)
{
  g_autofree char *text = rb_database_text (db);
  g_set_error (error, RB_DATABASE_ERROR, (int) rb_database_reason (db), "%s: %s", part->name, text);
  return FALSE;
}

static gboolean
execute (sqlite3 *db, const RbDatabasePart *part, const char *sql, GError **error)
{
  return sqlite3_exec (db, sql, NULL, NULL, NULL) == SQLITE_OK || fail (db, part, error);
}

/* version: this part's when none is noted yet */
static gboolean
read_version (sqlite3 *db, const RbDatabasePart *part, int *version, GError **error)
{
  g_autofree char *note = g_strdup_printf ("INSERT INTO %s VALUES (%d)", part->version_table, part->version);
  g_autofree char *sql = g_strdup_printf ("SELECT version FROM %s", part->version_table);
  sqlite3_stmt *statement = NULL;
  int step = sqlite3_prepare_v2 (db, sql, -1, &statement, NULL) == SQLITE_OK ? sqlite3_step (statement) : SQLITE_ERROR;
  *version = step == SQLITE_ROW ? sqlite3_column_int (statement, 0) : part->version;
  gboolean read = step == SQLITE_ROW || step == SQLITE_DONE || fail (db, part, error);
  sqlite3_finalize (statement);
  return read && (step == SQLITE_ROW || execute (db, part, note, error));
}

static gboolean
check_version (sqlite3 *db, const RbDatabasePart *part, GError **error)
{
  int version;
  if (!read_version (db, part, &version, error))
    return FALSE;
  if (version == part->version)
    return TRUE;
  g_set_error (error, RB_DATABASE_ERROR, RB_REASON_DATABASE,
               "%s: it was written by another version of Recallbay (schema %d, this one knows %d)", part->name, version,
               part->version);
  return FALSE;
}

/* The version is looked at before any table of this version is made beside those of another. */
static gboolean
make_tables (sqlite3 *db, const RbDatabasePart *part, GError **error)
{
  g_autofree char *table
    = g_strdup_printf ("CREATE TABLE IF NOT EXISTS %s (version INTEGER NOT NULL) STRICT", part->version_table);
  return execute (db, part, table, error) && check_version (db, part, error) && execute (db, part, part->schema, error);
}

static gboolean
set_up (sqlite3 *db, const RbDatabasePart *part, GError **error)
{
  sqlite3_busy_timeout (db, BUSY_MS);
  if (!execute (
        db, part,
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF",
        error)
      || !execute (db, part, "BEGIN IMMEDIATE", error))
    return FALSE;
  if (make_tables (db, part, error) && execute (db, part, "COMMIT", error))
    return TRUE;
  sqlite3_exec (db, "ROLLBACK", NULL, NULL, NULL);
  return FALSE;
}

/*
 * SQLite gives its other files the mode of this one. A file that is there is not opened: closing any descriptor of it
 * would end this process's fcntl locks, by which SQLite knows that the database is open, and another process would
 * remove the log under it.
 */
gboolean
rb_database_make_private (const char *path, GError **error)
{
  static GMutex one_at_a_time;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&one_at_a_time);
  int fd = open (path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if ((fd < 0 && errno == EEXIST) || (fd >= 0 && close (fd) == 0))
    return TRUE;
  int code = errno;
  g_set_error (error, RB_DATABASE_ERROR, code == ENOSPC || code == EDQUOT ? RB_REASON_NO_SPACE : RB_REASON_DATABASE,
               "%s: %s", path, g_strerror (code));
  return FALSE;
}

sqlite3 *
rb_database_open (const char *data_dir, const RbDatabasePart *part, GError **error)
{
  g_autofree char *path = g_build_filename (data_dir, "recallbay.db", NULL);
  sqlite3 *db = NULL;
  if (!rb_files_make_folder (data_dir, error) || !rb_files_keep_private (data_dir, error)
      || !rb_database_make_private (path, error))
    return NULL;
  gboolean opened
    = sqlite3_open_v2 (path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX, NULL) == SQLITE_OK
      || fail (db, part, error);
  if (opened && set_up (db, part, error))
    return db;
  sqlite3_close (db);
  return NULL;
}
