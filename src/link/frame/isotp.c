/* SPDX-License-Identifier: Apache-2.0 */
#include "frame/isotp.h"

#include <string.h>

/* N_PCI types, the high nibble of the first byte */
enum { PCI_SF = 0, PCI_FF = 1, PCI_CF = 2, PCI_FC = 3 };
enum { FS_CTS = 0, FS_WAIT = 1, FS_OVFLW = 2 };
enum { SHORT_FIRST_MAX = 4095, MESSAGE_MAX = 1024 * 1024, EVENTS = 16 };
enum { TICKET_DATA = 0, TICKET_FLOW = 1 };

#define NEVER G_MAXINT64

typedef enum {
  IDLE,
  STARTING, /* single or first frame is due */
  WAIT_FC, /* for flow control */
  SENDING, /* consecutive frames */
  DRAINING, /* all given, not all on the wire */
} SendState;

typedef struct {
  SendState state;
  GBytes *message;
  const guint8 *data;
  gsize length, offset;
  guint8 sequence;
  guint block_left; /* frames until the next one; 0: none is due */
  guint waits;
  guint outstanding; /* given and not yet on the wire */
  guint32 generation; /* counts messages, so that a late confirmation is ignored */
  gint64 st_min_us, not_before; /* STmin of this message's last flow control; its end */
  gint64 n_as_due, n_bs_due; /* N_As, N_Bs */
  gint64 waits_due;
} Sender;

typedef struct {
  guint8 *buffer; /* NULL: no message is being received */
  gsize length, offset;
  guint8 frame_length; /* RX_DL */
  guint8 sequence; /* awaited */
  guint8 last[64]; /* the last consecutive frame: CAN may deliver a frame twice */
  guint8 last_length;
  guint block_left; /* 0: no further flow control is due */
  gint64 n_cr_due; /* N_Cr */
  gint64 whole_due; /* a message that trickles in, or never gets further than its first frame, ends here */
  int flow; /* flow status to be given, -1 none */
  gboolean flow_out; /* given and not yet on the wire */
  guint32 generation;
  gint64 n_ar_due; /* N_Ar */
} Receiver;

struct _RbIsotp {
  RbIsotpConfig config;
  gint64 n_as, n_bs, n_cr; /* microseconds */
  Sender tx;
  Receiver rx;
  RbIsotpEvent events[EVENTS];
  guint first_event, n_events;
};

static gint64
microseconds (guint milliseconds)
{
  return (gint64) (milliseconds == 0 ? 1000 : milliseconds) * 1000;
}

static guint8
usable_length (guint8 wanted, gboolean fd)
{
  if (!fd)
    return 8;
  guint8 fits = rb_can_fit (wanted == 0 ? 64 : wanted, TRUE);
  guint8 dlc = rb_can_dlc (fits);
  if (wanted != 0 && fits > wanted)
    dlc--;
  return MAX (rb_can_length (dlc, TRUE), 8);
}

static void
tx_clear (Sender *tx)
{
  g_clear_pointer (&tx->message, g_bytes_unref);
  tx->data = NULL;
  tx->state = IDLE;
  tx->outstanding = 0;
  tx->n_as_due = tx->n_bs_due = tx->waits_due = NEVER;
  tx->st_min_us = tx->not_before = 0;
}

static void
rx_clear (Receiver *rx)
{
  g_clear_pointer (&rx->buffer, g_free);
  rx->n_cr_due = rx->whole_due = NEVER;
}

static void
flow_clear (Receiver *rx)
{
  rx->flow = -1;
  rx->flow_out = FALSE;
  rx->n_ar_due = NEVER;
}

RbIsotp *
rb_isotp_new (const RbIsotpConfig *config)
{
  RbIsotp *self = g_new0 (RbIsotp, 1);
  self->config = *config;
  self->config.tx_length = usable_length (config->tx_length, config->fd);
  self->config.n_wft_max = config->n_wft_max == 0 ? 255 : config->n_wft_max;
  self->config.wait_ms = config->wait_ms == 0 ? 60000 : config->wait_ms;
  self->config.total_ms = config->total_ms == 0 ? 60000 : config->total_ms;
  self->config.window = MAX (config->window, 1);
  self->config.max_message = config->max_message == 0 ? MESSAGE_MAX : config->max_message;
  self->n_as = microseconds (config->n_as_ms);
  self->n_bs = microseconds (config->n_bs_ms);
  self->n_cr = microseconds (config->n_cr_ms);
  tx_clear (&self->tx);
  rx_clear (&self->rx);
  flow_clear (&self->rx);
  return self;
}

void
rb_isotp_free (RbIsotp *self)
{
  tx_clear (&self->tx);
  rx_clear (&self->rx);
  for (RbIsotpEvent event = rb_isotp_event (self); event.kind != RB_ISOTP_NONE; event = rb_isotp_event (self))
    g_clear_pointer (&event.message, g_bytes_unref);
  g_free (self);
}

static RbIsotpEvent *
event_at (RbIsotp *self, guint i)
{
  return &self->events[(self->first_event + i) % EVENTS];
}

/* Makes room: the oldest event of the peer is dropped. The end of our own message is reported once, and its sender
 * waits for it. */
static void
forget_one (RbIsotp *self)
{
  guint i = 0;
  while (i + 1 < self->n_events
         && (event_at (self, i)->kind == RB_ISOTP_SENT || event_at (self, i)->kind == RB_ISOTP_SEND_FAILED))
    i++;
  g_clear_pointer (&event_at (self, i)->message, g_bytes_unref);
  for (; i > 0; i--)
    *event_at (self, i) = *event_at (self, i - 1);
  self->first_event = (self->first_event + 1) % EVENTS;
  self->n_events--;
}

static void
push_event (RbIsotp *self, RbIsotpKind kind, GBytes *message, RbReason reason, const char *text)
{
  if (self->n_events == EVENTS)
    forget_one (self);
  RbIsotpEvent event = { .kind = kind, .message = message, .reason = reason, .text = text };
  self->events[(self->first_event + self->n_events++) % EVENTS] = event;
}

RbIsotpEvent
rb_isotp_event (RbIsotp *self)
{
  RbIsotpEvent event = { .kind = RB_ISOTP_NONE };
  if (self->n_events == 0)
    return event;
  event = self->events[self->first_event];
  self->first_event = (self->first_event + 1) % EVENTS;
  self->n_events--;
  return event;
}

static void
fail_send (RbIsotp *self, RbReason reason, const char *text)
{
  tx_clear (&self->tx);
  push_event (self, RB_ISOTP_SEND_FAILED, NULL, reason, text);
}

static void
fail_receive (RbIsotp *self, RbReason reason, const char *text)
{
  rx_clear (&self->rx);
  push_event (self, RB_ISOTP_RECEIVE_FAILED, NULL, reason, text);
}

/* Building frames */

static guint8
prefix (const RbIsotp *self)
{
  return self->config.tx_extension >= 0 ? 1 : 0;
}

static void
begin_frame (const RbIsotp *self, RbCanFrame *frame)
{
  memset (frame, self->config.padding, sizeof *frame);
  frame->id = self->config.tx_id;
  frame->fd = self->config.fd;
  frame->brs = self->config.fd && self->config.brs;
  frame->own = FALSE;
  frame->length = 0;
  if (self->config.tx_extension >= 0)
    frame->data[frame->length++] = (guint8) self->config.tx_extension;
}

static void
append (RbCanFrame *frame, guint8 byte)
{
  frame->data[frame->length++] = byte;
}

static void
append_message (RbCanFrame *frame, Sender *tx, gsize room)
{
  gsize n = MIN (tx->length - tx->offset, room - frame->length);
  memcpy (&frame->data[frame->length], &tx->data[tx->offset], n);
  frame->length = (guint8) (frame->length + n);
  tx->offset += n;
}

/* Up to 8 bytes padding is a choice; longer FD frames have only some lengths. The filler is there already. */
static void
end_frame (const RbIsotp *self, RbCanFrame *frame)
{
  if (frame->length < 8 && self->config.pad)
    frame->length = 8;
  else
    frame->length = rb_can_fit (frame->length, frame->fd);
}

static gsize
single_max (const RbIsotp *self)
{
  return self->config.tx_length - prefix (self) - (self->config.tx_length > 8 ? 2u : 1u);
}

static void
make_single (RbIsotp *self, RbCanFrame *out)
{
  Sender *tx = &self->tx;
  if (tx->length + prefix (self) < 8) {
    append (out, (guint8) tx->length);
  } else {
    append (out, PCI_SF << 4);
    append (out, (guint8) tx->length);
  }
  append_message (out, tx, self->config.tx_length);
  tx->state = DRAINING;
}

static void
make_first (RbIsotp *self, RbCanFrame *out)
{
  Sender *tx = &self->tx;
  if (tx->length <= SHORT_FIRST_MAX) {
    append (out, (guint8) (PCI_FF << 4 | tx->length >> 8));
    append (out, tx->length & 0xff);
  } else {
    append (out, PCI_FF << 4);
    append (out, 0);
    for (int shift = 24; shift >= 0; shift -= 8)
      append (out, tx->length >> shift & 0xff);
  }
  append_message (out, tx, self->config.tx_length);
  tx->sequence = 1;
  tx->state = WAIT_FC;
}

static void
make_consecutive (RbIsotp *self, RbCanFrame *out)
{
  Sender *tx = &self->tx;
  append (out, (guint8) (PCI_CF << 4 | tx->sequence));
  tx->sequence = (tx->sequence + 1) & 15;
  append_message (out, tx, self->config.tx_length);
  if (tx->offset == tx->length)
    tx->state = DRAINING;
  else if (tx->block_left > 0 && --tx->block_left == 0)
    tx->state = WAIT_FC;
}

static void
make_flow (RbIsotp *self, RbCanFrame *out)
{
  begin_frame (self, out);
  append (out, (guint8) (PCI_FC << 4 | self->rx.flow));
  append (out, self->config.block_size);
  append (out, self->config.st_min);
  end_frame (self, out);
  self->rx.flow = -1;
  self->rx.flow_out = TRUE;
}

static void
queue_fc (RbIsotp *self, int status, gint64 now)
{
  self->rx.flow = status;
  self->rx.n_ar_due = now + self->n_as;
}

static gint64
st_min_to_us (guint8 st_min)
{
  if (st_min <= 0x7f)
    return st_min * 1000;
  if (st_min >= 0xf1 && st_min <= 0xf9)
    return (st_min - 0xf0) * 100;
  return 127 * 1000;
}

static gboolean
may_give (const RbIsotp *self, gint64 now)
{
  const Sender *tx = &self->tx;
  if (tx->state == STARTING)
    return TRUE;
  if (tx->state != SENDING)
    return FALSE;
  guint window = tx->st_min_us == 0 ? self->config.window : 1;
  return tx->outstanding < window && now >= tx->not_before;
}

gboolean
rb_isotp_next_frame (RbIsotp *self, gint64 now, RbCanFrame *out, guint32 *ticket)
{
  Sender *tx = &self->tx;
  if (self->rx.flow >= 0) {
    make_flow (self, out);
    *ticket = ++self->rx.generation << 1 | TICKET_FLOW;
    return TRUE;
  }
  if (!may_give (self, now))
    return FALSE;
  begin_frame (self, out);
  if (tx->state == SENDING)
    make_consecutive (self, out);
  else if (tx->length <= single_max (self))
    make_single (self, out);
  else
    make_first (self, out);
  end_frame (self, out);
  if (tx->outstanding++ == 0)
    tx->n_as_due = now + self->n_as;
  *ticket = tx->generation << 1 | TICKET_DATA;
  return TRUE;
}

/* Sending */

gboolean
rb_isotp_send (RbIsotp *self, GBytes *message, gint64 now, GError **error)
{
  Sender *tx = &self->tx;
  gsize length = g_bytes_get_size (message);
  gsize most = self->config.functional ? single_max (self) : G_MAXUINT32;
  if (tx->state != IDLE) {
    g_set_error (error, RB_FRAME_ERROR, RB_REASON_IN_USE, "the message before is not out yet");
    return FALSE;
  }
  if (length == 0) {
    g_set_error (error, RB_FRAME_ERROR, RB_REASON_USAGE, "an empty message");
    return FALSE;
  }
  if (length > most) {
    g_set_error (error, RB_FRAME_ERROR, RB_REASON_BLOCK_TOO_LONG,
                 "%" G_GSIZE_FORMAT " bytes; %s carries %" G_GSIZE_FORMAT, length,
                 self->config.functional ? "a functional address" : "ISO-TP", most);
    return FALSE;
  }
  tx->message = g_bytes_ref (message);
  tx->data = g_bytes_get_data (message, &tx->length);
  tx->offset = 0;
  tx->waits = 0;
  tx->block_left = 0;
  tx->generation = (tx->generation + 1) & (G_MAXUINT32 >> 1);
  tx->state = STARTING;
  tx->n_as_due = now + self->n_as;
  return TRUE;
}

void
rb_isotp_abort (RbIsotp *self)
{
  tx_clear (&self->tx);
}

static void
data_sent (RbIsotp *self, gint64 now)
{
  Sender *tx = &self->tx;
  tx->outstanding--;
  tx->not_before = tx->st_min_us == 0 ? 0 : now + tx->st_min_us;
  tx->n_as_due = now + self->n_as;
  if (tx->outstanding > 0)
    return;
  tx->n_as_due = tx->state == SENDING ? now + tx->st_min_us + self->n_as : NEVER;
  if (tx->state == WAIT_FC && tx->n_bs_due == NEVER)
    tx->n_bs_due = now + self->n_bs;
  if (tx->state == DRAINING) {
    tx_clear (tx);
    push_event (self, RB_ISOTP_SENT, NULL, RB_REASON_NONE, NULL);
  }
}

gboolean
rb_isotp_has_ticket (const RbIsotp *self, guint32 ticket)
{
  if ((ticket & 1) == TICKET_DATA)
    return self->tx.outstanding > 0 && ticket >> 1 == self->tx.generation;
  return self->rx.flow_out && ticket == (self->rx.generation << 1 | TICKET_FLOW);
}

void
rb_isotp_confirm (RbIsotp *self, guint32 ticket, gint64 now)
{
  Receiver *rx = &self->rx;
  if (!rb_isotp_has_ticket (self, ticket))
    return;
  if ((ticket & 1) == TICKET_DATA) {
    data_sent (self, now);
    return;
  }
  rx->flow_out = FALSE;
  rx->n_ar_due = NEVER;
  if (rx->buffer != NULL)
    rx->n_cr_due = now + self->n_cr;
}

static void
count_fc_wait (RbIsotp *self, gint64 now)
{
  Sender *tx = &self->tx;
  if (tx->waits == 0)
    tx->waits_due = now + (gint64) self->config.wait_ms * 1000;
  tx->waits++;
  tx->n_bs_due = now + self->n_bs;
  if (tx->waits > self->config.n_wft_max)
    fail_send (self, RB_REASON_TIMEOUT, "the ECU asked to wait too many times in a row");
}

static void
receive_fc (RbIsotp *self, const RbCanFrame *frame, guint8 at, gint64 now)
{
  Sender *tx = &self->tx;
  if (tx->state != WAIT_FC || frame->length < at + 3)
    return;
  switch (frame->data[at] & 15) {
  case FS_CTS:
    tx->st_min_us = st_min_to_us (frame->data[at + 2]);
    tx->block_left = frame->data[at + 1];
    tx->waits = 0;
    tx->n_bs_due = tx->waits_due = NEVER;
    tx->n_as_due = MAX (now, tx->not_before) + self->n_as;
    tx->state = SENDING;
    break;
  case FS_WAIT: count_fc_wait (self, now); break;
  case FS_OVFLW: fail_send (self, RB_REASON_BLOCK_TOO_LONG, "the ECU has no room for a message of this length"); break;
  default: fail_send (self, RB_REASON_LINK_PROTOCOL, "a flow control of a kind that does not exist");
  }
}

/* Receiving */

static void
superseded (RbIsotp *self)
{
  if (self->rx.buffer != NULL)
    fail_receive (self, RB_REASON_LINK_PROTOCOL, "a new message began before the last one was whole");
  flow_clear (&self->rx);
}

/* ISO 15765-2: above 8 bytes the length is in a second byte, and only there. */
static void
receive_sf (RbIsotp *self, const RbCanFrame *frame, guint8 at)
{
  gboolean escaped = frame->length > 8;
  guint8 length = frame->data[at] & 15;
  if (escaped && length == 0)
    length = frame->data[at + 1];
  else if (escaped)
    return;
  guint8 from = (guint8) (at + (escaped ? 2 : 1));
  if (length == 0 || from + length > frame->length)
    return;
  superseded (self);
  push_event (self, RB_ISOTP_MESSAGE, g_bytes_new (&frame->data[from], length), RB_REASON_NONE, NULL);
}

/* Its data offset; 0 when the length cannot be. */
static guint8
first_length (const RbCanFrame *frame, guint8 at, gsize *length)
{
  guint8 from = (guint8) (at + 2);
  *length = (gsize) (frame->data[at] & 15) << 8 | frame->data[at + 1];
  gsize least = frame->length - at - (frame->length > 8 ? 1u : 0u); /* one byte less fits a single frame */
  if (*length == 0) {
    for (; from < at + 6; from++)
      *length = *length << 8 | frame->data[from];
    least = SHORT_FIRST_MAX + 1;
  }
  return *length < least ? 0 : from;
}

static void
receive_ff (RbIsotp *self, const RbCanFrame *frame, guint8 at, gint64 now)
{
  Receiver *rx = &self->rx;
  gsize length = 0;
  guint8 from = frame->length < 8 ? 0 : first_length (frame, at, &length);
  if (from == 0)
    return;
  gint64 whole_due = rx->buffer != NULL ? rx->whole_due : now + (gint64) self->config.total_ms * 1000;
  superseded (self);
  if (length > self->config.max_message) {
    queue_fc (self, FS_OVFLW, now);
    fail_receive (self, RB_REASON_BLOCK_TOO_LONG, "the message is longer than what is taken in");
    return;
  }
  rx->length = length;
  rx->buffer = g_malloc (length);
  rx->offset = (gsize) frame->length - from;
  memcpy (rx->buffer, &frame->data[from], rx->offset);
  rx->frame_length = frame->length;
  rx->sequence = 1;
  rx->last_length = 0;
  rx->whole_due = whole_due;
  rx->block_left = self->config.block_size;
  queue_fc (self, FS_CTS, now);
  push_event (self, RB_ISOTP_FIRST_FRAME, NULL, RB_REASON_NONE, NULL);
}

static gboolean
is_repeated (const Receiver *rx, const RbCanFrame *frame)
{
  return rx->last_length == frame->length && memcmp (rx->last, frame->data, frame->length) == 0;
}

static void
store (RbIsotp *self, const RbCanFrame *frame, guint8 at, gsize n, gint64 now)
{
  Receiver *rx = &self->rx;
  memcpy (&rx->buffer[rx->offset], &frame->data[at + 1], n);
  memcpy (rx->last, frame->data, frame->length);
  rx->last_length = frame->length;
  rx->offset += n;
  rx->sequence = (rx->sequence + 1) & 15;
  rx->n_cr_due = now + self->n_cr;
  if (rx->offset == rx->length) {
    GBytes *message = g_bytes_new_take (g_steal_pointer (&rx->buffer), rx->length);
    rx_clear (rx);
    push_event (self, RB_ISOTP_MESSAGE, message, RB_REASON_NONE, NULL);
  } else if (rx->block_left > 0 && --rx->block_left == 0) {
    rx->block_left = self->config.block_size;
    queue_fc (self, FS_CTS, now);
    rx->n_cr_due = NEVER;
  }
}

/* A frame of another length than the first one's is ignored, but the last may be shorter. A frame lost before it shows
 * by its number; the same frame once more is what CAN itself does when the last bit of a frame was disturbed. */
static void
receive_cf (RbIsotp *self, const RbCanFrame *frame, guint8 at, gint64 now)
{
  Receiver *rx = &self->rx;
  if (rx->buffer == NULL || frame->length > rx->frame_length)
    return;
  gsize room = frame->length - at - 1u;
  gsize n = MIN (rx->length - rx->offset, (gsize) rx->frame_length - at - 1);
  if (room < n)
    return;
  if ((frame->data[at] & 15) == rx->sequence)
    store (self, frame, at, n, now);
  else if (!is_repeated (rx, frame))
    fail_receive (self, RB_REASON_LINK_PROTOCOL, "a frame of the message is missing");
}

gboolean
rb_isotp_receive_frame (RbIsotp *self, const RbCanFrame *frame, gint64 now)
{
  guint8 at = self->config.rx_extension >= 0 ? 1 : 0;
  if (frame->id != self->config.rx_id || frame->own || self->config.functional || frame->length <= at + 1)
    return FALSE;
  if (at > 0 && frame->data[0] != self->config.rx_extension)
    return FALSE;
  switch (frame->data[at] >> 4) {
  case PCI_SF: receive_sf (self, frame, at); break;
  case PCI_FF: receive_ff (self, frame, at, now); break;
  case PCI_CF: receive_cf (self, frame, at, now); break;
  case PCI_FC: receive_fc (self, frame, at, now); break;
  default: break;
  }
  return TRUE;
}

/* Time */

gint64
rb_isotp_deadline (const RbIsotp *self)
{
  const Sender *tx = &self->tx;
  const Receiver *rx = &self->rx;
  gint64 due = MIN (MIN (tx->n_as_due, tx->n_bs_due),
                    MIN (tx->waits_due, MIN (rx->n_cr_due, MIN (rx->n_ar_due, rx->whole_due))));
  gboolean paced = tx->state == SENDING && tx->outstanding == 0;
  return paced ? MIN (due, tx->not_before) : due;
}

void
rb_isotp_tick (RbIsotp *self, gint64 now)
{
  Sender *tx = &self->tx;
  Receiver *rx = &self->rx;
  if (now >= tx->n_as_due)
    fail_send (self, RB_REASON_TIMEOUT, "a frame could not be put on the bus in time");
  else if (now >= tx->n_bs_due)
    fail_send (self, RB_REASON_TIMEOUT, "the ECU sent no flow control in time");
  else if (now >= tx->waits_due)
    fail_send (self, RB_REASON_TIMEOUT, "the ECU asked to wait for too long");
  if (now >= rx->n_ar_due) {
    flow_clear (rx);
    if (rx->buffer != NULL)
      fail_receive (self, RB_REASON_TIMEOUT, "a flow control could not be put on the bus in time");
  } else if (now >= rx->n_cr_due) {
    fail_receive (self, RB_REASON_TIMEOUT, "the ECU's message stopped in the middle");
  } else if (now >= rx->whole_due) {
    flow_clear (rx);
    fail_receive (self, RB_REASON_TIMEOUT, "the ECU's message does not end");
  }
}

gboolean
rb_isotp_sending (const RbIsotp *self)
{
  return self->tx.state != IDLE;
}

gboolean
rb_isotp_receiving (const RbIsotp *self)
{
  return self->rx.buffer != NULL;
}
