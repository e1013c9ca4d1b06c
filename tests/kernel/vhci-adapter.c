/* SPDX-License-Identifier: Apache-2.0 */
#include "../link/can/candlelight.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/can/raw.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * vhci-adapter [--fd] SERIAL IFACE…: plugs the adapter of candlelight.h into this machine's kernel by USB/IP's virtual
 * host controller (module vhci-hcd, Documentation/usb/usbip_protocol.rst); each channel is joined with a CAN interface.
 * Root.
 *
 * Says "plugged" and "unplugged". On standard input, a line each: "state CHANNEL STATE TX RX", "error CHANNEL CLASS
 * KIND PLACE", "unheard CHANNEL 0|1" (nobody acknowledges), "mute 0|1" (the adapter keeps frames), "bitrate CHANNEL"
 * (answers both), "coarse BRP" (least divider of data bit rates, from the next plug on), "unplug", "plug"; each is
 * answered, the end of it is the end.
 */
#define VHCI "/sys/devices/platform/vhci_hcd.0/"
enum { CMD_SUBMIT = 1, CMD_UNLINK = 2, RET_SUBMIT = 3, RET_UNLINK = 4 };
enum { SPEED_FULL = 2, MAX_PENDING = 256, MAX_TRANSFER = 65536, PORT_FREE = 4 };

typedef struct {
  guint32 command, seqnum, devid, direction, ep;
  union {
    struct {
      guint32 flags, length, start_frame, packets, interval;
      guint8 setup[8];
    } submit;
    struct {
      guint32 status, length, start_frame, packets, errors;
      guint8 pad[8];
    } ret;
    struct {
      guint32 seqnum;
      guint8 pad[24];
    } unlink;
  } u;
} Header;
G_STATIC_ASSERT (sizeof (Header) == 48);

typedef struct {
  Candlelight *adapter;
  int usb; /* our end of the socketpair, -1 while unplugged */
  guint n_interfaces;
  int can[CANDLELIGHT_CHANNELS];
  gboolean unheard[CANDLELIGHT_CHANNELS];
  struct {
    guint32 seqnum, length;
  } pending[MAX_PENDING]; /* bulk IN */
  guint n_pending;
} Plug;

static void
die (const char *what)
{
  perror (what);
  exit (1);
}

static void
say (const char *word)
{
  puts (word);
  fflush (stdout);
}

static gboolean
receive_all (int fd, void *data, gsize size)
{
  return size == 0 || recv (fd, data, size, MSG_WAITALL) == (gssize) size;
}

static gboolean
send_all (int fd, const void *data, gsize size)
{
  return send (fd, data, size, MSG_NOSIGNAL) == (gssize) size;
}

static int
free_port (void)
{
  char line[256];
  int port, found = -1;
  guint state;
  FILE *status = fopen (VHCI "status", "re");
  if (status == NULL)
    die (VHCI "status");
  while (found < 0 && fgets (line, sizeof line, status) != NULL)
    if (sscanf (line, "hs %d %u", &port, &state) == 2 && state == PORT_FREE)
      found = port;
  fclose (status);
  return found;
}

static void
plug (Plug *self)
{
  int ends[2], attach = open (VHCI "attach", O_WRONLY | O_CLOEXEC), port = free_port ();
  if (self->usb >= 0)
    return;
  if (attach < 0 || port < 0 || socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
    die ("no free port");
  if (dprintf (attach, "%d %d %u %d", port, ends[0], 1u << 16 | 2, SPEED_FULL) < 0)
    die (VHCI "attach");
  close (attach);
  close (ends[0]); /* the kernel holds it now */
  self->usb = ends[1];
  self->n_pending = 0;
}

/* vhci takes the end of the socket for a disconnect; the adapter has lost its power. */
static void
unplug (Plug *self)
{
  if (self->usb >= 0)
    close (self->usb);
  self->usb = -1;
  for (guint i = 0; i < self->n_interfaces; i++) {
    const guint8 setup[8] = { 0x41, 2, (guint8) i, 0, 0, 0, 8, 0 };
    guint8 off[8] = { 0 };
    candlelight_control (self->adapter, setup, off, sizeof off);
  }
}

static gboolean
reply (Plug *self, guint32 seqnum, gssize result, const guint8 *data)
{
  Header header = { .command = htonl (RET_SUBMIT), .seqnum = seqnum };
  header.u.ret.status = htonl ((guint32) MIN (result, 0));
  header.u.ret.length = htonl ((guint32) MAX (result, 0));
  return send_all (self->usb, &header, sizeof header)
         && (data == NULL || result <= 0 || send_all (self->usb, data, (gsize) result));
}

static void
drop_pending (Plug *self, guint from, guint n)
{
  self->n_pending -= n;
  memmove (&self->pending[from], &self->pending[from + n], (self->n_pending - from) * sizeof *self->pending);
}

static gboolean
serve_pending (Plug *self)
{
  guint8 data[128];
  while (self->n_pending > 0) {
    gssize n = candlelight_bulk_in (self->adapter, data, MIN (self->pending[0].length, sizeof data));
    if (n == -EAGAIN)
      return TRUE;
    if (!reply (self, self->pending[0].seqnum, n, data))
      return FALSE;
    drop_pending (self, 0, 1);
  }
  return TRUE;
}

static gboolean
serve_unlink (Plug *self, const Header *command)
{
  Header header = { .command = htonl (RET_UNLINK), .seqnum = command->seqnum };
  for (guint i = 0; i < self->n_pending; i++)
    if (self->pending[i].seqnum == command->u.unlink.seqnum) {
      drop_pending (self, i, 1);
      header.u.ret.status = htonl ((guint32) -ECONNRESET);
      break;
    }
  return send_all (self->usb, &header, sizeof header);
}

static gboolean
serve_submit (Plug *self, const Header *command)
{
  static guint8 data[MAX_TRANSFER];
  guint32 length = ntohl (command->u.submit.length), ep = ntohl (command->ep);
  gboolean in = ntohl (command->direction) == 1;
  if (length > sizeof data || (!in && !receive_all (self->usb, data, length)))
    return FALSE;
  if (ep == 0)
    return reply (self, command->seqnum, candlelight_control (self->adapter, command->u.submit.setup, data, length),
                  in ? data : NULL);
  if (!in && ep == CANDLELIGHT_OUT)
    return reply (self, command->seqnum, candlelight_bulk_out (self->adapter, data, length), NULL);
  if (!in || ep != (CANDLELIGHT_IN & 0x7f) || self->n_pending >= MAX_PENDING)
    return reply (self, command->seqnum, -EPIPE, NULL);
  self->pending[self->n_pending].seqnum = command->seqnum;
  self->pending[self->n_pending++].length = length;
  return TRUE;
}

static gboolean
serve_usb (Plug *self)
{
  Header command;
  if (!receive_all (self->usb, &command, sizeof command))
    return FALSE;
  if (ntohl (command.command) == CMD_UNLINK)
    return serve_unlink (self, &command);
  return ntohl (command.command) == CMD_SUBMIT && serve_submit (self, &command);
}

static int
open_can (const char *name)
{
  struct sockaddr_can address = { .can_family = AF_CAN, .can_ifindex = (int) if_nametoindex (name) };
  int on = 1, fd = socket (PF_CAN, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, CAN_RAW);
  if (fd < 0 || address.can_ifindex == 0 || setsockopt (fd, SOL_CAN_RAW, CAN_RAW_FD_FRAMES, &on, sizeof on) < 0
      || bind (fd, (struct sockaddr *) &address, sizeof address) < 0)
    die (name);
  return fd;
}

static gboolean
on_send (gpointer user, guint channel, const struct canfd_frame *frame, gboolean fd)
{
  Plug *self = user;
  gssize size = fd ? CANFD_MTU : CAN_MTU;
  return !self->unheard[channel] && write (self->can[channel], frame, (gsize) size) == size;
}

static void
serve_can (Plug *self, guint channel)
{
  struct canfd_frame frame;
  gssize n;
  while ((n = read (self->can[channel], &frame, sizeof frame)) > 0)
    candlelight_receive (self->adapter, channel, &frame, n == CANFD_MTU);
}

/* FALSE: the end. */
static gboolean
serve_line (Plug *self)
{
  char line[128];
  guint channel = 0, a, b, c;
  if (fgets (line, sizeof line, stdin) == NULL)
    return FALSE;
  if (sscanf (line, "state %u %u %u %u", &channel, &a, &b, &c) == 4)
    candlelight_set_state (self->adapter, channel, a, b, c);
  else if (sscanf (line, "error %u %x %u %u", &channel, &a, &b, &c) == 4)
    candlelight_error (self->adapter, channel, a, (guint8) b, (guint8) c);
  else if (sscanf (line, "unheard %u %u", &channel, &a) == 2)
    self->unheard[channel % CANDLELIGHT_CHANNELS] = a != 0;
  else if (sscanf (line, "mute %u", &a) == 1)
    self->adapter->mute = a != 0;
  else if (sscanf (line, "coarse %u", &a) == 1)
    self->adapter->data.brp_min = a;
  else if (strcmp (line, "unplug\n") == 0)
    unplug (self);
  else if (strcmp (line, "plug\n") == 0)
    plug (self);
  else if (sscanf (line, "bitrate %u", &channel) == 1)
    printf ("%u %u ", candlelight_bitrate (self->adapter, channel, FALSE),
            candlelight_bitrate (self->adapter, channel, TRUE));
  say (self->usb >= 0 ? "plugged" : "unplugged");
  return TRUE;
}

static void
run (Plug *self)
{
  gboolean more = TRUE;
  while (more) {
    struct pollfd fds[2 + CANDLELIGHT_CHANNELS]
      = { { .fd = STDIN_FILENO, .events = POLLIN }, { .fd = self->usb, .events = POLLIN } };
    for (guint i = 0; i < self->n_interfaces; i++)
      fds[2 + i] = (struct pollfd){ .fd = self->can[i], .events = POLLIN };
    if (poll (fds, 2 + self->n_interfaces, -1) < 0)
      die ("poll");
    for (guint i = 0; i < self->n_interfaces; i++)
      if (fds[2 + i].revents != 0)
        serve_can (self, i);
    if (self->usb >= 0 && ((fds[1].revents != 0 && !serve_usb (self)) || !serve_pending (self)))
      unplug (self);
    more = fds[0].revents == 0 || serve_line (self);
    if (self->usb >= 0 && !serve_pending (self))
      unplug (self);
  }
}

int
main (int argc, char **argv)
{
  Plug self = { .usb = -1 };
  gboolean fd = argc > 1 && strcmp (argv[1], "--fd") == 0;
  int at = fd ? 2 : 1;
  if (argc - at < 2 || argc - at - 1 > CANDLELIGHT_CHANNELS) {
    fprintf (stderr, "usage: %s [--fd] SERIAL IFACE...\n", argv[0]);
    return 2;
  }
  for (int i = at + 1; i < argc; i++)
    self.can[self.n_interfaces++] = open_can (argv[i]);
  self.adapter = candlelight_new (self.n_interfaces, fd, argv[at]);
  self.adapter->on_send = on_send;
  self.adapter->user = &self;
  setvbuf (stdin, NULL, _IONBF, 0);
  plug (&self);
  say ("plugged");
  run (&self);
  unplug (&self);
  g_free (self.adapter);
  return 0;
}
