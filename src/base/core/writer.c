/* SPDX-License-Identifier: Apache-2.0 */
#include "core/bytes.h"

void
rb_writer_ube (GByteArray *out, guint64 value, guint size)
{
  for (guint i = size; i > 0; i--)
    rb_writer_u8 (out, (guint8) (value >> (8 * (i - 1))));
}

void
rb_writer_u8 (GByteArray *out, guint8 value)
{
  g_byte_array_append (out, &value, 1);
}

void
rb_writer_u16be (GByteArray *out, guint16 value)
{
  rb_writer_ube (out, value, 2);
}

void
rb_writer_u32be (GByteArray *out, guint32 value)
{
  rb_writer_ube (out, value, 4);
}

void
rb_writer_u64be (GByteArray *out, guint64 value)
{
  rb_writer_ube (out, value, 8);
}

void
rb_writer_data (GByteArray *out, gconstpointer data, gsize length)
{
  if (length > 0)
    g_byte_array_append (out, data, (guint) length);
}

void
rb_writer_bytes (GByteArray *out, GBytes *bytes)
{
  rb_writer_data (out, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

void
rb_writer_field16 (GByteArray *out, gconstpointer data, gsize length)
{
  g_assert (length <= G_MAXUINT16);
  rb_writer_u16be (out, (guint16) length);
  rb_writer_data (out, data, length);
}
