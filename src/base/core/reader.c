/* SPDX-License-Identifier: Apache-2.0 */
#include "core/bytes.h"

RbReader
rb_reader_new (gconstpointer data, gsize length)
{
  return (RbReader){ .data = data, .length = length };
}

RbReader
rb_reader_from_bytes (GBytes *bytes)
{
  gsize length = 0;
  gconstpointer data = g_bytes_get_data (bytes, &length);
  return rb_reader_new (data, length);
}

const guint8 *
rb_reader_take (RbReader *reader, gsize length)
{
  static const guint8 nothing[1];
  if (reader->failed || length > reader->length - reader->offset) {
    reader->failed = TRUE;
    return NULL;
  }
  const guint8 *at = reader->data == NULL ? nothing : &reader->data[reader->offset];
  reader->offset += length;
  return at;
}

GBytes *
rb_reader_take_bytes (RbReader *reader, gsize length)
{
  const guint8 *at = rb_reader_take (reader, length);
  return at == NULL ? NULL : g_bytes_new (at, length);
}

guint64
rb_reader_ube (RbReader *reader, guint size)
{
  const guint8 *at = size > 8 ? NULL : rb_reader_take (reader, size);
  guint64 value = 0;
  if (at == NULL) {
    reader->failed = TRUE;
    return 0;
  }
  for (guint i = 0; i < size; i++)
    value = value << 8 | at[i];
  return value;
}

static guint64
read_ule (RbReader *reader, guint size)
{
  const guint8 *at = rb_reader_take (reader, size);
  guint64 value = 0;
  for (guint i = size; at != NULL && i > 0; i--)
    value = value << 8 | at[i - 1];
  return value;
}

guint8
rb_reader_u8 (RbReader *reader)
{
  return (guint8) rb_reader_ube (reader, 1);
}

guint16
rb_reader_u16be (RbReader *reader)
{
  return (guint16) rb_reader_ube (reader, 2);
}

guint32
rb_reader_u32be (RbReader *reader)
{
  return (guint32) rb_reader_ube (reader, 4);
}

guint64
rb_reader_u64be (RbReader *reader)
{
  return rb_reader_ube (reader, 8);
}

guint32
rb_reader_u32le (RbReader *reader)
{
  return (guint32) read_ule (reader, 4);
}

gsize
rb_reader_left (const RbReader *reader)
{
  return reader->failed ? 0 : reader->length - reader->offset;
}

gboolean
rb_reader_ok (const RbReader *reader)
{
  return !reader->failed;
}

gboolean
rb_reader_done (const RbReader *reader)
{
  return !reader->failed && reader->offset == reader->length;
}
