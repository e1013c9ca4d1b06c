/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../link/link/bare-entity.h"
#include "uds/uds-client.h"

/*
 * doip-loopback BLOCK RATIO: an image of 16 MiB in TransferData messages of BLOCK bytes over DoIP on the loopback
 * interface, by the UDS client and a link with its process, and by a program of nothing but sockets that has its
 * messages made beforehand, into the flash of the same bare entity in another process. They take turns, and the median
 * of each counts; less than RATIO of the bare program's goodput fails, and so does a byte that arrived wrong.
 */
enum { TURNS = 25, HEADER = 8, ADDRESSES = 4, BEFORE_DATA = 2 };
#define IMAGE ((gsize) 16 << 20)

typedef struct {
  gsize block;
  gsize blocks;
  guint8 *image;
  guint8 *messages; /* the same as UDS messages of block bytes, the last may be shorter */
  guint8 *flash; /* the entity's */
} Download;

static guint8 *
message_of (Download *self, guint i)
{
  return &self->messages[i * self->block];
}

static gsize
length_of (const Download *self, guint i)
{
  return MIN (self->block, BEFORE_DATA + IMAGE - i * (self->block - BEFORE_DATA));
}

static guint8
counter_of (guint i)
{
  return (guint8) (i + 1);
}

static void
make_messages (Download *self)
{
  gsize data = self->block - BEFORE_DATA;
  guint32 state = 4711;
  self->blocks = (IMAGE + data - 1) / data;
  self->image = g_malloc (IMAGE);
  for (gsize i = 0; i < IMAGE; i++) {
    state = state * 1664525 + 1013904223;
    self->image[i] = (guint8) (state >> 24);
  }
  self->messages = g_malloc0 (self->blocks * self->block);
  for (guint i = 0; i < self->blocks; i++) {
    message_of (self, i)[0] = 0x36;
    message_of (self, i)[1] = counter_of (i);
    memcpy (message_of (self, i) + BEFORE_DATA, &self->image[i * data], length_of (self, i) - BEFORE_DATA);
  }
}

static pid_t
start_entity (Download *self, guint16 *port)
{
  self->flash = mmap (NULL, IMAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int listener = bare_entity_listen (port);
  pid_t child = fork ();
  if (child == 0) {
    prctl (PR_SET_PDEATHSIG, SIGKILL);
    bare_entity_serve (listener, self->flash, IMAGE);
    _exit (0);
  }
  close (listener);
  return child;
}

static void
die (const char *what)
{
  fprintf (stderr, "doip-loopback: %s\n", what);
  exit (2);
}

static void
read_message (int fd, guint8 *payload, gsize room)
{
  guint8 head[HEADER];
  if (recv (fd, head, HEADER, MSG_WAITALL) != HEADER)
    die ("the entity is gone");
  guint32 length = (guint32) head[4] << 24 | (guint32) head[5] << 16 | (guint32) head[6] << 8 | head[7];
  if (length > room || recv (fd, payload, length, MSG_WAITALL) != (ssize_t) length)
    die ("the entity is gone");
}

static void
write_message (int fd, guint16 type, const guint8 *before, gsize n_before, const guint8 *rest, gsize n_rest)
{
  guint32 length = (guint32) (n_before + n_rest);
  const guint8 head[HEADER] = { 2, 0xfd, type >> 8, type & 0xff, length >> 24, length >> 16, length >> 8, length };
  struct iovec parts[] = { { (void *) head, HEADER }, { (void *) before, n_before }, { (void *) rest, n_rest } };
  if (writev (fd, parts, 3) != (ssize_t) (HEADER + length))
    die ("the entity takes nothing");
}

static int
bare_connect (guint16 port)
{
  const int one = 1;
  const guint8 activation[] = { 0x0e, 0x80, 0, 0, 0, 0, 0 };
  guint8 payload[64];
  struct sockaddr_in address
    = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK), .sin_port = htons (port) };
  int fd = socket (AF_INET, SOCK_STREAM, 0);
  if (connect (fd, (struct sockaddr *) &address, sizeof address) != 0)
    die ("no connection");
  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  write_message (fd, 0x0005, activation, sizeof activation, NULL, 0);
  read_message (fd, payload, sizeof payload);
  return fd;
}

static double
bare_turn (Download *self, guint16 port)
{
  const guint8 addresses[ADDRESSES] = { 0x0e, 0x80, 0x10, 0x01 };
  guint8 payload[64];
  int fd = bare_connect (port);
  gint64 begin = g_get_monotonic_time ();
  for (guint i = 0; i < self->blocks; i++) {
    write_message (fd, 0x8001, addresses, sizeof addresses, message_of (self, i), length_of (self, i));
    read_message (fd, payload, sizeof payload);
    read_message (fd, payload, sizeof payload);
    if (payload[ADDRESSES] != 0x76 || payload[ADDRESSES + 1] != counter_of (i))
      die ("the entity answers something else");
  }
  double seconds = (double) (g_get_monotonic_time () - begin) / G_USEC_PER_SEC;
  close (fd);
  return seconds;
}

static double
link_turn (Download *self, guint16 port)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *uri = g_strdup_printf ("doip://127.0.0.1:%u", port);
  const RbAddress address = { .logical = 0x1001, .extension = -1, .response_extension = -1 };
  g_autoptr (RbLink) link = rb_link_open_with (uri, NULL, NULL, &error);
  g_autoptr (RbChannel) channel = link == NULL ? NULL : rb_channel_open (link, &address, &error);
  if (channel == NULL)
    die (error->message);
  g_autoptr (RbUdsClient) client = rb_uds_client_new (channel, NULL);
  gint64 begin = g_get_monotonic_time ();
  if (!rb_uds_client_transfer_data (client, self->image, IMAGE, self->block - BEFORE_DATA, NULL, NULL, NULL, &error))
    die (error->message);
  return (double) (g_get_monotonic_time () - begin) / G_USEC_PER_SEC;
}

static void
check_flash (Download *self)
{
  if (memcmp (self->flash, self->image, IMAGE) != 0)
    die ("the image did not arrive");
  memset (self->flash, 0xff, IMAGE);
}

static int
by_size (const void *a, const void *b)
{
  double one = *(const double *) a, two = *(const double *) b;
  return (one > two) - (one < two);
}

int
main (int argc, char **argv)
{
  if (argc != 3)
    die ("usage: doip-loopback BLOCK RATIO");
  double wanted = g_ascii_strtod (argv[2], NULL), bare[TURNS], ours[TURNS];
  guint16 port;
  Download self = { .block = (gsize) g_ascii_strtoull (argv[1], NULL, 10) };
  make_messages (&self);
  pid_t entity = start_entity (&self, &port);
  for (guint i = 0; i < TURNS; i++) {
    bare[i] = bare_turn (&self, port);
    check_flash (&self);
    ours[i] = link_turn (&self, port);
    check_flash (&self);
  }
  kill (entity, SIGKILL);
  waitpid (entity, NULL, 0);
  qsort (bare, TURNS, sizeof *bare, by_size);
  qsort (ours, TURNS, sizeof *ours, by_size);
  double megabytes = (double) IMAGE / 1e6, ratio = bare[TURNS / 2] / ours[TURNS / 2];
  printf ("16 MiB in %" G_GSIZE_FORMAT " blocks of %" G_GSIZE_FORMAT
          " bytes: bare %.3f s, %.1f MB/s; link with its process %.3f s, %.1f MB/s; ratio %.3f (at least"
          " %.2f)\n",
          self.blocks, self.block, bare[TURNS / 2], megabytes / bare[TURNS / 2], ours[TURNS / 2],
          megabytes / ours[TURNS / 2], ratio, wanted);
  g_free (self.messages);
  g_free (self.image);
  return ratio >= wanted ? 0 : 1;
}
