/* SPDX-License-Identifier: Apache-2.0 */
#include "core/bytes.h"

#include <string.h>

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
  /* bits that no byte takes are zero: one text for one value */
  if ((length % 4 == 2 && (group & 0xf) != 0) || (length % 4 == 3 && (group & 0x3) != 0))
    return NULL;
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
