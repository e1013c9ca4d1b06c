/* SPDX-License-Identifier: Apache-2.0 */
#include "can/gs-usb-protocol.h"

#include <string.h>

/* What Linux 6.1 and a candleLight with firmware 2 say to each other at open and for frames: usbmon lines by hand,
 * from the structures of drivers/net/can/usb/gs_usb.c. */

static void
test_host_format (void)
{
  guint8 out[RB_GS_USB_HOST_FORMAT_SIZE];
  rb_gs_usb_protocol_write_host_format (out);
  g_assert_cmpmem (out, sizeof out, "\xef\xbe\0\0", 4);
}

static void
test_config (void)
{
  static const guint8 two[] = { 0, 0, 0, 1, 2, 0, 0, 0, 1, 0, 0, 0 };
  static const guint8 too_many[] = { 0, 0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0 };
  RbGsUsbConfig config;
  g_assert_true (rb_gs_usb_protocol_read_config (two, sizeof two, &config));
  g_assert_cmpuint (config.channels, ==, 2);
  g_assert_cmpuint (config.firmware, ==, 2);
  for (gsize n = 0; n < sizeof two; n++)
    g_assert_false (rb_gs_usb_protocol_read_config (two, n, &config));
  g_assert_false (rb_gs_usb_protocol_read_config (too_many, sizeof too_many, &config));
}

static void
test_timing_and_mode (void)
{
  guint8 timing[RB_GS_USB_TIMING_SIZE], mode[RB_GS_USB_MODE_SIZE];
  static const guint8 wanted[] = { 6, 0, 0, 0, 7, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0x58, 2, 0, 0 };
  rb_gs_usb_protocol_write_timing (&(RbBitTiming){ 6, 7, 2, 1, 600 }, timing);
  g_assert_cmpmem (timing, sizeof timing, wanted, sizeof wanted);
  rb_gs_usb_protocol_write_mode (TRUE, RB_GS_USB_FD, mode);
  g_assert_cmpmem (mode, sizeof mode, "\1\0\0\0\0\1\0\0", 8);
  rb_gs_usb_protocol_write_mode (FALSE, RB_GS_USB_FD, mode);
  g_assert_cmpmem (mode, sizeof mode, "\0\0\0\0\0\0\0\0", 8);
}

static void
test_limits (void)
{
  guint32 words[18] = { 0xffffc100, 80000000, 1, 256, 1, 128, 128, 1, 512, 1, 2, 32, 3, 16, 15, 4, 33, 5 };
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    words[i] = GUINT32_TO_LE (words[i]);
  RbGsUsbLimits limits;
  g_assert_true (rb_gs_usb_protocol_read_limits (words, sizeof words, &limits));
  g_assert_cmpuint (limits.features, ==, RB_GS_USB_FD); /* what lies above bit 13 is not ours to read */
  g_assert_cmpuint (limits.clock, ==, 80000000);
  g_assert_cmpuint (limits.nominal.tseg1_max, ==, 256);
  g_assert_cmpuint (limits.data.tseg1_min, ==, 2);
  g_assert_cmpuint (limits.data.brp_inc, ==, 5);
  g_assert_true (rb_gs_usb_protocol_read_limits (words, RB_GS_USB_LIMITS_SIZE, &limits));
  g_assert_cmpuint (limits.data.tseg1_max, ==, 256); /* the short form: the same for both */
  for (gsize n = 0; n < RB_GS_USB_LIMITS_SIZE; n++)
    g_assert_false (rb_gs_usb_protocol_read_limits (words, n, &limits));
  words[1] = 0;
  g_assert_false (rb_gs_usb_protocol_read_limits (words, sizeof words, &limits));
}

static void
test_state (void)
{
  static const guint8 bytes[] = { 2, 0, 0, 0, 1, 0, 0, 0, 136, 0, 0, 0 };
  RbGsUsbState state;
  g_assert_true (rb_gs_usb_protocol_read_state (bytes, sizeof bytes, &state));
  g_assert_cmpuint (state.kind, ==, 2);
  g_assert_cmpuint (state.rx_errors, ==, 1);
  g_assert_cmpuint (state.tx_errors, ==, 136);
  for (gsize n = 0; n < sizeof bytes; n++)
    g_assert_false (rb_gs_usb_protocol_read_state (bytes, n, &state));
}

static void
test_write_frame (void)
{
  static const guint8 classic[] = { 3, 0, 0, 0, 0xe0, 7, 0, 0, 8, 1, 0, 0, 0x10, 0x0a, 0x36, 1, 2, 3, 4, 5 };
  RbCanFrame frame = { .id = 0x7e0, .length = 8, .data = { 0x10, 0x0a, 0x36, 1, 2, 3, 4, 5 } };
  guint8 out[RB_GS_USB_PACKET];
  g_assert_cmpuint (rb_gs_usb_protocol_write_frame (&frame, 3, 1, 0, 0, out), ==, sizeof classic);
  g_assert_cmpmem (out, sizeof classic, classic, sizeof classic);

  /* an adapter opened for FD takes classic frames in the long packet */
  memset (out, 0xee, sizeof out);
  g_assert_cmpuint (rb_gs_usb_protocol_write_frame (&frame, 3, 1, RB_GS_USB_FD, 0, out), ==, 76);
  g_assert_cmpmem (out, sizeof classic, classic, sizeof classic);
  for (guint i = sizeof classic; i < 76; i++)
    g_assert_cmpuint (out[i], ==, 0);
  g_assert_cmpuint (rb_gs_usb_protocol_write_frame (&frame, 3, 1, RB_GS_USB_FD, RB_GS_USB_PAD_BYTE, out), ==, 77);

  RbCanFrame large = { .id = RB_CAN_EXTENDED | 0x18da10f1, .length = 64, .fd = TRUE, .brs = TRUE };
  memset (large.data, 0x5a, sizeof large.data);
  g_assert_cmpuint (rb_gs_usb_protocol_write_frame (&large, 9, 0, RB_GS_USB_FD, 0, out), ==, 76);
  g_assert_cmpmem (out, 12, "\x09\0\0\0\xf1\x10\xda\x98\x0f\0\6\0", 12);
  g_assert_cmpmem (&out[12], 64, large.data, 64);
}

/* Whatever goes out comes back the same. */
static void
test_frame_round_trip (void)
{
  static const guint8 lengths[] = { 0, 1, 7, 8, 12, 16, 20, 24, 32, 48, 64 };
  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++) {
    RbCanFrame frame = { .id = 0x123, .length = lengths[i], .fd = lengths[i] > 8 || (i % 2) != 0, .brs = i % 4 == 1 };
    guint8 out[RB_GS_USB_PACKET];
    RbGsUsbFrame back;
    for (guint j = 0; j < frame.length; j++)
      frame.data[j] = (guint8) (i + j * 3);
    gsize n = rb_gs_usb_protocol_write_frame (&frame, i, 2, RB_GS_USB_FD, 0, out);
    g_assert_true (rb_gs_usb_protocol_read_frame (out, n, &back));
    g_assert_cmpuint (back.echo, ==, i);
    g_assert_cmpuint (back.channel, ==, 2);
    g_assert_true (back.frame.own);
    g_assert_cmpint (back.frame.fd, ==, frame.fd);
    g_assert_cmpint (back.frame.brs, ==, frame.fd && frame.brs);
    g_assert_cmpmem (back.frame.data, back.frame.length, frame.data, frame.length);
  }
}

static void
test_read_frame (void)
{
  /* DLC 9 of a classic frame means eight bytes; the time stamp behind it is not data */
  static const guint8 received[]
    = { 0xff, 0xff, 0xff, 0xff, 0xe8, 7, 0, 0, 9, 0, 1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 9 };
  RbGsUsbFrame frame;
  g_assert_true (rb_gs_usb_protocol_read_frame (received, sizeof received, &frame));
  g_assert_cmpuint (frame.echo, ==, RB_GS_USB_RECEIVED);
  g_assert_false (frame.frame.own);
  g_assert_true (frame.overflow);
  g_assert_cmpuint (frame.frame.length, ==, 8);
  for (gsize n = 0; n < 20; n++)
    g_assert_false (rb_gs_usb_protocol_read_frame (received, n, &frame));
  guint8 fd[76] = { 0xff, 0xff, 0xff, 0xff, 0xe8, 7, 0, 0, 0xff, 0, 2, 0 };
  g_assert_true (rb_gs_usb_protocol_read_frame (fd, sizeof fd, &frame));
  g_assert_cmpuint (frame.frame.length, ==, 64); /* no DLC leads past the data */
  g_assert_false (rb_gs_usb_protocol_read_frame (fd, 75, &frame));
}

static void
test_known (void)
{
  g_assert_true (rb_gs_usb_protocol_is_known (0x1d50, 0x606f));
  g_assert_true (rb_gs_usb_protocol_is_known (0x1209, 0x2323));
  g_assert_false (rb_gs_usb_protocol_is_known (0x1d50, 0x606e));
  g_assert_true (rb_gs_usb_protocol_is_old_cantact ("LinkLayer Labs", "CANtact Pro", 2));
  g_assert_false (rb_gs_usb_protocol_is_old_cantact ("LinkLayer Labs", "CANtact Pro", 3));
  g_assert_false (rb_gs_usb_protocol_is_old_cantact ("bytewerk", "CANtact Pro", 2));
  g_assert_false (rb_gs_usb_protocol_is_old_cantact (NULL, NULL, 0));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/gs-usb-protocol/host-format", test_host_format);
  g_test_add_func ("/gs-usb-protocol/config", test_config);
  g_test_add_func ("/gs-usb-protocol/timing-and-mode", test_timing_and_mode);
  g_test_add_func ("/gs-usb-protocol/limits", test_limits);
  g_test_add_func ("/gs-usb-protocol/state", test_state);
  g_test_add_func ("/gs-usb-protocol/write-frame", test_write_frame);
  g_test_add_func ("/gs-usb-protocol/frame-round-trip", test_frame_round_trip);
  g_test_add_func ("/gs-usb-protocol/read-frame", test_read_frame);
  g_test_add_func ("/gs-usb-protocol/known", test_known);
  return g_test_run ();
}
