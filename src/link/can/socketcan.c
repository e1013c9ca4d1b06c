/* SPDX-License-Identifier: Apache-2.0 */
#include "can/can-backend.h"

#include "can/can-netlink.h"
#include "link/backend.h"

#include <errno.h>
#include <linux/can.h>
#include <linux/can/error.h>
#include <linux/can/raw.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * CAN interfaces of the kernel by raw sockets; no privilege is needed for them. A frame of our own that comes back with
 * MSG_CONFIRM was on the wire; ENOBUFS means that the interface's queue is full.
 */
typedef struct {
  int fd;
  int netlink; /* -1: nothing is known of the interface */
  char name[IFNAMSIZ];
  gboolean has_fd;
  guint32 dropped; /* frames the kernel had no room for, as SO_RXQ_OVFL counts them */
} SocketCan;

enum { RECEIVE_BUFFER = 1 << 20 };

static gboolean
say_errno (GError **error, RbReason reason, const char *name, const char *what)
{
  int failure = errno;
  g_set_error (error, RB_LINK_ERROR, (int) reason, "%s: %s: %s", name, what, g_strerror (failure));
  return FALSE;
}

static gboolean
ask (int fd, unsigned long request, const char *name, struct ifreq *answer)
{
  memset (answer, 0, sizeof *answer);
  g_strlcpy (answer->ifr_name, name, sizeof answer->ifr_name);
  return ioctl (fd, request, answer) == 0;
}

static gboolean
is_can (int fd, const char *name)
{
  struct ifreq answer;
  return ask (fd, SIOCGIFHWADDR, name, &answer) && answer.ifr_hwaddr.sa_family == ARPHRD_CAN;
}

static gboolean
is_up (int fd, const char *name)
{
  struct ifreq answer;
  return ask (fd, SIOCGIFFLAGS, name, &answer) && (answer.ifr_flags & IFF_UP) != 0;
}

static gboolean
carries_fd (int fd, const char *name)
{
  struct ifreq answer;
  return ask (fd, SIOCGIFMTU, name, &answer) && answer.ifr_mtu >= (int) CANFD_MTU;
}

static gboolean
set_flag (int fd, int level, int option, int value)
{
  return setsockopt (fd, level, option, &value, sizeof value) == 0;
}

static gboolean
set_options (SocketCan *self, gboolean want_fd, GError **error)
{
  const can_err_mask_t errors = CAN_ERR_MASK;
  if (!set_flag (self->fd, SOL_CAN_RAW, CAN_RAW_RECV_OWN_MSGS, 1)
      || setsockopt (self->fd, SOL_CAN_RAW, CAN_RAW_ERR_FILTER, &errors, sizeof errors) != 0)
    return say_errno (error, RB_REASON_LINK_REFUSED, self->name, "the interface does not confirm frames");
  if (want_fd && !set_flag (self->fd, SOL_CAN_RAW, CAN_RAW_FD_FRAMES, 1))
    return say_errno (error, RB_REASON_LINK_REFUSED, self->name, "no CAN FD frames");
  /* wishes only: a smaller buffer and uncounted drops do no harm */
  (void) set_flag (self->fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER);
  (void) set_flag (self->fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
  return TRUE;
}

static gboolean
attach (SocketCan *self, gboolean want_fd, GError **error)
{
  unsigned int index = if_nametoindex (self->name);
  if (index == 0 || !is_can (self->fd, self->name)) {
    g_set_error (error, RB_LINK_ERROR, RB_REASON_LINK_NONE, "%s: there is no such CAN interface", self->name);
    return FALSE;
  }
  if (!is_up (self->fd, self->name)) {
    g_set_error (error, RB_LINK_ERROR, RB_REASON_LINK_REFUSED,
                 "%s: the interface is down; recallctl links set %s 500k sets its bit rate and puts it up", self->name,
                 self->name);
    return FALSE;
  }
  self->has_fd = want_fd && carries_fd (self->fd, self->name);
  if (want_fd && !self->has_fd) {
    g_set_error (error, RB_LINK_ERROR, RB_REASON_LINK_REFUSED,
                 "%s: the interface is not set up for CAN FD; can:%s opens it for classic CAN", self->name, self->name);
    return FALSE;
  }
  if (!set_options (self, want_fd, error))
    return FALSE;
  struct sockaddr_can address = { .can_family = AF_CAN, .can_ifindex = (int) index };
  if (bind (self->fd, (struct sockaddr *) &address, sizeof address) != 0)
    return say_errno (error, RB_REASON_LINK_REFUSED, self->name, "bind");
  return TRUE;
}

static void
socketcan_close (gpointer state)
{
  SocketCan *self = state;
  close (self->fd);
  if (self->netlink >= 0)
    close (self->netlink);
  g_free (self);
}

static gpointer
open_interface (const char *name, gboolean want_fd, RbLinkInfo *info, GCancellable *cancellable, GError **error)
{
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return NULL;
  if (name[0] == '\0' || strlen (name) >= IFNAMSIZ) {
    g_set_error (error, RB_LINK_ERROR, RB_REASON_USAGE, "“%s” is not the name of an interface, such as can0", name);
    return NULL;
  }
  int fd = socket (PF_CAN, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, CAN_RAW);
  if (fd < 0) {
    say_errno (error, RB_REASON_LINK_NONE, name, "this kernel has no CAN");
    return NULL;
  }
  SocketCan *self = g_new0 (SocketCan, 1);
  self->fd = fd;
  self->netlink = rb_can_netlink_open (NULL);
  g_strlcpy (self->name, name, sizeof self->name);
  if (!attach (self, want_fd, error)) {
    socketcan_close (self);
    return NULL;
  }
  info->vendor = g_strdup ("SocketCAN");
  info->serial = g_strdup (name);
  return self;
}

static gpointer
socketcan_open (const char *rest, RbLinkInfo *info, GCancellable *cancellable, GError **error)
{
  return open_interface (rest, FALSE, info, cancellable, error);
}

static gpointer
socketcan_open_fd (const char *rest, RbLinkInfo *info, GCancellable *cancellable, GError **error)
{
  return open_interface (rest, TRUE, info, cancellable, error);
}

static gboolean
socketcan_has_fd (gpointer state)
{
  return ((SocketCan *) state)->has_fd;
}

static int
socketcan_fd (gpointer state)
{
  return ((SocketCan *) state)->fd;
}

static RbCanResult
socketcan_send (gpointer state, const RbCanFrame *frame, GError **error)
{
  SocketCan *self = state;
  guint8 packet[RB_CAN_FD_PACKET];
  gsize length = rb_can_write (frame, packet);
  if (send (self->fd, packet, length, MSG_NOSIGNAL) == (ssize_t) length)
    return RB_CAN_DONE;
  if (errno == ENOBUFS || errno == EAGAIN || errno == EINTR)
    return RB_CAN_AGAIN;
  say_errno (error, RB_REASON_LINK_LOST, self->name, "the interface takes no frames");
  return RB_CAN_FAILED;
}

static void
note_drops (SocketCan *self, struct msghdr *message)
{
  for (struct cmsghdr *part = CMSG_FIRSTHDR (message); part != NULL; part = CMSG_NXTHDR (message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SO_RXQ_OVFL)
      continue;
    guint32 dropped = 0;
    memcpy (&dropped, CMSG_DATA (part), sizeof dropped);
    if (dropped != self->dropped)
      g_warning ("%s: the kernel dropped %u frames", self->name, dropped - self->dropped);
    self->dropped = dropped;
  }
}

static RbCanInput
socketcan_receive (gpointer state, RbCanFrame *frame, GError **error)
{
  SocketCan *self = state;
  guint8 packet[RB_CAN_FD_PACKET];
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE (sizeof (guint32))];
  } control;
  for (;;) {
    struct iovec part = { packet, sizeof packet };
    struct msghdr message
      = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
    ssize_t length = recvmsg (self->fd, &message, 0);
    if (length < 0 && errno == EAGAIN)
      return RB_CAN_EMPTY;
    if (length < 0 && errno == EINTR)
      continue;
    if (length < 0) {
      say_errno (error, RB_REASON_LINK_LOST, self->name, "the interface is gone");
      return RB_CAN_GONE;
    }
    note_drops (self, &message);
    if (!rb_can_parse (packet, (gsize) length, frame))
      continue;
    frame->own = FALSE;
    return (message.msg_flags & MSG_CONFIRM) != 0 ? RB_CAN_CONFIRM : RB_CAN_FRAME;
  }
}

static void
socketcan_filter (gpointer state, const guint32 *ids, guint n)
{
  SocketCan *self = state;
  g_autofree struct can_filter *filters = g_new0 (struct can_filter, n + 1);
  for (guint i = 0; i < n; i++) {
    filters[i].can_id = ids[i];
    filters[i].can_mask = CAN_EFF_FLAG | CAN_RTR_FLAG | ((ids[i] & CAN_EFF_FLAG) != 0 ? CAN_EFF_MASK : CAN_SFF_MASK);
  }
  if (setsockopt (self->fd, SOL_CAN_RAW, CAN_RAW_FILTER, filters, (socklen_t) ((n == 0 ? 1 : n) * sizeof *filters))
      != 0)
    g_debug ("%s: no filter: %s", self->name, g_strerror (errno));
}

/* Losses in the interface that its controller does not report by error frames. */
static const char *
reason_of (const RbCanLinkState *link)
{
  if (link->kind == RB_CAN_BUS_OFF)
    return "bus-off";
  return rb_can_netlink_queue_is_good (link->queue) ? NULL : "dropping-qdisc";
}

static gboolean
socketcan_state (gpointer state, RbCanState *out)
{
  SocketCan *self = state;
  RbCanLinkState link;
  if (self->netlink < 0 || !rb_can_netlink_read (self->netlink, self->name, &link, NULL))
    return FALSE;
  *out = (RbCanState){ .kind = link.is_virtual ? RB_CAN_VIRTUAL : link.kind,
                       .tx_errors = link.tx_errors,
                       .rx_errors = link.rx_errors,
                       .bitrate = link.bitrate,
                       .data_bitrate = link.data_bitrate,
                       .reason = reason_of (&link) };
  return TRUE;
}

/* Where the kernel restarts by itself it is left to it; else it takes a right that the link process seldom has. */
static gboolean
socketcan_recover (gpointer state, GError **error)
{
  SocketCan *self = state;
  RbCanLinkState link;
  if (self->netlink < 0 || !rb_can_netlink_read (self->netlink, self->name, &link, error))
    return FALSE;
  if (link.kind != RB_CAN_BUS_OFF)
    return rb_can_netlink_queue_is_good (link.queue)
           || rb_reason_deny (error, RB_LINK_ERROR, RB_REASON_LINK_PROTOCOL, "%s: queue %s", self->name, link.queue);
  if (link.restart_ms > 0)
    return rb_reason_deny (error, RB_LINK_ERROR, RB_REASON_BUS_OFF, "%s: the kernel restarts it", self->name);
  return rb_can_netlink_restart (self->netlink, link.index, error);
}

/* In a word; "ready" is also what is not known better. */
static const char *
word_of (const char *name)
{
  RbCanLinkState link;
  int netlink = rb_can_netlink_open (NULL);
  gboolean known = netlink >= 0 && rb_can_netlink_read (netlink, name, &link, NULL);
  if (netlink >= 0)
    close (netlink);
  if (!known)
    return "ready";
  const char *reason = reason_of (&link);
  return !link.is_up ? "down" : reason != NULL ? reason : link.kind == RB_CAN_PASSIVE ? "error-passive" : "ready";
}

static RbLinkEntry *
entry_of (const char *name, gboolean with_fd)
{
  RbLinkEntry *entry = g_new0 (RbLinkEntry, 1);
  entry->kind = g_strdup (with_fd ? "canfd" : "can");
  entry->uri = g_strdup_printf ("%s:%s", entry->kind, name);
  entry->name = g_strdup_printf (with_fd ? "CAN FD interface %s" : "CAN interface %s", name);
  entry->serial = g_strdup ("");
  entry->state = g_strdup (word_of (name));
  entry->vin = g_strdup ("");
  return entry;
}

/* One entry an interface: by the widest it can carry. */
static gboolean
list_interfaces (GPtrArray *entries, gboolean want_fd)
{
  int fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct if_nameindex *all = fd < 0 ? NULL : if_nameindex ();
  for (guint i = 0; all != NULL && all[i].if_name != NULL; i++)
    if (is_can (fd, all[i].if_name) && carries_fd (fd, all[i].if_name) == want_fd)
      g_ptr_array_add (entries, entry_of (all[i].if_name, want_fd));
  if (all != NULL)
    if_freenameindex (all);
  if (fd >= 0)
    close (fd);
  return TRUE;
}

static gboolean
socketcan_list (GPtrArray *entries, GError **error)
{
  (void) error;
  return list_interfaces (entries, FALSE);
}

static gboolean
socketcan_list_fd (GPtrArray *entries, GError **error)
{
  (void) error;
  return list_interfaces (entries, TRUE);
}

#define SLOTS \
  .close = socketcan_close, .has_fd = socketcan_has_fd, .fd = socketcan_fd, .send = socketcan_send, \
  .receive = socketcan_receive, .filter = socketcan_filter, .state = socketcan_state, .recover = socketcan_recover

const RbCanBackend rb_socketcan_backend = { .scheme = "can", .open = socketcan_open, .list = socketcan_list, SLOTS };
const RbCanBackend rb_socketcan_fd_backend
  = { .scheme = "canfd", .open = socketcan_open_fd, .list = socketcan_list_fd, SLOTS };
