/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "core/bytes.h"
#include "frame/can.h"

static RbCanFrame
frame_of (guint32 id, gboolean fd, guint8 length, guint8 fill)
{
  RbCanFrame frame = { .id = id, .length = length, .fd = fd, .brs = fd };
  memset (frame.data, fill, length);
  return frame;
}

static guint
bits_of (const RbCanFrame *frame, guint *data)
{
  guint nominal = 0;
  rb_can_bits (frame, &nominal, data);
  return nominal;
}

static void
test_lengths (void)
{
  static const struct {
    guint8 length, fd_fit, dlc;
  } rows[] = {
    { 0, 0, 0 },    { 1, 1, 1 },    { 7, 7, 7 },    { 8, 8, 8 },    { 9, 12, 9 },   { 12, 12, 9 },
    { 13, 16, 10 }, { 16, 16, 10 }, { 17, 20, 11 }, { 20, 20, 11 }, { 21, 24, 12 }, { 25, 32, 13 },
    { 32, 32, 13 }, { 33, 48, 14 }, { 49, 64, 15 }, { 64, 64, 15 },
  };
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_assert_cmpuint (rb_can_fit (rows[i].length, TRUE), ==, rows[i].fd_fit);
    g_assert_cmpuint (rb_can_dlc (rows[i].length), ==, rows[i].dlc);
    g_assert_cmpuint (rb_can_length (rows[i].dlc, TRUE), ==, rows[i].fd_fit);
  }
  g_assert_cmpuint (rb_can_fit (5, FALSE), ==, 5);
  g_assert_cmpuint (rb_can_fit (9, FALSE), ==, 8);
  for (guint8 dlc = 9; dlc < 16; dlc++)
    g_assert_cmpuint (rb_can_length (dlc, FALSE), ==, 8);
  g_assert_cmpuint (rb_can_dlc (255), ==, 15);
}

/* As linux/can.h lays them out on a little endian machine. */
static void
test_packets (void)
{
  static const struct {
    const char *hex;
    RbCanFrame frame;
  } rows[] = {
    { "e00700000200000010030000000000"
      "00",
      { .id = 0x7e0, .length = 2, .data = { 0x10, 0x03 } } },
    { "f110da980100010055"
      "00000000000000",
      { .id = 0x18da10f1 | RB_CAN_EXTENDED, .length = 1, .own = TRUE, .data = { 0x55 } } },
    { "00000020080000000102030405060708", { .id = RB_CAN_ERROR, .length = 8, .data = { 1, 2, 3, 4, 5, 6, 7, 8 } } },
    { "230100400300000000000000"
      "00000000",
      { .id = 0x123 | RB_CAN_REMOTE, .length = 3 } },
  };
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    guint8 packet[RB_CAN_FD_PACKET];
    g_autoptr (GBytes) bytes = rb_bytes_from_hex (rows[i].hex);
    g_assert_cmpuint (rb_can_write (&rows[i].frame, packet), ==, RB_CAN_PACKET);
    g_assert_cmpmem (packet, RB_CAN_PACKET, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
    RbCanFrame back = { 0 };
    g_assert_true (rb_can_parse (packet, RB_CAN_PACKET, &back));
    g_assert_cmpuint (back.id, ==, rows[i].frame.id);
    g_assert_cmpuint (back.own, ==, rows[i].frame.own);
    g_assert_cmpmem (back.data, 64, rows[i].frame.data, 64);
  }
}

static void
test_fd_packets (void)
{
  for (guint8 dlc = 0; dlc < 16; dlc++)
    for (guint brs = 0; brs < 2; brs++) {
      RbCanFrame frame = frame_of (0x7e8, TRUE, rb_can_length (dlc, TRUE), 0x5a), back = { 0 };
      guint8 packet[RB_CAN_FD_PACKET];
      frame.brs = brs == 1;
      g_assert_cmpuint (rb_can_write (&frame, packet), ==, RB_CAN_FD_PACKET);
      g_assert_cmpuint (packet[5], ==, brs == 1 ? 5 : 4);
      g_assert_true (rb_can_parse (packet, RB_CAN_FD_PACKET, &back));
      g_assert_true (back.fd && back.brs == (brs == 1) && back.length == frame.length && back.id == 0x7e8);
      g_assert_cmpmem (back.data, 64, frame.data, 64);
    }
}

static void
test_bad_packets (void)
{
  guint8 packet[RB_CAN_FD_PACKET + 1] = { 0 };
  RbCanFrame frame;
  for (gsize length = 0; length <= sizeof packet; length++)
    g_assert_true (rb_can_parse (packet, length, &frame) == (length == RB_CAN_PACKET || length == RB_CAN_FD_PACKET));
  for (guint length = 0; length < 256; length++) {
    packet[4] = (guint8) length;
    g_assert_true (rb_can_parse (packet, RB_CAN_PACKET, &frame) == (length <= 8));
    gboolean exists = length <= 8 || length == 12 || length == 16 || length == 20 || length == 24 || length == 32
                      || length == 48 || length == 64;
    g_assert_true (rb_can_parse (packet, RB_CAN_FD_PACKET, &frame) == exists);
  }
}

/* Frames whose bits another program counted (7E0 with 8 bytes of 00, CC, AA at 500 kbit/s takes 254, 226 and 228 us),
 * and bounds of ISO 11898-1. */
static void
test_classic_bits (void)
{
  static const struct {
    guint32 id;
    guint8 length, fill;
    guint bits;
  } rows[] = {
    { 0x7e0, 8, 0x00, 127 },
    { 0x7e0, 8, 0xcc, 113 },
    { 0x7e0, 8, 0xaa, 114 },
  };
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    RbCanFrame frame = frame_of (rows[i].id, FALSE, rows[i].length, rows[i].fill);
    guint data = 1;
    g_assert_cmpuint (bits_of (&frame, &data), ==, rows[i].bits);
    g_assert_cmpuint (data, ==, 0);
  }
  RbCanFrame remote = frame_of (0x2aa | RB_CAN_REMOTE, FALSE, 8, 0), empty = frame_of (0x2aa, FALSE, 0, 0);
  guint data = 0;
  g_assert_cmpuint (bits_of (&remote, &data), <, 47 + 10);
  g_assert_cmpuint (bits_of (&empty, &data), >=, 47);
}

static void
test_fd_bits (void)
{
  RbCanFrame zero = frame_of (0x7e0, TRUE, 64, 0);
  guint data = 0;
  g_assert_cmpuint (bits_of (&zero, &data), ==, 17 + 2 + 12);
  g_assert_cmpuint (data, ==, 1 + 4 + 512 + 102 + 32 + 1);
  g_assert_cmpint (rb_can_time (&zero, 500000, 2000000), ==, 388000);
  g_assert_cmpint (rb_can_time (&zero, 500000, 5000000), ==, 192400);
  RbCanFrame small = frame_of (0x555, TRUE, 16, 0x55), large = frame_of (0x555, TRUE, 20, 0x55);
  g_assert_cmpuint (bits_of (&small, &data), ==, 29);
  g_assert_cmpuint (data, ==, 1 + 4 + 128 + 4 + 17 + 6 + 1); /* CRC-17 and 6 fixed stuff bits up to 16 bytes */
  g_assert_cmpuint (bits_of (&large, &data), ==, 29);
  g_assert_cmpuint (data, ==, 1 + 4 + 160 + 4 + 21 + 7 + 1); /* above, CRC-21 and 7 */
  small.brs = FALSE;
  g_assert_cmpuint (bits_of (&small, &data), >=, 29 + 161);
  g_assert_cmpuint (data, ==, 0);
  RbCanFrame wide = frame_of (0x15555555 | RB_CAN_EXTENDED, TRUE, 8, 0x55);
  g_assert_cmpuint (bits_of (&wide, &data), >=, 36 + 12);
  g_assert_cmpuint (bits_of (&wide, &data), <=, 36 + 12 + 2);
}

/* Consecutive frames of random data: each within the bounds of the formula, the mean where another program's simulation
 * had it. */
static void
mean_of (guint32 id, gboolean fd, guint32 data_rate, guint8 length, double expected)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (4711);
  gint64 sum = 0;
  enum { N = 4000 };
  for (guint i = 0; i < N; i++) {
    RbCanFrame frame = frame_of (id, fd, length, 0);
    for (guint j = 0; j < length; j++)
      frame.data[j] = (guint8) (j == 0 ? 0x20 | i % 16 : (guint) g_rand_int_range (rand, 0, 256));
    guint data = 0, nominal = bits_of (&frame, &data);
    guint head = (id & RB_CAN_EXTENDED) != 0 ? 54 : 34;
    if (!fd) {
      g_assert_cmpuint (nominal, >=, head + 8u * length + 13);
      g_assert_cmpuint (nominal, <=, head + 8u * length + 13 + (head + 8u * length - 1) / 4);
    }
    sum += rb_can_time (&frame, 500000, data_rate);
  }
  double mean = (double) sum / N / 1000;
  g_assert_cmpfloat (mean, >, expected - 0.6);
  g_assert_cmpfloat (mean, <, expected + 0.6);
}

static void
test_means (void)
{
  mean_of (0x7e0, FALSE, 0, 8, 232.9);
  mean_of (0x18da10f1 | RB_CAN_EXTENDED, FALSE, 0, 8, 268.9);
  mean_of (0x7e0, TRUE, 2000000, 64, 345.4);
  mean_of (0x7e0, TRUE, 5000000, 64, 175.4);
  mean_of (0x7e0, TRUE, 2000000, 8, 112);
  mean_of (0x7e0, TRUE, 5000000, 8, 82);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/frame/can/lengths", test_lengths);
  g_test_add_func ("/frame/can/packets", test_packets);
  g_test_add_func ("/frame/can/fd-packets", test_fd_packets);
  g_test_add_func ("/frame/can/bad-packets", test_bad_packets);
  g_test_add_func ("/frame/can/classic-bits", test_classic_bits);
  g_test_add_func ("/frame/can/fd-bits", test_fd_bits);
  g_test_add_func ("/frame/can/means", test_means);
  return g_test_run ();
}
