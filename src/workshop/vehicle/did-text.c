/* SPDX-License-Identifier: Apache-2.0 */
#include "vehicle/did-text.h"

#define MAX_TEXT 128

static gboolean
is_padding (guint8 byte)
{
  return byte == 0x00 || byte == ' ';
}

static gboolean
is_printable (guint8 byte)
{
  return byte >= 0x20 && byte <= 0x7e;
}

char *
rb_did_text_parse (const guint8 *data, gsize length, GError **error)
{
  gsize from = 0;
  while (length > 0 && is_padding (data[length - 1]))
    length--;
  while (from < length && is_padding (data[from]))
    from++;
  for (gsize i = from; i < length; i++)
    if (!is_printable (data[i])) {
      g_set_error (error, RB_VEHICLE_ERROR, RB_REASON_WRONG_ANSWER,
                   "not a text: expected printable ASCII, byte %" G_GSIZE_FORMAT " is %02x", i + 1, data[i]);
      return NULL;
    }
  if (length == 0)
    return g_strdup ("");
  if (length - from <= MAX_TEXT)
    return g_strndup ((const char *) data + from, length - from);
  g_set_error (error, RB_VEHICLE_ERROR, RB_REASON_WRONG_ANSWER,
               "not a text: expected at most %d characters, got %" G_GSIZE_FORMAT, MAX_TEXT, length - from);
  return NULL;
}
