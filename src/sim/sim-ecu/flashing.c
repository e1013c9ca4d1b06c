/* SPDX-License-Identifier: Apache-2.0 */
#include "sim-ecu/flashing.h"

#include "core/json.h"
#include "crypto/digest.h"
#include "sim-ecu/carried-root.h"
#include "sim-ecu/dids.h"
#include "sim-ecu/host.h"

#include <string.h>
#include <unistd.h>

#define DEFAULT_BLOCK 4098 /* maxNumberOfBlockLength: service id and counter included */
#define MAX_STAGED (16 * 1024 * 1024)
#define MAX_STAGED_FILES 64

static guint16
block_length (RbEcu *self)
{
  gint64 block = rb_json_integer_or (self->model->simulation, "block", DEFAULT_BLOCK);
  return (guint16) (self->over_can ? block : rb_json_integer_or (self->model->simulation, "block_doip", block));
}

static void
begin_transfer (RbEcu *self)
{
  RbTransfer *transfer = &self->transfer;
  g_clear_pointer (&transfer->path, g_free);
  g_clear_pointer (&transfer->file, g_byte_array_unref);
  *transfer = (RbTransfer){ .number = 1, .active = TRUE };
}

static void
end_transfer (RbEcu *self)
{
  begin_transfer (self);
  self->transfer.active = FALSE;
}

guint8
rb_flashing_read_place (RbReader *request, guint32 *address, guint32 *length)
{
  guint8 format = rb_reader_u8 (request);
  guint8 address_bytes = format & 0x0f;
  guint8 length_bytes = format >> 4;
  if (!rb_reader_ok (request))
    return RB_NRC_LENGTH;
  if (address_bytes < 1 || address_bytes > 4 || length_bytes < 1 || length_bytes > 4)
    return RB_NRC_RANGE;
  *address = (guint32) rb_reader_ube (request, address_bytes);
  *length = (guint32) rb_reader_ube (request, length_bytes);
  return rb_reader_ok (request) ? 0 : RB_NRC_LENGTH;
}

guint8
rb_flashing_erase (RbEcu *self, RbReader *request, GByteArray *out)
{
  guint32 address, length;
  g_autoptr (GError) error = NULL;
  guint8 nrc = rb_flashing_read_place (request, &address, &length);
  if (nrc != 0 || !rb_reader_done (request))
    return nrc != 0 ? nrc : RB_NRC_LENGTH;
  if (!rb_memory_holds (self->memory, address, length))
    return RB_NRC_RANGE;
  if (rb_host_fault (self->vehicle, "bad-flash", self, 0) != NULL)
    return RB_NRC_PROGRAMMING;
  if (rb_dids_has_fingerprint (self->model) && !self->fingerprinted)
    return RB_NRC_SEQUENCE;
  end_transfer (self);
  rb_host_log (self->vehicle, "erase", self,
               json_pack ("{s:I,s:I}", "address", (json_int_t) address, "length", (json_int_t) length));
  if (!rb_memory_erase (self->memory, address, length, &error) || !rb_host_miss (self->vehicle, self, &error))
    return RB_NRC_PROGRAMMING;
  rb_writer_u8 (out, 0);
  return 0;
}

static gboolean
overlaps_segment (RbEcu *self, guint32 address, guint32 size)
{
  for (guint i = 0; i < self->memory->segments->len; i++) {
    const RbSegment *segment = &g_array_index (self->memory->segments, RbSegment, i);
    if (segment->address < address + size && address < segment->address + segment->length)
      return TRUE;
  }
  return FALSE;
}

guint8
rb_flashing_download (RbEcu *self, RbReader *request, GByteArray *out)
{
  guint8 format = rb_reader_u8 (request);
  guint32 address, size;
  guint8 nrc = rb_flashing_read_place (request, &address, &size);
  if (nrc != 0 || !rb_reader_done (request))
    return nrc != 0 ? nrc : RB_NRC_LENGTH;
  if (format != 0 || !rb_memory_holds (self->memory, address, size))
    return RB_NRC_RANGE;
  if (self->stuck || overlaps_segment (self, address, size)) /* not erased */
    return RB_NRC_NOT_ACCEPTED;
  begin_transfer (self);
  self->transfer.address = address;
  self->transfer.size = size;
  rb_writer_u8 (out, 0x20);
  rb_writer_u16be (out, block_length (self));
  return 0;
}

guint8
rb_flashing_add_file (RbEcu *self, RbReader *request, GByteArray *out)
{
  guint8 mode = rb_reader_u8 (request);
  guint16 path_length = rb_reader_u16be (request);
  const guint8 *path = rb_reader_take (request, path_length);
  guint8 format = rb_reader_u8 (request);
  guint8 size_length = rb_reader_u8 (request);
  guint64 size = rb_reader_ube (request, size_length);
  guint64 packed = rb_reader_ube (request, size_length);
  if (!rb_reader_done (request))
    return RB_NRC_LENGTH;
  if (mode != 1 || format != 0 || path_length == 0 || path_length > 200 || size != packed || size > MAX_STAGED
      || g_hash_table_size (self->staging) >= MAX_STAGED_FILES)
    return RB_NRC_RANGE;
  begin_transfer (self);
  self->transfer.to_file = TRUE;
  self->transfer.path = g_strndup ((const char *) path, path_length);
  self->transfer.file = g_byte_array_new ();
  self->transfer.size = (guint32) size;
  rb_writer_u8 (out, mode);
  rb_writer_u8 (out, 2);
  rb_writer_u16be (out, block_length (self));
  rb_writer_u8 (out, 0);
  return 0;
}

/* Faults that strike in the middle of a transfer. */
static void
strike (RbEcu *self)
{
  if (rb_host_fault (self->vehicle, "kill", self, self->blocks) != NULL)
    _exit (0); /* no clean-up on purpose: this is a loss of power */
  if (rb_host_fault (self->vehicle, "drop-link", self, self->blocks) != NULL)
    self->vehicle->effect = RB_EFFECT_DROP_LINK;
}

/* Faults: it was offered more than is taken. */
static gboolean
is_too_long (RbEcu *self, gsize length)
{
  const RbFault *limit = rb_host_fault (self->vehicle, "block-limit", self, 0);
  const RbFault *abort = rb_host_fault (self->vehicle, "block-abort", self, 0);
  if (abort != NULL && length > (gsize) abort->argument)
    end_transfer (self);
  return !self->transfer.active || (limit != NULL && length > (gsize) limit->argument);
}

static guint8
take_block (RbEcu *self, const guint8 *data, gsize length)
{
  RbTransfer *transfer = &self->transfer;
  g_autoptr (GError) error = NULL;
  if (length == 0 || length + 2 > block_length (self) || is_too_long (self, length))
    return RB_NRC_LENGTH;
  if (length > transfer->size - transfer->done)
    return RB_NRC_SUSPENDED;
  if (transfer->to_file)
    rb_writer_data (transfer->file, data, length);
  else if (!rb_memory_write (self->memory, transfer->address + transfer->done, data, length, &error))
    return RB_NRC_PROGRAMMING;
  transfer->done += (guint32) length;
  if (transfer->to_file)
    return 0;
  rb_host_log (self->vehicle, "block", self,
               json_pack ("{s:I,s:I}", "address", (json_int_t) (transfer->address + transfer->done - length), "length",
                          (json_int_t) length));
  self->blocks++;
  strike (self);
  return 0;
}

guint8
rb_flashing_transfer (RbEcu *self, RbReader *request, GByteArray *out)
{
  RbTransfer *transfer = &self->transfer;
  guint8 number = rb_reader_u8 (request);
  gsize length = rb_reader_left (request);
  const guint8 *data = rb_reader_take (request, length);
  if (data == NULL)
    return RB_NRC_LENGTH;
  if (!transfer->active)
    return RB_NRC_SEQUENCE;
  rb_writer_u8 (out, number);
  /* the answer was lost: said again, not written again */
  if (transfer->any && number == transfer->last && number != transfer->number)
    return 0;
  if (number != transfer->number)
    return RB_NRC_COUNTER;
  guint8 nrc = take_block (self, data, length);
  if (nrc != 0)
    return nrc;
  transfer->last = number;
  transfer->any = TRUE;
  transfer->number++;
  return 0;
}

static guint8
finish_segment (RbEcu *self)
{
  g_autoptr (GError) error = NULL;
  RbSegment segment = { self->transfer.address, self->transfer.size };
  g_array_append_val (self->memory->segments, segment);
  return rb_memory_save (self->memory, &error) ? 0 : RB_NRC_PROGRAMMING;
}

guint8
rb_flashing_exit (RbEcu *self, RbReader *request, GByteArray *out)
{
  RbTransfer *transfer = &self->transfer;
  if (!transfer->active || transfer->done != transfer->size)
    return RB_NRC_SEQUENCE;
  guint8 nrc = 0;
  if (transfer->to_file)
    g_hash_table_insert (self->staging, g_strdup (transfer->path),
                         g_byte_array_free_to_bytes (g_steal_pointer (&transfer->file)));
  else
    nrc = finish_segment (self);
  end_transfer (self);
  return nrc;
}

guint8
rb_flashing_digest (RbEcu *self, RbReader *request, GByteArray *out)
{
  gsize length = rb_reader_left (request);
  const guint8 *nonce = rb_reader_take (request, length);
  g_autoptr (GError) error = NULL;
  guint8 digest[RB_SHA256_LENGTH];
  if (nonce == NULL || length < 16 || length > 32)
    return RB_NRC_LENGTH;
  g_autoptr (GBytes) container = rb_memory_container (self->memory, &error);
  g_autoptr (GByteArray) message = g_byte_array_new ();
  if (container == NULL)
    return RB_NRC_PROGRAMMING;
  rb_writer_data (message, nonce, length);
  rb_writer_bytes (message, container);
  rb_digest_sha256 (message->data, message->len, digest);
  if (rb_host_fault (self->vehicle, "wrong-digest", self, 0) != NULL)
    digest[0] ^= 1;
  rb_writer_u8 (out, 0);
  rb_writer_data (out, digest, sizeof digest);
  return 0;
}

/* Is the image the one that the Director's targets assign? Where it carries the root by which targets are verified, it
 * comes before them. */
static gboolean
is_accepted (RbEcu *self, const char *sha256)
{
  g_autoptr (GError) error = NULL;
  gboolean assigned = g_strcmp0 (sha256, self->memory->assigned_sha256) == 0;
  if (!rb_carried_root_is (self))
    return assigned;
  if (rb_carried_root_take (self, &error))
    return TRUE;
  g_debug ("%s", error->message);
  return FALSE;
}

guint8
rb_flashing_dependencies (RbEcu *self, RbReader *request, GByteArray *out)
{
  RbMemory *memory = self->memory;
  g_autofree char *sha256 = rb_memory_image_sha256 (memory);
  g_autoptr (GError) error = NULL;
  if (!rb_reader_done (request))
    return RB_NRC_LENGTH;
  if (sha256 == NULL || !is_accepted (self, sha256)) {
    rb_writer_u8 (out, sha256 == NULL ? 1 : 2);
    return 0;
  }
  memory->valid = TRUE;
  if (g_strcmp0 (sha256, memory->assigned_sha256) == 0)
    rb_memory_name_image (memory);
  rb_writer_u8 (out, 0);
  return rb_memory_save (memory, &error) ? 0 : RB_NRC_PROGRAMMING;
}
