/* SPDX-License-Identifier: Apache-2.0 */
#include "can/gs-usb-protocol.h"

#include "core/bytes.h"

#include <string.h>

enum { BYTE_ORDER_WORD = 0x0000beef, MODE_RESET = 0, MODE_START = 1, CANTACT_LAST_OLD = 2, MAX_CHANNELS = 8 };
enum { FLAG_OVERFLOW = 1, FLAG_FD = 2, FLAG_BRS = 4 };
enum { HEADER = 12, CLASSIC_DATA = 8, FD_DATA = 64 };

static const struct {
  guint16 vendor, product;
} known[] = {
  { 0x1d50, 0x606f }, /* candleLight, CANable, geschwister schneider */
  { 0x1209, 0x2323 }, /* candleLight, bytewerk */
  { 0x1cd2, 0x606f }, /* CES CANext FD */
  { 0x16d0, 0x10b8 }, /* ABE CANdebugger FD */
  { 0x16d0, 0x0f30 }, /* Xylanta SAINT3 */
  { 0x1209, 0xca01 }, /* CANnectivity */
};

gboolean
rb_gs_usb_protocol_is_known (guint16 vendor, guint16 product)
{
  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    if (known[i].vendor == vendor && known[i].product == product)
      return TRUE;
  return FALSE;
}

gboolean
rb_gs_usb_protocol_is_old_cantact (const char *manufacturer, const char *product, guint32 firmware)
{
  return g_strcmp0 (manufacturer, "LinkLayer Labs") == 0 && g_strcmp0 (product, "CANtact Pro") == 0
         && firmware <= CANTACT_LAST_OLD;
}

gboolean
rb_gs_usb_protocol_read_config (gconstpointer data, gsize length, RbGsUsbConfig *out)
{
  RbReader reader = rb_reader_new (data, length);
  (void) rb_reader_take (&reader, 3);
  out->channels = rb_reader_u8 (&reader) + 1u;
  out->firmware = rb_reader_u32le (&reader);
  (void) rb_reader_u32le (&reader);
  return rb_reader_ok (&reader) && out->channels <= MAX_CHANNELS;
}

static void
read_bit_limits (RbReader *reader, RbBitLimits *out)
{
  out->tseg1_min = rb_reader_u32le (reader);
  out->tseg1_max = rb_reader_u32le (reader);
  out->tseg2_min = rb_reader_u32le (reader);
  out->tseg2_max = rb_reader_u32le (reader);
  out->sjw_max = rb_reader_u32le (reader);
  out->brp_min = rb_reader_u32le (reader);
  out->brp_max = rb_reader_u32le (reader);
  out->brp_inc = rb_reader_u32le (reader);
}

gboolean
rb_gs_usb_protocol_read_limits (gconstpointer data, gsize length, RbGsUsbLimits *out)
{
  RbReader reader = rb_reader_new (data, length);
  out->features = rb_reader_u32le (&reader) & RB_GS_USB_FEATURES;
  out->clock = rb_reader_u32le (&reader);
  read_bit_limits (&reader, &out->nominal);
  if (length >= RB_GS_USB_LIMITS_EXT_SIZE)
    read_bit_limits (&reader, &out->data);
  else
    out->data = out->nominal;
  return rb_reader_ok (&reader) && out->clock > 0;
}

gboolean
rb_gs_usb_protocol_read_state (gconstpointer data, gsize length, RbGsUsbState *out)
{
  RbReader reader = rb_reader_new (data, length);
  out->kind = rb_reader_u32le (&reader);
  out->rx_errors = rb_reader_u32le (&reader);
  out->tx_errors = rb_reader_u32le (&reader);
  return rb_reader_ok (&reader);
}

static void
put_u32 (guint8 *out, guint at, guint32 value)
{
  guint32 little = GUINT32_TO_LE (value);
  memcpy (&out[at], &little, sizeof little);
}

void
rb_gs_usb_protocol_write_host_format (guint8 out[RB_GS_USB_HOST_FORMAT_SIZE])
{
  put_u32 (out, 0, BYTE_ORDER_WORD);
}

void
rb_gs_usb_protocol_write_timing (const RbBitTiming *timing, guint8 out[RB_GS_USB_TIMING_SIZE])
{
  put_u32 (out, 0, timing->prop_seg);
  put_u32 (out, 4, timing->phase_seg1);
  put_u32 (out, 8, timing->phase_seg2);
  put_u32 (out, 12, timing->sjw);
  put_u32 (out, 16, timing->brp);
}

void
rb_gs_usb_protocol_write_mode (gboolean start, guint32 flags, guint8 out[RB_GS_USB_MODE_SIZE])
{
  put_u32 (out, 0, start ? MODE_START : MODE_RESET);
  put_u32 (out, 4, start ? flags : 0);
}

gsize
rb_gs_usb_protocol_write_frame (const RbCanFrame *frame, guint32 echo, guint8 channel, guint32 mode, guint32 features,
                                guint8 out[RB_GS_USB_PACKET])
{
  gsize length
    = HEADER + ((mode & RB_GS_USB_FD) != 0 ? FD_DATA : CLASSIC_DATA) + ((features & RB_GS_USB_PAD_BYTE) != 0 ? 1 : 0);
  memset (out, 0, length);
  put_u32 (out, 0, echo);
  put_u32 (out, 4, frame->id);
  out[8] = rb_can_dlc (frame->length);
  out[9] = channel;
  if (frame->fd)
    out[10] = (guint8) (FLAG_FD | (frame->brs ? FLAG_BRS : 0));
  memcpy (&out[HEADER], frame->data, MIN (frame->length, (mode & RB_GS_USB_FD) != 0 ? FD_DATA : CLASSIC_DATA));
  return length;
}

gboolean
rb_gs_usb_protocol_read_frame (gconstpointer data, gsize length, RbGsUsbFrame *out)
{
  RbReader reader = rb_reader_new (data, length);
  out->echo = rb_reader_u32le (&reader);
  out->frame.id = rb_reader_u32le (&reader);
  guint8 dlc = rb_reader_u8 (&reader);
  out->channel = rb_reader_u8 (&reader);
  guint8 flags = rb_reader_u8 (&reader);
  (void) rb_reader_u8 (&reader);
  out->overflow = (flags & FLAG_OVERFLOW) != 0;
  out->frame.fd = (flags & FLAG_FD) != 0;
  out->frame.brs = (flags & FLAG_BRS) != 0;
  out->frame.own = out->echo != RB_GS_USB_RECEIVED;
  out->frame.length = rb_can_length (dlc, out->frame.fd);
  const guint8 *bytes = rb_reader_take (&reader, out->frame.fd ? FD_DATA : CLASSIC_DATA);
  if (bytes == NULL)
    return FALSE;
  memset (out->frame.data, 0, sizeof out->frame.data);
  memcpy (out->frame.data, bytes, out->frame.length);
  return TRUE;
}
