/* SPDX-License-Identifier: Apache-2.0 */
#include "core/files.h"
#include "core/json.h"
#include "crypto/dsse.h"
#include "outbox/outbox.h"
#include "outbox/push.h"

#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>

typedef struct {
  char *folder;
  RbOutbox *outbox;
} Case;

static void
set_up (Case *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  self->folder = g_dir_make_tmp ("recallbay-outbox-XXXXXX", &error);
  g_assert_no_error (error);
  self->outbox = rb_outbox_open (self->folder, &error);
  g_assert_no_error (error);
}

static void
tear_down (Case *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  rb_outbox_close (self->outbox);
  g_assert_true (rb_files_remove_tree (self->folder, &error));
  g_free (self->folder);
}

/* As much of a record as the outbox reads: its place. */
static GBytes *
envelope_of (const RbStatementPlace *place, const char *workstation, const char *vin, char **digest)
{
  g_autoptr (json_t) statement
    = json_pack ("{s:{s:s,s:I,s:{s:s},s:s}}", "predicate", "stream", place->stream, "sequence",
                 (json_int_t) place->sequence, "workstation", "certSha256", workstation, "vin", vin);
  g_autoptr (GBytes) payload = rb_json_to_bytes (statement);
  g_autoptr (RbDsse) dsse = rb_dsse_new ("application/vnd.in-toto+json", payload);
  *digest = g_strdup (rb_dsse_digest (dsse));
  return rb_dsse_to_json (dsse);
}

static RbStatementRecord *
new_record (const RbStatementPlace *place, const char *workstation, const char *vin)
{
  RbStatementRecord *record = g_new0 (RbStatementRecord, 1);
  record->envelope = envelope_of (place, workstation, vin, &record->digest);
  record->workstation = g_strdup (workstation);
  record->stream = g_strdup (place->stream);
  record->sequence = place->sequence;
  record->previous = g_strdup (place->previous);
  record->type = g_strdup ("completion");
  record->result = g_strdup ("completed");
  record->vin = g_strdup (vin);
  record->campaign = g_strdup ("R-1");
  record->finished = 1795000000;
  return record;
}

static void
add (Case *self, const char *workstation, const char *vin)
{
  g_autoptr (GError) error = NULL;
  RbStatementPlace place;
  g_assert_true (rb_outbox_begin (self->outbox, workstation, &place, &error));
  g_autoptr (RbStatementRecord) record = new_record (&place, workstation, vin);
  g_assert_true (rb_outbox_add (self->outbox, record, &error));
}

static const RbStatementRecord *
row (GPtrArray *rows, guint i)
{
  return rows->pdata[i];
}

static void
test_rows (Case *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  add (self, "w1", "V1");
  add (self, "w1", "V2");
  add (self, "w2", "V1");
  g_autoptr (GPtrArray) rows = rb_outbox_rows (self->outbox, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (rows->len, ==, 3);
  g_assert_cmpint (row (rows, 1)->sequence, ==, 2);
  g_assert_cmpstr (row (rows, 1)->previous, ==, row (rows, 0)->digest);
  g_assert_false (row (rows, 1)->acknowledged);
  g_assert_cmpstr (row (rows, 2)->stream, ==, row (rows, 1)->stream);
  g_assert_cmpint (row (rows, 2)->sequence, ==, 1);
}

static sqlite3 *
open_plainly (Case *self)
{
  sqlite3 *db = NULL;
  g_autofree char *path = g_build_filename (self->folder, "recallbay.db", NULL);
  g_assert_cmpint (sqlite3_open (path, &db), ==, SQLITE_OK);
  return db;
}

/* Whoever opens the file with another tool is held by the same rule. */
static void
test_nothing_is_changed_or_deleted (Case *self, gconstpointer data)
{
  static const char *const attempts[]
    = { "DELETE FROM records", "UPDATE records SET result = 'completed'", "UPDATE records SET envelope = x'00'",
        "DELETE FROM streams", "UPDATE streams SET stream = 'x'" };
  add (self, "w1", "V1");
  sqlite3 *db = open_plainly (self);
  for (guint i = 0; i < G_N_ELEMENTS (attempts); i++)
    g_assert_cmpint (sqlite3_exec (db, attempts[i], NULL, NULL, NULL), ==, SQLITE_CONSTRAINT);
  sqlite3_close (db);
  g_autoptr (GPtrArray) records = rb_outbox_rows (self->outbox, NULL);
  g_assert_cmpuint (records->len, ==, 1);
}

/* The next place follows from what was signed, whatever is written beside it. */
static void
test_place_by_signed_contents (Case *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  RbStatementPlace place;
  add (self, "w1", "V1");
  sqlite3 *db = open_plainly (self);
  g_assert_cmpint (
    sqlite3_exec (db, "DROP TRIGGER records_stay; UPDATE records SET sequence = 40, digest = 'x', previous = 'y'", NULL,
                  NULL, NULL),
    ==, SQLITE_OK);
  g_assert_true (rb_outbox_begin (self->outbox, "w1", &place, &error));
  rb_outbox_abandon (self->outbox);
  g_assert_cmpint (place.sequence, ==, 2);
  g_assert_cmpuint (strlen (place.previous), ==, 64);
  g_autofree char *stream = g_strdup (place.stream);
  g_assert_cmpint (sqlite3_exec (db, "UPDATE records SET envelope = x'7b7d'", NULL, NULL, NULL), ==, SQLITE_OK);
  sqlite3_close (db);
  g_assert_true (rb_outbox_begin (self->outbox, "w1", &place, &error));
  rb_outbox_abandon (self->outbox);
  g_assert_cmpint (place.sequence, ==, 1);
  g_assert_cmpstr (place.stream, !=, stream);
}

static int
read_text (void *out, int columns, char **values, char **names)
{
  *(char **) out = g_strdup (values[0]);
  return 0;
}

static void
test_durable (Case *self, gconstpointer data)
{
  g_autofree char *mode = NULL;
  sqlite3 *db = open_plainly (self);
  g_assert_cmpint (sqlite3_exec (db, "PRAGMA journal_mode", read_text, &mode, NULL), ==, SQLITE_OK);
  g_assert_cmpstr (mode, ==, "wal");
  sqlite3_close (db);
}

/* A place that was taken and given back is free again; one that another program holds is not given out. */
static void
test_abandon (Case *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  RbStatementPlace place, again;
  g_assert_true (rb_outbox_begin (self->outbox, "w1", &place, &error));
  rb_outbox_abandon (self->outbox);
  g_assert_true (rb_outbox_begin (self->outbox, "w1", &again, &error));
  rb_outbox_abandon (self->outbox);
  g_assert_cmpint (again.sequence, ==, 1);
  add (self, "w1", "V1");
  g_autoptr (GPtrArray) records = rb_outbox_rows (self->outbox, &error);
  g_assert_cmpuint (records->len, ==, 1);
}

static void
test_same_record_twice (Case *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  RbStatementPlace place;
  add (self, "w1", "V1");
  g_assert_true (rb_outbox_begin (self->outbox, "w1", &place, &error));
  place.sequence = 1;
  g_autoptr (RbStatementRecord) record = new_record (&place, "w1", "V1");
  g_assert_false (rb_outbox_add (self->outbox, record, &error));
  g_assert_cmpint (rb_reason_of (error), ==, RB_REASON_DATABASE);
  add (self, "w1", "V1");
}

static void
test_not_a_database (Case *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = g_build_filename (self->folder, "other", NULL);
  g_autofree char *path = g_build_filename (folder, "recallbay.db", NULL);
  g_assert_cmpint (g_mkdir (folder, 0700), ==, 0);
  g_assert_true (
    rb_files_write_text (path, "this is no database, and it is longer than a header of one would be …", &error));
  g_assert_null (rb_outbox_open (folder, &error));
  g_assert_cmpint (rb_reason_of (error), ==, RB_REASON_DATABASE);
}

static void
test_newer_schema (Case *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  sqlite3 *db = open_plainly (self);
  g_assert_cmpint (sqlite3_exec (db, "UPDATE record_schema SET version = 99", NULL, NULL, NULL), ==, SQLITE_OK);
  sqlite3_close (db);
  g_assert_null (rb_outbox_open (self->folder, &error));
  g_assert_cmpint (rb_reason_of (error), ==, RB_REASON_DATABASE);
}

#define ADD(path, function) g_test_add ("/outbox/" path, Case, NULL, set_up, function, tear_down)

/* 1 s doubling to 30 min, of which at least half is waited. */
static void
test_delays (Case *self, gconstpointer data)
{
  g_assert_cmpint (rb_push_delay_ms (1, 0), ==, 500);
  g_assert_cmpint (rb_push_delay_ms (1, 1), ==, 1000);
  g_assert_cmpint (rb_push_delay_ms (4, 1), ==, 8000);
  g_assert_cmpint (rb_push_delay_ms (4, 0.5), ==, 6000);
  g_assert_cmpint (rb_push_delay_ms (11, 1), ==, 1024 * 1000);
  g_assert_cmpint (rb_push_delay_ms (12, 1), ==, 30 * 60 * 1000);
  g_assert_cmpint (rb_push_delay_ms (4000000000u, 0), ==, 15 * 60 * 1000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("rows", test_rows);
  ADD ("nothing-is-changed-or-deleted", test_nothing_is_changed_or_deleted);
  ADD ("place-by-signed-contents", test_place_by_signed_contents);
  ADD ("durable", test_durable);
  ADD ("abandon", test_abandon);
  ADD ("same-record-twice", test_same_record_twice);
  ADD ("not-a-database", test_not_a_database);
  ADD ("newer-schema", test_newer_schema);
  ADD ("delays", test_delays);
  return g_test_run ();
}
