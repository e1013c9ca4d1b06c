/* SPDX-License-Identifier: Apache-2.0 */
#include "linkd/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Newer than Debian 12's headers: include/uapi/linux/landlock.h of Linux 6.12. */
typedef struct {
  guint64 files, net, scoped;
} Attributes;
typedef struct {
  guint64 allowed, port;
} PortRule;
enum { RULE_PORT = 2 };
enum { FILE_READ = 1 << 2, FILE_WRITE = 1 << 1, FOLDER_READ = 1 << 3, DEVICE_IOCTL = 1 << 15 };
enum { FILES_1 = (1 << 13) - 1, FILES_2 = 1 << 13, FILES_3 = 1 << 14 };
enum { NET_BIND = 1 << 0, NET_CONNECT = 1 << 1 };
enum { SCOPE_ALL = 3 /* abstract sockets, signals */ };

static guint64
known_files (guint version)
{
  return FILES_1 | (version >= 2 ? FILES_2 : 0) | (version >= 3 ? FILES_3 : 0) | (version >= 5 ? DEVICE_IOCTL : 0);
}

RbLandlock
rb_landlock_new (void)
{
  RbLandlock self = { .ruleset = -1 };
  long version = syscall (SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version <= 0)
    return self;
  const Attributes wanted
    = { .files = known_files ((guint) version), .net = NET_BIND | NET_CONNECT, .scoped = SCOPE_ALL };
  gsize length = version >= 6 ? sizeof wanted : version >= 4 ? 2 * sizeof (guint64) : sizeof (guint64);
  self.ruleset = (int) syscall (SYS_landlock_create_ruleset, &wanted, length, 0);
  self.version = self.ruleset < 0 ? 0 : (guint) version;
  return self;
}

static void
allow_path (RbLandlock *self, const char *path, guint64 access)
{
  struct stat what;
  struct landlock_path_beneath_attr rule = { .parent_fd = open (path, O_PATH | O_CLOEXEC) };
  if (rule.parent_fd < 0)
    return;
  gboolean folder = fstat (rule.parent_fd, &what) == 0 && S_ISDIR (what.st_mode);
  rule.allowed_access = (access & known_files (self->version)) & ~(folder ? 0 : (guint64) FOLDER_READ);
  if (syscall (SYS_landlock_add_rule, self->ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
    g_debug ("landlock: %s: %s", path, g_strerror (errno));
  close (rule.parent_fd);
}

static void
allow_paths (RbLandlock *self, const char *const *paths, guint64 access)
{
  for (guint i = 0; self->version > 0 && paths[i] != NULL; i++)
    allow_path (self, paths[i], access);
}

void
rb_landlock_allow_reading (RbLandlock *self, const char *const *paths)
{
  allow_paths (self, paths, FILE_READ | FOLDER_READ);
}

void
rb_landlock_allow_device (RbLandlock *self, const char *const *paths)
{
  allow_paths (self, paths, FILE_READ | FILE_WRITE | FOLDER_READ | DEVICE_IOCTL);
}

void
rb_landlock_allow_port (RbLandlock *self, guint16 port)
{
  const PortRule rule = { .allowed = NET_CONNECT, .port = port };
  if (port != 0 && self->version >= 4 && syscall (SYS_landlock_add_rule, self->ruleset, RULE_PORT, &rule, 0) != 0)
    g_debug ("landlock: port %u: %s", port, g_strerror (errno));
}

gboolean
rb_landlock_enforce (RbLandlock *self, GError **error)
{
  if (self->version == 0 || syscall (SYS_landlock_restrict_self, self->ruleset, 0) == 0)
    return TRUE;
  g_set_error (error, RB_LINK_ERROR, RB_REASON_UNSUPPORTED, "the link process cannot keep itself from files: %s",
               g_strerror (errno));
  return FALSE;
}

void
rb_landlock_clear (RbLandlock *self)
{
  if (self->ruleset >= 0)
    close (self->ruleset);
  self->ruleset = -1;
}
