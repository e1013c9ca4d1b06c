/* SPDX-License-Identifier: Apache-2.0 */
#include "core/files.h"
#include "model/vin-index.h"
#include "oem/vin-writer.h"

#include <string.h>

#define VINS 3000
#define SEED 20261130

typedef struct {
  char *folder, *pieces;
  GBytes *table;
} Fixture;

static char *
vin_of (guint number)
{
  return g_strdup_printf ("1RBDM7AA%uTA%06u", number % 10, number);
}

static GBytes *
contents_of (guint number)
{
  g_autofree char *text = g_strnfill (number % 700, (char) ('a' + number % 26));
  return number % 7 == 0 ? NULL : g_bytes_new (text, strlen (text));
}

static void
set_up (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  self->folder = g_dir_make_tmp ("vins-XXXXXX", NULL);
  self->pieces = g_build_filename (self->folder, "pieces", NULL);
  g_autoptr (RbVinWriter) writer = rb_vin_writer_new (self->folder, &error);
  g_assert_no_error (error);
  for (guint number = 0; number < VINS; number++) {
    g_autofree char *vin = vin_of (number);
    g_autoptr (GBytes) contents = contents_of (number);
    g_assert_true (rb_vin_writer_add (writer, vin, contents, &error));
  }
  self->table = rb_vin_writer_finish (writer, self->pieces, &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  g_assert_true (rb_files_remove_tree (self->folder, NULL));
  g_bytes_unref (self->table);
  g_free (self->folder);
  g_free (self->pieces);
}

static RbVinIndex *
open_index (Fixture *self)
{
  g_autoptr (GError) error = NULL;
  RbVinIndex *index = rb_vin_index_new (self->table, "the table", self->pieces, &error);
  g_assert_no_error (error);
  return index;
}

static void
test_every_vin (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RbVinIndex) index = open_index (self);
  g_assert_cmpuint (rb_vin_index_vins (index), ==, VINS);
  for (guint number = 0; number < VINS; number++) {
    g_autofree char *vin = vin_of (number);
    g_autoptr (GBytes) wanted = contents_of (number);
    g_autoptr (GBytes) found = NULL;
    g_assert_true (rb_vin_index_find (index, vin, &found, &error));
    g_assert_nonnull (found);
    g_assert_cmpmem (g_bytes_get_data (found, NULL), g_bytes_get_size (found),
                     wanted == NULL ? NULL : g_bytes_get_data (wanted, NULL),
                     (wanted == NULL ? 0 : g_bytes_get_size (wanted)));
  }
  for (guint number = VINS; number < 2 * VINS; number++) {
    g_autofree char *vin = vin_of (number);
    g_autoptr (GBytes) found = NULL;
    g_assert_true (rb_vin_index_find (index, vin, &found, &error));
    g_assert_null (found);
  }
}

static RbReason
check_whole (const RbVinIndex *index, GBytes *bytes, gsize step)
{
  gsize length = 0;
  const guint8 *data = g_bytes_get_data (bytes, &length);
  g_autoptr (GError) error = NULL;
  g_autoptr (RbVinIndexCheck) check = rb_vin_index_check_new (index);
  gboolean good = TRUE;
  for (gsize at = 0; good && at < length; at += step)
    good = rb_vin_index_check_update (check, &data[at], MIN (step, length - at), &error);
  good = good && rb_vin_index_check_finish (check, &error);
  g_assert_cmpint (good, ==, error == NULL);
  return good ? RB_REASON_NONE : rb_reason_of (error);
}

/* In steps of any length; a byte changed anywhere, and one too many or too few. */
static void
test_whole_file (Fixture *self, gconstpointer data)
{
  static const gsize steps[] = { 1, 37, 4096, G_MAXINT32 };
  g_autoptr (GRand) chance = g_rand_new_with_seed (SEED);
  g_autoptr (RbVinIndex) index = open_index (self);
  g_autoptr (GBytes) good = rb_files_read (self->pieces, G_MAXINT32, NULL);
  g_assert_cmpuint (rb_vin_index_size (index), ==, g_bytes_get_size (good));
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    g_assert_cmpint (check_whole (index, good, steps[i]), ==, RB_REASON_NONE);
  for (guint i = 0; i < 20; i++) {
    gsize length = 0, at = (gsize) g_rand_int_range (chance, 0, (gint32) g_bytes_get_size (good));
    g_autofree guint8 *changed = g_memdup2 (g_bytes_get_data (good, &length), g_bytes_get_size (good));
    changed[at] ^= 1;
    g_autoptr (GBytes) bad = g_bytes_new (changed, length);
    g_assert_cmpint (check_whole (index, bad, 4096), ==, RB_REASON_HASH_MISMATCH);
  }
  g_autoptr (GBytes) shorter = g_bytes_new_from_bytes (good, 0, g_bytes_get_size (good) - 1);
  g_assert_cmpint (check_whole (index, shorter, 4096), ==, RB_REASON_LENGTH_MISMATCH);
  g_autoptr (GByteArray) longer = g_bytes_unref_to_array (g_bytes_ref (good));
  g_byte_array_append (longer, (const guint8 *) "", 1);
  g_autoptr (GBytes) more = g_bytes_new (longer->data, longer->len);
  g_assert_cmpint (check_whole (index, more, 4096), ==, RB_REASON_LENGTH_MISMATCH);
}

/* Only the piece of the VIN is read: damage elsewhere does not matter to it. */
static void
test_one_piece (Fixture *self, gconstpointer data)
{
  guint refused = 0;
  g_autoptr (RbVinIndex) index = open_index (self);
  g_autoptr (GBytes) good = rb_files_read (self->pieces, G_MAXINT32, NULL);
  gsize length = g_bytes_get_size (good);
  g_autofree guint8 *changed = g_memdup2 (g_bytes_get_data (good, NULL), length);
  changed[length / 2] ^= 0x80;
  g_assert_true (g_file_set_contents (self->pieces, (const char *) changed, (gssize) length, NULL));
  for (guint number = 0; number < VINS; number++) {
    g_autofree char *vin = vin_of (number);
    g_autoptr (GBytes) found = NULL;
    g_autoptr (GError) error = NULL;
    if (rb_vin_index_find (index, vin, &found, &error)) {
      g_assert_nonnull (found);
      continue;
    }
    g_assert_cmpint (rb_reason_of (error), ==, RB_REASON_HASH_MISMATCH);
    g_assert_null (found);
    refused++;
  }
  g_assert_cmpuint (refused, >=, 1);
  g_assert_cmpuint (refused, <=, 5);
}

/* Of tables that an OEM has signed and that are none. */
static void
test_bad_tables (Fixture *self, gconstpointer data)
{
  gsize length = 0;
  const guint8 *table = g_bytes_get_data (self->table, &length);
  static const gsize places[]
    = { 0, 15, 63, 64 + 32, 64 + 36 * 65536 - 1 }; /* magic, length of the file, of the first and last piece */
  for (guint i = 0; i < G_N_ELEMENTS (places); i++) {
    g_autofree guint8 *changed = g_memdup2 (table, length);
    changed[places[i]] ^= 1;
    g_autoptr (GBytes) bytes = g_bytes_new (changed, length);
    g_autoptr (GError) error = NULL;
    g_assert_null (rb_vin_index_new (bytes, "the table", self->pieces, &error));
    g_assert_cmpint (rb_reason_of (error), ==, RB_REASON_MALFORMED);
  }
  for (gsize size = 0; size<length; size += length - size> 1000 ? 100003 : 1) {
    g_autoptr (GBytes) bytes = g_bytes_new (table, size);
    g_autoptr (GError) error = NULL;
    g_assert_null (rb_vin_index_new (bytes, "the table", self->pieces, &error));
    g_assert_cmpint (rb_reason_of (error), ==, RB_REASON_MALFORMED);
  }
}

static void
test_twice (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RbVinWriter) writer = rb_vin_writer_new (self->folder, &error);
  g_assert_true (rb_vin_writer_add (writer, "1RBDM7AA2TA000001", NULL, &error));
  g_assert_true (rb_vin_writer_add (writer, "1RBDM7AA2TA000002", NULL, &error));
  g_assert_true (rb_vin_writer_add (writer, "1RBDM7AA2TA000001", NULL, &error));
  g_assert_null (rb_vin_writer_finish (writer, self->pieces, &error));
  g_assert_cmpint (rb_reason_of (error), ==, RB_REASON_EXISTS);
}

#define ADD(name, function) g_test_add (name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/vin-writer/every-vin", test_every_vin);
  ADD ("/vin-writer/whole-file", test_whole_file);
  ADD ("/vin-writer/one-piece", test_one_piece);
  ADD ("/vin-writer/bad-tables", test_bad_tables);
  ADD ("/vin-writer/twice", test_twice);
  return g_test_run ();
}
