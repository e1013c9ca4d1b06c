/* SPDX-License-Identifier: Apache-2.0 */
#include "doip/doip-stream.h"

#include "core/bytes.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM = 32 * 1024 };

struct _RbDoipStream {
  GSocket *socket;
  int fd;
  int interrupt; /* eventfd */
  GByteArray *in; /* what came and is not handed out yet */
  guint8 *room;
};

RbDoipStream *
rb_doip_stream_new (GSocket *socket)
{
  RbDoipStream *self = g_new0 (RbDoipStream, 1);
  self->socket = g_object_ref (socket);
  self->fd = g_socket_get_fd (socket);
  self->interrupt = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  self->in = g_byte_array_new ();
  self->room = g_malloc (ROOM);
  g_socket_set_blocking (socket, FALSE);
  return self;
}

void
rb_doip_stream_free (RbDoipStream *self)
{
  close (self->interrupt);
  g_object_unref (self->socket);
  g_byte_array_unref (self->in);
  g_free (self->room);
  g_free (self);
}

void
rb_doip_stream_interrupt (RbDoipStream *self)
{
  const guint64 one = 1;
  if (write (self->interrupt, &one, sizeof one) != sizeof one)
    g_debug ("it is interrupted already");
}

static gboolean
say_lost (GError **error, const char *why)
{
  return rb_reason_deny (error, RB_LINK_ERROR, RB_REASON_LINK_LOST, "%s", why);
}

/* Hands out what is complete; how many bytes that was, or -1. */
static gssize
hand_out (const guint8 *data, gsize length, RbDoipStreamTake take, gpointer user, GError **error)
{
  RbReader reader = rb_reader_new (data, length);
  gsize done = 0;
  while (rb_reader_left (&reader) >= RB_DOIP_HEADER) {
    RbDoipHeader header;
    const guint8 *head = rb_reader_take (&reader, RB_DOIP_HEADER);
    if (rb_doip_header_parse (head, RB_DOIP_HEADER, &header) != RB_DOIP_HEADER_GOOD
        || header.length > RB_DOIP_MAX_PAYLOAD) {
      g_set_error_literal (error, RB_LINK_ERROR, RB_REASON_LINK_PROTOCOL,
                           "the vehicle sent something that is not DoIP");
      return -1;
    }
    if (rb_reader_left (&reader) < header.length)
      break;
    take (user, &header, rb_reader_take (&reader, header.length));
    done = length - rb_reader_left (&reader);
  }
  return (gssize) done;
}

static gboolean
take_in (RbDoipStream *self, gsize length, RbDoipStreamTake take, gpointer user, GError **error)
{
  gboolean kept = self->in->len > 0;
  if (kept)
    g_byte_array_append (self->in, self->room, (guint) length);
  gsize there = kept ? self->in->len : length;
  gssize done = hand_out (kept ? self->in->data : self->room, there, take, user, error);
  if (done < 0)
    return FALSE;
  if (kept)
    g_byte_array_remove_range (self->in, 0, (guint) done);
  else if ((gsize) done < length)
    g_byte_array_append (self->in, &self->room[done], (guint) (length - (gsize) done));
  return TRUE;
}

/* Until there is something to read; FALSE when there is none in time. */
static gboolean
wait_readable (RbDoipStream *self, gint64 end)
{
  struct pollfd polled[] = { { self->fd, POLLIN, 0 }, { self->interrupt, POLLIN, 0 } };
  gint64 left = MAX (end - g_get_monotonic_time (), 0);
  const struct timespec most = { left / G_USEC_PER_SEC, left % G_USEC_PER_SEC * 1000 };
  int ready = ppoll (polled, G_N_ELEMENTS (polled), end == 0 ? NULL : &most, NULL);
  guint64 count;
  if (polled[1].revents != 0 && read (self->interrupt, &count, sizeof count) < 0)
    g_debug ("the interrupting end is closed");
  return ready > 0 && polled[0].revents != 0;
}

gboolean
rb_doip_stream_read (RbDoipStream *self, gint64 end, RbDoipStreamTake take, gpointer user, GError **error)
{
  if (!wait_readable (self, end))
    return TRUE;
  gssize got = recv (self->fd, self->room, ROOM, 0);
  if (got > 0)
    return take_in (self, (gsize) got, take, user, error);
  if (got < 0 && (errno == EAGAIN || errno == EINTR))
    return TRUE;
  return say_lost (error, got == 0 ? "the vehicle closed the connection" : g_strerror (errno));
}

/* FALSE: cancelled, with error. */
static gboolean
wait_writable (RbDoipStream *self, GCancellable *cancellable, GError **error)
{
  struct pollfd polled[] = { { self->fd, POLLOUT, 0 }, { g_cancellable_get_fd (cancellable), POLLIN, 0 } };
  (void) ppoll (polled, polled[1].fd >= 0 ? 2 : 1, NULL, NULL);
  if (polled[1].fd >= 0)
    g_cancellable_release_fd (cancellable);
  return !g_cancellable_set_error_if_cancelled (cancellable, error);
}

/* Takes what was sent from the front of parts. */
static void
advance (struct iovec **parts, gsize *n, gsize sent)
{
  while (*n > 0 && sent >= (*parts)->iov_len) {
    sent -= (*parts)->iov_len;
    (*parts)++;
    (*n)--;
  }
  if (sent > 0) {
    (*parts)->iov_base = &((guint8 *) (*parts)->iov_base)[sent];
    (*parts)->iov_len -= sent;
  }
}

gboolean
rb_doip_stream_write (RbDoipStream *self, struct iovec *parts, gsize n, gsize *done, GCancellable *cancellable,
                      GError **error)
{
  *done = 0;
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;
  while (n > 0) {
    const struct msghdr message = { .msg_iov = parts, .msg_iovlen = n };
    gssize sent = sendmsg (self->fd, &message, MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) {
      if (!wait_writable (self, cancellable, error))
        return FALSE;
    } else if (sent < 0 && errno != EINTR) {
      return say_lost (error, g_strerror (errno));
    } else if (sent > 0) {
      *done += (gsize) sent;
      advance (&parts, &n, (gsize) sent);
    }
  }
  return TRUE;
}
