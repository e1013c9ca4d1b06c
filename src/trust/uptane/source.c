/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/source.h"

#include "core/files.h"
#include "net/http.h"
#include "uptane/form.h"

#include <stdarg.h>
#include <string.h>

typedef struct {
  GBytes *(*fetch) (RbSource *self, const char *name, gsize max, GError **error);
} SourceKind;

struct _RbSource {
  const SourceKind *kind;
  char *folder; /* or the URL, with a slash at its end */
  RbHttp *http;
  GHashTable *files;
  GPtrArray *sources; /* of RbSource */
};

static RbSource *
source_new (const SourceKind *kind)
{
  RbSource *self = g_new0 (RbSource, 1);
  self->kind = kind;
  return self;
}

static gboolean
missing (const char *name, GError **error)
{
  return rb_reason_deny (error, RB_UPTANE_ERROR, RB_REASON_MISSING, "%s is not there", name);
}

static gboolean
is_missing (const GError *error)
{
  RbReason reason = rb_reason_of (error);
  return reason == RB_REASON_NOT_FOUND || reason == RB_REASON_MISSING;
}

/* ROLE.json or N.ROLE.json of a top-level role: it is never read from where delegated roles and images are. */
static gboolean
is_top_level_file (const char *name)
{
  gsize digits = strspn (name, "0123456789");
  const char *plain = digits > 0 && name[digits] == '.' ? &name[digits + 1] : name;
  g_autofree char *role
    = g_str_has_suffix (plain, ".json") ? g_strndup (plain, strlen (plain) - strlen (".json")) : NULL;
  return role != NULL && rb_form_is_top_level (role);
}

static GBytes *
fetch_from_folder (RbSource *self, const char *name, gsize max, GError **error)
{
  static const char *const places[] = { "", "delegations", "targets" };
  guint n = is_top_level_file (name) ? 1 : G_N_ELEMENTS (places);
  for (guint i = 0; i < n; i++) {
    g_autoptr (GError) failure = NULL;
    g_autofree char *path = g_build_filename (self->folder, places[i], name, NULL);
    GBytes *bytes = rb_files_map (path, max, &failure);
    if (bytes != NULL)
      return bytes;
    if (!is_missing (failure)) {
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }
  }
  missing (name, error);
  return NULL;
}

static GBytes *
fetch_from_memory (RbSource *self, const char *name, gsize max, GError **error)
{
  GBytes *bytes = g_hash_table_lookup (self->files, name);
  if (bytes == NULL) {
    missing (name, error);
    return NULL;
  }
  if (g_bytes_get_size (bytes) > max) {
    g_set_error (error, RB_UPTANE_ERROR, RB_REASON_TOO_LARGE, "%s is too large", name);
    return NULL;
  }
  return g_bytes_ref (bytes);
}

static GBytes *
fetch_from_server (RbSource *self, const char *name, gsize max, GError **error)
{
  g_autofree char *url = g_strconcat (self->folder, name, NULL);
  return rb_http_get (self->http, url, max, NULL, error);
}

static GBytes *
fetch_from_first (RbSource *self, const char *name, gsize max, GError **error)
{
  for (guint i = 0; i < self->sources->len; i++) {
    g_autoptr (GError) failure = NULL;
    GBytes *bytes = rb_source_fetch (self->sources->pdata[i], name, max, &failure);
    if (bytes != NULL)
      return bytes;
    if (!is_missing (failure)) {
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }
  }
  missing (name, error);
  return NULL;
}

RbSource *
rb_source_folder (const char *path)
{
  static const SourceKind kind = { fetch_from_folder };
  RbSource *self = source_new (&kind);
  self->folder = g_strdup (path);
  return self;
}

RbSource *
rb_source_http (RbHttp *http, const char *base)
{
  static const SourceKind kind = { fetch_from_server };
  RbSource *self = source_new (&kind);
  self->folder = g_strconcat (base, g_str_has_suffix (base, "/") ? "" : "/", NULL);
  self->http = http;
  return self;
}

gboolean
rb_source_is_remote (RbSource *self)
{
  return self->http != NULL;
}

RbSource *
rb_source_memory (GHashTable *files)
{
  static const SourceKind kind = { fetch_from_memory };
  RbSource *self = source_new (&kind);
  self->files = g_hash_table_ref (files);
  return self;
}

RbSource *
rb_source_first_of (RbSource *first, ...)
{
  static const SourceKind kind = { fetch_from_first };
  RbSource *self = source_new (&kind);
  self->sources = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_source_free);
  va_list rest;
  va_start (rest, first);
  for (RbSource *source = first; source != NULL; source = va_arg (rest, RbSource *))
    g_ptr_array_add (self->sources, source);
  va_end (rest);
  return self;
}

void
rb_source_free (RbSource *self)
{
  g_free (self->folder);
  g_clear_pointer (&self->files, g_hash_table_unref);
  g_clear_pointer (&self->sources, g_ptr_array_unref);
  g_free (self);
}

GBytes *
rb_source_fetch (RbSource *self, const char *name, gsize max, GError **error)
{
  if (!rb_files_path_is_safe (name)) {
    g_set_error (error, RB_UPTANE_ERROR, RB_REASON_PATH, "“%s” is not a safe name", name);
    return NULL;
  }
  return self->kind->fetch (self, name, max, error);
}

/* Number of N.root.json, 0 for other names. */
static gint64
root_number (const char *name)
{
  gsize digits = strspn (name, "0123456789");
  return digits >= 1 && digits <= 10 && strcmp (&name[digits], ".root.json") == 0 ? g_ascii_strtoll (name, NULL, 10)
                                                                                  : 0;
}

static gint64
newest_in_folder (const char *folder)
{
  g_auto (GStrv) names = rb_files_is_folder (folder) ? rb_files_list (folder, NULL) : NULL;
  gint64 newest = 0;
  for (guint i = 0; names != NULL && names[i] != NULL; i++)
    newest = MAX (newest, root_number (names[i]));
  return newest;
}

static gint64
newest_in_memory (GHashTable *files)
{
  GHashTableIter iter;
  gpointer name;
  gint64 newest = 0;
  g_hash_table_iter_init (&iter, files);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    newest = MAX (newest, root_number (name));
  return newest;
}

static gint64
newest_root (RbSource *self)
{
  gint64 newest = 0;
  for (guint i = 0; self->sources != NULL && i < self->sources->len; i++)
    newest = MAX (newest, newest_root (self->sources->pdata[i]));
  if (self->files != NULL)
    newest = newest_in_memory (self->files);
  return self->folder != NULL && self->http == NULL ? newest_in_folder (self->folder) : newest;
}

gboolean
rb_source_has_no_root_above (RbSource *self, gint64 version, GError **error)
{
  gint64 newest = newest_root (self);
  if (newest > version)
    g_set_error (error, RB_UPTANE_ERROR, RB_REASON_ROOT_GAP,
                 "version %" G_GINT64_FORMAT " is missing, version %" G_GINT64_FORMAT " is there", version, newest);
  return newest <= version;
}

gboolean
rb_source_has_folder (RbSource *self, const char *name)
{
  g_autofree char *path = self->folder == NULL ? NULL : g_build_filename (self->folder, name, NULL);
  return path != NULL && rb_files_is_folder (path);
}
