/* SPDX-License-Identifier: Apache-2.0 */
#include "bare-entity.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { HEADER = 8, BEFORE_DATA = 6, MAX_MESSAGE = 1 << 20 };

int
bare_entity_listen (guint16 *port)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  socklen_t length = sizeof address;
  int listener = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (bind (listener, (struct sockaddr *) &address, length), ==, 0);
  g_assert_cmpint (listen (listener, 8), ==, 0);
  g_assert_cmpint (getsockname (listener, (struct sockaddr *) &address, &length), ==, 0);
  *port = ntohs (address.sin_port);
  return listener;
}

static gboolean
read_all (int fd, guint8 *out, gsize length)
{
  return length == 0 || recv (fd, out, length, MSG_WAITALL) == (ssize_t) length;
}

static void
put_head (guint8 *out, guint16 type, guint32 length)
{
  const guint8 head[HEADER] = { 2, 0xfd, type >> 8, type & 0xff, length >> 24, length >> 16, length >> 8, length };
  memcpy (out, head, HEADER);
}

static gboolean
put_all (int fd, struct iovec *parts, int n)
{
  gsize total = 0;
  for (int i = 0; i < n; i++)
    total += parts[i].iov_len;
  struct msghdr message = { .msg_iov = parts, .msg_iovlen = (gsize) n };
  return sendmsg (fd, &message, MSG_NOSIGNAL | MSG_WAITALL) == (ssize_t) total;
}

static gboolean
refuse_header (int fd)
{
  guint8 refused[HEADER + 1] = { 0 };
  put_head (refused, 0x0000, 1);
  refused[HEADER] = 0x02; /* message too large */
  struct iovec part = { refused, sizeof refused };
  return put_all (fd, &part, 1);
}

/* payload: source, target, UDS message. Acknowledgement and answer are two messages, written as they come about. */
static gboolean
answer (int fd, const guint8 *payload, guint32 length)
{
  const guint8 addresses[] = { payload[2], payload[3], payload[0], payload[1] };
  if (payload[4] == 0x29)
    return refuse_header (fd);
  guint8 acknowledge[HEADER + 5] = { 0 };
  put_head (acknowledge, 0x8002, 5);
  memcpy (&acknowledge[HEADER], addresses, 4);
  struct iovec first = { acknowledge, sizeof acknowledge };
  if (!put_all (fd, &first, 1))
    return FALSE;
  guint8 sid = payload[4];
  if (length < 6 || (sid != 0x36 && sid != 0x22 && sid != 0x28))
    return TRUE;
  guint32 said = sid == 0x36 ? 2 : length - 4;
  guint8 head[HEADER + 5];
  put_head (head, 0x8001, 4 + said);
  memcpy (&head[HEADER], addresses, 4);
  head[HEADER + 4] = sid | 0x40;
  struct iovec parts[] = { { head, sizeof head }, { (void *) &payload[5], said - 1 } };
  return put_all (fd, parts, 2);
}

typedef struct {
  guint8 *image; /* NULL: nothing is kept */
  gsize room, at;
} Flash;

/* What is behind the first bytes of a diagnostic message: the data of a TransferData right into the flash. */
static gboolean
read_rest (int fd, Flash *flash, guint8 *payload, guint32 length)
{
  gsize left = length - BEFORE_DATA;
  if (flash->image == NULL || payload[4] != 0x36)
    return read_all (fd, &payload[BEFORE_DATA], left);
  if (flash->at + left > flash->room)
    flash->at = 0;
  guint8 *to = &flash->image[flash->at];
  flash->at += left;
  return read_all (fd, to, left);
}

static gboolean
activate (int fd, const guint8 *payload)
{
  guint8 activated[HEADER + 9] = { 0 };
  put_head (activated, 0x0006, 9);
  memcpy (&activated[HEADER], payload, 2);
  activated[HEADER + 2] = 0x10;
  activated[HEADER + 3] = 0x01;
  activated[HEADER + 4] = 0x10;
  struct iovec part = { activated, sizeof activated };
  return put_all (fd, &part, 1);
}

static void
wait_for_end (int fd)
{
  struct pollfd polled = { fd, POLLRDHUP, 0 };
  while (poll (&polled, 1, -1) < 0)
    ;
}

static void
serve (int fd, Flash *flash)
{
  const int one = 1;
  static guint8 payload[MAX_MESSAGE];
  guint8 head[HEADER];
  gboolean good = TRUE;
  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  while (good && read_all (fd, head, HEADER)) {
    guint16 type = (guint16) (head[2] << 8 | head[3]);
    guint32 length = (guint32) head[4] << 24 | (guint32) head[5] << 16 | (guint32) head[6] << 8 | head[7];
    guint32 first = MIN (length, BEFORE_DATA);
    if (length > sizeof payload || !read_all (fd, payload, first)
        || (length > first && !read_rest (fd, flash, payload, length)))
      return;
    if (type == 0x0005)
      good = activate (fd, payload);
    else if (type == 0x8001 && length > 4)
      good = answer (fd, payload, length);
    if (good && type == 0x8001 && length > 4 && payload[4] == 0x28)
      wait_for_end (fd);
  }
}

void
bare_entity_serve (int listener, guint8 *image, gsize room)
{
  int fd;
  while ((fd = accept4 (listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
    Flash flash = { image, room, 0 };
    serve (fd, &flash);
    close (fd);
  }
}
