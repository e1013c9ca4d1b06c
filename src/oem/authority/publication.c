/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/publication.h"

#include "core/files.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FILE (256 * 1024 * 1024)

struct _RbPublication {
  char *parent, *live, *next;
};

static gboolean
publication_error (GError **error, const char *path)
{
  return rb_reason_deny (error, RB_AUTHORITY_ERROR, errno == ENOSPC ? RB_REASON_NO_SPACE : RB_REASON_IO, "%s: %s", path,
                         g_strerror (errno));
}

static gboolean
make_parent (const char *path, GError **error)
{
  g_autofree char *parent = g_path_get_dirname (path);
  return g_mkdir_with_parents (parent, 0755) == 0 || publication_error (error, parent);
}

/* A second name of the file, or a copy of it where there can be none. */
static gboolean
link_or_copy (const char *from, const char *to, GError **error)
{
  if (link (from, to) == 0)
    return TRUE;
  g_autoptr (GBytes) bytes = rb_files_map (from, G_MAXSIZE, error);
  return bytes != NULL && rb_files_write (to, bytes, error) && (chmod (to, 0644) == 0 || publication_error (error, to));
}

static gboolean
link_tree (const char *from, const char *to, GError **error)
{
  if (g_mkdir_with_parents (to, 0755) != 0)
    return publication_error (error, to);
  g_auto (GStrv) names = rb_files_list (from, error);
  for (guint i = 0; names != NULL && names[i] != NULL; i++) {
    g_autofree char *source = g_build_filename (from, names[i], NULL), *target = g_build_filename (to, names[i], NULL);
    if (!(rb_files_is_folder (source) ? link_tree (source, target, error) : link_or_copy (source, target, error)))
      return FALSE;
  }
  return names != NULL;
}

RbPublication *
rb_publication_open (const char *oem, const char *kind, GError **error)
{
  g_autoptr (RbPublication) self = g_new0 (RbPublication, 1);
  g_autofree char *next = g_strdup_printf (".%s.next", kind);
  self->parent = g_build_filename (oem, "repositories", NULL);
  self->live = g_build_filename (self->parent, kind, NULL);
  self->next = g_build_filename (self->parent, next, NULL);
  if (!rb_files_remove_tree (self->next, error) || !rb_files_make_folder (self->parent, error))
    return NULL;
  if (rb_files_is_folder (self->live)
        ? !link_tree (self->live, self->next, error)
        : g_mkdir_with_parents (self->next, 0755) != 0 && !publication_error (error, self->next))
    return NULL;
  return g_steal_pointer (&self);
}

void
rb_publication_free (RbPublication *self)
{
  g_autoptr (GError) problem = NULL;
  if (self == NULL)
    return;
  if (self->next != NULL && !rb_files_remove_tree (self->next, &problem))
    g_warning ("%s", problem->message);
  g_free (self->parent);
  g_free (self->live);
  g_free (self->next);
  g_free (self);
}

static char *
path_of (RbPublication *self, const char *name)
{
  return g_build_filename (self->next, name, NULL);
}

gboolean
rb_publication_has (RbPublication *self, const char *name)
{
  g_autofree char *path = path_of (self, name);
  return rb_files_exists (path);
}

GBytes *
rb_publication_read (RbPublication *self, const char *name, GError **error)
{
  g_autofree char *path = path_of (self, name);
  return rb_files_exists (path) ? rb_files_read (path, MAX_FILE, error) : NULL;
}

static gboolean
prepare (RbPublication *self, const char *name, char **path, GError **error)
{
  if (!rb_files_path_is_safe (name))
    return rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_PATH, "%s: leaves the repository", name);
  *path = path_of (self, name);
  if (!make_parent (*path, error))
    return FALSE;
  return g_unlink (*path) == 0 || errno == ENOENT || publication_error (error, *path);
}

gboolean
rb_publication_put (RbPublication *self, const char *name, GBytes *bytes, GError **error)
{
  g_autofree char *path = NULL;
  return prepare (self, name, &path, error) && rb_files_write (path, bytes, error)
         && (chmod (path, 0644) == 0 || publication_error (error, path));
}

gboolean
rb_publication_put_file (RbPublication *self, const char *name, const char *from, GError **error)
{
  g_autofree char *path = NULL;
  return prepare (self, name, &path, error) && link_or_copy (from, path, error);
}

void
rb_publication_remove (RbPublication *self, const char *name)
{
  g_autofree char *path = path_of (self, name);
  if (g_unlink (path) != 0 && errno != ENOENT)
    g_warning ("%s: %s", path, g_strerror (errno));
}

static void
list_into (const char *path, const char *prefix, GStrvBuilder *builder)
{
  g_auto (GStrv) names = rb_files_is_folder (path) ? rb_files_list (path, NULL) : NULL;
  for (guint i = 0; names != NULL && names[i] != NULL; i++) {
    g_autofree char *below = g_build_filename (path, names[i], NULL);
    g_autofree char *name = prefix[0] == '\0' ? g_strdup (names[i]) : g_build_filename (prefix, names[i], NULL);
    if (rb_files_is_folder (below))
      list_into (below, name, builder);
    else
      g_strv_builder_add (builder, name);
  }
}

GStrv
rb_publication_list (RbPublication *self, const char *folder)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autofree char *path = path_of (self, folder);
  list_into (path, "", builder);
  return g_strv_builder_end (builder);
}

gboolean
rb_publication_repeat (RbPublication *self, const char *from, const char *to, GError **error)
{
  g_autofree char *source = path_of (self, from);
  return rb_publication_put_file (self, to, source, error);
}

/* The names in a folder; files were written durably. */
static gboolean
flush (const char *folder, GError **error)
{
  int fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  gboolean flushed = fd >= 0 && fsync (fd) == 0;
  if (!flushed)
    publication_error (error, folder);
  if (fd >= 0)
    close (fd);
  return flushed;
}

static gboolean
flush_tree (const char *folder, GError **error)
{
  g_auto (GStrv) names = rb_files_list (folder, error);
  for (guint i = 0; names != NULL && names[i] != NULL; i++) {
    g_autofree char *path = g_build_filename (folder, names[i], NULL);
    if (rb_files_is_folder (path) && !flush_tree (path, error))
      return FALSE;
  }
  return names != NULL && flush (folder, error);
}

gboolean
rb_publication_commit (RbPublication *self, GError **error)
{
  gboolean first = !rb_files_is_folder (self->live);
  if (!flush_tree (self->next, error))
    return FALSE;
  if (renameat2 (AT_FDCWD, self->next, AT_FDCWD, self->live, first ? RENAME_NOREPLACE : RENAME_EXCHANGE) != 0)
    return publication_error (error, self->live);
  return flush (self->parent, error);
}
