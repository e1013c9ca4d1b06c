/* SPDX-License-Identifier: Apache-2.0 */
#include "sim-can/can-interface.h"

#include "sim-ecu/fd-source.h"

#include <errno.h>
#include <linux/can.h>
#include <linux/can/raw.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#define AT_ONCE 256
#define RETRY_MS 1

struct _RbCanInterface {
  RbCanHost *host;
  RbCanBus *wire;
  int fd;
  RbFdSource *watch;
  guint place;
  GQueue *waiting; /* of RbCanFrame: the interface has no room */
  guint retry; /* source, 0 none */
  gboolean warned;
};

static void
warn (RbCanInterface *self, const char *what)
{
  if (!self->warned)
    g_warning ("CAN interface: %s: %s", what, g_strerror (errno));
  self->warned = TRUE;
}

/* FALSE: no room. A frame that the interface cannot carry at all is lost, as on a bus that it does not fit. */
static gboolean
write_frame (RbCanInterface *self, const RbCanFrame *frame)
{
  guint8 packet[RB_CAN_FD_PACKET];
  gsize length = rb_can_write (frame, packet);
  ssize_t sent = send (self->fd, packet, length, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0 && (errno == EAGAIN || errno == ENOBUFS || errno == EINTR))
    return FALSE;
  if (sent < 0)
    warn (self, "a frame is lost");
  return TRUE;
}

/* A full queue of the interface (ENOBUFS) does not wake anybody up when it has room: it has to be tried. */
static gboolean
on_retry (gpointer data)
{
  RbCanInterface *self = data;
  const RbCanFrame *frame = g_queue_peek_head (self->waiting);
  for (; frame != NULL && write_frame (self, frame); frame = g_queue_peek_head (self->waiting))
    g_free (g_queue_pop_head (self->waiting));
  if (frame != NULL)
    return G_SOURCE_CONTINUE;
  self->retry = 0;
  rb_can_bus_hold (self->wire, FALSE);
  rb_can_host_run (self->host);
  return G_SOURCE_REMOVE;
}

static void
take (gpointer node, const RbCanFrame *frame, gint64 at)
{
  RbCanInterface *self = node;
  if (frame->own || (frame->id & RB_CAN_ERROR) != 0)
    return;
  if (self->waiting->length == 0 && write_frame (self, frame))
    return;
  g_queue_push_tail (self->waiting, g_memdup2 (frame, sizeof *frame));
  rb_can_bus_hold (self->wire, TRUE);
  if (self->retry == 0)
    self->retry = g_timeout_add (RETRY_MS, on_retry, self);
}

static void
on_frames (gpointer data, GIOCondition condition)
{
  RbCanInterface *self = data;
  for (guint i = 0; i < AT_ONCE; i++) {
    guint8 packet[RB_CAN_FD_PACKET + 1];
    RbCanFrame frame;
    ssize_t got = recv (self->fd, packet, sizeof packet, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
      break;
    if (got <= 0) {
      warn (self, "it is gone or down");
      if (got == 0 || errno != ENETDOWN)
        rb_fd_source_set (self->watch, 0);
      break;
    }
    frame.own = FALSE;
    if (rb_can_parse (packet, (gsize) got, &frame) && (frame.id & RB_CAN_ERROR) == 0
        && !rb_can_bus_send (self->wire, self->place, &frame, rb_can_host_now ()))
      g_debug ("a frame is lost");
  }
  rb_can_host_run (self->host);
}

static RbCanInterface *
interface_for_socket (RbCanHost *host, RbCanBus *wire, int fd)
{
  RbCanInterface *self = g_new0 (RbCanInterface, 1);
  self->host = host;
  self->wire = wire;
  self->fd = fd;
  self->waiting = g_queue_new ();
  self->place = rb_can_bus_join (wire, take, self);
  self->watch = rb_fd_source_new (fd, G_IO_IN, on_frames, self);
  return self;
}

static int
open_socket (const char *name, GError **error)
{
  const int on = 1;
  struct sockaddr_can address = { .can_family = AF_CAN, .can_ifindex = (int) if_nametoindex (name) };
  if (address.can_ifindex == 0) {
    g_set_error (error, RB_SIM_ERROR, RB_REASON_LINK_NONE, "there is no interface “%s”", name);
    return -1;
  }
  int fd = socket (PF_CAN, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, CAN_RAW);
  if (fd < 0) {
    g_set_error (error, RB_SIM_ERROR, RB_REASON_LINK_NONE, "no CAN in this kernel: %s", g_strerror (errno));
    return -1;
  }
  /* an interface without FD takes classic frames all the same */
  if (setsockopt (fd, SOL_CAN_RAW, CAN_RAW_FD_FRAMES, &on, sizeof on) != 0)
    g_debug ("no FD frames on %s", name);
  if (bind (fd, (const struct sockaddr *) &address, sizeof address) == 0)
    return fd;
  g_set_error (error, RB_SIM_ERROR, RB_REASON_LINK_NONE, "“%s” is not a CAN interface: %s", name, g_strerror (errno));
  close (fd);
  return -1;
}

RbCanInterface *
rb_can_interface_new (RbCanHost *host, RbCanBus *wire, const char *name, GError **error)
{
  int fd = open_socket (name, error);
  return fd < 0 ? NULL : interface_for_socket (host, wire, fd);
}

void
rb_can_interface_free (RbCanInterface *self)
{
  if (self->retry != 0)
    g_source_remove (self->retry);
  rb_can_bus_leave (self->wire, self->place);
  rb_fd_source_free (self->watch);
  close (self->fd);
  g_queue_free_full (self->waiting, g_free);
  g_free (self);
}
