/* SPDX-License-Identifier: Apache-2.0 */
#include "link/channel.h"

#include "link/backend.h"

struct _RbChannel {
  RbLink *link;
  gpointer state;
};

RbChannel *
rb_channel_open (RbLink *link, const RbAddress *address, GError **error)
{
  gpointer state = rb_link_backend (link)->channel_open (rb_link_state (link), address, error);
  if (state == NULL)
    return NULL;
  RbChannel *self = g_atomic_rc_box_new0 (RbChannel);
  self->link = rb_link_ref (link);
  self->state = state;
  return self;
}

RbChannel *
rb_channel_ref (RbChannel *self)
{
  return g_atomic_rc_box_acquire (self);
}

static void
channel_clear (gpointer data)
{
  RbChannel *self = data;
  rb_link_backend (self->link)->channel_close (rb_link_state (self->link), self->state);
  rb_link_unref (self->link);
}

void
rb_channel_unref (RbChannel *self)
{
  g_atomic_rc_box_release_full (self, channel_clear);
}

gboolean
rb_channel_send (RbChannel *self, GBytes *message, GCancellable *cancellable, GError **error)
{
  gsize max = rb_channel_max_message (self);
  if (g_bytes_get_size (message) > max) {
    g_set_error (error, RB_LINK_ERROR, RB_REASON_BLOCK_TOO_LONG,
                 "a message of %" G_GSIZE_FORMAT " bytes; the link carries %" G_GSIZE_FORMAT,
                 g_bytes_get_size (message), max);
    return FALSE;
  }
  return rb_link_backend (self->link)->send (rb_link_state (self->link), self->state, message, cancellable, error);
}

GBytes *
rb_channel_receive (RbChannel *self, gint64 first_ms, GCancellable *cancellable, GError **error)
{
  return rb_link_backend (self->link)->receive (rb_link_state (self->link), self->state, first_ms, cancellable, error);
}

GBytes *
rb_channel_receive_and_send (RbChannel *self, gint64 first_ms, RbChannelFollowUp *next, GCancellable *cancellable,
                             GError **error)
{
  const RbLinkBackend *backend = rb_link_backend (self->link);
  if (next != NULL)
    next->sent = FALSE;
  if (next == NULL || backend->receive_and_send == NULL
      || g_bytes_get_size (next->message) > rb_channel_max_message (self))
    return rb_channel_receive (self, first_ms, cancellable, error);
  return backend->receive_and_send (rb_link_state (self->link), self->state, first_ms, next, cancellable, error);
}

void
rb_channel_drain (RbChannel *self)
{
  rb_link_backend (self->link)->drain (rb_link_state (self->link), self->state);
}

gsize
rb_channel_max_message (RbChannel *self)
{
  return rb_link_backend (self->link)->max_message (rb_link_state (self->link), self->state);
}
