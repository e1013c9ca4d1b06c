/* SPDX-License-Identifier: Apache-2.0 */
/*
 * can-bits: a frame a line on standard input (identifier without flags, "x" for 29 bit, "r" remote, "f" FD, "b" FD with
 * the fast rate, else "-"; data in hex or "-"); says how many bits the bus takes for it at each rate.
 */
#include "core/bytes.h"
#include "frame/can.h"

#include <stdio.h>
#include <string.h>

static gboolean
read_data (RbCanFrame *frame, const char *hex)
{
  if (g_str_equal (hex, "-"))
    return TRUE;
  g_autoptr (GBytes) bytes = rb_bytes_from_hex (hex);
  if (bytes == NULL || g_bytes_get_size (bytes) > sizeof frame->data)
    return FALSE;
  frame->length = (guint8) g_bytes_get_size (bytes);
  memcpy (frame->data, g_bytes_get_data (bytes, NULL), frame->length);
  return TRUE;
}

int
main (void)
{
  char flags[8], hex[160];
  guint id;
  while (scanf ("%x %7s %159s", &id, flags, hex) == 3) {
    RbCanFrame frame = { .id = id };
    if (strchr (flags, 'x') != NULL)
      frame.id |= RB_CAN_EXTENDED;
    if (strchr (flags, 'r') != NULL)
      frame.id |= RB_CAN_REMOTE;
    frame.brs = strchr (flags, 'b') != NULL;
    frame.fd = frame.brs || strchr (flags, 'f') != NULL;
    if (!read_data (&frame, hex))
      return 1;
    guint nominal = 0, data = 0;
    rb_can_bits (&frame, &nominal, &data);
    printf ("%u %u\n", nominal, data);
  }
  return 0;
}
