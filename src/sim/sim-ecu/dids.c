/* SPDX-License-Identifier: Apache-2.0 */
#include "sim-ecu/dids.h"

#include "core/json.h"
#include "sim-ecu/host.h"

#define FINGERPRINT 0xf15a
#define FINGERPRINT_MIN 3 /* the date */
#define FINGERPRINT_MAX 64
#define FINGERPRINT_LENGTH 9 /* date and workshop code; what is read before anything was written */
#define CODING_MAX 255

gboolean
rb_dids_has_fingerprint (const RbModelEcu *model)
{
  return rb_json_boolean_or (model->simulation, "fingerprint", FALSE);
}

static char *
name_of (guint16 did)
{
  return g_strdup_printf ("%04X", did);
}

static gboolean
is_coding (const RbModelEcu *model, const char *name)
{
  const json_t *list = json_object_get (model->simulation, "coding");
  for (gsize i = 0; i < json_array_size (list); i++)
    if (g_strcmp0 (json_string_value (json_array_get (list, i)), name) == 0)
      return TRUE;
  return FALSE;
}

static guint8
read_fingerprint (RbEcu *self, GByteArray *out)
{
  static const guint8 none[FINGERPRINT_LENGTH] = { 0 };
  g_autoptr (GBytes) bytes = self->memory->fingerprint == NULL ? NULL : rb_bytes_from_hex (self->memory->fingerprint);
  if (!rb_ecu_state_is_plain (self->model) && !rb_dids_has_fingerprint (self->model))
    return RB_NRC_RANGE;
  if (bytes != NULL)
    rb_writer_bytes (out, bytes);
  else
    rb_writer_data (out, none, sizeof none);
  return 0;
}

static guint8
read_coding (RbEcu *self, const char *name, GByteArray *out)
{
  g_autoptr (GBytes) bytes = rb_bytes_from_hex (rb_json_string_or (self->memory->coding, name, ""));
  if (!is_coding (self->model, name) || !rb_ecu_state_is_application (self))
    return RB_NRC_RANGE;
  if (bytes == NULL || g_bytes_get_size (bytes) == 0)
    return RB_NRC_CONDITIONS;
  rb_writer_bytes (out, bytes);
  return 0;
}

guint8
rb_dids_read (RbEcu *self, guint16 did, GByteArray *out)
{
  g_autofree char *name = name_of (did);
  return did == FINGERPRINT ? read_fingerprint (self, out) : read_coding (self, name, out);
}

static guint8
write_fingerprint (RbEcu *self, const guint8 *data, gsize length)
{
  if (!rb_ecu_state_is_plain (self->model) && !rb_dids_has_fingerprint (self->model))
    return RB_NRC_RANGE;
  if (length < FINGERPRINT_MIN || length > FINGERPRINT_MAX)
    return RB_NRC_LENGTH;
  if (!self->unlocked)
    return rb_ecu_state_is_plain (self->model) ? RB_NRC_LOCKED : RB_NRC_NOT_AUTHENTICATED;
  g_free (self->memory->fingerprint);
  self->memory->fingerprint = rb_bytes_to_hex (data, length);
  self->fingerprinted = TRUE;
  return 0;
}

static guint8
write_coding (RbEcu *self, const char *name, const guint8 *data, gsize length)
{
  g_autofree char *hex = rb_bytes_to_hex (data, length);
  if (!is_coding (self->model, name) || !rb_ecu_state_is_application (self))
    return RB_NRC_RANGE;
  if (length > CODING_MAX)
    return RB_NRC_LENGTH;
  if (!self->unlocked)
    return RB_NRC_NOT_AUTHENTICATED;
  if (rb_host_fault (self->vehicle, "keep-coding", self, 0) == NULL)
    rb_json_set_string (self->memory->coding, name, hex);
  rb_host_log (self->vehicle, "coding", self, json_pack ("{s:s,s:s}", "did", name, "value", hex));
  return 0;
}

guint8
rb_dids_write (RbEcu *self, RbReader *request, GByteArray *out)
{
  g_autoptr (GError) error = NULL;
  guint16 did = rb_reader_u16be (request);
  gsize length = rb_reader_left (request);
  const guint8 *data = rb_reader_take (request, length);
  g_autofree char *name = name_of (did);
  if (data == NULL || length == 0)
    return RB_NRC_LENGTH;
  guint8 nrc = did == FINGERPRINT ? write_fingerprint (self, data, length) : write_coding (self, name, data, length);
  rb_writer_u16be (out, did);
  return nrc != 0 ? nrc : rb_memory_save (self->memory, &error) ? 0 : RB_NRC_PROGRAMMING;
}
