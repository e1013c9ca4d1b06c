/* SPDX-License-Identifier: Apache-2.0 */
#include "core/lock.h"

#include "core/files.h"
#include "core/moment.h"
#include "core/reason.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

enum { WAIT_MS = 5000, POLL_MS = 10, TURNS = 50, QUEUE = 4096 };

struct _RbLock {
  int fd;
};

static RbLock *
lock_new (int fd)
{
  RbLock *self = g_new0 (RbLock, 1);
  self->fd = fd;
  return self;
}

void
rb_lock_free (RbLock *self)
{
  close (self->fd);
  g_free (self);
}

int
rb_lock_fd (const RbLock *self)
{
  return self->fd;
}

static RbLock *
lock_error (GError **error, const char *path, int code)
{
  rb_reason_deny (error, RB_CORE_ERROR, RB_REASON_IO, "%s: %s", path, g_strerror (code));
  return NULL;
}

static RbLock *
in_use (GError **error, const char *subject, const char *holder)
{
  rb_reason_deny (error, RB_CORE_ERROR, RB_REASON_IN_USE, "%s: in use by %s", subject, holder);
  return NULL;
}

/* The name is what the holder's process calls itself: printable characters only. */
static char *
program_of (pid_t pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/comm", pid);
  char *name = NULL;
  if (!g_file_get_contents (path, &name, NULL, NULL))
    return NULL;
  g_strchomp (name);
  for (char *at = name; *at != '\0'; at++)
    if (!g_ascii_isprint (*at))
      *at = '?';
  return name;
}

static char *
user_name (uid_t uid)
{
  struct passwd entry, *found = NULL;
  char buffer[4096];
  if (getpwuid_r (uid, &entry, buffer, sizeof buffer, &found) == 0 && found != NULL)
    return g_strdup (found->pw_name);
  return g_strdup_printf ("%u", uid);
}

/* pid 0: of a process that this one cannot see */
static char *
describe (pid_t pid, uid_t uid)
{
  g_autofree char *program = pid > 0 ? program_of (pid) : NULL;
  g_autofree char *user = user_name (uid);
  if (program == NULL)
    return g_strdup_printf ("a program of user %s", user);
  return g_strdup_printf ("“%s” (process %d, user %s)", program, pid, user);
}

/* "Uid:\t1000\t1000\t1000\t1000" of its status: the folder itself is root's when the process may not be dumped. */
static char *
describe_process (pid_t pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/status", pid);
  g_autofree char *status = NULL;
  unsigned int user;
  const char *line = g_file_get_contents (path, &status, NULL, NULL) ? strstr (status, "\nUid:") : NULL;
  return line != NULL && sscanf (line, "\nUid: %u", &user) == 1 ? describe (pid, user) : NULL;
}

/* A line of /proc/locks: "1: FLOCK  ADVISORY  WRITE 714 fd:01:4325 0 EOF"; pid 0 when it has no exclusive lock of that
 * file. */
static pid_t
holder_in (const char *line, const struct stat *file)
{
  unsigned int major_number, minor_number;
  unsigned long inode;
  int pid;
  if (sscanf (line, "%*d: %*s %*s WRITE %d %x:%x:%lu", &pid, &major_number, &minor_number, &inode) != 4 || pid <= 0)
    return 0;
  return inode == file->st_ino && makedev (major_number, minor_number) == file->st_dev ? pid : 0;
}

char *
rb_lock_holder_of (const char *path)
{
  struct stat file;
  g_autofree char *locks = NULL;
  if (stat (path, &file) != 0 || !g_file_get_contents ("/proc/locks", &locks, NULL, NULL))
    return g_strdup ("another program");
  g_auto (GStrv) lines = g_strsplit (locks, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++) {
    pid_t pid = holder_in (lines[i], &file);
    char *holder = pid > 0 ? describe_process (pid) : NULL;
    if (holder != NULL)
      return holder;
  }
  return g_strdup ("another program");
}

/* The folder's descriptor with its lock; -1 with errno, EWOULDBLOCK also when another folder stands there since. */
static int
try_folder (const char *folder)
{
  struct stat held, named;
  int fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return -1;
  int code = flock (fd, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
  if (code == 0 && fstat (fd, &held) == 0 && stat (folder, &named) == 0 && held.st_dev == named.st_dev
      && held.st_ino == named.st_ino)
    return fd;
  close (fd);
  errno = code == 0 || code == EINTR ? EWOULDBLOCK : code;
  return -1;
}

RbLock *
rb_lock_folder (const char *folder, const char *subject, GError **error)
{
  gint64 end = g_get_monotonic_time () + WAIT_MS * 1000;
  for (;;) {
    if (!rb_files_make_folder (folder, error))
      return NULL;
    int fd = try_folder (folder);
    if (fd >= 0)
      return lock_new (fd);
    if (errno != EWOULDBLOCK && errno != ENOENT)
      return lock_error (error, folder, errno);
    if (g_get_monotonic_time () >= end)
      break;
    if (!rb_moment_pause (POLL_MS, NULL, error))
      return NULL;
  }
  g_autofree char *holder = rb_lock_holder_of (folder);
  return in_use (error, subject, holder);
}

static socklen_t
address_of (const char *name, struct sockaddr_un *address)
{
  *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
  g_autofree char *digest = NULL;
  if (strlen (name) >= sizeof address->sun_path)
    digest = g_compute_checksum_for_string (G_CHECKSUM_SHA256, name, -1);
  g_autofree char *used = digest == NULL ? g_strdup (name) : g_strconcat ("recallbay/digest/", digest, NULL);
  memcpy (&address->sun_path[1], used, strlen (used));
  return (socklen_t) (G_STRUCT_OFFSET (struct sockaddr_un, sun_path) + 1 + strlen (used));
}

static RbLock *
bind_name (const struct sockaddr_un *address, socklen_t length)
{
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return NULL;
  if (bind (fd, (const struct sockaddr *) address, length) == 0 && listen (fd, QUEUE) == 0)
    return lock_new (fd);
  int code = errno;
  close (fd);
  errno = code;
  return NULL;
}

/* The process that listens at the name; NULL with errno, ECONNREFUSED when it is free by now or its holder does not
 * listen yet. */
static char *
ask_holder (const struct sockaddr_un *address, socklen_t length)
{
  struct ucred peer = { 0 };
  socklen_t size = sizeof peer;
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    return NULL;
  int code = connect (fd, (const struct sockaddr *) address, length) == 0 ? 0 : errno;
  if (code == 0 && getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
    code = errno;
  close (fd);
  errno = code;
  return code == 0 ? describe (peer.pid, peer.uid) : NULL;
}

RbLock *
rb_lock_name (const char *name, const char *subject, GError **error)
{
  struct sockaddr_un address;
  socklen_t length = address_of (name, &address);
  for (guint turn = 0; turn < TURNS; turn++) {
    RbLock *self = bind_name (&address, length);
    if (self != NULL)
      return self;
    if (errno != EADDRINUSE)
      return lock_error (error, name, errno);
    g_autofree char *holder = ask_holder (&address, length);
    if (holder != NULL)
      return in_use (error, subject, holder);
    if (errno != ECONNREFUSED)
      break;
    if (!rb_moment_pause (POLL_MS, NULL, error))
      return NULL;
  }
  return in_use (error, subject, "another program");
}
