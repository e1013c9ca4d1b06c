/* SPDX-License-Identifier: Apache-2.0 */
#include "frame/isotp.h"

/* The engine called step by step: which frames it takes, which tickets it has, which events it keeps. */

#define PLAIN .tx_id = 0x7e0, .rx_id = 0x7e8, .tx_extension = -1, .rx_extension = -1, .padding = 0xcc
static const RbIsotpConfig classic = { PLAIN, .pad = TRUE };
static const RbIsotpConfig extended
  = { .tx_id = 0x7e0, .rx_id = 0x7e8, .tx_extension = 0xf1, .rx_extension = 0x10, .pad = TRUE, .padding = 0xaa };

static GBytes *
message_of (gsize length)
{
  return g_bytes_new_take (g_malloc0 (length), length);
}

static void
test_not_ours (void)
{
  g_autoptr (RbIsotp) engine = rb_isotp_new (&classic);
  static const guint32 ids[]
    = { 0x7e9, 0x7e8 | RB_CAN_EXTENDED, 0x7e8 | RB_CAN_REMOTE, 0x7e8 | RB_CAN_ERROR, 0x7e0, 0 };
  RbCanFrame frame = { .length = 3, .data = { 0x02, 0x7e, 0x00 } };
  for (guint i = 0; i < G_N_ELEMENTS (ids); i++) {
    frame.id = ids[i];
    g_assert_false (rb_isotp_receive_frame (engine, &frame, 0));
  }
  frame.id = 0x7e8;
  frame.own = TRUE;
  g_assert_false (rb_isotp_receive_frame (engine, &frame, 0));
  g_assert_cmpint (rb_isotp_event (engine).kind, ==, RB_ISOTP_NONE);
}

/* Several ECUs share an identifier: what is another's has to be left to it. */
static void
test_other_extension (void)
{
  g_autoptr (RbIsotp) engine = rb_isotp_new (&extended);
  RbCanFrame frame = { .id = 0x7e8, .length = 4, .data = { 0x11, 0x02, 0x7e, 0x00 } };
  g_assert_false (rb_isotp_receive_frame (engine, &frame, 0));
  frame.data[0] = 0x10;
  g_assert_true (rb_isotp_receive_frame (engine, &frame, 0));
  g_autoptr (GBytes) message = rb_isotp_event (engine).message;
  g_assert_nonnull (message);
}

/* A flow control is awaited from when it is given until it is out, and no other ticket is taken for it. */
static void
test_awaited_flow (void)
{
  g_autoptr (RbIsotp) engine = rb_isotp_new (&classic);
  RbCanFrame first = { .id = 0x7e8, .length = 8, .data = { 0x10, 0x20 } }, frame;
  guint32 ticket = 0;
  g_assert_true (rb_isotp_receive_frame (engine, &first, 0));
  g_assert_true (rb_isotp_next_frame (engine, 0, &frame, &ticket));
  g_assert_true (rb_isotp_has_ticket (engine, ticket));
  g_assert_false (rb_isotp_has_ticket (engine, ticket + 2));
  rb_isotp_confirm (engine, ticket, 0);
  g_assert_false (rb_isotp_has_ticket (engine, ticket));
  gint64 due = rb_isotp_deadline (engine);
  rb_isotp_confirm (engine, ticket, 500000); /* once more: N_Cr goes on */
  g_assert_cmpint (rb_isotp_deadline (engine), ==, due);
}

static void
test_what_was_asked (void)
{
  g_autoptr (RbIsotp) engine = rb_isotp_new (&classic);
  g_autoptr (GBytes) message = message_of (8);
  RbCanFrame frame, flow = { .id = 0x7e8, .length = 3, .data = { 0x30, 0x08, 0xf3 } };
  guint32 ticket = 0;
  g_assert_true (rb_isotp_send (engine, message, 0, NULL));
  g_assert_true (rb_isotp_sending (engine) && !rb_isotp_receiving (engine));
  g_assert_true (rb_isotp_next_frame (engine, 0, &frame, &ticket));
  g_assert_true (rb_isotp_receive_frame (engine, &flow, 0));
}

/* Events that nobody takes are bounded, and the newest stay. */
static void
test_events (void)
{
  g_autoptr (RbIsotp) engine = rb_isotp_new (&classic);
  RbCanFrame frame = { .id = 0x7e8, .length = 2, .data = { 0x01 } };
  for (guint i = 0; i < 100; i++) {
    frame.data[1] = (guint8) i;
    g_assert_true (rb_isotp_receive_frame (engine, &frame, 0));
  }
  guint8 last = 0;
  guint n = 0;
  for (RbIsotpEvent event = rb_isotp_event (engine); event.kind == RB_ISOTP_MESSAGE;
       event = rb_isotp_event (engine), n++) {
    last = *(const guint8 *) g_bytes_get_data (event.message, NULL);
    g_bytes_unref (event.message);
  }
  g_assert_cmpuint (n, ==, 16);
  g_assert_cmpuint (last, ==, 99);
}

/* What became of our own message is not among what is dropped. */
static void
test_events_of_our_own (void)
{
  g_autoptr (RbIsotp) engine = rb_isotp_new (&classic);
  g_autoptr (GBytes) message = message_of (3);
  RbCanFrame frame, answer = { .id = 0x7e8, .length = 2, .data = { 0x01 } };
  guint32 ticket = 0;
  for (guint before = 0; before < 20; before++) {
    for (guint i = 0; i < before; i++)
      g_assert_true (rb_isotp_receive_frame (engine, &answer, 0));
    g_assert_true (rb_isotp_send (engine, message, 0, NULL));
    g_assert_true (rb_isotp_next_frame (engine, 0, &frame, &ticket));
    rb_isotp_confirm (engine, ticket, 0);
    for (guint i = 0; i < 100; i++) {
      answer.data[1] = (guint8) i;
      g_assert_true (rb_isotp_receive_frame (engine, &answer, 0));
    }
    guint sent = 0, got = 0;
    for (RbIsotpEvent event = rb_isotp_event (engine); event.kind != RB_ISOTP_NONE; event = rb_isotp_event (engine)) {
      sent += event.kind == RB_ISOTP_SENT;
      if (event.kind != RB_ISOTP_MESSAGE)
        continue;
      g_assert_cmpuint (*(const guint8 *) g_bytes_get_data (event.message, NULL), ==, 85 + got++);
      g_bytes_unref (event.message);
    }
    g_assert_cmpuint (sent, ==, 1);
    g_assert_cmpuint (got, ==, 15);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/frame/isotp/not-ours", test_not_ours);
  g_test_add_func ("/frame/isotp/other-extension", test_other_extension);
  g_test_add_func ("/frame/isotp/awaited-flow", test_awaited_flow);
  g_test_add_func ("/frame/isotp/what-was-asked", test_what_was_asked);
  g_test_add_func ("/frame/isotp/events", test_events);
  g_test_add_func ("/frame/isotp/events-of-our-own", test_events_of_our_own);
  return g_test_run ();
}
