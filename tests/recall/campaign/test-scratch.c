/* SPDX-License-Identifier: Apache-2.0 */
#include "campaign/scratch.h"
#include "core/files.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static char *
new_parent (void)
{
  g_autoptr (GError) error = NULL;
  char *parent = g_dir_make_tmp ("scratch-test-XXXXXX", &error);
  g_assert_no_error (error);
  return parent;
}

static guint
count (const char *parent)
{
  g_auto (GStrv) names = rb_files_list (parent, NULL);
  return g_strv_length (names);
}

static void
test_gone_when_freed (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *parent = new_parent ();
  RbScratch *scratch = rb_scratch_new (parent, &error);
  g_assert_no_error (error);
  g_autofree char *file = rb_scratch_file (scratch, "file");
  g_assert_true (rb_files_write_text (file, "x", &error));
  g_assert_cmpuint (count (parent), ==, 1);
  rb_scratch_free (scratch);
  g_assert_cmpuint (count (parent), ==, 0);
  g_assert_cmpint (g_rmdir (parent), ==, 0);
}

/* One in use stays, in this process and seen from another; one whose process was killed goes. */
static void
test_sweep (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *parent = new_parent ();
  int ready[2];
  char byte = 0;
  g_assert_cmpint (pipe (ready), ==, 0);
  pid_t child = fork ();
  if (child == 0) {
    RbScratch *scratch = rb_scratch_new (parent, NULL);
    g_autofree char *file = rb_scratch_file (scratch, "file");
    if (!rb_files_write_text (file, "x", NULL) || write (ready[1], "r", 1) != 1)
      _exit (1);
    pause ();
    _exit (0);
  }
  g_assert_cmpint (read (ready[0], &byte, 1), ==, 1);
  g_autoptr (RbScratch) mine = rb_scratch_new (parent, &error);
  g_assert_no_error (error);
  rb_scratch_sweep (parent);
  g_assert_cmpuint (count (parent), ==, 2);
  kill (child, SIGKILL);
  waitpid (child, NULL, 0);
  rb_scratch_sweep (parent);
  g_assert_cmpuint (count (parent), ==, 1);
  g_clear_pointer (&mine, rb_scratch_free);
  g_assert_cmpint (g_rmdir (parent), ==, 0);
}

static void
test_sweep_leaves_others_alone (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *parent = new_parent ();
  g_autofree char *other = g_build_filename (parent, "R-1", NULL);
  g_autofree char *link = g_build_filename (parent, ".scratch-link", NULL);
  g_assert_true (rb_files_make_folder (other, &error));
  g_assert_cmpint (symlink (other, link), ==, 0);
  rb_scratch_sweep (parent);
  g_assert_cmpuint (count (parent), ==, 2);
  g_assert_true (rb_files_remove_tree (parent, &error));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/scratch/gone-when-freed", test_gone_when_freed);
  g_test_add_func ("/scratch/sweep", test_sweep);
  g_test_add_func ("/scratch/sweep-leaves-others-alone", test_sweep_leaves_others_alone);
  return g_test_run ();
}
