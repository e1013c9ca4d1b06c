/* SPDX-License-Identifier: Apache-2.0 */
#include "sim-can/bus-hub.h"

#include "sim-ecu/fd-source.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define AHEAD 1 /* frames of a client taken from its socket and not yet on the wire */
#define MAX_BEHIND 16384 /* frames that a client has not read, over what its socket holds */
#define PATIENCE_MS 250 /* less than half of what ISO 15765-2 waits for a frame: two looks may pass */
#define MAX_CLIENTS 64

typedef struct {
  gsize length;
  guint8 bytes[RB_CAN_FD_PACKET];
} Packet;

typedef struct {
  RbBusHub *hub;
  int fd;
  RbFdSource *watch;
  guint place;
  GQueue *behind; /* of Packet */
  gboolean quiet; /* it read nothing since the last look */
  gboolean stuck; /* no client waits for it any more */
  gboolean gone;
} Client;

struct _RbBusHub {
  RbCanHost *host;
  RbCanBus *wire;
  gboolean paced;
  char *path;
  int fd;
  RbFdSource *watch;
  GPtrArray *clients; /* of Client */
  guint looking; /* source that looks for quiet clients, 0 none */
  gboolean any_gone;
};

static void
client_free (gpointer data)
{
  Client *self = data;
  rb_can_bus_leave (self->hub->wire, self->place);
  rb_fd_source_free (self->watch);
  close (self->fd);
  g_queue_free_full (self->behind, g_free);
  g_free (self);
}

/* Is there one that the bus waits for? */
static gboolean
is_awaited (const RbBusHub *self)
{
  for (guint i = 0; i < self->clients->len && !self->paced; i++) {
    const Client *client = self->clients->pdata[i];
    if (client->behind->length > 0 && !client->stuck && !client->gone)
      return TRUE;
  }
  return FALSE;
}

static gboolean look (gpointer data);

static void
hold_or_go_on (RbBusHub *self)
{
  gboolean hold = is_awaited (self);
  rb_can_bus_hold (self->wire, hold);
  if (hold && self->looking == 0)
    self->looking = g_timeout_add (PATIENCE_MS, look, self);
}

/* Clients are taken away only here, never while frames are given out. */
static void
sweep (RbBusHub *self)
{
  for (guint i = self->clients->len; self->any_gone && i > 0; i--)
    if (((Client *) self->clients->pdata[i - 1])->gone)
      g_ptr_array_remove_index (self->clients, i - 1);
  self->any_gone = FALSE;
  hold_or_go_on (self);
}

static void
hang_up (Client *self)
{
  self->gone = TRUE;
  self->hub->any_gone = TRUE;
}

static void
watch_again (Client *self)
{
  gboolean room = rb_can_bus_waiting (self->hub->wire, self->place) < AHEAD;
  rb_fd_source_set (self->watch, (room ? G_IO_IN : 0) | (self->behind->length > 0 ? G_IO_OUT : 0));
}

/* Does the bus have room for more of its frames? Takes them from the socket. */
static void
take_frames (Client *self, gint64 now)
{
  while (!self->gone && rb_can_bus_waiting (self->hub->wire, self->place) < AHEAD) {
    guint8 packet[RB_CAN_FD_PACKET + 1];
    RbCanFrame frame;
    ssize_t got = recv (self->fd, packet, sizeof packet, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
      return;
    if (got <= 0) {
      hang_up (self);
      return;
    }
    if (rb_can_parse (packet, (gsize) got, &frame) && (frame.id & RB_CAN_ERROR) == 0
        && !rb_can_bus_send (self->hub->wire, self->place, &frame, now))
      g_debug ("a client's frame is lost");
  }
}

/* TRUE when it is out or lost for good, FALSE when there is no room. */
static gboolean
write_packet (Client *self, const guint8 *bytes, gsize length)
{
  ssize_t sent = send (self->fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOBUFS))
    return FALSE;
  if (sent < 0)
    hang_up (self);
  return TRUE;
}

/* Who reads nothing for so long is no longer waited for: the others have their own times to keep. */
static gboolean
look (gpointer data)
{
  RbBusHub *self = data;
  for (guint i = 0; i < self->clients->len; i++) {
    Client *client = self->clients->pdata[i];
    client->stuck = client->stuck || (client->quiet && client->behind->length > 0);
    client->quiet = TRUE;
  }
  sweep (self);
  rb_can_host_run (self->host);
  if (is_awaited (self))
    return G_SOURCE_CONTINUE;
  self->looking = 0;
  return G_SOURCE_REMOVE;
}

static void
fall_behind (Client *self, const guint8 *bytes, gsize length)
{
  RbBusHub *hub = self->hub;
  if (self->behind->length >= MAX_BEHIND) {
    if (!hub->paced) /* on a bus without time nothing is lost in silence */
      hang_up (self);
    return;
  }
  Packet *packet = g_new (Packet, 1);
  packet->length = length;
  memcpy (packet->bytes, bytes, length);
  if (self->behind->length == 0)
    self->quiet = self->stuck = FALSE;
  g_queue_push_tail (self->behind, packet);
  hold_or_go_on (hub);
  watch_again (self);
}

static void
catch_up (Client *self)
{
  Packet *packet = g_queue_peek_head (self->behind);
  for (; packet != NULL && !self->gone && write_packet (self, packet->bytes, packet->length);
       packet = g_queue_peek_head (self->behind)) {
    self->quiet = self->stuck = FALSE;
    g_free (g_queue_pop_head (self->behind));
  }
}

/* A frame is on the wire. */
static void
take (gpointer node, const RbCanFrame *frame, gint64 at)
{
  Client *self = node;
  guint8 packet[RB_CAN_FD_PACKET];
  gsize length = rb_can_write (frame, packet);
  if (self->gone)
    return;
  if (self->behind->length > 0 || !write_packet (self, packet, length))
    fall_behind (self, packet, length);
  if (frame->own)
    take_frames (self, at);
  watch_again (self);
}

static void
on_client (gpointer data, GIOCondition condition)
{
  Client *self = data;
  RbBusHub *hub = self->hub;
  if ((condition & G_IO_OUT) != 0)
    catch_up (self);
  /* at a hang-up only what is still in the socket is read; its end is found there */
  take_frames (self, rb_can_host_now ());
  if ((condition & (G_IO_HUP | G_IO_ERR)) != 0 && (condition & G_IO_IN) == 0)
    hang_up (self);
  rb_can_host_run (hub->host);
  watch_again (self);
  sweep (hub);
  rb_can_host_run (hub->host);
}

static void
on_incoming (gpointer data, GIOCondition condition)
{
  RbBusHub *self = data;
  int fd = accept4 (self->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0)
    return;
  if (self->clients->len >= MAX_CLIENTS) {
    close (fd);
    return;
  }
  Client *client = g_new0 (Client, 1);
  client->hub = self;
  client->fd = fd;
  client->behind = g_queue_new ();
  client->place = rb_can_bus_join (self->wire, take, client);
  client->watch = rb_fd_source_new (fd, G_IO_IN, on_client, client);
  g_ptr_array_add (self->clients, client);
}

/* Is there a socket without a listener? */
static gboolean
is_left_over (const struct sockaddr_un *address)
{
  struct stat status;
  if (lstat (address->sun_path, &status) != 0 || !S_ISSOCK (status.st_mode))
    return FALSE;
  int probe = socket (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  gboolean dead
    = probe >= 0 && connect (probe, (const struct sockaddr *) address, sizeof *address) != 0 && errno == ECONNREFUSED;
  if (probe >= 0)
    close (probe);
  return dead;
}

static int
listen_at (const char *path, GError **error)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  if (g_strlcpy (address.sun_path, path, sizeof address.sun_path) >= sizeof address.sun_path) {
    g_set_error (error, RB_SIM_ERROR, RB_REASON_USAGE, "%s: a socket's path has at most %d bytes", path,
                 (int) sizeof address.sun_path - 1);
    return -1;
  }
  if (is_left_over (&address))
    (void) unlink (path);
  int fd = socket (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd >= 0 && bind (fd, (const struct sockaddr *) &address, sizeof address) == 0 && listen (fd, 16) == 0)
    return fd;
  g_set_error (error, RB_SIM_ERROR, errno == EADDRINUSE ? RB_REASON_EXISTS : RB_REASON_IO, "%s: %s", path,
               g_strerror (errno));
  if (fd >= 0)
    close (fd);
  return -1;
}

RbBusHub *
rb_bus_hub_new (RbCanHost *host, RbCanBus *wire, const char *path, GError **error)
{
  int fd = listen_at (path, error);
  if (fd < 0)
    return NULL;
  RbBusHub *self = g_new0 (RbBusHub, 1);
  self->host = host;
  self->wire = wire;
  self->paced = rb_can_bus_is_paced (wire);
  self->path = g_strdup (path);
  self->fd = fd;
  self->clients = g_ptr_array_new_with_free_func (client_free);
  self->watch = rb_fd_source_new (fd, G_IO_IN, on_incoming, self);
  return self;
}

void
rb_bus_hub_free (RbBusHub *self)
{
  if (self->looking != 0)
    g_source_remove (self->looking);
  rb_fd_source_free (self->watch);
  g_ptr_array_unref (self->clients);
  close (self->fd);
  (void) unlink (self->path);
  g_free (self->path);
  g_free (self);
}
