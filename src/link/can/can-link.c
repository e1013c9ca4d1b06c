/* SPDX-License-Identifier: Apache-2.0 */
#include "can/can-link.h"

#include "can/can-io.h"

/* Frames in flight at a time: some 10 ms, so that the bus does not wait for a busy computer. can-io.c allows fewer
 * while several channels send. */
#define WINDOW 64
#define MAX_MESSAGE (1024 * 1024)

typedef struct {
  RbCanPipe *pipe;
  gsize max_message;
} Channel;

gpointer
rb_can_link_new (const RbCanBackend *backend, gpointer state, GError **error)
{
  return rb_can_io_new (backend, state, error);
}

static gpointer
link_open (const RbCanBackend *backend, const char *rest, RbLinkInfo *info, GCancellable *cancellable, GError **error)
{
  gpointer state = backend->open (rest, info, cancellable, error);
  if (state == NULL)
    return NULL;
  if (info->kind == NULL)
    info->kind = g_strdup (backend->scheme);
  info->max_message = MAX_MESSAGE;
  return rb_can_link_new (backend, state, error);
}

static void
link_close (gpointer state)
{
  rb_can_io_free (state);
}

static gboolean
link_is_alive (gpointer state)
{
  return rb_can_io_is_alive (state);
}

static gboolean
link_watch_testers (gpointer state, const guint32 *ids, guint n, GError **error)
{
  (void) error;
  rb_can_io_watch_testers (state, ids, n);
  return TRUE;
}

static gboolean
link_heard_tester (gpointer state, guint32 *id, GError **error)
{
  (void) error;
  *id = rb_can_io_heard_tester (state);
  return TRUE;
}

static gboolean
is_usable (gpointer state, const RbAddress *address, GError **error)
{
  if (address->request == 0) {
    g_set_error_literal (error, RB_LINK_ERROR, RB_REASON_ECU_MISSING, "the ECU has no CAN address");
    return FALSE;
  }
  if (address->fd && !rb_can_io_has_fd (state)) {
    g_set_error_literal (error, RB_LINK_ERROR, RB_REASON_UNSUPPORTED,
                         "the ECU speaks CAN FD and this interface does not");
    return FALSE;
  }
  return TRUE;
}

static gpointer
channel_open (gpointer state, const RbAddress *address, GError **error)
{
  RbIsotpConfig config = {
    .tx_id = address->request,
    .rx_id = address->response,
    .tx_extension = address->extension,
    .rx_extension = address->response_extension,
    .fd = address->fd,
    .brs = address->fd,
    .pad = TRUE,
    .padding = address->padding,
    .window = WINDOW,
    .max_message = MAX_MESSAGE,
    .functional = address->response == 0,
  };
  if (!is_usable (state, address, error))
    return NULL;
  RbCanPipe *pipe = rb_can_io_open (state, &config, error);
  if (pipe == NULL)
    return NULL;
  Channel *channel = g_new0 (Channel, 1);
  channel->pipe = pipe;
  gsize single = (address->fd ? 62u : 7u) - (address->extension >= 0 ? 1u : 0u);
  channel->max_message = config.functional ? single : MAX_MESSAGE;
  return channel;
}

static void
channel_close (gpointer state, gpointer data)
{
  Channel *channel = data;
  (void) state;
  rb_can_io_close (channel->pipe);
  g_free (channel);
}

static gboolean
channel_send (gpointer state, gpointer data, GBytes *message, GCancellable *cancellable, GError **error)
{
  (void) state;
  return rb_can_io_send (((Channel *) data)->pipe, message, cancellable, error);
}

static GBytes *
channel_receive (gpointer state, gpointer data, gint64 first_ms, GCancellable *cancellable, GError **error)
{
  (void) state;
  return rb_can_io_receive (((Channel *) data)->pipe, first_ms, cancellable, error);
}

static void
channel_drain (gpointer state, gpointer data)
{
  (void) state;
  rb_can_io_drain (((Channel *) data)->pipe);
}

static gsize
channel_max_message (gpointer state, gpointer data)
{
  (void) state;
  return ((Channel *) data)->max_message;
}

#define SLOTS \
  .close = link_close, .is_alive = link_is_alive, .channel_open = channel_open, .channel_close = channel_close, \
  .send = channel_send, .receive = channel_receive, .drain = channel_drain, .max_message = channel_max_message, \
  .watch_testers = link_watch_testers, .heard_tester = link_heard_tester

const RbLinkBackend rb_can_link_any = { .scheme = "", SLOTS };

/* An RbLinkBackend has no place for the CAN backend below it, so each gets two functions that name it. */
#define LINK_BACKEND(name, scheme_word, below) \
  static gpointer name##_open (const char *rest, RbLinkInfo *info, GCancellable *cancellable, GError **error) \
  { \
    return link_open (&below, rest, info, cancellable, error); \
  } \
  static gboolean name##_discover (GPtrArray *list, gint64 timeout_ms, GCancellable *cancellable, GError **error) \
  { \
    (void) timeout_ms; \
    return !g_cancellable_set_error_if_cancelled (cancellable, error) \
           && (below.list == NULL || below.list (list, error)); \
  } \
  const RbLinkBackend rb_can_link_##name \
    = { .scheme = scheme_word, .open = name##_open, .discover = name##_discover, SLOTS };

LINK_BACKEND (can, "can", rb_socketcan_backend)
LINK_BACKEND (canfd, "canfd", rb_socketcan_fd_backend)
LINK_BACKEND (usb, "usb", rb_gs_usb_backend)
LINK_BACKEND (bus, "bus", rb_virtual_bus_backend)
