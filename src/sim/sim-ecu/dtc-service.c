/* SPDX-License-Identifier: Apache-2.0 */
#include "sim-ecu/dtc-service.h"

#include "sim-ecu/host.h"

#define ALL_DTCS 0xffffff
#define DTC_STATUS 0x09 /* testFailed, confirmedDTC */

guint8
rb_dtc_service_read (RbEcu *self, RbReader *request, GByteArray *out)
{
  guint8 kind = rb_reader_u8 (request) & 0x7f;
  if (!rb_reader_ok (request))
    return RB_NRC_LENGTH;
  if (kind != 0x02)
    return RB_NRC_SUB_FUNCTION;
  guint8 mask = rb_reader_u8 (request);
  if (!rb_reader_done (request))
    return RB_NRC_LENGTH;
  rb_writer_u8 (out, kind);
  rb_writer_u8 (out, 0xff);
  for (guint i = 0; (mask & DTC_STATUS) != 0 && self->memory->dtcs != NULL && self->memory->dtcs[i] != NULL; i++) {
    rb_writer_ube (out, g_ascii_strtoull (self->memory->dtcs[i], NULL, 16) & 0xffffff, 3);
    rb_writer_u8 (out, DTC_STATUS);
  }
  return 0;
}

guint8
rb_dtc_service_clear (RbEcu *self, RbReader *request, GByteArray *out)
{
  g_autoptr (GError) error = NULL;
  guint64 group = rb_reader_ube (request, 3);
  if (!rb_reader_done (request))
    return RB_NRC_LENGTH;
  if (group != ALL_DTCS)
    return RB_NRC_RANGE;
  rb_host_log (self->vehicle, "clear-dtcs", self, NULL);
  if (self->memory->dtcs == NULL || self->memory->dtcs[0] == NULL)
    return 0;
  g_clear_pointer (&self->memory->dtcs, g_strfreev);
  return rb_memory_save (self->memory, &error) ? 0 : RB_NRC_PROGRAMMING;
}

guint8
rb_dtc_service_control (RbEcu *self, RbReader *request, GByteArray *out)
{
  guint8 kind = rb_reader_u8 (request) & 0x7f;
  if (!rb_reader_ok (request))
    return RB_NRC_LENGTH;
  if (kind < 1 || kind > 2)
    return RB_NRC_SUB_FUNCTION;
  self->dtc_off = kind == 2;
  rb_host_log (self->vehicle, "dtc-setting", self, json_pack ("{s:b}", "on", kind == 1));
  rb_writer_u8 (out, kind);
  return 0;
}
