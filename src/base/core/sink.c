/* SPDX-License-Identifier: Apache-2.0 */
#include "core/sink.h"

#include "core/reason.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct _RbSink {
  char *path;
  char *temporary; /* NULL: path is written to */
  mode_t mode;
  int fd;
};

static gboolean
sink_error (const RbSink *self, int code, GError **error)
{
  RbReason reason = code == ENOENT                     ? RB_REASON_NOT_FOUND
                    : code == ENOSPC || code == EDQUOT ? RB_REASON_NO_SPACE
                                                       : RB_REASON_IO;
  return rb_reason_deny (error, RB_CORE_ERROR, reason, "%s: %s", self->path, g_strerror (code));
}

static gboolean
open_temporary (RbSink *self, gboolean exists, const GStatBuf *status, int mode)
{
  mode_t mask = umask (0);
  umask (mask);
  self->mode = exists ? status->st_mode & 07777 : (mode_t) mode & ~mask;
  self->temporary = g_strdup_printf ("%s.XXXXXX", self->path);
  self->fd = g_mkstemp_full (self->temporary, O_WRONLY | O_CLOEXEC, 0600);
  if (self->fd < 0)
    g_clear_pointer (&self->temporary, g_free);
  return self->fd >= 0;
}

RbSink *
rb_sink_open (const char *path, int mode, GError **error)
{
  GStatBuf status;
  gboolean exists = g_lstat (path, &status) == 0;
  g_autoptr (RbSink) self = g_new0 (RbSink, 1);
  self->path = g_strdup (path);
  self->fd = -1;
  if (exists && (!S_ISREG (status.st_mode) || status.st_nlink > 1))
    self->fd = open (path, O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY | O_CLOEXEC, mode);
  else
    (void) open_temporary (self, exists, &status, mode);
  if (self->fd >= 0)
    return g_steal_pointer (&self);
  sink_error (self, errno, error);
  return NULL;
}

void
rb_sink_free (RbSink *self)
{
  if (self == NULL)
    return;
  if (self->fd >= 0)
    close (self->fd);
  if (self->temporary != NULL)
    g_unlink (self->temporary);
  g_free (self->temporary);
  g_free (self->path);
  g_free (self);
}

gboolean
rb_sink_write (RbSink *self, gconstpointer data, gsize length, GError **error)
{
  const char *next = data;
  while (length > 0) {
    gssize wrote = write (self->fd, next, length);
    if (wrote < 0 && errno == EINTR)
      continue;
    if (wrote < 0)
      return sink_error (self, errno, error);
    next += wrote;
    length -= (gsize) wrote;
  }
  return TRUE;
}

/* A name is safe on the disk only when its folder is. */
static gboolean
rename_into_place (RbSink *self, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (self->path);
  if (g_rename (self->temporary, self->path) != 0)
    return sink_error (self, errno, error);
  g_clear_pointer (&self->temporary, g_free);
  int fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  gboolean good = fd >= 0 && fsync (fd) == 0;
  int code = errno;
  if (fd >= 0)
    close (fd);
  return good || sink_error (self, code, error);
}

gboolean
rb_sink_finish (RbSink *self, GError **error)
{
  int fd = self->fd;
  self->fd = -1;
  /* pipes and devices cannot be synchronised */
  int code = (self->temporary != NULL && fchmod (fd, self->mode) != 0)
                 || (fsync (fd) != 0 && errno != EINVAL && errno != EROFS && errno != ENOTSUP)
               ? errno
               : 0;
  if (close (fd) != 0 && code == 0)
    code = errno;
  if (code != 0)
    return sink_error (self, code, error);
  return self->temporary == NULL || rename_into_place (self, error);
}
