/* SPDX-License-Identifier: Apache-2.0 */
#include "core/files.h"
#include "core/reason.h"
#include "core/sink.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
  char *folder, *path;
} Fixture;

static void
set_up (Fixture *self, gconstpointer data)
{
  self->folder = g_dir_make_tmp ("sink-XXXXXX", NULL);
  self->path = g_build_filename (self->folder, "out", NULL);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  g_assert_true (rb_files_remove_tree (self->folder, NULL));
  g_free (self->folder);
  g_free (self->path);
}

static gboolean
put (const char *path, const char *text, GError **error)
{
  g_autoptr (RbSink) sink = rb_sink_open (path, 0644, error);
  return sink != NULL && rb_sink_write (sink, text, 1, error)
         && rb_sink_write (sink, &text[1], strlen (text) - 1, error) && rb_sink_finish (sink, error);
}

static void
assert_holds (const char *path, const char *text)
{
  g_autofree char *found = NULL;
  g_assert_true (g_file_get_contents (path, &found, NULL, NULL));
  g_assert_cmpstr (found, ==, text);
}

static void
test_replace (Fixture *self, gconstpointer data)
{
  GStatBuf status;
  g_autoptr (GError) error = NULL;
  g_assert_true (put (self->path, "first", &error));
  g_assert_no_error (error);
  g_assert_cmpint (g_chmod (self->path, 0640), ==, 0);
  g_assert_true (put (self->path, "second", &error));
  assert_holds (self->path, "second");
  g_assert_cmpint (g_stat (self->path, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 07777, ==, 0640);
}

static void
test_unfinished (Fixture *self, gconstpointer data)
{
  g_assert_true (put (self->path, "first", NULL));
  RbSink *sink = rb_sink_open (self->path, 0644, NULL);
  g_assert_true (rb_sink_write (sink, "half", 4, NULL));
  rb_sink_free (sink);
  assert_holds (self->path, "first");
  g_auto (GStrv) names = rb_files_list (self->folder, NULL);
  g_assert_cmpuint (g_strv_length (names), ==, 1);
}

static void
test_link (Fixture *self, gconstpointer data)
{
  GStatBuf status;
  g_autofree char *link_path = g_build_filename (self->folder, "link", NULL);
  g_autofree char *other = g_build_filename (self->folder, "other", NULL);
  g_assert_true (put (self->path, "first", NULL));
  g_assert_cmpint (symlink (self->path, link_path), ==, 0);
  g_assert_true (put (link_path, "through", NULL));
  g_assert_cmpint (g_lstat (link_path, &status), ==, 0);
  g_assert_true (S_ISLNK (status.st_mode));
  assert_holds (self->path, "through");
  g_assert_cmpint (link (self->path, other), ==, 0);
  g_assert_true (put (other, "both", NULL));
  assert_holds (self->path, "both");
}

static void
test_special (Fixture *self, gconstpointer data)
{
  char text[8] = "";
  GStatBuf status;
  g_autoptr (GError) error = NULL;
  g_assert_cmpint (mkfifo (self->path, 0600), ==, 0);
  int reader = open (self->path, O_RDONLY | O_NONBLOCK);
  g_assert_true (put (self->path, "piped", &error));
  g_assert_cmpint (read (reader, text, sizeof text), ==, 5);
  close (reader);
  g_assert_cmpint (g_lstat (self->path, &status), ==, 0);
  g_assert_true (S_ISFIFO (status.st_mode));
  g_assert_false (put ("/dev/full", "much", &error));
  g_assert_cmpint (rb_reason_of (error), ==, RB_REASON_NO_SPACE);
  g_clear_error (&error);
  g_assert_false (put ("/nowhere/at/all", "much", &error));
  g_assert_cmpint (rb_reason_of (error), ==, RB_REASON_NOT_FOUND);
}

#define ADD(name, function) g_test_add (name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/sink/replace", test_replace);
  ADD ("/sink/unfinished", test_unfinished);
  ADD ("/sink/link", test_link);
  ADD ("/sink/special", test_special);
  return g_test_run ();
}
