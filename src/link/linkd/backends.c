/* SPDX-License-Identifier: Apache-2.0 */
#include "linkd/backends.h"

#include "can/can-link.h"
#include "doip/doip-link.h"
#include "link/backend.h"

#include <string.h>

static const RbLinkBackend *const backends[] = { &rb_doip_link_backend, &rb_doip_link_secured, &rb_can_link_can,
                                                 &rb_can_link_canfd,    &rb_can_link_usb,      &rb_can_link_bus };

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
rb_backends_open (const char *uri, const RbLinkOptions *options, GCancellable *cancellable, GError **error)
{
  const char *rest = NULL;
  const RbLinkBackend *backend = backend_for (uri, &rest, error);
  if (backend == NULL)
    return NULL;
  RbLink *self = rb_link_open_with_backend (backend, uri, rest, options, cancellable, error);
  if (self == NULL)
    g_prefix_error (error, "%s: ", uri);
  return self;
}

GPtrArray *
rb_backends_discover (gint64 timeout_ms, GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_link_entry_free);
  for (guint i = 0; i < G_N_ELEMENTS (backends); i++)
    if (backends[i]->discover != NULL && !backends[i]->discover (list, timeout_ms, cancellable, error))
      return NULL;
  return g_steal_pointer (&list);
}
