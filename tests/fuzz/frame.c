/* SPDX-License-Identifier: Apache-2.0 */
/* DoIP headers and payloads, CAN packets, and ISO-TP fed with frames by somebody hostile. */
#include "frame/doip.h"
#include "frame/isotp.h"
#include "fuzz.h"

#include <string.h>

#define MAX_MESSAGE 4096

static void
read_doip (const uint8_t *data, size_t size)
{
  RbDoipHeader header;
  RbDoipAnnouncement announcement;
  RbDoipStatusInfo status;
  RbDoipPower power;
  guint16 a, b;
  guint8 c;
  if (rb_doip_header_parse (data, size, &header) == RB_DOIP_HEADER_GOOD && size < RB_DOIP_HEADER)
    g_error ("a header out of nothing");
  if (rb_doip_announcement_parse (data, size, &announcement) && strlen (announcement.vin) > 17)
    g_error ("a VIN too long");
  if (rb_doip_activation_request_parse (data, size, &a, &c))
    rb_doip_activation_text (c);
  if (rb_doip_activation_response_parse (data, size, &a, &b, &c))
    rb_doip_activation_text (c);
  if (rb_doip_status_parse (data, size, &status) && status.max_data != 0 && size != 7)
    g_error ("a size out of nothing");
  if (rb_doip_power_parse (data, size, &power) && power > RB_DOIP_POWER_NOT_SUPPORTED)
    g_error ("a power mode that does not exist");
  if (rb_doip_addresses_parse (data, size, &a, &b) && size < 4)
    g_error ("addresses out of nothing");
}

static void
take_events (RbIsotp *isotp)
{
  for (RbIsotpEvent event = rb_isotp_event (isotp); event.kind != RB_ISOTP_NONE; event = rb_isotp_event (isotp)) {
    if (event.message != NULL && g_bytes_get_size (event.message) > MAX_MESSAGE)
      g_error ("a message longer than was allowed");
    g_clear_pointer (&event.message, g_bytes_unref);
  }
}

static void
send_frames (RbIsotp *isotp, gint64 now)
{
  RbCanFrame frame;
  guint32 ticket;
  guint n = 0;
  while (n++ < 2000 && rb_isotp_next_frame (isotp, now, &frame, &ticket))
    rb_isotp_confirm (isotp, ticket, now);
}

/* A byte of length and kind, then a frame's data, again and again. */
static void
feed_isotp (const uint8_t *data, size_t size)
{
  const RbIsotpConfig config = { .tx_id = 0x7e0,
                                 .rx_id = 0x7e8,
                                 .tx_extension = -1,
                                 .rx_extension = size > 0 && data[0] % 3 == 0 ? 0x31 : -1,
                                 .fd = size > 0 && data[0] % 2 == 1,
                                 .max_message = MAX_MESSAGE };
  g_autoptr (RbIsotp) isotp = rb_isotp_new (&config);
  g_autofree guint8 *zeros = g_malloc0 (600);
  g_autoptr (GBytes) message = g_bytes_new (zeros, 600);
  gint64 now = 0;
  if (!rb_isotp_send (isotp, message, now, NULL))
    g_error ("nothing is on its way, but it is busy");
  for (size_t at = 1; at < size;) {
    RbCanFrame frame = { .id = 0x7e8, .fd = config.fd };
    frame.length = rb_can_fit (data[at] % (config.fd ? 65 : 9), config.fd);
    now += (gint64) (data[at] >> 7) * 700000;
    gsize some = MIN ((gsize) frame.length, size - at - 1);
    memcpy (frame.data, &data[at + 1], some);
    at += 1 + some;
    rb_isotp_receive_frame (isotp, &frame, now);
    send_frames (isotp, now);
    if (rb_isotp_deadline (isotp) <= now)
      rb_isotp_tick (isotp, now);
    take_events (isotp);
  }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  RbCanFrame frame;
  guint nominal, fast;
  guint8 packet[RB_CAN_FD_PACKET];
  if (rb_can_parse (data, size, &frame)) {
    rb_can_bits (&frame, &nominal, &fast);
    if (rb_can_write (&frame, packet) != size)
      g_error ("written shorter or longer than it was read");
  }
  read_doip (data, size);
  feed_isotp (data, size);
  return 0;
}
