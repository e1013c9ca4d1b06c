/* SPDX-License-Identifier: Apache-2.0 */
#include "core/files.h"

#include "core/reason.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
  char *folder;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->folder = g_dir_make_tmp ("recallbay-files-XXXXXX", NULL);
  g_assert_nonnull (fixture->folder);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_assert_true (rb_files_remove_tree (fixture->folder, NULL));
  g_assert_false (rb_files_exists (fixture->folder));
  g_free (fixture->folder);
}

static char *
in (Fixture *fixture, const char *name)
{
  return g_build_filename (fixture->folder, name, NULL);
}

static void
test_write_and_read (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = in (fixture, "a");
  g_autoptr (GBytes) bytes = g_bytes_new_static ("hello", 5);
  g_autoptr (GError) error = NULL;
  g_assert_true (rb_files_write_private (path, bytes, &error));
  GStatBuf status;
  g_assert_cmpint (g_stat (path, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 0777, ==, 0600);
  g_autoptr (GBytes) read = rb_files_read (path, 5, &error);
  g_assert_no_error (error);
  g_assert_true (g_bytes_equal (read, bytes));
  g_autoptr (GBytes) mapped = rb_files_map (path, 5, &error);
  g_assert_true (g_bytes_equal (mapped, bytes));
  g_assert_null (rb_files_read (path, 4, &error));
  g_assert_error (error, RB_CORE_ERROR, RB_REASON_TOO_LARGE);
}

static guint
mode_of (const char *path)
{
  GStatBuf status;
  g_assert_cmpint (g_lstat (path, &status), ==, 0);
  return status.st_mode & 07777;
}

static void
test_output (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_build_filename (fixture->folder, "output", NULL);
  g_autofree char *link = g_build_filename (fixture->folder, "link", NULL);
  g_autoptr (GBytes) bytes = g_bytes_new_static ("hello", 5);
  g_autoptr (GError) error = NULL;
  g_assert_true (rb_files_write_output (path, bytes, 0600, &error));
  g_assert_cmpuint (mode_of (path), ==, 0600);
  g_assert_cmpint (g_chmod (path, 0666), ==, 0);
  g_assert_true (rb_files_write_output (path, bytes, 0600, &error));
  g_assert_cmpuint (mode_of (path), ==, 0666);
  g_assert_cmpint (symlink ("output", link), ==, 0);
  g_autoptr (GBytes) others = g_bytes_new_static ("others", 6);
  g_assert_true (rb_files_write_output (link, others, 0644, &error));
  g_assert_true (g_file_test (link, G_FILE_TEST_IS_SYMLINK));
  g_autoptr (GBytes) read = rb_files_read (path, 100, &error);
  g_assert_true (g_bytes_equal (read, others));
  g_assert_false (rb_files_write_output ("/dev/full", bytes, 0644, &error));
  g_assert_cmpint (rb_reason_of (error), ==, RB_REASON_NO_SPACE);
  g_clear_error (&error);
  g_assert_false (rb_files_write_output (fixture->folder, bytes, 0644, &error));
  g_assert_cmpint (rb_reason_of (error), ==, RB_REASON_IO);
}

static void
test_keep_private (Fixture *fixture, gconstpointer data)
{
  g_autofree char *deep = g_build_filename (fixture->folder, "a", "b", "c", NULL);
  g_autofree char *middle = g_build_filename (fixture->folder, "a", "b", NULL);
  g_autofree char *file = g_build_filename (deep, "file", NULL);
  g_autofree char *link = g_build_filename (fixture->folder, "link", NULL);
  g_autoptr (GError) error = NULL;
  g_assert_true (rb_files_make_folder (deep, NULL) && rb_files_write_text (file, "text", NULL));
  g_assert_cmpint (symlink ("/dev/null", link), ==, 0);
  g_assert_cmpint (g_chmod (middle, 0755) + g_chmod (deep, 0755) + g_chmod (file, 0644), ==, 0);
  g_assert_true (rb_files_keep_private (fixture->folder, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (mode_of (middle), ==, 0700);
  g_assert_cmpuint (mode_of (deep), ==, 0700);
  g_assert_cmpuint (mode_of (file), ==, 0600);
  g_assert_false (rb_files_keep_private ("/nonexistent/folder", &error));
  g_assert_cmpint (rb_reason_of (error), ==, RB_REASON_NOT_FOUND);
}

static void
test_not_there (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = in (fixture, "none");
  g_autoptr (GError) error = NULL;
  g_assert_null (rb_files_read (path, 100, &error));
  g_assert_cmpint (rb_reason_of (error), ==, RB_REASON_NOT_FOUND);
  g_assert_true (rb_files_remove_tree (path, NULL));
  g_clear_error (&error);
  g_assert_null (rb_files_read (fixture->folder, 100, &error));
  g_assert_cmpint (rb_reason_of (error), ==, RB_REASON_IO);
}

/* A link inside a tree is removed, what it points at is not; copying refuses it. */
static void
test_links_are_not_followed (Fixture *fixture, gconstpointer data)
{
  g_autofree char *outside = in (fixture, "outside");
  g_autofree char *tree = in (fixture, "tree");
  g_autofree char *inner = g_build_filename (tree, "link", NULL);
  g_autofree char *copy = in (fixture, "copy");
  g_autoptr (GError) error = NULL;
  g_assert_true (rb_files_write_text (outside, "kept", &error));
  g_assert_true (rb_files_make_folder (tree, &error));
  g_assert_cmpint (symlink (outside, inner), ==, 0);
  g_assert_false (rb_files_copy_tree (tree, copy, &error));
  g_assert_error (error, RB_CORE_ERROR, RB_REASON_PATH);
  g_assert_true (rb_files_remove_tree (tree, NULL));
  g_assert_true (rb_files_exists (outside));
}

static void
test_copy_tree (Fixture *fixture, gconstpointer data)
{
  g_autofree char *deep = in (fixture, "from/b/c");
  g_autofree char *file = in (fixture, "from/b/c/file");
  g_autofree char *from = in (fixture, "from");
  g_autofree char *to = in (fixture, "to");
  g_autofree char *copied = in (fixture, "to/b/c/file");
  g_autoptr (GError) error = NULL;
  g_assert_true (rb_files_make_folder (deep, &error));
  g_assert_true (rb_files_write_text (file, "x", &error));
  g_assert_true (rb_files_copy_tree (from, to, &error));
  g_assert_no_error (error);
  g_assert_true (rb_files_exists (copied));
}

static void
test_list_is_sorted (Fixture *fixture, gconstpointer data)
{
  static const char *const names[] = { "b", "a", "c" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *path = in (fixture, names[i]);
    g_assert_true (rb_files_write_text (path, "", NULL));
  }
  g_auto (GStrv) list = rb_files_list (fixture->folder, NULL);
  g_autofree char *joined = g_strjoinv (",", list);
  g_assert_cmpstr (joined, ==, "a,b,c");
}

static void
test_safe_names (void)
{
  static const char *const safe[] = { "a", "a/b/c.json", "..a", "a..", "ä/ö" };
  static const char *const unsafe[] = { "", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "a/.", "a\nb", "a/\x7f" };
  for (guint i = 0; i < G_N_ELEMENTS (safe); i++)
    g_assert_true (rb_files_path_is_safe (safe[i]));
  for (guint i = 0; i < G_N_ELEMENTS (unsafe); i++)
    g_assert_false (rb_files_path_is_safe (unsafe[i]));
  g_autofree char *long_name = g_strnfill (256, 'x');
  g_assert_false (rb_files_name_is_safe (long_name));
  g_assert_false (rb_files_name_is_safe ("a/b"));
}

#define ADD(name, function) g_test_add (name, Fixture, NULL, set_up, function, tear_down)

/* what a killed writer leaves is removed, what only looks like it is not */
static void
test_sweep (Fixture *fixture, gconstpointer data)
{
  static const struct {
    const char *name;
    gboolean stays;
  } cases[]
    = { { "a", TRUE },        { "a.Q1w2E3", FALSE }, { "a.abcdef", FALSE }, { "a.abcde", TRUE }, { "a.abcdefg", TRUE },
        { "a.abc-ef", TRUE }, { "b.abcdef", TRUE },  { "aa.abcdef", TRUE }, { "a.", TRUE },      { "aabcdefg", TRUE } };
  g_autofree char *path = in (fixture, "a");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *file = in (fixture, cases[i].name);
    g_assert_true (rb_files_write_text (file, "x", NULL));
  }
  rb_files_sweep (path);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *file = in (fixture, cases[i].name);
    g_assert_cmpint (rb_files_exists (file), ==, cases[i].stays);
  }
  g_autofree char *nowhere = in (fixture, "none/a");
  rb_files_sweep (nowhere);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/files/write-and-read", test_write_and_read);
  ADD ("/files/not-there", test_not_there);
  ADD ("/files/links-are-not-followed", test_links_are_not_followed);
  ADD ("/files/copy-tree", test_copy_tree);
  ADD ("/files/sweep", test_sweep);
  ADD ("/files/list-is-sorted", test_list_is_sorted);
  ADD ("/files/output", test_output);
  ADD ("/files/keep-private", test_keep_private);
  g_test_add_func ("/files/safe-names", test_safe_names);
  return g_test_run ();
}
