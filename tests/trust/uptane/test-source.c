/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/source.h"

#include <glib/gstdio.h>

#define MAX_BYTES 1024

/* A folder "in" with a file, beside a file "out" that no name may reach. */
typedef struct {
  char *top, *in, *out;
} Folder;

static void
folder_open (Folder *self, gconstpointer data)
{
  self->top = g_dir_make_tmp ("source-XXXXXX", NULL);
  self->in = g_build_filename (self->top, "in", NULL);
  self->out = g_build_filename (self->top, "out", NULL);
  g_autofree char *inside = g_build_filename (self->in, "targets.json", NULL);
  g_assert_cmpint (g_mkdir (self->in, 0700), ==, 0);
  g_assert_true (g_file_set_contents (inside, "inside", -1, NULL));
  g_assert_true (g_file_set_contents (self->out, "outside", -1, NULL));
}

static void
folder_close (Folder *self, gconstpointer data)
{
  g_autofree char *inside = g_build_filename (self->in, "targets.json", NULL);
  g_unlink (inside);
  g_unlink (self->out);
  g_rmdir (self->in);
  g_rmdir (self->top);
  g_free (self->in);
  g_free (self->out);
  g_free (self->top);
}

static void
test_name_inside (Folder *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RbSource) source = rb_source_folder (self->in);
  g_autoptr (GBytes) bytes = rb_source_fetch (source, "targets.json", MAX_BYTES, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "inside", 6);
}

/* A name that leaves the folder is rejected as such, by a folder and by a table of files that has it. */
static void
test_name_outside (Folder *self, gconstpointer data)
{
  const char *const names[] = { "../out", "targets/../../out", self->out, "", "a//b", "./targets.json" };
  g_autoptr (GHashTable) files = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) g_bytes_unref);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    g_hash_table_insert (files, (gpointer) names[i], g_bytes_new_static ("outside", 7));
  g_autoptr (RbSource) folder = rb_source_folder (self->in), memory = rb_source_memory (files);
  for (guint i = 0; i < 2 * G_N_ELEMENTS (names); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (rb_source_fetch (i % 2 == 0 ? folder : memory, names[i / 2], MAX_BYTES, &error));
    g_assert_error (error, RB_UPTANE_ERROR, RB_REASON_PATH);
  }
}

static void
test_too_large_and_missing (Folder *self, gconstpointer data)
{
  g_autoptr (GError) large = NULL, missing = NULL;
  g_autoptr (RbSource) source = rb_source_folder (self->in);
  g_assert_null (rb_source_fetch (source, "targets.json", 5, &large));
  g_assert_nonnull (large);
  g_assert_cmpint (large->code, ==, RB_REASON_TOO_LARGE);
  g_assert_null (rb_source_fetch (source, "snapshot.json", MAX_BYTES, &missing));
  g_assert_error (missing, RB_UPTANE_ERROR, RB_REASON_MISSING);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/source/name-inside", Folder, NULL, folder_open, test_name_inside, folder_close);
  g_test_add ("/source/name-outside", Folder, NULL, folder_open, test_name_outside, folder_close);
  g_test_add ("/source/too-large-and-missing", Folder, NULL, folder_open, test_too_large_and_missing, folder_close);
  return g_test_run ();
}
