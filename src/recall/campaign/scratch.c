/* SPDX-License-Identifier: Apache-2.0 */
#include "campaign/scratch.h"

#include "core/files.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX ".scratch-"

struct _RbScratch {
  char *path;
  int lock; /* the folder itself, locked */
};

/* The folder's descriptor with its lock, -1 when another holds it or it is gone. */
static int
lock_folder (const char *path)
{
  struct stat held, named;
  int fd = open (path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd >= 0 && flock (fd, LOCK_EX | LOCK_NB) == 0 && fstat (fd, &held) == 0 && stat (path, &named) == 0
      && held.st_ino == named.st_ino)
    return fd;
  if (fd >= 0)
    close (fd);
  return -1;
}

static RbScratch *
make (const char *parent, GError **error)
{
  for (guint attempt = 0; attempt < 10; attempt++) {
    g_autofree char *path = g_build_filename (parent, PREFIX "XXXXXX", NULL);
    if (g_mkdtemp (path) == NULL)
      break;
    int lock = lock_folder (path);
    if (lock < 0)
      continue;
    RbScratch *self = g_new0 (RbScratch, 1);
    self->path = g_steal_pointer (&path);
    self->lock = lock;
    return self;
  }
  int code = errno;
  g_set_error (error, RB_CAMPAIGN_ERROR, code == ENOSPC ? RB_REASON_NO_SPACE : RB_REASON_IO,
               "%s: no folder for unfinished work can be made: %s", parent, g_strerror (code));
  return NULL;
}

RbScratch *
rb_scratch_new (const char *parent, GError **error)
{
  return rb_files_make_folder (parent, error) ? make (parent, error) : NULL;
}

RbScratch *
rb_scratch_new_temporary (GError **error)
{
  return make (g_get_tmp_dir (), error);
}

char *
rb_scratch_file (const RbScratch *self, const char *name)
{
  return g_build_filename (self->path, name, NULL);
}

static void
remove_quietly (const char *path)
{
  g_autoptr (GError) error = NULL;
  if (!rb_files_remove_tree (path, &error))
    g_warning ("%s", error->message);
}

void
rb_scratch_free (RbScratch *self)
{
  if (self == NULL)
    return;
  remove_quietly (self->path);
  close (self->lock);
  g_free (self->path);
  g_free (self);
}

void
rb_scratch_sweep (const char *parent)
{
  g_auto (GStrv) names = rb_files_list (parent, NULL);
  for (guint i = 0; names != NULL && names[i] != NULL; i++) {
    g_autofree char *path = g_build_filename (parent, names[i], NULL);
    int lock = g_str_has_prefix (names[i], PREFIX) ? lock_folder (path) : -1;
    if (lock < 0)
      continue;
    remove_quietly (path);
    close (lock);
  }
}
