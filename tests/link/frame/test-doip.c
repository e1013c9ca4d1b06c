/* SPDX-License-Identifier: Apache-2.0 */
#include "core/bytes.h"
#include "frame/doip.h"

#include <string.h>

/* What is no DoIP message, or not all of one. scapy judges the good ones (test-doip.py). */

static const struct {
  const char *hex;
  RbDoipHeaderState state;
  guint16 type;
  guint32 length;
} headers[] = {
  { "", RB_DOIP_HEADER_SHORT, 0, 0 },
  { "02", RB_DOIP_HEADER_SHORT, 0, 0 },
  { "02fd8001000000", RB_DOIP_HEADER_SHORT, 0, 0 },
  { "02fd800100000000", RB_DOIP_HEADER_GOOD, 0x8001, 0 },
  { "01fe000100000000", RB_DOIP_HEADER_GOOD, 0x0001, 0 },
  { "03fc000600000009", RB_DOIP_HEADER_GOOD, 0x0006, 9 },
  { "04fb00060000000d", RB_DOIP_HEADER_GOOD, 0x0006, 13 },
  { "ff00000100000000", RB_DOIP_HEADER_GOOD, 0x0001, 0 },
  { "ff00000200000006", RB_DOIP_HEADER_GOOD, 0x0002, 6 },
  { "ff00000300000011", RB_DOIP_HEADER_GOOD, 0x0003, 17 },
  { "ff00000400000021", RB_DOIP_HEADER_BAD, 0, 0 },
  { "ff00800100000005", RB_DOIP_HEADER_BAD, 0, 0 },
  { "02fdffffffffffff", RB_DOIP_HEADER_GOOD, 0xffff, 0xffffffff },
  { "02fd800100000005aabb", RB_DOIP_HEADER_GOOD, 0x8001, 5 },
  { "02fc800100000000", RB_DOIP_HEADER_BAD, 0, 0 },
  { "0202800100000000", RB_DOIP_HEADER_BAD, 0, 0 },
  { "fd02800100000000", RB_DOIP_HEADER_BAD, 0, 0 },
  { "00ff000100000000", RB_DOIP_HEADER_BAD, 0, 0 },
  { "05fa000100000000", RB_DOIP_HEADER_BAD, 0, 0 },
  { "fe01000100000000", RB_DOIP_HEADER_BAD, 0, 0 },
  { "7f80000100000000", RB_DOIP_HEADER_BAD, 0, 0 },
  { "474554202f204854", RB_DOIP_HEADER_BAD, 0, 0 }, /* "GET / HT" */
  { "1603010200010001", RB_DOIP_HEADER_BAD, 0, 0 }, /* a TLS ClientHello */
};

static void
test_header (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  g_autoptr (GBytes) bytes = rb_bytes_from_hex (headers[i].hex);
  RbDoipHeader header = { 0 };
  RbDoipHeaderState state = rb_doip_header_parse (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), &header);
  g_assert_cmpint (state, ==, headers[i].state);
  if (state != RB_DOIP_HEADER_GOOD)
    return;
  g_assert_cmphex (header.type, ==, headers[i].type);
  g_assert_cmpuint (header.length, ==, headers[i].length);
}

/* every length of payload that is refused and that is taken, for each kind */
typedef enum { ANNOUNCEMENT, ACTIVATION, ACTIVATED, STATUS, POWER, ADDRESSES } Kind;

static gboolean
parse (Kind kind, gconstpointer payload, gsize length)
{
  RbDoipAnnouncement announcement;
  RbDoipStatusInfo status;
  RbDoipPower power;
  guint16 a, b;
  guint8 c;
  switch (kind) {
  case ANNOUNCEMENT: return rb_doip_announcement_parse (payload, length, &announcement);
  case ACTIVATION: return rb_doip_activation_request_parse (payload, length, &a, &c);
  case ACTIVATED: return rb_doip_activation_response_parse (payload, length, &a, &b, &c);
  case STATUS: return rb_doip_status_parse (payload, length, &status);
  case POWER: return rb_doip_power_parse (payload, length, &power);
  case ADDRESSES: return rb_doip_addresses_parse (payload, length, &a, &b);
  }
  g_assert_not_reached ();
}

static const struct {
  const char *name;
  Kind kind;
  guint good[2];
  gboolean longer; /* everything from good[0] on is good */
} payloads[] = {
  { "announcement", ANNOUNCEMENT, { 32, 33 }, FALSE },
  { "activation", ACTIVATION, { 7, 11 }, FALSE },
  { "activated", ACTIVATED, { 9, 13 }, FALSE },
  { "status", STATUS, { 3, 7 }, FALSE },
  { "power", POWER, { 1, 1 }, FALSE },
  { "addresses", ADDRESSES, { 5, 5 }, TRUE },
};

static void
test_lengths (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  for (guint length = 0; length < 64; length++) {
    g_autofree guint8 *payload = g_malloc0 (length + 1); /* an overrun would be seen by a memory checker */
    gboolean good = length == payloads[i].good[0] || length == payloads[i].good[1];
    if (payloads[i].longer)
      good = length >= payloads[i].good[0];
    g_assert_cmpint (parse (payloads[i].kind, payload, length), ==, good);
  }
}

static void
test_announcement_fields (void)
{
  RbDoipAnnouncement in = { .logical = 0x1000, .further_action = 0x10, .sync = 0x10 };
  RbDoipAnnouncement out;
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_strlcpy (in.vin, "RBY1DEM0XRA000042", sizeof in.vin);
  memcpy (in.eid, "\1\2\3\4\5\6", 6);
  memcpy (in.gid, "\a\b\t\n\v\f", 6);
  rb_doip_announcement_write (bytes, &in);
  g_assert_cmpuint (bytes->len, ==, RB_DOIP_HEADER + 33);
  g_assert_true (rb_doip_announcement_parse (&bytes->data[RB_DOIP_HEADER], 33, &out));
  g_assert_cmpmem (&in, sizeof in, &out, sizeof out);
  /* entities of the 2012 edition leave out the last byte */
  g_assert_true (rb_doip_announcement_parse (&bytes->data[RB_DOIP_HEADER], 32, &out));
  g_assert_cmphex (out.sync, ==, 0);
  g_assert_cmpstr (out.vin, ==, in.vin);
}

static void
test_short_vin_is_filled (void)
{
  RbDoipAnnouncement in = { .logical = 1 };
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_strlcpy (in.vin, "SHORT", sizeof in.vin);
  rb_doip_announcement_write (bytes, &in);
  g_assert_cmpmem (&bytes->data[RB_DOIP_HEADER], 17, "SHORT\0\0\0\0\0\0\0\0\0\0\0\0", 17);
}

static void
test_messages_are_appended (void)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  rb_doip_write (bytes, RB_DOIP_ALIVE_CHECK_REQUEST, NULL, 0);
  rb_doip_diagnostic_write (bytes, 0x0e80, 0x1001, "\x3e\x80", 2);
  rb_doip_diagnostic_ack_write (bytes, RB_DOIP_DIAGNOSTIC_NACK, 0x1001, 0x0e80, 0x06);
  g_autofree char *hex = rb_bytes_to_hex (bytes->data, bytes->len);
  g_assert_cmpstr (hex, ==,
                   "02fd000700000000"
                   "02fd8001000000060e8010013e80"
                   "02fd80030000000510010e8006");
}

/* The first message alone is spoken, whatever stands behind it. */
static void
test_speak (void)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  rb_doip_write (bytes, RB_DOIP_VEHICLE_ID_REQUEST, NULL, 0);
  rb_doip_write (bytes, RB_DOIP_ALIVE_CHECK_REQUEST, NULL, 0);
  rb_doip_set_version (bytes, RB_DOIP_ANY_VERSION);
  g_autofree char *any = rb_bytes_to_hex (bytes->data, bytes->len);
  g_assert_cmpstr (any, ==,
                   "ff00000100000000"
                   "02fd000700000000");
  rb_doip_set_version (bytes, 0x03);
  g_autofree char *third = rb_bytes_to_hex (bytes->data, bytes->len);
  g_assert_cmpstr (third, ==,
                   "03fc000100000000"
                   "02fd000700000000");
}

static void
test_status_fields (void)
{
  RbDoipStatusInfo status;
  g_assert_true (rb_doip_status_parse ("\1\10\2\0\1\0\4", 7, &status));
  g_assert_cmpuint (status.node_type, ==, 1);
  g_assert_cmpuint (status.max_sockets, ==, 8);
  g_assert_cmpuint (status.open_sockets, ==, 2);
  g_assert_cmpuint (status.max_data, ==, 0x10004);
  /* the size is optional */
  g_assert_true (rb_doip_status_parse ("\0\4\4", 3, &status));
  g_assert_cmpuint (status.max_data, ==, 0);
}

static void
test_power_modes (void)
{
  for (guint mode = 0; mode < 256; mode++) {
    const guint8 byte = (guint8) mode;
    RbDoipPower power;
    g_assert_cmpint (rb_doip_power_parse (&byte, 1, &power), ==, mode <= RB_DOIP_POWER_NOT_SUPPORTED);
    if (mode <= RB_DOIP_POWER_NOT_SUPPORTED)
      g_assert_cmpuint (power, ==, mode);
  }
}

static void
test_texts (void)
{
  GHashTable *seen = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint code = 0; code < 256; code++) {
    const char *activation = rb_doip_activation_text ((guint8) code);
    const char *nack = rb_doip_diagnostic_nack_text ((guint8) code);
    g_assert_cmpint (strcmp (activation, "an unknown code") == 0, ==, !(code <= 0x07 || code == 0x10 || code == 0x11));
    g_assert_cmpint (strcmp (nack, "unknown code") == 0, ==, !(code >= 0x02 && code <= 0x08));
    g_hash_table_add (seen, (gpointer) activation);
    g_hash_table_add (seen, (gpointer) nack);
    const char *header = rb_doip_header_nack_text ((guint8) code);
    g_assert_cmpint (strcmp (header, "unknown code") == 0, ==, code > RB_DOIP_BAD_LENGTH);
    if (code != 0x03) /* a shortage of memory has one name */
      g_hash_table_add (seen, (gpointer) header);
  }
  g_assert_cmpuint (g_hash_table_size (seen), ==, 11 + 8 + 4); /* no two codes share a text */
  g_hash_table_unref (seen);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (headers); i++) {
    g_autofree char *path = g_strdup_printf ("/doip/header/%u-%s", i, headers[i].hex);
    g_test_add_data_func (path, GUINT_TO_POINTER (i), test_header);
  }
  for (guint i = 0; i < G_N_ELEMENTS (payloads); i++) {
    g_autofree char *path = g_strdup_printf ("/doip/lengths/%s", payloads[i].name);
    g_test_add_data_func (path, GUINT_TO_POINTER (i), test_lengths);
  }
  g_test_add_func ("/doip/announcement-fields", test_announcement_fields);
  g_test_add_func ("/doip/short-vin-is-filled", test_short_vin_is_filled);
  g_test_add_func ("/doip/messages-are-appended", test_messages_are_appended);
  g_test_add_func ("/doip/speak", test_speak);
  g_test_add_func ("/doip/status-fields", test_status_fields);
  g_test_add_func ("/doip/power-modes", test_power_modes);
  g_test_add_func ("/doip/texts", test_texts);
  return g_test_run ();
}
