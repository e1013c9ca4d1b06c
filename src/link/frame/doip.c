/* SPDX-License-Identifier: Apache-2.0 */
#include "frame/doip.h"

#include "core/bytes.h"

#include <string.h>

RB_DEFINE_ERROR_DOMAIN (frame)

RbDoipHeaderState
rb_doip_header_parse (gconstpointer data, gsize length, RbDoipHeader *header)
{
  RbReader reader = rb_reader_new (data, length);
  if (length < RB_DOIP_HEADER)
    return RB_DOIP_HEADER_SHORT;
  header->version = rb_reader_u8 (&reader);
  guint8 complement = rb_reader_u8 (&reader);
  header->type = rb_reader_u16be (&reader);
  header->length = rb_reader_u32be (&reader);
  gboolean asks_who = header->type >= RB_DOIP_VEHICLE_ID_REQUEST && header->type <= RB_DOIP_VEHICLE_ID_REQUEST_VIN;
  gboolean known
    = (header->version >= 0x01 && header->version <= 0x04) || (header->version == RB_DOIP_ANY_VERSION && asks_who);
  return known && (header->version ^ complement) == 0xff ? RB_DOIP_HEADER_GOOD : RB_DOIP_HEADER_BAD;
}

static void
write_header (GByteArray *out, guint16 type, gsize length)
{
  rb_writer_u8 (out, RB_DOIP_VERSION);
  rb_writer_u8 (out, (guint8) ~RB_DOIP_VERSION);
  rb_writer_u16be (out, type);
  rb_writer_u32be (out, (guint32) length);
}

void
rb_doip_write (GByteArray *out, guint16 type, gconstpointer payload, gsize length)
{
  write_header (out, type, length);
  rb_writer_data (out, payload, length);
}

void
rb_doip_set_version (GByteArray *out, guint8 version)
{
  out->data[0] = version;
  out->data[1] = (guint8) ~version;
}

gboolean
rb_doip_announcement_parse (gconstpointer payload, gsize length, RbDoipAnnouncement *out)
{
  RbReader reader = rb_reader_new (payload, length);
  memset (out, 0, sizeof *out);
  const guint8 *vin = rb_reader_take (&reader, 17);
  out->logical = rb_reader_u16be (&reader);
  const guint8 *eid = rb_reader_take (&reader, 6);
  const guint8 *gid = rb_reader_take (&reader, 6);
  out->further_action = rb_reader_u8 (&reader);
  if (!rb_reader_ok (&reader))
    return FALSE;
  out->sync = rb_reader_left (&reader) > 0 ? rb_reader_u8 (&reader) : 0;
  memcpy (out->vin, vin, 17);
  memcpy (out->eid, eid, 6);
  memcpy (out->gid, gid, 6);
  return rb_reader_done (&reader);
}

void
rb_doip_announcement_write (GByteArray *out, const RbDoipAnnouncement *announcement)
{
  char vin[17] = { 0 };
  memcpy (vin, announcement->vin, strnlen (announcement->vin, 17));
  write_header (out, RB_DOIP_ANNOUNCEMENT, 33);
  rb_writer_data (out, vin, 17);
  rb_writer_u16be (out, announcement->logical);
  rb_writer_data (out, announcement->eid, 6);
  rb_writer_data (out, announcement->gid, 6);
  rb_writer_u8 (out, announcement->further_action);
  rb_writer_u8 (out, announcement->sync);
}

gboolean
rb_doip_activation_request_parse (gconstpointer payload, gsize length, guint16 *source, guint8 *type)
{
  RbReader reader = rb_reader_new (payload, length);
  *source = rb_reader_u16be (&reader);
  *type = rb_reader_u8 (&reader);
  return rb_reader_ok (&reader) && (length == 7 || length == 11);
}

void
rb_doip_activation_request_write (GByteArray *out, guint16 source, guint8 type)
{
  write_header (out, RB_DOIP_ROUTING_ACTIVATION_REQUEST, 7);
  rb_writer_u16be (out, source);
  rb_writer_u8 (out, type);
  rb_writer_u32be (out, 0);
}

gboolean
rb_doip_activation_response_parse (gconstpointer payload, gsize length, guint16 *tester, guint16 *entity, guint8 *code)
{
  RbReader reader = rb_reader_new (payload, length);
  *tester = rb_reader_u16be (&reader);
  *entity = rb_reader_u16be (&reader);
  *code = rb_reader_u8 (&reader);
  return rb_reader_ok (&reader) && (length == 9 || length == 13);
}

void
rb_doip_activation_response_write (GByteArray *out, guint16 tester, guint16 entity, guint8 code)
{
  write_header (out, RB_DOIP_ROUTING_ACTIVATION_RESPONSE, 9);
  rb_writer_u16be (out, tester);
  rb_writer_u16be (out, entity);
  rb_writer_u8 (out, code);
  rb_writer_u32be (out, 0);
}

const char *
rb_doip_activation_text (guint8 code)
{
  switch (code) {
  case 0x00: return "the vehicle does not know this tester address";
  case 0x01: return "every diagnostic connection of the vehicle is in use";
  case 0x02: return "the connection is active with another tester address";
  case 0x03: return "the tester address is active on another connection";
  case 0x04: return "authentication is missing";
  case 0x05: return "the confirmation was rejected";
  case 0x06: return "the activation type is not supported";
  case 0x07: return "the vehicle asks for TLS";
  case 0x10: return "accepted";
  case 0x11: return "the connection was not confirmed at the vehicle, which asked for a confirmation";
  default: return "an unknown code";
  }
}

gboolean
rb_doip_addresses_parse (gconstpointer payload, gsize length, guint16 *source, guint16 *target)
{
  RbReader reader = rb_reader_new (payload, length);
  *source = rb_reader_u16be (&reader);
  *target = rb_reader_u16be (&reader);
  return rb_reader_ok (&reader) && rb_reader_left (&reader) >= 1;
}

void
rb_doip_diagnostic_header (GByteArray *out, guint16 source, guint16 target, gsize length)
{
  write_header (out, RB_DOIP_DIAGNOSTIC, 4 + length);
  rb_writer_u16be (out, source);
  rb_writer_u16be (out, target);
}

void
rb_doip_diagnostic_write (GByteArray *out, guint16 source, guint16 target, gconstpointer uds, gsize length)
{
  rb_doip_diagnostic_header (out, source, target, length);
  rb_writer_data (out, uds, length);
}

void
rb_doip_diagnostic_ack_write (GByteArray *out, guint16 type, guint16 source, guint16 target, guint8 code)
{
  write_header (out, type, 5);
  rb_writer_u16be (out, source);
  rb_writer_u16be (out, target);
  rb_writer_u8 (out, code);
}

const char *
rb_doip_diagnostic_nack_text (guint8 code)
{
  switch (code) {
  case 0x02: return "invalid source address";
  case 0x03: return "unknown target address";
  case 0x04: return "diagnostic message too large";
  case 0x05: return "out of memory";
  case 0x06: return "target unreachable";
  case 0x07: return "unknown network";
  case 0x08: return "transport protocol error";
  default: return "unknown code";
  }
}

void
rb_doip_status_write (GByteArray *out, guint8 node_type, guint8 max_sockets, guint8 open_sockets, guint32 max_data)
{
  write_header (out, RB_DOIP_ENTITY_STATUS_RESPONSE, 7);
  rb_writer_u8 (out, node_type);
  rb_writer_u8 (out, max_sockets);
  rb_writer_u8 (out, open_sockets);
  rb_writer_u32be (out, max_data);
}

const char *
rb_doip_header_nack_text (guint8 code)
{
  switch (code) {
  case RB_DOIP_BAD_PATTERN: return "it is not DoIP";
  case RB_DOIP_UNKNOWN_TYPE: return "the type of message is unknown";
  case RB_DOIP_TOO_LARGE: return "the message is too large";
  case RB_DOIP_NO_MEMORY: return "out of memory";
  case RB_DOIP_BAD_LENGTH: return "the message has a wrong length";
  default: return "unknown code";
  }
}

gboolean
rb_doip_status_parse (gconstpointer payload, gsize length, RbDoipStatusInfo *out)
{
  RbReader reader = rb_reader_new (payload, length);
  out->node_type = rb_reader_u8 (&reader);
  out->max_sockets = rb_reader_u8 (&reader);
  out->open_sockets = rb_reader_u8 (&reader);
  out->max_data = rb_reader_left (&reader) == 4 ? rb_reader_u32be (&reader) : 0;
  return rb_reader_done (&reader);
}

gboolean
rb_doip_power_parse (gconstpointer payload, gsize length, RbDoipPower *out)
{
  RbReader reader = rb_reader_new (payload, length);
  guint8 mode = rb_reader_u8 (&reader);
  *out = (RbDoipPower) mode;
  return rb_reader_done (&reader) && mode <= RB_DOIP_POWER_NOT_SUPPORTED;
}
