/* SPDX-License-Identifier: Apache-2.0 */
#include "sim-ecu/reference-ecu.h"

#include "core/json.h"
#include "crypto/digest.h"
#include "sim-ecu/flashing.h"
#include "sim-ecu/lockout.h"
#include "sim-ecu/host.h"

#include <string.h>

#define KEY_MASK 0xa5a5a5a5u

enum { REQUEST_SEED = 1, SEND_KEY = 2 };
enum { NRC_KEY = 0x35 };
enum { CHECK_GOOD = 0, CHECK_BAD = 1 };

static guint8
give_seed (RbEcu *self, GByteArray *out)
{
  guint8 nrc = rb_lockout_check (self);
  if (nrc != 0)
    return nrc;
  guint32 seed = 0;
  while (!self->unlocked && seed == 0) { /* all zero would say that it is unlocked */
    g_autoptr (GBytes) bytes = rb_digest_random (4);
    RbReader reader = rb_reader_from_bytes (bytes);
    seed = rb_reader_u32be (&reader);
  }
  self->seed = seed;
  rb_writer_u32be (out, seed);
  return 0;
}

static guint8
take_key (RbEcu *self, guint32 key)
{
  guint32 seed = self->seed;
  if (seed == 0)
    return RB_NRC_SEQUENCE;
  self->seed = 0; /* one key a seed */
  if (key != (seed ^ KEY_MASK))
    return rb_lockout_count (self, NRC_KEY);
  rb_host_unlock (self->vehicle, self);
  return rb_lockout_clear (self) ? 0 : RB_NRC_PROGRAMMING;
}

guint8
rb_reference_ecu_security_access (RbEcu *self, RbReader *request, GByteArray *out)
{
  guint8 kind = rb_reader_u8 (request) & 0x7f;
  if (!rb_reader_ok (request))
    return RB_NRC_LENGTH;
  rb_writer_u8 (out, kind);
  if (kind == REQUEST_SEED)
    return rb_reader_done (request) ? give_seed (self, out) : RB_NRC_LENGTH;
  if (kind != SEND_KEY)
    return RB_NRC_SUB_FUNCTION;
  guint32 key = rb_reader_u32be (request);
  return rb_reader_done (request) ? take_key (self, key) : RB_NRC_LENGTH;
}

/* CRC-32 of ISO-HDLC, as zip and Ethernet have it. */
static guint32
crc32 (GBytes *bytes)
{
  static guint32 table[256];
  for (guint i = 0; i < 256 && table[255] == 0; i++) {
    table[i] = i;
    for (guint bit = 0; bit < 8; bit++)
      table[i] = table[i] >> 1 ^ ((table[i] & 1) != 0 ? 0xedb88320u : 0);
  }
  gsize length;
  const guint8 *data = g_bytes_get_data (bytes, &length);
  guint32 crc = G_MAXUINT32;
  for (gsize i = 0; i < length; i++)
    crc = crc >> 8 ^ table[(crc ^ data[i]) & 0xff];
  return ~crc;
}

/* Which bytes are meant: those that are named before the sum, else the segment that was downloaded last. */
static guint8
read_checked_place (RbMemory *memory, RbReader *request, guint32 *address, guint32 *length)
{
  if (rb_reader_left (request) != 4) {
    guint8 nrc = rb_flashing_read_place (request, address, length);
    return nrc != 0 || rb_memory_holds (memory, *address, *length) ? nrc : RB_NRC_RANGE;
  }
  if (memory->segments->len == 0)
    return RB_NRC_SEQUENCE;
  const RbSegment *last = &g_array_index (memory->segments, RbSegment, memory->segments->len - 1);
  *address = last->address;
  *length = last->length;
  return 0;
}

/* As it is in flash. */
guint8
rb_reference_ecu_check_memory (RbEcu *self, RbReader *request, GByteArray *out)
{
  RbMemory *memory = self->memory;
  guint32 address, length;
  g_autoptr (GError) error = NULL;
  guint8 nrc = read_checked_place (memory, request, &address, &length);
  guint32 claimed = rb_reader_u32be (request);
  if (nrc != 0 || !rb_reader_done (request))
    return nrc != 0 ? nrc : RB_NRC_LENGTH;
  if (self->transfer.active)
    return RB_NRC_SEQUENCE;
  g_autoptr (GBytes) data = rb_memory_read (memory, address, length, &error);
  if (data == NULL)
    return RB_NRC_PROGRAMMING;
  guint32 crc = crc32 (data);
  memory->valid = crc == claimed && memory->segments->len > 0;
  rb_writer_u8 (out, crc == claimed ? CHECK_GOOD : CHECK_BAD);
  if (memory->valid) {
    g_free (memory->software);
    memory->software = g_strdup_printf ("%s %08X", memory->name, crc);
  }
  return rb_memory_save (memory, &error) ? 0 : RB_NRC_PROGRAMMING;
}

guint8
rb_reference_ecu_dependencies (RbEcu *self, RbReader *request, GByteArray *out)
{
  if (!rb_reader_done (request))
    return RB_NRC_LENGTH;
  rb_writer_u8 (out, self->memory->valid ? CHECK_GOOD : CHECK_BAD);
  return 0;
}
