/* SPDX-License-Identifier: Apache-2.0 */
#include "link/link.h"

#include "link/backend.h"
#include "link/process.h"

#include <string.h>

RB_DEFINE_ERROR_DOMAIN (link)

struct _RbLink {
  const RbLinkBackend *backend;
  char *uri;
  RbLinkInfo info;
  gpointer state;
};

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

/* Whatever adapter "usb:" found, the link is that one's: opened again it has to be the same. */
static char *
exact_uri (const char *uri, const RbLinkInfo *info)
{
  static const char any[] = "usb:";
  const char *rest = g_str_has_prefix (uri, any) ? &uri[sizeof any - 1] : NULL;
  gboolean unnamed = rest != NULL && (strchr ("/?", rest[0]) != NULL);
  return unnamed && info->serial != NULL ? g_strconcat (any, info->serial, rest, NULL) : g_strdup (uri);
}

RbLink *
rb_link_open_with_backend (const RbLinkBackend *backend, const char *uri, const char *rest,
                           const RbLinkOptions *options, GCancellable *cancellable, GError **error)
{
  RbLinkInfo info = { 0 };
  gpointer state = backend->open_with == NULL ? backend->open (rest, &info, cancellable, error)
                                              : backend->open_with (rest, options, &info, cancellable, error);
  if (state == NULL) {
    info_clear (&info);
    return NULL;
  }
  g_autofree char *exact = exact_uri (uri, &info);
  RbLink *self = rb_link_new_with_backend (backend, exact, state);
  self->info = info;
  if (self->info.kind == NULL)
    self->info.kind = g_strdup (backend->scheme);
  return self;
}

RbLink *
rb_link_open_with (const char *uri, const RbLinkOptions *options, GCancellable *cancellable, GError **error)
{
  return rb_link_open_with_backend (&rb_process_backend, uri, uri, options, cancellable, error);
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

gboolean
rb_link_watch_testers (RbLink *self, const guint32 *ids, guint n, GError **error)
{
  return self->backend->watch_testers == NULL || self->backend->watch_testers (self->state, ids, n, error);
}

gboolean
rb_link_heard_tester (RbLink *self, guint32 *id, GError **error)
{
  *id = 0;
  return self->backend->heard_tester == NULL || self->backend->heard_tester (self->state, id, error);
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

GPtrArray *
rb_link_discover (gint64 timeout_ms, GCancellable *cancellable, GError **error)
{
  return rb_process_discover (timeout_ms, cancellable, error);
}
