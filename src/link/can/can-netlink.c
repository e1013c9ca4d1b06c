/* SPDX-License-Identifier: Apache-2.0 */
#include "can/can-netlink.h"

#include "core/bytes.h"

#include <errno.h>
#include <linux/can/netlink.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWER_ROOM = 32768, ANSWER_S = 2 };

/* Writing: a message is its header, a family's own header and attributes, each filled up to four bytes. */

static void
pad (GByteArray *out)
{
  while (out->len % NLMSG_ALIGNTO != 0)
    rb_writer_u8 (out, 0);
}

static void
begin (GByteArray *out, guint16 type, guint16 flags, gconstpointer head, gsize head_length)
{
  const struct nlmsghdr header = { .nlmsg_type = type, .nlmsg_flags = flags | NLM_F_REQUEST };
  rb_writer_data (out, &header, sizeof header);
  rb_writer_data (out, head, head_length);
  pad (out);
}

static void
put (GByteArray *out, guint16 type, gconstpointer data, gsize length)
{
  const struct rtattr attribute = { .rta_len = (guint16) (sizeof attribute + length), .rta_type = type };
  rb_writer_data (out, &attribute, sizeof attribute);
  rb_writer_data (out, data, length);
  pad (out);
}

static void
put_all (GByteArray *out, guint16 type, GByteArray *inside)
{
  put (out, type, inside->data, inside->len);
}

static gboolean
say_errno (GError **error, int failure, const char *what)
{
  RbReason reason = failure == EPERM || failure == EACCES ? RB_REASON_NOT_PERMITTED
                    : failure == EOPNOTSUPP || failure == EINVAL || failure == ERANGE || failure == EDOM
                      ? RB_REASON_UNSUPPORTED
                    : failure == EBUSY  ? RB_REASON_IN_USE
                    : failure == ENODEV ? RB_REASON_LINK_NONE
                                        : RB_REASON_IO;
  g_set_error (error, RB_LINK_ERROR, (int) reason, "%s: %s", what, g_strerror (failure));
  return FALSE;
}

static gboolean
send_message (int fd, GByteArray *message, guint32 sequence, const char *what, GError **error)
{
  struct nlmsghdr header;
  memcpy (&header, message->data, sizeof header);
  header.nlmsg_len = message->len;
  header.nlmsg_seq = sequence;
  memcpy (message->data, &header, sizeof header);
  return send (fd, message->data, message->len, 0) == (ssize_t) message->len || say_errno (error, errno, what);
}

/* The kernel's answer to that request, not a late one to another: its payload behind the message header, in room. */
static gboolean
receive (int fd, guint32 sequence, guint8 *room, RbReader *payload, guint16 *type, const char *what, GError **error)
{
  struct nlmsghdr header;
  do {
    ssize_t n = recv (fd, room, ANSWER_ROOM, 0);
    if (n < 0 && errno == EINTR) {
      header.nlmsg_seq = ~sequence;
      continue;
    }
    if (n < (ssize_t) sizeof header)
      return say_errno (error, n < 0 ? errno : EPROTO, what);
    memcpy (&header, room, sizeof header);
    *payload = rb_reader_new (room, MIN ((gsize) n, header.nlmsg_len));
  } while (header.nlmsg_seq != sequence);
  *type = header.nlmsg_type;
  (void) rb_reader_take (payload, sizeof header);
  if (header.nlmsg_type != NLMSG_ERROR)
    return TRUE;
  struct nlmsgerr failure;
  const guint8 *bytes = rb_reader_take (payload, sizeof failure);
  if (bytes == NULL)
    return say_errno (error, EPROTO, what);
  memcpy (&failure, bytes, sizeof failure);
  return failure.error == 0 || say_errno (error, -failure.error, what);
}

static gboolean
ask (int fd, GByteArray *message, guint8 *room, RbReader *payload, guint16 *type, const char *what, GError **error)
{
  static gint last; /* atomic */
  guint32 sequence = (guint32) g_atomic_int_add (&last, 1) + 1;
  return send_message (fd, message, sequence, what, error) && receive (fd, sequence, room, payload, type, what, error);
}

static gboolean
tell (int fd, GByteArray *message, const char *what, GError **error)
{
  g_autofree guint8 *room = g_malloc (ANSWER_ROOM);
  RbReader payload;
  guint16 type;
  return ask (fd, message, room, &payload, &type, what, error);
}

int
rb_can_netlink_open (GError **error)
{
  const struct timeval patience = { .tv_sec = ANSWER_S };
  int fd = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) {
    say_errno (error, errno, "no netlink");
    return -1;
  }
  (void) setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  return fd;
}

/* Reading */

static gboolean
next_attribute (RbReader *reader, guint16 *type, RbReader *value)
{
  struct rtattr attribute;
  const guint8 *head = rb_reader_left (reader) >= sizeof attribute ? rb_reader_take (reader, sizeof attribute) : NULL;
  if (head == NULL)
    return FALSE;
  memcpy (&attribute, head, sizeof attribute);
  gsize length = attribute.rta_len >= sizeof attribute ? attribute.rta_len - sizeof attribute : 0;
  const guint8 *bytes = rb_reader_take (reader, length);
  if (bytes == NULL)
    return FALSE;
  *type = attribute.rta_type & NLA_TYPE_MASK;
  *value = rb_reader_new (bytes, length);
  gsize padding = RTA_ALIGN (length) - length;
  (void) rb_reader_take (reader, MIN (padding, rb_reader_left (reader)));
  return TRUE;
}

static gboolean
copy (RbReader value, gpointer out, gsize size)
{
  const guint8 *bytes = rb_reader_take (&value, size);
  if (bytes != NULL)
    memcpy (out, bytes, size);
  return bytes != NULL;
}

static char *
text (RbReader value)
{
  gsize length = rb_reader_left (&value);
  return g_strndup ((const char *) rb_reader_take (&value, length), length);
}

static void
read_state (RbReader value, RbCanLinkState *out)
{
  static const RbCanStateKind kinds[]
    = { [CAN_STATE_ERROR_ACTIVE] = RB_CAN_ACTIVE,   [CAN_STATE_ERROR_WARNING] = RB_CAN_WARNING,
        [CAN_STATE_ERROR_PASSIVE] = RB_CAN_PASSIVE, [CAN_STATE_BUS_OFF] = RB_CAN_BUS_OFF,
        [CAN_STATE_STOPPED] = RB_CAN_STOPPED,       [CAN_STATE_SLEEPING] = RB_CAN_STOPPED };
  guint32 state = 0;
  if (copy (value, &state, sizeof state) && state < G_N_ELEMENTS (kinds))
    out->kind = kinds[state];
}

static void
read_can (RbReader data, RbCanLinkState *out)
{
  struct can_bittiming timing;
  struct can_ctrlmode mode;
  struct can_berr_counter counters;
  RbReader value;
  guint16 type;
  while (next_attribute (&data, &type, &value)) {
    if (type == IFLA_CAN_STATE)
      read_state (value, out);
    else if (type == IFLA_CAN_BITTIMING && copy (value, &timing, sizeof timing)) {
      out->bitrate = timing.bitrate;
      out->sample_point = timing.sample_point;
    } else if (type == IFLA_CAN_DATA_BITTIMING && copy (value, &timing, sizeof timing))
      out->data_bitrate = timing.bitrate;
    else if (type == IFLA_CAN_DATA_BITTIMING_CONST)
      out->can_fd = TRUE;
    else if (type == IFLA_CAN_CTRLMODE && copy (value, &mode, sizeof mode))
      out->modes = mode.flags;
    else if (type == IFLA_CAN_RESTART_MS)
      (void) copy (value, &out->restart_ms, sizeof out->restart_ms);
    else if (type == IFLA_CAN_BERR_COUNTER && copy (value, &counters, sizeof counters)) {
      out->has_counters = TRUE;
      out->tx_errors = counters.txerr;
      out->rx_errors = counters.rxerr;
    }
  }
}

static void
read_link_info (RbReader info, RbCanLinkState *out)
{
  RbReader value, data = { 0 };
  guint16 type;
  out->is_virtual = TRUE;
  while (next_attribute (&info, &type, &value)) {
    g_autofree char *kind = type == IFLA_INFO_KIND ? text (value) : NULL;
    if (kind != NULL)
      out->is_virtual = strcmp (kind, "can") != 0;
    else if (type == IFLA_INFO_DATA)
      data = value;
  }
  if (!out->is_virtual && data.data != NULL)
    read_can (data, out);
}

static gboolean
read_link (RbReader *payload, RbCanLinkState *out)
{
  struct ifinfomsg head;
  const guint8 *bytes = rb_reader_take (payload, sizeof head);
  RbReader value;
  guint16 type;
  if (bytes == NULL)
    return FALSE;
  memcpy (&head, bytes, sizeof head);
  out->index = (guint) head.ifi_index;
  out->is_can = head.ifi_type == ARPHRD_CAN;
  out->is_up = (head.ifi_flags & IFF_UP) != 0;
  out->is_virtual = TRUE;
  while (next_attribute (payload, &type, &value)) {
    g_autofree char *queue = type == IFLA_QDISC ? text (value) : NULL;
    if (queue != NULL)
      g_strlcpy (out->queue, queue, sizeof out->queue);
    else if (type == IFLA_TXQLEN)
      (void) copy (value, &out->queue_length, sizeof out->queue_length);
    else if (type == IFLA_LINKINFO)
      read_link_info (value, out);
  }
  return TRUE;
}

gboolean
rb_can_netlink_read (int fd, const char *name, RbCanLinkState *out, GError **error)
{
  const struct ifinfomsg head = { .ifi_family = AF_UNSPEC };
  g_autoptr (GByteArray) message = g_byte_array_new ();
  g_autofree guint8 *room = g_malloc (ANSWER_ROOM);
  RbReader payload;
  guint16 type = 0;
  memset (out, 0, sizeof *out);
  begin (message, RTM_GETLINK, 0, &head, sizeof head);
  put (message, IFLA_IFNAME, name, strlen (name) + 1);
  if (!ask (fd, message, room, &payload, &type, name, error))
    return FALSE;
  if (type != RTM_NEWLINK || !read_link (&payload, out))
    return say_errno (error, EPROTO, name);
  if (out->is_can)
    return TRUE;
  g_set_error (error, RB_LINK_ERROR, RB_REASON_LINK_NONE, "%s is not a CAN interface", name);
  return FALSE;
}

gboolean
rb_can_netlink_queue_is_good (const char *queue)
{
  static const char *const good[] = { "", "pfifo_fast", "pfifo", "bfifo", "noqueue", "mq", NULL };
  return g_strv_contains (good, queue);
}

/* Telling */

/* A change without effect: the kernel checks the permission first. */
gboolean
rb_can_netlink_may_set (int fd, guint index, GError **error)
{
  const struct ifinfomsg head = { .ifi_family = AF_UNSPEC, .ifi_index = (int) index };
  g_autoptr (GByteArray) message = g_byte_array_new ();
  begin (message, RTM_NEWLINK, NLM_F_ACK, &head, sizeof head);
  return tell (fd, message, "it takes the right to set up network interfaces", error);
}

/* attributes: IFLA_CAN_… */
static gboolean
change (int fd, guint index, GByteArray *attributes, const char *what, GError **error)
{
  const struct ifinfomsg head = { .ifi_family = AF_UNSPEC, .ifi_index = (int) index };
  g_autoptr (GByteArray) info = g_byte_array_new (), message = g_byte_array_new ();
  put (info, IFLA_INFO_KIND, "can", strlen ("can"));
  put_all (info, IFLA_INFO_DATA, attributes);
  begin (message, RTM_NEWLINK, NLM_F_ACK, &head, sizeof head);
  put_all (message, IFLA_LINKINFO, info);
  return tell (fd, message, what, error);
}

gboolean
rb_can_netlink_restart (int fd, guint index, GError **error)
{
  const guint32 one = 1;
  g_autoptr (GByteArray) attributes = g_byte_array_new ();
  put (attributes, IFLA_CAN_RESTART, &one, sizeof one);
  return change (fd, index, attributes, "restart after bus-off", error);
}

gboolean
rb_can_netlink_set_fd (int fd, guint index, const RbCanPreset *preset, GError **error)
{
  const struct can_bittiming nominal = { .bitrate = preset->bitrate, .sample_point = RB_CAN_SAMPLE_POINT };
  const struct can_bittiming data = { .bitrate = preset->data_bitrate, .sample_point = RB_CAN_DATA_SAMPLE_POINT };
  const struct can_ctrlmode mode = { .mask = CAN_CTRLMODE_FD, .flags = CAN_CTRLMODE_FD };
  g_autoptr (GByteArray) attributes = g_byte_array_new ();
  put (attributes, IFLA_CAN_BITTIMING, &nominal, sizeof nominal);
  put (attributes, IFLA_CAN_CTRLMODE, &mode, sizeof mode);
  put (attributes, IFLA_CAN_DATA_BITTIMING, &data, sizeof data);
  return change (fd, index, attributes, preset->name, error);
}

/* The length first: the queue is made with room for it. */
gboolean
rb_can_netlink_set_queue (int fd, guint index, GError **error)
{
  const guint32 length = RB_CAN_QUEUE_LENGTH;
  const struct ifinfomsg link = { .ifi_family = AF_UNSPEC, .ifi_index = (int) index };
  const struct tcmsg queue = { .tcm_family = AF_UNSPEC, .tcm_ifindex = (int) index, .tcm_parent = TC_H_ROOT };
  g_autoptr (GByteArray) longer = g_byte_array_new (), replace = g_byte_array_new ();
  begin (longer, RTM_NEWLINK, NLM_F_ACK, &link, sizeof link);
  put (longer, IFLA_TXQLEN, &length, sizeof length);
  begin (replace, RTM_NEWQDISC, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, &queue, sizeof queue);
  put (replace, TCA_KIND, "pfifo_fast", strlen ("pfifo_fast") + 1);
  return tell (fd, longer, "length of the queue", error) && tell (fd, replace, "queue pfifo_fast", error);
}
