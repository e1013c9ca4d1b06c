/* SPDX-License-Identifier: Apache-2.0 */
#include "core/bytes.h"

#include <string.h>

static void
test_reader_bounds (void)
{
  static const guint8 data[] = { 0x01, 0x02, 0x03, 0x04, 0x05 };
  RbReader reader = rb_reader_new (data, sizeof data);
  g_assert_cmpuint (rb_reader_u16be (&reader), ==, 0x0102);
  g_assert_cmpuint (rb_reader_u16be (&reader), ==, 0x0304);
  g_assert_cmpuint (rb_reader_left (&reader), ==, 1);
  g_assert_false (rb_reader_done (&reader));
  g_assert_cmpuint (rb_reader_u16be (&reader), ==, 0);
  g_assert_false (rb_reader_ok (&reader));
  /* once failed, always failed, even for what would fit */
  g_assert_cmpuint (rb_reader_u8 (&reader), ==, 0);
  g_assert_cmpuint (rb_reader_left (&reader), ==, 0);
}

static void
test_reader_huge_take (void)
{
  static const guint8 data[] = { 1, 2, 3 };
  RbReader reader = rb_reader_new (data, sizeof data);
  rb_reader_u8 (&reader);
  g_assert_null (rb_reader_take (&reader, G_MAXSIZE));
  g_assert_false (rb_reader_ok (&reader));
  reader = rb_reader_new (NULL, 0);
  g_assert_nonnull (rb_reader_take (&reader, 0));
  g_assert_true (rb_reader_done (&reader));
}

static void
test_writer_round_trip (void)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  rb_writer_u8 (out, 0xfe);
  rb_writer_u16be (out, 0xbeef);
  rb_writer_u32be (out, 0x01020304);
  rb_writer_u64be (out, G_GUINT64_CONSTANT (0x1122334455667788));
  rb_writer_ube (out, 0x123456, 3);
  rb_writer_field16 (out, "abc", 3);
  RbReader reader = rb_reader_new (out->data, out->len);
  g_assert_cmpuint (rb_reader_u8 (&reader), ==, 0xfe);
  g_assert_cmpuint (rb_reader_u16be (&reader), ==, 0xbeef);
  g_assert_cmpuint (rb_reader_u32be (&reader), ==, 0x01020304);
  g_assert_cmpuint (rb_reader_u64be (&reader), ==, G_GUINT64_CONSTANT (0x1122334455667788));
  g_assert_cmpuint (rb_reader_ube (&reader, 3), ==, 0x123456);
  g_assert_cmpuint (rb_reader_u16be (&reader), ==, 3);
  g_assert_cmpmem (rb_reader_take (&reader, 3), 3, "abc", 3);
  g_assert_true (rb_reader_done (&reader));
}

static void
test_hex (void)
{
  g_autofree char *hex = rb_bytes_to_hex ("\x00\xff\x1a", 3);
  g_assert_cmpstr (hex, ==, "00ff1a");
  g_autoptr (GBytes) upper = rb_bytes_from_hex ("00FF1A");
  g_assert_cmpmem (g_bytes_get_data (upper, NULL), g_bytes_get_size (upper), "\x00\xff\x1a", 3);
  static const char *const bad[] = { "0", "0g", "00 1", "zz" };
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_null (rb_bytes_from_hex (bad[i]));
  guint8 exact[2];
  g_assert_false (rb_bytes_from_hex_exact ("00ff1a", exact, 2));
}

/* RFC 4648 section 10, and the alphabets and paddings met in the field */
static void
test_base64 (void)
{
  static const struct {
    const char *text, *bytes;
  } good[] = { { "", "" },
               { "Zg==", "f" },
               { "Zm8=", "fo" },
               { "Zm9v", "foo" },
               { "Zm9vYg==", "foob" },
               { "Zg", "f" },
               { "-_-_", "\xfb\xff\xbf" },
               { "+/+/", "\xfb\xff\xbf" } };
  static const char *const bad[] = { "Z", "Zg=", "Zm9v=", "Zm 9", "Zm9v\n", "====", "Zh", "Zm9=" };
  for (guint i = 0; i < G_N_ELEMENTS (good); i++) {
    g_autoptr (GBytes) bytes = rb_bytes_from_base64 (good[i].text);
    g_assert_nonnull (bytes);
    g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), good[i].bytes, strlen (good[i].bytes));
  }
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_null (rb_bytes_from_base64 (bad[i]));
}

static void
test_equal_secret (void)
{
  g_assert_true (rb_bytes_equal_secret ("abcd", "abcd", 4));
  g_assert_false (rb_bytes_equal_secret ("abcd", "abce", 4));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/bytes/reader-bounds", test_reader_bounds);
  g_test_add_func ("/bytes/reader-huge-take", test_reader_huge_take);
  g_test_add_func ("/bytes/writer-round-trip", test_writer_round_trip);
  g_test_add_func ("/bytes/hex", test_hex);
  g_test_add_func ("/bytes/base64", test_base64);
  g_test_add_func ("/bytes/equal-secret", test_equal_secret);
  return g_test_run ();
}
