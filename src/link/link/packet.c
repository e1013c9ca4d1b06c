/* SPDX-License-Identifier: Apache-2.0 */
#include "link/packet.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* A UDS message over DoIP's 65535 bytes and its head fit; the kernel's default limits (212992) allow it. */
enum { CHUNK = 96 * 1024 };

typedef struct {
  guint32 kind;
  guint32 call;
  gint64 number;
  guint64 length; /* of the body */
} Head;

struct _RbPacketBuffer {
  Head head;
  guint8 body[CHUNK];
};

RbPacketBuffer *
rb_packet_buffer_new (void)
{
  return g_malloc (sizeof (RbPacketBuffer));
}

void
rb_packet_buffer_free (RbPacketBuffer *self)
{
  g_free (self);
}

gboolean
rb_packet_pair (int sockets[2])
{
  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0)
    return FALSE;
  for (guint i = 0; i < 2; i++) {
    const int room = 2 * CHUNK;
    /* above the numbers that a child gets its own at */
    int high = fcntl (sockets[i], F_DUPFD_CLOEXEC, 16);
    if (high >= 0) {
      close (sockets[i]);
      sockets[i] = high;
    }
    (void) setsockopt (sockets[i], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  }
  return TRUE;
}

enum { MAX_PASSED = 2 };
typedef union {
  struct cmsghdr header;
  char bytes[CMSG_SPACE (MAX_PASSED * sizeof (int))];
} Passing;
typedef gboolean (*Put) (int socket, struct iovec *parts, gsize n, const int *passed, int flags);

static gboolean
put_message (int socket, struct iovec *parts, gsize n, const int *passed, int flags)
{
  Passing control;
  struct msghdr message = { .msg_iov = parts, .msg_iovlen = n };
  if (passed != NULL && passed[0] >= 0) {
    memset (&control, 0, sizeof control);
    message.msg_control = &control;
    message.msg_controllen = sizeof control;
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN (MAX_PASSED * sizeof (int));
    memcpy (CMSG_DATA (&control.header), passed, MAX_PASSED * sizeof (int));
  }
  ssize_t sent;
  do
    sent = sendmsg (socket, &message, flags | MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent > 0;
}

static gboolean
put_vector (int socket, struct iovec *parts, gsize n, const int *passed, int flags)
{
  (void) passed;
  (void) flags;
  ssize_t sent;
  do
    sent = writev (socket, parts, (int) n);
  while (sent < 0 && errno == EINTR);
  return sent > 0;
}

static gboolean
put_packet (int socket, const RbPacket *packet, Put put, int flags)
{
  gsize length = packet->body == NULL ? 0 : g_bytes_get_size (packet->body);
  gsize done = MIN (length, CHUNK);
  Head head = { .kind = packet->kind, .call = packet->call, .number = packet->number, .length = length };
  g_autoptr (GBytes) first = length == 0 ? NULL : g_bytes_new_from_bytes (packet->body, 0, done);
  struct iovec parts[]
    = { { &head, sizeof head }, { first == NULL ? NULL : (void *) g_bytes_get_data (first, NULL), done } };
  const int passed[MAX_PASSED] = { packet->fd, packet->memory };
  if (!put (socket, parts, done > 0 ? 2 : 1, passed, flags))
    return FALSE;
  while (done < length) {
    g_autoptr (GBytes) next = g_bytes_new_from_bytes (packet->body, done, MIN (length - done, CHUNK));
    struct iovec part = { (void *) g_bytes_get_data (next, NULL), g_bytes_get_size (next) };
    if (!put (socket, &part, 1, NULL, flags))
      return FALSE;
    done += part.iov_len;
  }
  return TRUE;
}

gboolean
rb_packet_send (int socket, const RbPacket *packet, int flags)
{
  return put_packet (socket, packet, put_message, flags);
}

gboolean
rb_packet_reply (int socket, const RbPacket *packet)
{
  return put_packet (socket, packet, put_vector, 0);
}

static void
close_all (int *files)
{
  for (guint i = 0; i < MAX_PASSED; i++) {
    if (files[i] >= 0)
      close (files[i]);
    files[i] = -1;
  }
}

static void
take_passed (struct msghdr *message, int *files)
{
  struct cmsghdr *part = CMSG_FIRSTHDR (message);
  gsize n = part == NULL || part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS
              ? 0
              : (part->cmsg_len - CMSG_LEN (0)) / sizeof (int);
  memcpy (files, n == 0 ? (const void *) files : CMSG_DATA (part), MIN (n, MAX_PASSED) * sizeof (int));
}

/* One packet into parts; 0: the end. passed NULL: nothing may come with it. */
static gsize
take (int socket, struct iovec *parts, gsize n, int *passed)
{
  Passing control;
  struct msghdr message
    = { .msg_iov = parts, .msg_iovlen = n, .msg_control = &control, .msg_controllen = sizeof control };
  int files[MAX_PASSED] = { -1, -1 };
  ssize_t length;
  do
    length = recvmsg (socket, &message, MSG_CMSG_CLOEXEC);
  while (length < 0 && errno == EINTR);
  if (length > 0)
    take_passed (&message, files);
  if (passed != NULL)
    memcpy (passed, files, sizeof files);
  else
    close_all (files);
  return length > 0 && (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0 ? (gsize) length : 0;
}

static GBytes *
take_rest (int socket, RbPacketBuffer *buffer, gsize got)
{
  gsize length = buffer->head.length;
  g_autoptr (GByteArray) body = g_byte_array_sized_new ((guint) MIN (length, RB_PACKET_MAX_BODY));
  g_byte_array_append (body, buffer->body, (guint) got);
  while (body->len < length) {
    struct iovec part = { buffer->body, sizeof buffer->body };
    gsize more = take (socket, &part, 1, NULL);
    if (more == 0 || more > length - body->len)
      return NULL;
    g_byte_array_append (body, buffer->body, (guint) more);
  }
  return g_byte_array_free_to_bytes (g_steal_pointer (&body));
}

static gboolean
receive (int socket, RbPacketBuffer *buffer, RbPacket *packet, gboolean whole)
{
  memset (packet, 0, sizeof *packet);
  struct iovec parts[] = { { &buffer->head, sizeof buffer->head }, { buffer->body, sizeof buffer->body } };
  int passed[MAX_PASSED];
  gsize length = take (socket, parts, G_N_ELEMENTS (parts), passed);
  packet->fd = passed[0];
  packet->memory = passed[1];
  if (length < sizeof buffer->head)
    return FALSE;
  gsize got = length - sizeof buffer->head;
  const Head *head = &buffer->head;
  if (head->kind >= RB_PACKET_N_KINDS || head->length > RB_PACKET_MAX_BODY || got > head->length
      || (whole && got < head->length))
    return FALSE;
  packet->kind = head->kind;
  packet->call = head->call;
  packet->number = head->number;
  packet->body = got == head->length ? g_bytes_new (buffer->body, got) : take_rest (socket, buffer, got);
  return packet->body != NULL;
}

gboolean
rb_packet_receive (int socket, RbPacketBuffer *buffer, RbPacket *packet)
{
  return receive (socket, buffer, packet, FALSE);
}

gboolean
rb_packet_receive_whole (int socket, RbPacketBuffer *buffer, RbPacket *packet)
{
  return receive (socket, buffer, packet, TRUE);
}

void
rb_packet_clear (RbPacket *packet)
{
  g_clear_pointer (&packet->body, g_bytes_unref);
  if (packet->fd >= 0) {
    int passed[MAX_PASSED] = { packet->fd, packet->memory };
    close_all (passed);
  }
  packet->fd = -1;
}

struct _RbPacketMemory {
  int file;
  guint8 *bytes;
  gboolean second; /* is the newest message in the second place? */
};
/*
 * A message begins a quarter into its page. Into a socket's memory it is copied to a page's start and a few bytes of
 * head, and `rep movsb` of some processors is four times as slow where the target is, modulo the page, just behind the
 * source (glibc bug 30994).
 */
enum { SKEW = 1024, PLACE = RB_PACKET_SHARED_MAX + SKEW, SHARED = 2 * PLACE };

static RbPacketMemory *
memory_on (int file, int protection)
{
  void *bytes = mmap (NULL, SHARED, protection, MAP_SHARED, file, 0);
  if (bytes == MAP_FAILED) {
    close (file);
    return NULL;
  }
  RbPacketMemory *self = g_new0 (RbPacketMemory, 1);
  self->file = file;
  self->bytes = bytes;
  return self;
}

RbPacketMemory *
rb_packet_memory_new (void)
{
  int file = memfd_create ("recallbay-message", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (file < 0 || ftruncate (file, SHARED) != 0) {
    if (file >= 0)
      close (file);
    return NULL;
  }
  RbPacketMemory *self = memory_on (file, PROT_READ | PROT_WRITE);
  /* from now on no process maps it for writing */
  if (self != NULL && fcntl (file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) != 0)
    g_clear_pointer (&self, rb_packet_memory_free);
  return self;
}

RbPacketMemory *
rb_packet_memory_open (int file)
{
  /* not by fstat, which is more than the link process may call */
  if (file >= 0 && lseek (file, 0, SEEK_END) == SHARED)
    return memory_on (file, PROT_READ);
  if (file >= 0)
    close (file);
  return NULL;
}

void
rb_packet_memory_free (RbPacketMemory *self)
{
  munmap (self->bytes, SHARED);
  close (self->file);
  g_free (self);
}

int
rb_packet_memory_file (const RbPacketMemory *self)
{
  return self->file;
}

gboolean
rb_packet_memory_put (RbPacketMemory *self, GBytes *message, guint32 *place)
{
  gsize length;
  gconstpointer data = g_bytes_get_data (message, &length);
  if (length > RB_PACKET_SHARED_MAX)
    return FALSE;
  self->second = !self->second;
  *place = (self->second ? PLACE : 0) + SKEW;
  memcpy (&self->bytes[*place], data, length);
  return TRUE;
}

GBytes *
rb_packet_memory_view (const RbPacketMemory *self, guint32 place, gsize length)
{
  return length > SHARED || place > SHARED - length ? NULL : g_bytes_new_static (&self->bytes[place], length);
}
