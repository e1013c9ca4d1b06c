/* SPDX-License-Identifier: Apache-2.0 */
#include "link/can-backend.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define RUBBISH 256 /* packets passed over at a time: others wait for the lock */

/*
 * The virtual bus: a Unix SOCK_SEQPACKET socket, one struct can_frame or canfd_frame a packet. The hub gives our own frames
 * back when they are on its wire (frame/can.h, RB_CAN_OWN_BYTE).
 */
typedef struct {
  int fd;
} Bus;

static gboolean
address_of (const char *path, struct sockaddr_un *address, GError **error)
{
  memset (address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  if (path[0] == '\0' || strlen (path) >= sizeof address->sun_path) {
    g_set_error (error, RB_LINK_ERROR, RB_REASON_USAGE, "a virtual bus is named bus:PATH, with a path of 1 to %" G_GSIZE_FORMAT " bytes",
                 sizeof address->sun_path - 1);
    return FALSE;
  }
  g_strlcpy (address->sun_path, path, sizeof address->sun_path);
  return TRUE;
}

static gpointer
rb_bus_open (const char *rest, RbLinkInfo *info, GCancellable *cancellable, GError **error)
{
  struct sockaddr_un address;
  if (g_cancellable_set_error_if_cancelled (cancellable, error) || !address_of (rest, &address, error))
    return NULL;
  int fd = socket (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0 || connect (fd, (struct sockaddr *) &address, sizeof address) != 0) {
    int failure = errno;
    gboolean absent = failure == ENOENT;
    g_set_error (error, RB_LINK_ERROR, absent ? RB_REASON_LINK_NONE : RB_REASON_LINK_REFUSED, "no virtual bus: %s", g_strerror (failure));
    if (fd >= 0)
      close (fd);
    return NULL;
  }
  info->vendor = g_strdup ("virtual");
  Bus *self = g_new0 (Bus, 1);
  self->fd = fd;
  return self;
}

static void
rb_bus_close (gpointer state)
{
  Bus *self = state;
  close (self->fd);
  g_free (self);
}

static gboolean
rb_bus_has_fd (gpointer state)
{
  (void) state;
  return TRUE;
}

static int
rb_bus_fd (gpointer state)
{
  return ((Bus *) state)->fd;
}

static RbCanResult
rb_bus_send (gpointer state, const RbCanFrame *frame, GError **error)
{
  guint8 packet[RB_CAN_FD_PACKET];
  gsize length = rb_can_write (frame, packet);
  if (send (((Bus *) state)->fd, packet, length, MSG_NOSIGNAL) == (ssize_t) length)
    return RB_CAN_DONE;
  if (errno == EAGAIN || errno == ENOBUFS || errno == EINTR)
    return RB_CAN_AGAIN;
  g_set_error (error, RB_LINK_ERROR, RB_REASON_LINK_LOST, "the virtual bus closed: %s", g_strerror (errno));
  return RB_CAN_FAILED;
}

static RbCanInput
rb_bus_receive (gpointer state, RbCanFrame *frame, GError **error)
{
  guint8 packet[RB_CAN_FD_PACKET + 1];
  ssize_t length;
  guint rubbish = 0;
  do
    length = recv (((Bus *) state)->fd, packet, sizeof packet, 0);
  while ((length < 0 && errno == EINTR) || (length > 0 && !rb_can_parse (packet, (gsize) length, frame) && ++rubbish < RUBBISH));
  if (length > 0 && rubbish < RUBBISH)
    return frame->own ? RB_CAN_CONFIRM : RB_CAN_FRAME;
  if (length > 0 || (length < 0 && errno == EAGAIN))
    return RB_CAN_EMPTY;
  g_set_error (error, RB_LINK_ERROR, RB_REASON_LINK_LOST, "the virtual bus closed: %s", length < 0 ? g_strerror (errno) : "end");
  return RB_CAN_GONE;
}

static gboolean
rb_bus_state (gpointer state, RbCanState *out)
{
  (void) state;
  memset (out, 0, sizeof *out);
  out->kind = RB_CAN_VIRTUAL;
  return TRUE;
}

const RbCanBackend rb_bus_backend = {
  .scheme = "bus",
  .open = rb_bus_open,
  .close = rb_bus_close,
  .has_fd = rb_bus_has_fd,
  .fd = rb_bus_fd,
  .send = rb_bus_send,
  .receive = rb_bus_receive,
  .state = rb_bus_state,
};
