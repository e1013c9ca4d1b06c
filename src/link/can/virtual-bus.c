/* SPDX-License-Identifier: Apache-2.0 */
#include "can/can-backend.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

#define RUBBISH 256 /* packets ignored at a time: other threads wait for the lock */
#define ECHO_NS G_GINT64_CONSTANT (400000000) /* no echo after so long (N_As is 1 s): the hub has none */

/*
 * The virtual bus: a Unix SOCK_SEQPACKET socket, one struct can_frame or canfd_frame a packet. A hub echoes our own
 * frames, with byte 6 set, when they are on its wire (frame/can.h, RB_CAN_OWN_BYTE). Some hubs do not: a frame then
 * counts as on the wire when it was written. Which kind it is shows the first frame.
 */
typedef enum { ECHO_UNKNOWN, ECHO_GIVEN, ECHO_NONE } Echo;

typedef struct {
  int fd;
  int timer; /* due: no echo came, or frames wait to be confirmed without one */
  int both; /* epoll of the two */
  Echo echo;
  GQueue written; /* of RbCanFrame: not confirmed yet, unless echoes are given */
} Bus;

static gboolean
address_of (const char *path, struct sockaddr_un *address, GError **error)
{
  memset (address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  if (path[0] == '\0' || strlen (path) >= sizeof address->sun_path) {
    g_set_error (error, RB_LINK_ERROR, RB_REASON_USAGE,
                 "a virtual bus is named bus:PATH, with a path of 1 to %" G_GSIZE_FORMAT " bytes",
                 sizeof address->sun_path - 1);
    return FALSE;
  }
  g_strlcpy (address->sun_path, path, sizeof address->sun_path);
  return TRUE;
}

static void
rb_virtual_bus_close (gpointer state)
{
  Bus *self = state;
  close (self->fd);
  if (self->timer >= 0)
    close (self->timer);
  if (self->both >= 0)
    close (self->both);
  g_queue_clear_full (&self->written, g_free);
  g_free (self);
}

/* Takes fd. */
static Bus *
bus_new (int fd, GError **error)
{
  Bus *self = g_new0 (Bus, 1);
  struct epoll_event event = { .events = EPOLLIN };
  self->fd = fd;
  self->timer = timerfd_create (CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  self->both = epoll_create1 (EPOLL_CLOEXEC);
  g_queue_init (&self->written);
  if (self->timer >= 0 && self->both >= 0 && epoll_ctl (self->both, EPOLL_CTL_ADD, self->fd, &event) == 0
      && epoll_ctl (self->both, EPOLL_CTL_ADD, self->timer, &event) == 0)
    return self;
  g_set_error (error, RB_LINK_ERROR, RB_REASON_IO, "virtual bus: %s", g_strerror (errno));
  rb_virtual_bus_close (self);
  return NULL;
}

/* 0: never. */
static void
arm (Bus *self, gint64 nanoseconds)
{
  const struct itimerspec when
    = { .it_value = { .tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000 } };
  if (timerfd_settime (self->timer, 0, &when, NULL) != 0)
    g_debug ("timer: %s", g_strerror (errno));
}

static gpointer
rb_virtual_bus_open (const char *rest, RbLinkInfo *info, GCancellable *cancellable, GError **error)
{
  struct sockaddr_un address;
  if (g_cancellable_set_error_if_cancelled (cancellable, error) || !address_of (rest, &address, error))
    return NULL;
  int fd = socket (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0 || connect (fd, (struct sockaddr *) &address, sizeof address) != 0) {
    int failure = errno;
    gboolean absent = failure == ENOENT;
    g_set_error (error, RB_LINK_ERROR, absent ? RB_REASON_LINK_NONE : RB_REASON_LINK_REFUSED, "no virtual bus: %s",
                 g_strerror (failure));
    if (fd >= 0)
      close (fd);
    return NULL;
  }
  info->vendor = g_strdup ("virtual");
  return bus_new (fd, error);
}

static gboolean
rb_virtual_bus_has_fd (gpointer state)
{
  (void) state;
  return TRUE;
}

static int
rb_virtual_bus_fd (gpointer state)
{
  return ((Bus *) state)->both;
}

static void
note_written (Bus *self, const RbCanFrame *frame)
{
  if (self->echo == ECHO_GIVEN)
    return;
  if (g_queue_is_empty (&self->written))
    arm (self, self->echo == ECHO_NONE ? 1 : ECHO_NS);
  g_queue_push_tail (&self->written, g_memdup2 (frame, sizeof *frame));
}

static RbCanResult
rb_virtual_bus_send (gpointer state, const RbCanFrame *frame, GError **error)
{
  guint8 packet[RB_CAN_FD_PACKET];
  gsize length = rb_can_write (frame, packet);
  if (send (((Bus *) state)->fd, packet, length, MSG_NOSIGNAL) == (ssize_t) length) {
    note_written (state, frame);
    return RB_CAN_DONE;
  }
  if (errno == EAGAIN || errno == ENOBUFS || errno == EINTR)
    return RB_CAN_AGAIN;
  g_set_error (error, RB_LINK_ERROR, RB_REASON_LINK_LOST, "the virtual bus closed: %s", g_strerror (errno));
  return RB_CAN_FAILED;
}

/* A frame that was written, where the hub gives no echo. */
static gboolean
take_written (Bus *self, RbCanFrame *frame)
{
  g_autofree RbCanFrame *written = self->echo == ECHO_NONE ? g_queue_pop_head (&self->written) : NULL;
  if (written == NULL)
    return FALSE;
  if (g_queue_is_empty (&self->written))
    arm (self, 0);
  *frame = *written;
  frame->own = TRUE;
  return TRUE;
}

/* With nothing in the socket: no echo is on its way any more. */
static void
judge_silence (Bus *self)
{
  guint64 expired = 0;
  if (self->echo != ECHO_UNKNOWN || read (self->timer, &expired, sizeof expired) != sizeof expired)
    return;
  g_debug ("the virtual bus gives no echo");
  self->echo = ECHO_NONE;
}

/* The first echo shows that the hub gives them; one that comes after that was ruled out is ignored. */
static gboolean
is_confirmation (Bus *self, const RbCanFrame *frame)
{
  if (self->echo == ECHO_NONE)
    return FALSE;
  if (self->echo == ECHO_UNKNOWN) {
    self->echo = ECHO_GIVEN;
    arm (self, 0);
    g_queue_clear_full (&self->written, g_free);
  }
  return frame->own;
}

static RbCanInput
rb_virtual_bus_receive (gpointer state, RbCanFrame *frame, GError **error)
{
  Bus *self = state;
  guint8 packet[RB_CAN_FD_PACKET + 1];
  ssize_t length;
  guint rubbish = 0;
  if (take_written (self, frame))
    return RB_CAN_CONFIRM;
  do
    length = recv (self->fd, packet, sizeof packet, 0);
  while ((length < 0 && errno == EINTR)
         || (length > 0
             && (!rb_can_parse (packet, (gsize) length, frame) || (frame->own && !is_confirmation (self, frame)))
             && ++rubbish < RUBBISH));
  if (length > 0 && rubbish < RUBBISH)
    return frame->own ? RB_CAN_CONFIRM : RB_CAN_FRAME;
  if (length < 0 && errno == EAGAIN) {
    judge_silence (self);
    return take_written (self, frame) ? RB_CAN_CONFIRM : RB_CAN_EMPTY;
  }
  if (length > 0)
    return RB_CAN_EMPTY;
  g_set_error (error, RB_LINK_ERROR, RB_REASON_LINK_LOST, "the virtual bus closed: %s",
               length < 0 ? g_strerror (errno) : "end");
  return RB_CAN_GONE;
}

static gboolean
rb_virtual_bus_state (gpointer state, RbCanState *out)
{
  (void) state;
  memset (out, 0, sizeof *out);
  out->kind = RB_CAN_VIRTUAL;
  return TRUE;
}

const RbCanBackend rb_virtual_bus_backend = {
  .scheme = "bus",
  .open = rb_virtual_bus_open,
  .close = rb_virtual_bus_close,
  .has_fd = rb_virtual_bus_has_fd,
  .fd = rb_virtual_bus_fd,
  .send = rb_virtual_bus_send,
  .receive = rb_virtual_bus_receive,
  .state = rb_virtual_bus_state,
};
