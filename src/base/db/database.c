/* SPDX-License-Identifier: Apache-2.0 */
#include "db/database-inside.h"

#include "core/files.h"
#include "core/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define BUSY_MS 5000

RB_DEFINE_ERROR_DOMAIN (database)

struct _RbDatabase {
  sqlite3 *db;
  char *name; /* begins its errors */
  GMutex lock;
};

static RbReason
reason_of (sqlite3 *db)
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
static char *
text_of (sqlite3 *db)
{
  if (sqlite3_errcode (db) != SQLITE_BUSY)
    return g_strdup (sqlite3_errmsg (db));
  g_autofree char *memory = g_strconcat (sqlite3_db_filename (db, "main"), "-shm", NULL);
  g_autofree char *holder = rb_lock_holder_of (memory);
  return g_strdup_printf ("in use by %s", holder);
}

gboolean
rb_database_fail (RbDatabase *self, GError **error)
{
  g_autofree char *text = text_of (self->db);
  g_set_error (error, RB_DATABASE_ERROR, (int) reason_of (self->db), "%s: %s", self->name, text);
  return FALSE;
}

sqlite3 *
rb_database_sqlite (RbDatabase *self)
{
  return self->db;
}

GMutex *
rb_database_lock (RbDatabase *self)
{
  return &self->lock;
}

gboolean
rb_database_execute (RbDatabase *self, const char *sql, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  return sqlite3_exec (self->db, sql, NULL, NULL, NULL) == SQLITE_OK || rb_database_fail (self, error);
}

gboolean
rb_database_begin (RbDatabase *self, GError **error)
{
  return rb_database_execute (self, "BEGIN IMMEDIATE", error);
}

gboolean
rb_database_commit (RbDatabase *self, GError **error)
{
  return rb_database_execute (self, "COMMIT", error);
}

void
rb_database_roll_back (RbDatabase *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  sqlite3_exec (self->db, "ROLLBACK", NULL, NULL, NULL);
}

/* version: this part's when none is noted yet */
static gboolean
read_version (RbDatabase *self, const RbDatabasePart *part, int *version, GError **error)
{
  g_autofree char *note = g_strdup_printf ("INSERT INTO %s VALUES (%d)", part->version_table, part->version);
  g_autofree char *sql = g_strdup_printf ("SELECT version FROM %s", part->version_table);
  sqlite3_stmt *statement = NULL;
  int step
    = sqlite3_prepare_v2 (self->db, sql, -1, &statement, NULL) == SQLITE_OK ? sqlite3_step (statement) : SQLITE_ERROR;
  *version = step == SQLITE_ROW ? sqlite3_column_int (statement, 0) : part->version;
  gboolean read = step == SQLITE_ROW || step == SQLITE_DONE || rb_database_fail (self, error);
  sqlite3_finalize (statement);
  return read && (step == SQLITE_ROW || rb_database_execute (self, note, error));
}

static gboolean
check_version (RbDatabase *self, const RbDatabasePart *part, GError **error)
{
  int version;
  if (!read_version (self, part, &version, error))
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
make_tables (RbDatabase *self, const RbDatabasePart *part, GError **error)
{
  g_autofree char *table
    = g_strdup_printf ("CREATE TABLE IF NOT EXISTS %s (version INTEGER NOT NULL) STRICT", part->version_table);
  return rb_database_execute (self, table, error) && check_version (self, part, error)
         && rb_database_execute (self, part->schema, error);
}

static gboolean
set_up (RbDatabase *self, const RbDatabasePart *part, GError **error)
{
  static const char settings[]
    = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF";
  sqlite3_busy_timeout (self->db, BUSY_MS);
  if (!rb_database_execute (self, settings, error) || !rb_database_begin (self, error))
    return FALSE;
  if (make_tables (self, part, error) && rb_database_commit (self, error))
    return TRUE;
  rb_database_roll_back (self);
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

RbDatabase *
rb_database_open_file (const char *path, int flags, const char *name, GError **error)
{
  g_autoptr (RbDatabase) self = g_new0 (RbDatabase, 1);
  self->name = g_strdup (name);
  g_mutex_init (&self->lock);
  gboolean opened = sqlite3_open_v2 (path, &self->db, flags, NULL) == SQLITE_OK;
  return opened || rb_database_fail (self, error) ? g_steal_pointer (&self) : NULL;
}

RbDatabase *
rb_database_open (const char *data_dir, const RbDatabasePart *part, GError **error)
{
  g_autofree char *path = g_build_filename (data_dir, "recallbay.db", NULL);
  if (!rb_files_make_folder (data_dir, error) || !rb_files_keep_private (data_dir, error)
      || !rb_database_make_private (path, error))
    return NULL;
  g_autoptr (RbDatabase) self = rb_database_open_file (
    path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX, part->name, error);
  return self != NULL && set_up (self, part, error) ? g_steal_pointer (&self) : NULL;
}

RbDatabase *
rb_database_look (const char *path, const char *name, gboolean exclusive, GError **error)
{
  g_autoptr (RbDatabase) self = rb_database_open_file (path, SQLITE_OPEN_READWRITE, name, error);
  if (self != NULL && exclusive && !rb_database_execute (self, "PRAGMA locking_mode = EXCLUSIVE", error))
    return NULL;
  return g_steal_pointer (&self);
}

void
rb_database_close (RbDatabase *self)
{
  if (self == NULL)
    return;
  sqlite3_close (self->db);
  g_mutex_clear (&self->lock);
  g_free (self->name);
  g_free (self);
}
