/* SPDX-License-Identifier: Apache-2.0 */
#include "frame/can.h"

#include <string.h>

/* struct canfd_frame, linux/can.h: id, length, flags, two reserved bytes, data */
enum { LENGTH_BYTE = 4, FLAGS_BYTE = 5, DATA_BYTE = 8 };
enum { FLAG_BRS = 0x01, FLAG_FDF = 0x04 };

static const guint8 fd_lengths[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64 };

guint8
rb_can_length (guint8 dlc, gboolean fd)
{
  dlc &= 15;
  return fd || dlc <= 8 ? fd_lengths[dlc] : 8;
}

guint8
rb_can_dlc (guint8 length)
{
  guint8 dlc = 0;
  while (dlc < 15 && fd_lengths[dlc] < length)
    dlc++;
  return dlc;
}

guint8
rb_can_fit (guint8 length, gboolean fd)
{
  return fd ? fd_lengths[rb_can_dlc (length)] : MIN (length, 8);
}

gboolean
rb_can_parse (gconstpointer packet, gsize length, RbCanFrame *out)
{
  const guint8 *bytes = packet;
  if (length != RB_CAN_PACKET && length != RB_CAN_FD_PACKET)
    return FALSE;
  gboolean fd = length == RB_CAN_FD_PACKET;
  if (bytes[LENGTH_BYTE] > (fd ? 64 : 8) || rb_can_fit (bytes[LENGTH_BYTE], fd) != bytes[LENGTH_BYTE])
    return FALSE;
  out->length = bytes[LENGTH_BYTE];
  out->fd = fd;
  out->brs = fd && (bytes[FLAGS_BYTE] & FLAG_BRS) != 0;
  out->own = bytes[RB_CAN_OWN_BYTE] == 1;
  memcpy (&out->id, bytes, sizeof out->id);
  memcpy (out->data, &bytes[DATA_BYTE], out->length);
  memset (&out->data[out->length], 0, sizeof out->data - out->length);
  return TRUE;
}

gsize
rb_can_write (const RbCanFrame *frame, guint8 packet[RB_CAN_FD_PACKET])
{
  gsize length = frame->fd ? RB_CAN_FD_PACKET : RB_CAN_PACKET;
  memset (packet, 0, length);
  memcpy (packet, &frame->id, sizeof frame->id);
  packet[LENGTH_BYTE] = frame->length;
  if (frame->fd)
    packet[FLAGS_BYTE] = (guint8) (FLAG_FDF | (frame->brs ? FLAG_BRS : 0));
  packet[RB_CAN_OWN_BYTE] = frame->own ? 1 : 0;
  memcpy (&packet[DATA_BYTE], frame->data, MIN (frame->length, length - DATA_BYTE));
  return length;
}

/*
 * Counts bits as a transmitter puts them out: after five of one value it inserts one of the other, which begins the
 * next run (ISO 11898-1, 10.5).
 */
typedef struct {
  guint bits; /* stuff bits included */
  guint run;
  guint last;
  guint crc; /* CRC-15 of the bits before stuffing */
} Wire;

static void
put_bit (Wire *wire, guint bit)
{
  if (wire->run == 5) {
    wire->bits++;
    wire->last ^= 1;
    wire->run = 1;
  }
  wire->run = wire->bits > 0 && bit == wire->last ? wire->run + 1 : 1;
  wire->last = bit;
  wire->bits++;
  guint top = (wire->crc >> 14 & 1) ^ bit;
  wire->crc = (wire->crc << 1 & 0x7fff) ^ (top != 0 ? 0x4599 : 0);
}

static void
put (Wire *wire, guint32 value, guint width)
{
  while (width-- > 0)
    put_bit (wire, value >> width & 1);
}

/* Start of frame, identifier and, with 29 bits, SRR and IDE between its halves; then RTR (or RRS) and, with 11 bits,
 * IDE. */
static void
put_identifier (Wire *wire, guint32 id, guint remote)
{
  put (wire, 0, 1);
  if ((id & RB_CAN_EXTENDED) != 0) {
    put (wire, (id & RB_CAN_ID) >> 18, 11);
    put (wire, 3, 2);
    put (wire, id & 0x3ffff, 18);
    put (wire, remote, 1);
  } else {
    put (wire, id & 0x7ff, 11);
    put (wire, remote, 1);
    put (wire, 0, 1);
  }
}

static void
put_data (Wire *wire, const RbCanFrame *frame)
{
  for (guint i = 0; i < frame->length; i++)
    put (wire, frame->data[i], 8);
}

enum { CRC_DELIMITER = 1, ACK = 2, END = 7, BETWEEN = 3 };

static guint
classic_bits (const RbCanFrame *frame)
{
  Wire wire = { 0 };
  gboolean remote = (frame->id & RB_CAN_REMOTE) != 0;
  put_identifier (&wire, frame->id, remote);
  put (&wire, 0, (frame->id & RB_CAN_EXTENDED) != 0 ? 2 : 1); /* reserved */
  put (&wire, rb_can_dlc (frame->length), 4);
  if (!remote)
    put_data (&wire, frame);
  put (&wire, wire.crc, 15);
  if (wire.run == 5)
    wire.bits++;
  return wire.bits + CRC_DELIMITER + ACK + END + BETWEEN;
}

/*
 * FD: dynamic stuff bits from the start of the frame to the last data bit, then fixed ones: one before the stuff count
 * (it also serves where a dynamic one would be due) and one after each four bits of stuff count and CRC.
 */
static void
fd_bits (const RbCanFrame *frame, guint *nominal, guint *data)
{
  Wire wire = { 0 };
  put_identifier (&wire, frame->id, 0);
  put (&wire, 2, 2); /* FDF, reserved */
  put (&wire, frame->brs ? 1 : 0, 1);
  guint head = wire.bits;
  put (&wire, 0, 1); /* ESI */
  put (&wire, rb_can_dlc (frame->length), 4);
  put_data (&wire, frame);
  guint check = 4 + (frame->length <= 16 ? 17 : 21);
  guint rest = wire.bits - head + check + 1 + check / 4 + CRC_DELIMITER;
  *nominal = head + ACK + END + BETWEEN + (frame->brs ? 0 : rest);
  *data = frame->brs ? rest : 0;
}

void
rb_can_bits (const RbCanFrame *frame, guint *nominal, guint *data)
{
  *data = 0;
  if (frame->fd)
    fd_bits (frame, nominal, data);
  else
    *nominal = classic_bits (frame);
}

gint64
rb_can_time (const RbCanFrame *frame, guint32 bitrate, guint32 data_bitrate)
{
  guint nominal = 0, data = 0;
  rb_can_bits (frame, &nominal, &data);
  gint64 time = bitrate == 0 ? 0 : (gint64) nominal * G_GINT64_CONSTANT (1000000000) / bitrate;
  return time + (data == 0 || data_bitrate == 0 ? 0 : (gint64) data * G_GINT64_CONSTANT (1000000000) / data_bitrate);
}
