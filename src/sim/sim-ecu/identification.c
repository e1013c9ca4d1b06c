/* SPDX-License-Identifier: Apache-2.0 */
#include "sim-ecu/identification.h"

#include "core/json.h"
#include "sim-ecu/carried-root.h"
#include "sim-ecu/dids.h"
#include "sim-ecu/fuses.h"
#include "sim-ecu/keys.h"

#include <string.h>

#define PAD_MAX 1024
#define OTHER_VIN "1M8GDM9AXKP042788"

enum { DOWNLOAD_INTERRUPTED = 1, NO_VALID_BANK = 2 }; /* third byte of FD00 */

static void
write_text (RbEcu *self, GByteArray *out, const char *text)
{
  const RbFault *nuls = rb_host_fault (self->vehicle, "pad", self, 0);
  const RbFault *spaces = rb_host_fault (self->vehicle, "pad-spaces", self, 0);
  const RbFault *padded = nuls != NULL ? nuls : spaces;
  gint64 length = (gint64) strlen (text);
  rb_writer_data (out, text, strlen (text));
  for (; padded != NULL && length < MIN (padded->argument, PAD_MAX); length++)
    rb_writer_u8 (out, padded == nuls ? 0 : ' ');
}

static guint8
read_root (RbEcu *self, const char *name, GByteArray *out)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RbStore) store = rb_memory_store (self->memory, name, &error);
  guint8 digest[32];
  if (rb_carried_root_is (self) && !self->memory->valid)
    return RB_NRC_CONDITIONS; /* no image, no root */
  if (store == NULL || !rb_bytes_from_hex_exact (rb_store_root_sha256 (store), digest, 32))
    return RB_NRC_RANGE;
  rb_writer_u32be (out, (guint32) rb_store_root_version (store));
  rb_writer_data (out, digest, 32);
  return 0;
}

static void
add_stored (RbEcu *self, guint8 repo, const char *name, GByteArray *list, guint8 *count)
{
  g_autoptr (RbStore) store = rb_memory_store (self->memory, name, NULL);
  g_auto (GStrv) roles = store == NULL ? NULL : rb_store_roles (store);
  for (guint i = 0; roles != NULL && roles[i] != NULL && *count < 255; i++) {
    const char *sha256 = NULL;
    guint8 digest[32] = { 0 };
    gint64 version = rb_store_version (store, roles[i], &sha256);
    if (!rb_bytes_from_hex_exact (sha256, digest, 32))
      continue;
    rb_writer_u8 (list, repo);
    rb_writer_u8 (list, (guint8) MIN (strlen (roles[i]), 255));
    rb_writer_data (list, roles[i], MIN (strlen (roles[i]), 255));
    rb_writer_u32be (list, (guint32) version);
    rb_writer_data (list, digest, 32);
    (*count)++;
  }
}

static guint8
read_stored (RbEcu *self, GByteArray *out)
{
  g_autoptr (GByteArray) list = g_byte_array_new ();
  guint8 count = 0;
  add_stored (self, 0, "director", list, &count);
  if (self->memory->full)
    add_stored (self, 1, "image", list, &count);
  rb_writer_u8 (out, count);
  rb_writer_data (out, list->data, list->len);
  return 0;
}

static guint8
read_primary_did (RbEcu *self, guint16 did, GByteArray *out)
{
  const RbFault *moving = rb_host_fault (self->vehicle, "speed", self, 0);
  const RbFault *ignition = rb_host_fault (self->vehicle, "ignition", self, 0);
  gint64 position = 0;
  if (!self->model->primary)
    return RB_NRC_RANGE;
  if (did == 0xfd10)
    rb_writer_u16be (out, (guint16) rb_host_supply (self->vehicle, self));
  else if (did == 0xfd11)
    rb_writer_u8 (out, rb_fuses_ignition (self->vehicle, &position) ? (guint8) position
                       : ignition == NULL                           ? 2
                                                                    : (guint8) ignition->argument);
  else
    rb_writer_u16be (out, moving == NULL ? 0 : (guint16) moving->argument);
  return 0;
}

static guint8
read_claimed_digest (RbEcu *self, GByteArray *out)
{
  g_autofree char *sha256 = rb_memory_image_sha256 (self->memory);
  guint8 digest[32];
  if (!rb_bytes_from_hex_exact (sha256, digest, 32))
    return RB_NRC_CONDITIONS;
  rb_writer_data (out, digest, 32);
  return 0;
}

static guint8
read_rxswin (RbEcu *self, GByteArray *out)
{
  const char *rxswin = rb_json_string_or (self->model->simulation, "rxswin", NULL);
  if (rxswin == NULL || !rb_ecu_state_is_application (self))
    return RB_NRC_RANGE;
  write_text (self, out, rxswin);
  return 0;
}

static guint8
read_part_number (RbEcu *self, GByteArray *out)
{
  const char *number = rb_json_string_or (self->model->simulation, "part_number", NULL);
  if (number == NULL)
    return RB_NRC_RANGE;
  write_text (self, out, number);
  return 0;
}

static guint8
read_hardware_version (RbEcu *self, GByteArray *out)
{
  const char *version = rb_json_string_or (self->model->simulation, "hardware_version", NULL);
  if (version == NULL)
    return RB_NRC_RANGE;
  write_text (self, out, version);
  return 0;
}

static const char *
vin_of (RbEcu *self)
{
  return rb_host_fault (self->vehicle, "other-vin", self, 0) == NULL ? self->vehicle->vin : OTHER_VIN;
}

static guint8
read_one (RbEcu *self, guint16 did, GByteArray *out)
{
  g_autofree char *key_id = NULL;
  switch (did) {
  case 0xf190: write_text (self, out, vin_of (self)); return 0;
  case 0xf18c: write_text (self, out, self->memory->serial); return 0;
  case 0xf191: write_text (self, out, self->memory->hardware_id); return 0;
  case 0xf195:
    write_text (self, out, rb_ecu_state_is_application (self) ? self->memory->software : "bootloader");
    return 0;
  case 0xf187: return read_part_number (self, out);
  case 0xf193: return read_hardware_version (self, out);
  case 0xf1ef: return read_rxswin (self, out);
  case 0xf186: rb_writer_u8 (out, self->session); return 0;
  case 0xfd00:
    rb_writer_u8 (out, rb_ecu_state_is_application (self) ? 0 : 1);
    rb_writer_u8 (out, self->memory->valid ? 1 : 0);
    if (!self->memory->valid)
      rb_writer_u8 (out,
                    rb_host_fault (self->vehicle, "bad-banks", self, 0) == NULL ? DOWNLOAD_INTERRUPTED : NO_VALID_BANK);
    return 0;
  case 0xfd01: return read_root (self, "director", out);
  case 0xfd02: return self->memory->full ? read_root (self, "image", out) : RB_NRC_RANGE;
  case 0xfd03:
    key_id = rb_memory_key_id (self->memory);
    write_text (self, out, key_id == NULL ? "" : key_id);
    return 0;
  case 0xfd04: return read_stored (self, out);
  case 0xfd05:
  case 0xfd06:
  case 0xfd07: return rb_keys_read_did (self, did, out);
  case 0xfd10:
  case 0xfd11:
  case 0xfd12: return read_primary_did (self, did, out);
  case 0xfd20: return read_claimed_digest (self, out);
  default: return rb_dids_read (self, did, out);
  }
}

/* Identifiers that it does not have are left out; only when it has none of them is that an error (ISO 14229-1, 0x22).
 */
guint8
rb_identification_read (RbEcu *self, RbReader *request, GByteArray *out)
{
  guint8 first = 0;
  gboolean any = FALSE;
  if (rb_reader_left (request) == 0 || rb_reader_left (request) % 2 != 0)
    return RB_NRC_LENGTH;
  while (rb_reader_left (request) > 0) {
    guint16 did = rb_reader_u16be (request);
    guint before = out->len;
    rb_writer_u16be (out, did);
    guint8 nrc = rb_ecu_state_is_plain (self->model) && did >= 0xfd00 ? RB_NRC_RANGE : read_one (self, did, out);
    if (nrc != 0)
      g_byte_array_set_size (out, before);
    any = any || nrc == 0;
    first = first == 0 ? nrc : first;
  }
  return any ? 0 : first;
}
