/* SPDX-License-Identifier: Apache-2.0 */
#include "candlelight.h"

#include <errno.h>
#include <linux/can/error.h>
#include <string.h>

enum {
  HOST_FORMAT,
  BITTIMING,
  MODE,
  BERR,
  BT_CONST,
  DEVICE_CONFIG,
  TIMESTAMP,
  DATA_BITTIMING = 10,
  BT_CONST_EXT = 11,
  GET_STATE = 14
};
enum {
  FEATURE_TIMESTAMP = 1 << 4,
  FEATURE_FD = 1 << 8,
  FEATURE_EXT = 1 << 10,
  FEATURE_BERR = 1 << 12,
  FEATURE_STATE = 1 << 13
};
enum { FRAME_OVERFLOW = 1, FRAME_FD = 2, FRAME_BRS = 4, FRAME_ESI = 8 };
enum { HEADER = 12, CLASSIC_SIZE = 20, FD_SIZE = 76 };

typedef struct {
  guint32 echo, id;
  guint8 dlc, channel, flags, reserved;
  guint8 data[64];
} Frame;

const guint8 candlelight_device_descriptor[18] = {
  18,
  1,
  0x00,
  0x02,
  0,
  0,
  0,
  64,
  CANDLELIGHT_VENDOR & 0xff,
  CANDLELIGHT_VENDOR >> 8,
  CANDLELIGHT_PRODUCT & 0xff,
  CANDLELIGHT_PRODUCT >> 8,
  0,
  0,
  1,
  2,
  3,
  1,
};

const guint8 candlelight_config_descriptor[32] = {
  9,    2,    32,   0, 1, 1, 0,
  0x80, 75,   9,    4, 0, 0, 2,
  0xff, 0xff, 0xff, 0, 7, 5, CANDLELIGHT_IN,
  2,    64,   0,    0, 7, 5, CANDLELIGHT_OUT,
  2,    64,   0,    0,
};

Candlelight *
candlelight_new (guint channels, gboolean fd, const char *serial)
{
  Candlelight *self = g_new0 (Candlelight, 1);
  g_assert (channels >= 1 && channels <= CANDLELIGHT_CHANNELS);
  self->channels = channels;
  self->channel_count = (guint8) (channels - 1);
  self->clock = 80000000;
  self->features = 0xf | FEATURE_TIMESTAMP | FEATURE_BERR | FEATURE_STATE | (fd ? FEATURE_FD | FEATURE_EXT : 0);
  self->nominal = (CandlelightLimits){ 1, 256, 1, 128, 128, 1, 512, 1 };
  self->data = (CandlelightLimits){ 1, 32, 1, 16, 16, 1, 32, 1 };
  g_strlcpy (self->serial, serial, sizeof self->serial);
  for (guint i = 0; i < channels; i++)
    self->channel[i].state[0] = CANDLELIGHT_STOPPED;
  return self;
}

guint
candlelight_bitrate (const Candlelight *self, guint channel, gboolean data)
{
  const CandlelightTiming *timing = data ? &self->channel[channel].data_timing : &self->channel[channel].timing;
  guint32 quanta = 1 + timing->prop_seg + timing->phase_seg1 + timing->phase_seg2;
  return timing->brp == 0 ? 0 : self->clock / timing->brp / quanta;
}

static void
enqueue (Candlelight *self, const Frame *frame)
{
  gsize size = (frame->flags & FRAME_FD) != 0 ? FD_SIZE : CLASSIC_SIZE;
  guint32 now = (guint32) g_get_monotonic_time ();
  if (self->head - self->tail >= CANDLELIGHT_QUEUE)
    return;
  guint at = self->head++ % CANDLELIGHT_QUEUE;
  memcpy (self->queue[at].bytes, frame, size);
  if ((self->channel[frame->channel].flags & FEATURE_TIMESTAMP) != 0) {
    memcpy (&self->queue[at].bytes[size], &now, sizeof now);
    size += sizeof now;
  }
  self->queue[at].size = (guint8) size;
}

static const guint8 lengths[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64 };

static guint8
dlc_of (guint8 length)
{
  guint8 dlc = 0;
  while (dlc < 15 && lengths[dlc] < length)
    dlc++;
  return dlc;
}

void
candlelight_receive (Candlelight *self, guint channel, const struct canfd_frame *frame, gboolean fd)
{
  Frame packet = { .echo = G_MAXUINT32, .id = frame->can_id, .dlc = dlc_of (frame->len), .channel = (guint8) channel };
  const CandlelightChannel *to = &self->channel[channel];
  if (!to->started || to->state[0] == CANDLELIGHT_BUS_OFF || (fd && (to->flags & FEATURE_FD) == 0))
    return;
  if (fd)
    packet.flags = (guint8) (FRAME_FD | ((frame->flags & CANFD_BRS) != 0 ? FRAME_BRS : 0)
                             | ((frame->flags & CANFD_ESI) != 0 ? FRAME_ESI : 0));
  memcpy (packet.data, frame->data, frame->len);
  enqueue (self, &packet);
}

void
candlelight_set_state (Candlelight *self, guint channel, guint32 state, guint tx_errors, guint rx_errors)
{
  Frame packet = { .echo = G_MAXUINT32, .id = CAN_ERR_FLAG, .dlc = CAN_ERR_DLC, .channel = (guint8) channel };
  gboolean sending = tx_errors >= rx_errors;
  if (!self->channel[channel].started)
    return;
  self->channel[channel].state[0] = state;
  self->channel[channel].state[1] = rx_errors;
  self->channel[channel].state[2] = tx_errors;
  packet.id |= state == CANDLELIGHT_BUS_OFF ? CAN_ERR_BUSOFF : CAN_ERR_CRTL;
  if (state == CANDLELIGHT_PASSIVE)
    packet.data[1] = sending ? CAN_ERR_CRTL_TX_PASSIVE : CAN_ERR_CRTL_RX_PASSIVE;
  else if (state == CANDLELIGHT_WARNING)
    packet.data[1] = sending ? CAN_ERR_CRTL_TX_WARNING : CAN_ERR_CRTL_RX_WARNING;
  else if (state == CANDLELIGHT_ACTIVE)
    packet.data[1] = CAN_ERR_CRTL_ACTIVE;
  packet.data[6] = (guint8) tx_errors;
  packet.data[7] = (guint8) rx_errors;
  enqueue (self, &packet);
}

void
candlelight_error (Candlelight *self, guint channel, guint32 class, guint8 kind, guint8 place)
{
  Frame packet = { .echo = G_MAXUINT32, .id = CAN_ERR_FLAG | class, .dlc = CAN_ERR_DLC, .channel = (guint8) channel };
  packet.data[2] = kind;
  packet.data[3] = place;
  enqueue (self, &packet);
}

static gssize
answer (guint8 *data, gsize room, gconstpointer from, gsize size)
{
  gsize n = MIN (size, room);
  memcpy (data, from, n);
  return (gssize) n;
}

static gssize
string_descriptor (Candlelight *self, guint index, guint8 *data, gsize room)
{
  static const guint8 languages[] = { 4, 3, 0x09, 0x04 };
  const char *texts[] = { NULL, "bytewerk", "candleLight USB to CAN adapter", self->serial };
  guint8 bytes[2 + 2 * 64] = { 0, 3 };
  if (index == 0)
    return answer (data, room, languages, sizeof languages);
  if (index >= G_N_ELEMENTS (texts))
    return -EPIPE;
  gsize n = strlen (texts[index]);
  for (gsize i = 0; i < n; i++)
    bytes[2 + 2 * i] = (guint8) texts[index][i];
  bytes[0] = (guint8) (2 + 2 * n);
  return answer (data, room, bytes, bytes[0]);
}

static gssize
standard_request (Candlelight *self, const guint8 *setup, guint8 *data, gsize room)
{
  static const guint8 zero[2] = { 0 };
  switch (setup[0] << 8 | setup[1]) {
  case 0x8006: /* get descriptor */
    if (setup[3] == 1)
      return answer (data, room, candlelight_device_descriptor, sizeof candlelight_device_descriptor);
    if (setup[3] == 2)
      return answer (data, room, candlelight_config_descriptor, sizeof candlelight_config_descriptor);
    return setup[3] == 3 ? string_descriptor (self, setup[2], data, room) : -EPIPE;
  case 0x8000:
  case 0x8100:
  case 0x8200: /* get status */ return answer (data, room, zero, 2);
  case 0x8008: /* get configuration */ return answer (data, room, &self->configuration, 1);
  case 0x0009: /* set configuration */ self->configuration = setup[2]; return 0;
  case 0x0001:
  case 0x0003:
  case 0x0101:
  case 0x0103:
  case 0x0201:
  case 0x0203:
  case 0x010b: /* features, the interface's setting */ return 0;
  default: return -EPIPE;
  }
}

static gssize
set_mode (Candlelight *self, CandlelightChannel *channel, const guint8 *data)
{
  guint32 mode[2];
  memcpy (mode, data, sizeof mode);
  if (mode[0] == 0) {
    channel->started = FALSE;
    channel->state[0] = CANDLELIGHT_STOPPED;
    self->tail = self->head; /* a reset drops what was not fetched */
    self->stops++;
    return sizeof mode;
  }
  if (mode[0] != 1 || channel->timing.brp == 0 || (mode[1] & ~self->features) != 0)
    return -EPIPE;
  channel->started = TRUE;
  channel->flags = mode[1];
  memset (channel->state, 0, sizeof channel->state);
  self->starts++;
  return sizeof mode;
}

static gssize
vendor_out (Candlelight *self, guint request, CandlelightChannel *channel, const guint8 *data, gsize size)
{
  guint32 order = 0;
  if (request == HOST_FORMAT && size == sizeof order) {
    memcpy (&order, data, size);
    return order == 0x0000beef ? (gssize) size : -EPIPE;
  }
  if (channel == NULL)
    return -EPIPE;
  if (request == MODE && size == 8)
    return set_mode (self, channel, data);
  if (channel->started || size != sizeof channel->timing
      || (request == DATA_BITTIMING && (self->features & FEATURE_FD) == 0))
    return -EPIPE;
  if (request != BITTIMING && request != DATA_BITTIMING)
    return -EPIPE;
  memcpy (request == BITTIMING ? &channel->timing : &channel->data_timing, data, size);
  return (gssize) size;
}

static gssize
vendor_in (Candlelight *self, guint request, CandlelightChannel *channel, guint8 *data, gsize room)
{
  struct {
    guint32 features, clock;
    CandlelightLimits nominal, data;
  } limits = { self->features, self->clock, self->nominal, self->data };
  struct {
    guint8 reserved[3], channels;
    guint32 software, hardware;
  } config = { { 0 }, self->channel_count, 2, 1 };
  guint32 now = (guint32) g_get_monotonic_time ();
  if (request == DEVICE_CONFIG)
    return answer (data, room, &config, sizeof config);
  if (request == TIMESTAMP)
    return answer (data, room, &now, sizeof now);
  if (channel == NULL)
    return -EPIPE;
  if (request == BT_CONST)
    return answer (data, room, &limits, 40);
  if (request == BT_CONST_EXT && (self->features & FEATURE_EXT) != 0)
    return answer (data, room, &limits, sizeof limits);
  return request == GET_STATE ? answer (data, room, channel->state, sizeof channel->state) : -EPIPE;
}

gssize
candlelight_control (Candlelight *self, const guint8 setup[8], guint8 *data, gsize size)
{
  guint value = (guint) setup[2] | (guint) setup[3] << 8, length = (guint) setup[6] | (guint) setup[7] << 8;
  CandlelightChannel *channel = value < self->channels ? &self->channel[value] : NULL;
  gsize room = MIN (size, length);
  if ((setup[0] & 0x60) == 0)
    return standard_request (self, setup, data, room);
  if ((setup[0] & 0x7f) != 0x41) /* of the vendor, to the interface */
    return -EPIPE;
  if ((setup[0] & 0x80) == 0)
    return vendor_out (self, setup[1], setup[1] == DEVICE_CONFIG ? NULL : channel, data, room);
  gssize given = vendor_in (self, setup[1], channel, data, room);
  return given < 0 ? given : MAX (0, given - (gssize) self->cut);
}

gssize
candlelight_bulk_out (Candlelight *self, const guint8 *data, gsize size)
{
  Frame packet = { 0 };
  struct canfd_frame frame = { 0 };
  if (size < CLASSIC_SIZE || size > sizeof packet + 4)
    return -EPIPE;
  memcpy (&packet, data, MIN (size, sizeof packet));
  gboolean fd = (packet.flags & FRAME_FD) != 0;
  const CandlelightChannel *channel = &self->channel[MIN (packet.channel, CANDLELIGHT_CHANNELS - 1)];
  /* what a real one cannot send it swallows */
  if (self->mute || packet.channel >= self->channels || packet.dlc > 15 || !channel->started
      || channel->state[0] == CANDLELIGHT_BUS_OFF || (fd && (size < FD_SIZE || (channel->flags & FEATURE_FD) == 0)))
    return (gssize) size;
  frame.can_id = packet.id;
  frame.len = fd ? lengths[packet.dlc] : MIN (packet.dlc, 8);
  frame.flags = (packet.flags & FRAME_BRS) != 0 ? CANFD_BRS : 0;
  memcpy (frame.data, packet.data, frame.len);
  guint before = self->head;
  enqueue (self, &packet); /* the echo comes before what the bus answers */
  if (self->on_send != NULL && !self->on_send (self->user, packet.channel, &frame, fd))
    self->head = before;
  return (gssize) size;
}

gssize
candlelight_bulk_in (Candlelight *self, guint8 *data, gsize size)
{
  if (self->head == self->tail)
    return -EAGAIN;
  guint at = self->tail++ % CANDLELIGHT_QUEUE;
  gsize length = self->queue[at].size;
  if (self->bad_packets > 0) {
    self->bad_packets--;
    length = 10;
  }
  return answer (data, size, self->queue[at].bytes, length);
}
