/* SPDX-License-Identifier: Apache-2.0 */
#include "core/bytes.h"
#include "frame/doip.h"

#include <stdio.h>
#include <string.h>

/*
 * DoIP messages for another implementation to judge. Each line of input is "parse HEX" or "write KIND WORD…" (numbers
 * in hex); each line of output the message's fields or its bytes in hex, "bad" when it is no message.
 */

static void
print_announcement (const guint8 *payload, gsize length)
{
  RbDoipAnnouncement a;
  if (!rb_doip_announcement_parse (payload, length, &a)) {
    puts ("bad");
    return;
  }
  g_autofree char *eid = rb_bytes_to_hex (a.eid, 6);
  g_autofree char *gid = rb_bytes_to_hex (a.gid, 6);
  g_autofree char *vin = g_strescape (a.vin, NULL);
  printf ("announcement %s %04x %s %s %02x %02x\n", vin, a.logical, eid, gid, a.further_action, a.sync);
}

static void
print_diagnostic (guint16 type, const guint8 *payload, gsize length)
{
  guint16 source, target;
  if (!rb_doip_addresses_parse (payload, length, &source, &target)) {
    puts ("bad");
    return;
  }
  RbReader reader = rb_reader_new (payload, length);
  (void) rb_reader_take (&reader, 4);
  g_autoptr (GBytes) rest = rb_reader_take_bytes (&reader, rb_reader_left (&reader));
  g_autofree char *hex = rb_bytes_hex (rest);
  printf ("%04x %04x %04x %s\n", type, source, target, hex);
}

static void
print_activation (guint16 type, const guint8 *payload, gsize length)
{
  guint16 tester = 0, entity = 0;
  guint8 code = 0;
  gboolean good = type == RB_DOIP_ROUTING_ACTIVATION_REQUEST
                    ? rb_doip_activation_request_parse (payload, length, &tester, &code)
                    : rb_doip_activation_response_parse (payload, length, &tester, &entity, &code);
  if (good)
    printf ("%04x %04x %04x %02x\n", type, tester, entity, code);
  else
    puts ("bad");
}

static void
parse (const char *hex)
{
  g_autoptr (GBytes) bytes = rb_bytes_from_hex (hex);
  RbDoipHeader header;
  gsize length;
  const guint8 *data = g_bytes_get_data (bytes, &length);
  if (rb_doip_header_parse (data, length, &header) != RB_DOIP_HEADER_GOOD || header.length != length - RB_DOIP_HEADER) {
    puts ("bad");
    return;
  }
  const guint8 *payload = header.length == 0 ? (const guint8 *) "" : &data[RB_DOIP_HEADER];
  if (header.type == RB_DOIP_ANNOUNCEMENT)
    print_announcement (payload, header.length);
  else if (header.type == RB_DOIP_ROUTING_ACTIVATION_REQUEST || header.type == RB_DOIP_ROUTING_ACTIVATION_RESPONSE)
    print_activation (header.type, payload, header.length);
  else if (header.type >= RB_DOIP_DIAGNOSTIC)
    print_diagnostic (header.type, payload, header.length);
  else
    printf ("%04x %u\n", header.type, header.length);
}

static guint
number (char **words, guint i)
{
  g_assert_cmpuint (i, <, g_strv_length (words));
  return (guint) g_ascii_strtoull (words[i], NULL, 16);
}

static void
write_announcement (GByteArray *out, char **words)
{
  RbDoipAnnouncement a = { .logical = (guint16) number (words, 3),
                           .further_action = (guint8) number (words, 6),
                           .sync = (guint8) number (words, 7) };
  g_strlcpy (a.vin, words[2], sizeof a.vin);
  g_assert_true (rb_bytes_from_hex_exact (words[4], a.eid, 6) && rb_bytes_from_hex_exact (words[5], a.gid, 6));
  rb_doip_announcement_write (out, &a);
}

static void
write_diagnostic (GByteArray *out, char **words)
{
  g_autoptr (GBytes) uds = rb_bytes_from_hex (words[4]);
  rb_doip_diagnostic_write (out, (guint16) number (words, 2), (guint16) number (words, 3), g_bytes_get_data (uds, NULL),
                            g_bytes_get_size (uds));
}

static void
write_message (char **words)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  const char *kind = words[1];
  if (strcmp (kind, "announcement") == 0)
    write_announcement (out, words);
  else if (strcmp (kind, "activation") == 0)
    rb_doip_activation_request_write (out, (guint16) number (words, 2), (guint8) number (words, 3));
  else if (strcmp (kind, "activated") == 0)
    rb_doip_activation_response_write (out, (guint16) number (words, 2), (guint16) number (words, 3),
                                       (guint8) number (words, 4));
  else if (strcmp (kind, "diagnostic") == 0)
    write_diagnostic (out, words);
  else if (strcmp (kind, "acknowledge") == 0)
    rb_doip_diagnostic_ack_write (out, (guint16) number (words, 2), (guint16) number (words, 3),
                                  (guint16) number (words, 4), (guint8) number (words, 5));
  else if (strcmp (kind, "status") == 0)
    rb_doip_status_write (out, (guint8) number (words, 2), (guint8) number (words, 3), (guint8) number (words, 4),
                          number (words, 5));
  else
    rb_doip_write (out, (guint16) number (words, 1), NULL, 0);
  g_autofree char *hex = rb_bytes_to_hex (out->data, out->len);
  puts (hex);
}

int
main (void)
{
  char line[70000];
  while (fgets (line, sizeof line, stdin) != NULL) {
    g_auto (GStrv) words = g_strsplit (g_strchomp (line), " ", -1);
    if (strcmp (words[0], "parse") == 0)
      parse (words[1]);
    else
      write_message (words);
  }
  return 0;
}
