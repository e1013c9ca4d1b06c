/* SPDX-License-Identifier: Apache-2.0 */
/* What a USB adapter says, and what a link process that was taken over tells the program (or the program's request the
 * process). */
#include "can/gs-usb-protocol.h"
#include "fuzz.h"
#include "link/backend.h"
#include "link/packet-body.h"

#include <string.h>

static void
is_text (const char *text)
{
  if (text != NULL && (!g_utf8_validate (text, -1, NULL) || strlen (text) > 4096))
    g_error ("a text that cannot be shown");
}

static void
read_adapter (const uint8_t *data, size_t size)
{
  RbGsUsbConfig config;
  RbGsUsbLimits limits;
  RbGsUsbState state;
  RbGsUsbFrame frame;
  RbBitTiming timing;
  if (rb_gs_usb_protocol_read_config (data, size, &config) && config.channels > 8)
    g_error ("more channels than are kept");
  if (rb_gs_usb_protocol_read_limits (data, size, &limits)) {
    if (rb_bit_timing_find (&limits.nominal, limits.clock, 500000, 875, &timing)
        && (timing.brp == 0 || timing.sjw == 0))
      g_error ("a timing of nothing");
    if (rb_bit_timing_find (&limits.data, limits.clock, 2000000, 800, &timing)
        && (timing.brp == 0 || timing.brp > limits.clock))
      g_error ("a timing of no bit rate");
  }
  if (rb_gs_usb_protocol_read_state (data, size, &state) && size < RB_GS_USB_STATE_SIZE)
    g_error ("a state out of nothing");
  if (rb_gs_usb_protocol_read_frame (data, size, &frame) && frame.frame.length > (frame.frame.fd ? 64 : 8))
    g_error ("a frame longer than a frame");
}

static void
read_entries (GBytes *body)
{
  g_autoptr (GPtrArray) entries = rb_packet_body_read_entries (body);
  for (guint i = 0; entries != NULL && i < entries->len; i++) {
    const RbLinkEntry *entry = entries->pdata[i];
    is_text (entry->uri);
    is_text (entry->name);
    is_text (entry->serial);
    is_text (entry->state);
    is_text (entry->vin);
  }
}

static void
read_info (GBytes *body)
{
  RbLinkInfo info = { 0 };
  if (rb_packet_body_read_info (body, &info) && memchr (info.vin, '\0', sizeof info.vin) == NULL)
    g_error ("a VIN without an end");
  is_text (info.kind);
  is_text (info.vendor);
  is_text (info.serial);
  is_text (info.firmware);
  g_free (info.kind);
  g_free (info.vendor);
  g_free (info.serial);
  g_free (info.firmware);
}

static void
read_rest (GBytes *body, gint64 number)
{
  g_autoptr (GError) error = NULL;
  g_auto (RbPacketBodyOpen) open = { 0 };
  RbAddress address;
  const RbPacket packet = { .kind = RB_PACKET_ERROR, .number = number, .body = body, .fd = -1 };
  rb_packet_body_read_error (&packet, &error);
  if (error == NULL || (error->domain == RB_LINK_ERROR && rb_reason_of (error) == RB_REASON_NONE))
    g_error ("a failure without a reason");
  is_text (error->message);
  if (rb_packet_body_read_open (body, &open)
      && open.uri == NULL) /* the program says it: what it is, is judged by who opens it */
    g_error ("a link without a name");
  if (rb_packet_body_read_address (body, &address) && (address.extension < -1 || address.extension > 255))
    g_error ("an extension that is no byte");
  g_autoptr (GArray) ids = rb_packet_body_read_ids (body);
  if (ids != NULL && ids->len * sizeof (guint32) != g_bytes_get_size (body))
    g_error ("ids that are not there");
  g_autofree char *text = rb_packet_body_text (body);
  is_text (text);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  if (size == 0)
    return 0;
  g_autoptr (GBytes) body = g_bytes_new (&data[1], size - 1);
  read_adapter (&data[1], size - 1);
  read_entries (body);
  read_info (body);
  read_rest (body, data[0]);
  return 0;
}
