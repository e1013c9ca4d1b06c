/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/can/error.h>
#include <string.h>

#include "can/can-health.h"

/* Error frames as drivers of the kernel send them (drivers/net/can), one line each, and the trouble that follows. */
typedef struct {
  const char *what;
  guint32 class;
  guint8 data[8];
  const char *trouble;
} Row;

static const Row rows[] = {
  { "nothing", 0, { 0 }, NULL },
  { "sja1000: no ACK", CAN_ERR_ACK, { 0 }, "no-ack" },
  { "m_can: ACK slot", CAN_ERR_PROT | CAN_ERR_BUSERROR, { 0, 0, CAN_ERR_PROT_TX, CAN_ERR_PROT_LOC_ACK }, "no-ack" },
  { "stuff error", CAN_ERR_PROT | CAN_ERR_BUSERROR, { 0, 0, CAN_ERR_PROT_STUFF }, "wrong-bitrate" },
  { "form error", CAN_ERR_PROT, { 0, 0, CAN_ERR_PROT_FORM, CAN_ERR_PROT_LOC_ACK_DEL }, "wrong-bitrate" },
  { "bit error", CAN_ERR_PROT, { 0, 0, CAN_ERR_PROT_BIT }, "wrong-bitrate" },
  { "gs_usb: passive, transmit counter only",
    CAN_ERR_CRTL | CAN_ERR_CNT,
    { 0, CAN_ERR_CRTL_TX_PASSIVE, 0, 0, 0, 0, 128, 0 },
    "no-ack" },
  { "gs_usb: passive, receive counter",
    CAN_ERR_CRTL | CAN_ERR_CNT,
    { 0, CAN_ERR_CRTL_RX_PASSIVE, 0, 0, 0, 0, 8, 135 },
    "wrong-bitrate" },
  { "warning", CAN_ERR_CRTL, { 0, CAN_ERR_CRTL_TX_WARNING }, NULL },
  { "overflow of the controller", CAN_ERR_CRTL, { 0, CAN_ERR_CRTL_RX_OVERFLOW }, NULL },
  { "bus-off", CAN_ERR_BUSOFF, { 0 }, "bus-off" },
  { "bus-off and passive", CAN_ERR_BUSOFF | CAN_ERR_CRTL, { 0, CAN_ERR_CRTL_TX_PASSIVE }, "bus-off" },
};

static RbCanFrame
error_frame (guint32 class, const guint8 data[8])
{
  RbCanFrame frame = { .id = RB_CAN_ERROR | class, .length = 8 };
  for (guint i = 0; i < 8; i++)
    frame.data[i] = data[i];
  return frame;
}

static void
test_rows (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    RbCanHealth health = { 0 };
    RbCanFrame frame = error_frame (rows[i].class, rows[i].data);
    g_test_message ("%s", rows[i].what);
    rb_can_health_error (&health, &frame);
    g_assert_cmpstr (rb_can_health_trouble (&health), ==, rows[i].trouble);
  }
}

static void
test_recovery (void)
{
  static const guint8 none[8], active[8] = { 0, CAN_ERR_CRTL_ACTIVE };
  RbCanHealth health = { 0 };
  RbCanFrame off = error_frame (CAN_ERR_BUSOFF, none), restarted = error_frame (CAN_ERR_RESTARTED, none);
  RbCanFrame unheard = error_frame (CAN_ERR_ACK, none), back = error_frame (CAN_ERR_CRTL, active);
  rb_can_health_error (&health, &off);
  rb_can_health_error (&health, &restarted);
  g_assert_null (rb_can_health_trouble (&health));
  rb_can_health_error (&health, &unheard);
  rb_can_health_good (&health);
  g_assert_null (rb_can_health_trouble (&health));
  health.kind = RB_CAN_PASSIVE;
  g_assert_cmpstr (rb_can_health_trouble (&health), ==, "no-ack");
  rb_can_health_error (&health, &back);
  g_assert_null (rb_can_health_trouble (&health));
  rb_can_health_error (&health, &off);
  rb_can_health_good (&health);
  g_assert_cmpint (health.kind, ==, RB_CAN_ACTIVE);
}

static void
test_merge (void)
{
  RbCanHealth health = { .tx_errors = 3 };
  RbCanState state = { .kind = RB_CAN_PASSIVE };
  rb_can_health_merge (&health, &state);
  g_assert_true (health.kind == RB_CAN_PASSIVE && health.tx_errors == 3);
  state.rx_errors = 130;
  rb_can_health_merge (&health, &state);
  g_assert_cmpuint (health.rx_errors, ==, 130);
  g_assert_cmpstr (rb_can_health_trouble (&health), ==, "wrong-bitrate");
}

static void
test_words (void)
{
  static const struct {
    const char *trouble, *reason;
  } words[] = {
    { "bus-off", "bus-off" },
    { "no-ack", "no-ack" },
    { "wrong-bitrate", "wrong-bitrate" },
    { "dropping-qdisc", "link-protocol" },
    { "stuck", "link-lost" },
    { "other", "timeout" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (words); i++) {
    g_assert_cmpstr (rb_reason_word (rb_can_health_reason (words[i].trouble)), ==, words[i].reason);
    g_assert_true (i == G_N_ELEMENTS (words) - 1 || strlen (rb_can_health_text (words[i].trouble)) > 20);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/link/health/rows", test_rows);
  g_test_add_func ("/link/health/recovery", test_recovery);
  g_test_add_func ("/link/health/merge", test_merge);
  g_test_add_func ("/link/health/words", test_words);
  return g_test_run ();
}
