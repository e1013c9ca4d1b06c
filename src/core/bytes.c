/* SPDX-License-Identifier: Apache-2.0 */
#include "core/bytes.h"

#include <string.h>

RbReader
rb_reader_new (gconstpointer data, gsize length)
{
  return (RbReader) { .data = data, .length = length };
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

guint16
rb_reader_u16le (RbReader *reader)
{
  return (guint16) read_ule (reader, 2);
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

void
rb_writer_ube (GByteArray *out, guint64 value, guint size)
{
  for (guint i = size; i > 0; i--)
    rb_writer_u8 (out, (guint8) (value >> (8 * (i - 1))));
}

static void
write_ule (GByteArray *out, guint64 value, guint size)
{
  for (guint i = 0; i < size; i++)
    rb_writer_u8 (out, (guint8) (value >> (8 * i)));
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
rb_writer_u16le (GByteArray *out, guint16 value)
{
  write_ule (out, value, 2);
}

void
rb_writer_u32le (GByteArray *out, guint32 value)
{
  write_ule (out, value, 4);
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

char *
rb_bytes_to_hex (gconstpointer data, gsize length)
{
  static const char digits[] = "0123456789abcdef";
  const guint8 *in = data;
  char *hex = g_malloc (2 * length + 1);
  for (gsize i = 0; i < length; i++) {
    hex[2 * i] = digits[in[i] >> 4];
    hex[2 * i + 1] = digits[in[i] & 15];
  }
  hex[2 * length] = '\0';
  return hex;
}

char *
rb_bytes_hex (GBytes *bytes)
{
  return rb_bytes_to_hex (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

gboolean
rb_bytes_from_hex_exact (const char *hex, guint8 *out, gsize length)
{
  if (hex == NULL || strlen (hex) != 2 * length)
    return FALSE;
  for (gsize i = 0; i < length; i++) {
    int high = g_ascii_xdigit_value (hex[2 * i]);
    int low = g_ascii_xdigit_value (hex[2 * i + 1]);
    if (high < 0 || low < 0)
      return FALSE;
    out[i] = (guint8) (high << 4 | low);
  }
  return TRUE;
}

GBytes *
rb_bytes_from_hex (const char *hex)
{
  gsize length = hex == NULL ? 0 : strlen (hex) / 2;
  g_autofree guint8 *data = g_malloc (length + 1);
  if (!rb_bytes_from_hex_exact (hex, data, length))
    return NULL;
  return g_bytes_new_take (g_steal_pointer (&data), length);
}

char *
rb_bytes_to_base64 (GBytes *bytes)
{
  return g_base64_encode (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

static int
base64_value (char c)
{
  if (g_ascii_isupper (c))
    return c - 'A';
  if (g_ascii_islower (c))
    return c - 'a' + 26;
  if (g_ascii_isdigit (c))
    return c - '0' + 52;
  if (c == '+' || c == '-')
    return 62;
  if (c == '/' || c == '_')
    return 63;
  return -1;
}

GBytes *
rb_bytes_from_base64 (const char *text)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  gsize length = strlen (text);
  gsize padding = 0;
  while (length > 0 && padding < 2 && text[length - 1] == '=') {
    length--;
    padding++;
  }
  if (length % 4 == 1 || (padding > 0 && (length + padding) % 4 != 0))
    return NULL;
  guint32 group = 0;
  for (gsize i = 0; i < length; i++) {
    int value = base64_value (text[i]);
    if (value < 0)
      return NULL;
    group = group << 6 | (guint32) value;
    if (i % 4 == 3)
      rb_writer_ube (out, group & 0xffffff, 3);
  }
  if (length % 4 == 2)
    rb_writer_u8 (out, (guint8) (group >> 4));
  else if (length % 4 == 3)
    rb_writer_ube (out, (group >> 2) & 0xffff, 2);
  return g_byte_array_free_to_bytes (g_steal_pointer (&out));
}

gboolean
rb_bytes_equal_secret (gconstpointer a, gconstpointer b, gsize length)
{
  const guint8 *left = a;
  const guint8 *right = b;
  guint8 differ = 0;
  for (gsize i = 0; i < length; i++)
    differ |= left[i] ^ right[i];
  return differ == 0;
}
