/* SPDX-License-Identifier: Apache-2.0 */
#include "core/files.h"
#include "core/lock.h"
#include "core/reason.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* Real processes: a child takes a lock, says so by a byte, and ends when its standard input does. */

typedef RbLock *(*Take) (const char *what, const char *subject, GError **error);

typedef struct {
  pid_t pid;
  int ready, end;
} Child;

static void
child_main (Take take, const char *what, int ready, int end, uid_t user)
{
  char byte = 'n';
  (void) prctl (PR_SET_NAME, "lock-holder");
  if (user != 0 && setuid (user) != 0)
    _exit (2);
  (void) prctl (PR_SET_DUMPABLE, 0);
  RbLock *lock = take (what, "child", NULL);
  byte = lock == NULL ? 'n' : 'y';
  if (write (ready, &byte, 1) != 1 || read (end, &byte, 1) < 0)
    _exit (1);
  _exit (0);
}

static void
child_start (Child *self, Take take, const char *what, uid_t user)
{
  int ready[2], end[2];
  char byte = 0;
  g_assert_cmpint (pipe (ready), ==, 0);
  g_assert_cmpint (pipe (end), ==, 0);
  self->pid = fork ();
  g_assert_cmpint (self->pid, >=, 0);
  if (self->pid == 0) {
    close (end[1]);
    child_main (take, what, ready[1], end[0], user);
  }
  close (ready[1]);
  close (end[0]);
  self->ready = ready[0];
  self->end = end[1];
  g_assert_cmpint (read (self->ready, &byte, 1), ==, 1);
  g_assert_cmpint (byte, ==, 'y');
}

static void
child_reap (Child *self)
{
  int status = 0;
  g_assert_cmpint (waitpid (self->pid, &status, 0), ==, self->pid);
  close (self->ready);
  close (self->end);
}

static void
child_kill (Child *self)
{
  g_assert_cmpint (kill (self->pid, SIGKILL), ==, 0);
  child_reap (self);
}

static void
assert_names_holder (const GError *error, const char *subject, const Child *child, uid_t user)
{
  const struct passwd *entry = getpwuid (user);
  g_autofree char *name = entry == NULL ? g_strdup_printf ("%u", user) : g_strdup (entry->pw_name);
  g_autofree char *text
    = g_strdup_printf ("%s: in use by “lock-holder” (process %d, user %s)", subject, child->pid, name);
  g_assert_error (error, RB_CORE_ERROR, RB_REASON_IN_USE);
  g_assert_cmpstr (error->message, ==, text);
}

static char *
scratch (void)
{
  return g_dir_make_tmp ("recallbay-lock-XXXXXX", NULL);
}

static char *
unique_name (void)
{
  return g_strdup_printf ("recallbay/test/%d", getpid ());
}

/* after 5 s the holder is named, also one that may not be dumped and of another user; nothing was made in the folder */
static void
test_folder_in_use (gconstpointer data)
{
  uid_t user = (uid_t) GPOINTER_TO_UINT (data);
  g_autofree char *folder = scratch ();
  g_autoptr (GError) error = NULL;
  Child child;
  g_assert_cmpint (g_chmod (folder, 0755), ==, 0);
  child_start (&child, rb_lock_folder, folder, user);
  gint64 start = g_get_monotonic_time ();
  g_assert_null (rb_lock_folder (folder, "store", &error));
  g_assert_cmpint (g_get_monotonic_time () - start, >=, 5 * G_USEC_PER_SEC);
  assert_names_holder (error, "store", &child, user == 0 ? getuid () : user);
  g_auto (GStrv) names = rb_files_list (folder, NULL);
  g_assert_cmpuint (g_strv_length (names), ==, 0);
  child_kill (&child);
  g_autoptr (RbLock) lock = rb_lock_folder (folder, "store", NULL);
  g_assert_nonnull (lock);
  g_assert_cmpint (g_rmdir (folder), ==, 0);
}

static gpointer
wait_for_folder (gpointer folder)
{
  return rb_lock_folder (folder, "store", NULL);
}

/* a holder that ends while the other waits gives the lock on */
static void
test_folder_is_waited_for (void)
{
  g_autofree char *folder = scratch ();
  Child child;
  child_start (&child, rb_lock_folder, folder, 0);
  GThread *waiter = g_thread_new ("waiter", wait_for_folder, folder);
  child_kill (&child);
  g_autoptr (RbLock) lock = g_thread_join (waiter);
  g_assert_nonnull (lock);
  g_assert_cmpint (g_rmdir (folder), ==, 0);
}

/* made when missing; a folder that was put in place of the locked one is another one */
static void
test_folder_is_made (void)
{
  g_autofree char *parent = scratch ();
  g_autofree char *folder = g_build_filename (parent, "a", "b", NULL);
  g_autofree char *moved = g_build_filename (parent, "moved", NULL);
  g_autoptr (RbLock) first = rb_lock_folder (folder, "store", NULL);
  g_assert_nonnull (first);
  g_assert_cmpint (g_rename (folder, moved), ==, 0);
  g_autoptr (RbLock) second = rb_lock_folder (folder, "store", NULL);
  g_assert_nonnull (second);
  g_assert_true (rb_files_remove_tree (parent, NULL));
}

static void
test_not_a_folder (void)
{
  g_autofree char *parent = scratch ();
  g_autofree char *file = g_build_filename (parent, "file", NULL);
  g_autoptr (GError) error = NULL;
  g_assert_true (rb_files_write_text (file, "", NULL));
  g_assert_null (rb_lock_folder (file, "store", &error));
  g_assert_error (error, RB_CORE_ERROR, RB_REASON_IO);
  g_assert_true (rb_files_remove_tree (parent, NULL));
}

/* no wait, and the holder's death frees the name; another user's holder is named too, where the test may become one */
static void
test_name (gconstpointer data)
{
  uid_t user = (uid_t) GPOINTER_TO_UINT (data);
  g_autofree char *name = unique_name ();
  g_autoptr (GError) error = NULL;
  Child child;
  child_start (&child, rb_lock_name, name, user);
  for (guint i = 0; i < 20; i++) {
    g_clear_error (&error);
    g_assert_null (rb_lock_name (name, "vehicle 1RB", &error));
    assert_names_holder (error, "vehicle 1RB", &child, user == 0 ? getuid () : user);
  }
  child_kill (&child);
  g_autoptr (RbLock) lock = rb_lock_name (name, "vehicle 1RB", NULL);
  g_assert_nonnull (lock);
}

/* within one process too, and freed by hand */
static void
test_name_in_one_process (void)
{
  g_autofree char *name = unique_name ();
  g_autoptr (GError) error = NULL;
  RbLock *first = rb_lock_name (name, "link", NULL);
  g_assert_nonnull (first);
  g_assert_null (rb_lock_name (name, "link", &error));
  g_assert_error (error, RB_CORE_ERROR, RB_REASON_IN_USE);
  rb_lock_free (first);
  RbLock *again = rb_lock_name (name, "link", NULL);
  g_assert_nonnull (again);
  rb_lock_free (again);
}

/* names of any length, told apart by all of it */
static void
test_long_names (void)
{
  g_autofree char *tail = g_strnfill (300, 'x');
  g_autofree char *one = g_strconcat ("recallbay/test/", tail, "1", NULL),
                  *two = g_strconcat ("recallbay/test/", tail, "2", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (RbLock) first = rb_lock_name (one, "link", NULL), second = rb_lock_name (two, "link", NULL);
  g_assert_nonnull (first);
  g_assert_nonnull (second);
  g_assert_null (rb_lock_name (one, "link", &error));
  g_assert_error (error, RB_CORE_ERROR, RB_REASON_IN_USE);
}

/* a squatter that only binds cannot be named, and still excludes */
static void
test_holder_that_does_not_listen (void)
{
  g_autofree char *name = unique_name ();
  g_autoptr (GError) error = NULL;
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  memcpy (&address.sun_path[1], name, strlen (name));
  socklen_t length = (socklen_t) (G_STRUCT_OFFSET (struct sockaddr_un, sun_path) + 1 + strlen (name));
  g_assert_cmpint (bind (fd, (struct sockaddr *) &address, length), ==, 0);
  g_assert_null (rb_lock_name (name, "link", &error));
  g_assert_error (error, RB_CORE_ERROR, RB_REASON_IN_USE);
  g_assert_cmpstr (error->message, ==, "link: in use by another program");
  close (fd);
}

static RbLock *
lock_record (const char *path, const char *subject, GError **error)
{
  struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 120, .l_len = 1 };
  int fd = open (path, O_RDWR | O_CLOEXEC);
  g_assert_nonnull (subject);
  if (fd >= 0 && fcntl (fd, F_SETLK, &whole) == 0)
    return (RbLock *) &errno; /* the process ends with it */
  g_set_error_literal (error, RB_CORE_ERROR, RB_REASON_IO, path);
  return NULL;
}

/* of record locks too, as SQLite takes them */
static void
test_holder_of_a_file (void)
{
  g_autofree char *folder = scratch ();
  g_autofree char *path = g_build_filename (folder, "file", NULL);
  Child child;
  g_assert_true (rb_files_write_text (path, "x", NULL));
  g_autofree char *nobody = rb_lock_holder_of (path);
  g_assert_cmpstr (nobody, ==, "another program");
  child_start (&child, lock_record, path, 0);
  g_autofree char *holder = rb_lock_holder_of (path);
  g_autofree char *start = g_strdup_printf ("“lock-holder” (process %d, user ", child.pid);
  g_assert_true (g_str_has_prefix (holder, start));
  child_kill (&child);
  g_autofree char *missing = rb_lock_holder_of ("/nowhere");
  g_assert_cmpstr (missing, ==, "another program");
  g_assert_true (rb_files_remove_tree (folder, NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/lock/folder-in-use", GUINT_TO_POINTER (0), test_folder_in_use);
  g_test_add_func ("/lock/folder-is-waited-for", test_folder_is_waited_for);
  g_test_add_func ("/lock/folder-is-made", test_folder_is_made);
  g_test_add_func ("/lock/not-a-folder", test_not_a_folder);
  g_test_add_data_func ("/lock/name", GUINT_TO_POINTER (0), test_name);
  if (getuid () == 0) {
    g_test_add_data_func ("/lock/name-of-another-user", GUINT_TO_POINTER (65534), test_name);
    g_test_add_data_func ("/lock/folder-of-another-user", GUINT_TO_POINTER (65534), test_folder_in_use);
  }
  g_test_add_func ("/lock/name-in-one-process", test_name_in_one_process);
  g_test_add_func ("/lock/long-names", test_long_names);
  g_test_add_func ("/lock/holder-that-does-not-listen", test_holder_that_does_not_listen);
  g_test_add_func ("/lock/holder-of-a-file", test_holder_of_a_file);
  return g_test_run ();
}
