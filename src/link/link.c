/* SPDX-License-Identifier: Apache-2.0 */
#include "link/backend.h"
#include "link/can-link.h"

#include <string.h>

RB_DEFINE_ERROR_DOMAIN (link)

struct _RbLink {
  const RbLinkBackend *backend;
  char *uri;
  RbLinkInfo info;
  gpointer state;
};

static const RbLinkBackend *const backends[] = { &rb_doip_link_backend, &rb_can_link_can, &rb_can_link_canfd, &rb_can_link_bus };

static void
info_clear (RbLinkInfo *info)
{
  g_free (info->kind);
  g_free (info->vendor);
  g_free (info->serial);
  g_free (info->firmware);
}

RbLink *
rb_link_new_with_backend (const RbLinkBackend *backend, const char *uri, gpointer state)
{
  RbLink *self = g_atomic_rc_box_new0 (RbLink);
  self->backend = backend;
  self->uri = g_strdup (uri);
  self->state = state;
  return self;
}

static const RbLinkBackend *
backend_for (const char *uri, const char **rest, GError **error)
{
  const char *colon = strchr (uri, ':');
  for (guint i = 0; colon != NULL && i < G_N_ELEMENTS (backends); i++)
    if (strlen (backends[i]->scheme) == (gsize) (colon - uri)
        && strncmp (uri, backends[i]->scheme, (gsize) (colon - uri)) == 0) {
      *rest = &colon[1];
      return backends[i];
    }
  g_set_error (error, RB_LINK_ERROR, RB_REASON_USAGE,
               "“%s” is not a link; a link looks like doip://HOST:PORT, can:can0, usb: or bus:PATH", uri);
  return NULL;
}

RbLink *
rb_link_open (const char *uri, GCancellable *cancellable, GError **error)
{
  const char *rest = NULL;
  RbLinkInfo info = { 0 };
  const RbLinkBackend *backend = backend_for (uri, &rest, error);
  if (backend == NULL)
    return NULL;
  gpointer state = backend->open (rest, &info, cancellable, error);
  if (state == NULL) {
    info_clear (&info);
    g_prefix_error (error, "%s: ", uri);
    return NULL;
  }
  RbLink *self = rb_link_new_with_backend (backend, uri, state);
  self->info = info;
  if (self->info.kind == NULL)
    self->info.kind = g_strdup (backend->scheme);
  return self;
}

RbLink *
rb_link_ref (RbLink *self)
{
  return g_atomic_rc_box_acquire (self);
}

static void
link_clear (gpointer data)
{
  RbLink *self = data;
  self->backend->close (self->state);
  info_clear (&self->info);
  g_free (self->uri);
}

void
rb_link_unref (RbLink *self)
{
  g_atomic_rc_box_release_full (self, link_clear);
}

const char *
rb_link_uri (RbLink *self)
{
  return self->uri;
}

const RbLinkInfo *
rb_link_info (RbLink *self)
{
  return &self->info;
}

gboolean
rb_link_is_alive (RbLink *self)
{
  return self->backend->is_alive (self->state);
}

const RbLinkBackend *
rb_link_backend (RbLink *self)
{
  return self->backend;
}

gpointer
rb_link_state (RbLink *self)
{
  return self->state;
}

void
rb_link_entry_free (RbLinkEntry *entry)
{
  g_free (entry->uri);
  g_free (entry->kind);
  g_free (entry->name);
  g_free (entry->serial);
  g_free (entry->state);
  g_free (entry->vin);
  g_free (entry);
}

GPtrArray *
rb_link_discover (gint64 timeout_ms, GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_link_entry_free);
  for (guint i = 0; i < G_N_ELEMENTS (backends); i++)
    if (backends[i]->discover != NULL && !backends[i]->discover (list, timeout_ms, cancellable, error))
      return NULL;
  return g_steal_pointer (&list);
}
