/* SPDX-License-Identifier: Apache-2.0 */
#include "vehicle/ecu-session.h"

/* The session of an ECU by a clock of the test, milliseconds. */

static RbEcuSession
programming (gint64 s3_ms, gint64 now)
{
  RbEcuSession self;
  rb_ecu_session_init (&self, s3_ms);
  rb_ecu_session_enter (&self, RB_ECU_SESSION_PROGRAMMING, now);
  rb_ecu_session_unlock (&self, now);
  return self;
}

static void
test_default (void)
{
  RbEcuSession self;
  rb_ecu_session_init (&self, 0);
  g_assert_cmpint (self.s3_ms, ==, 5000);
  g_assert_false (rb_ecu_session_is_due (&self, 1000000));
  g_assert_false (rb_ecu_session_is_lost (&self, 1000000));
  g_assert_false (rb_ecu_session_is_unlocked (&self, RB_ECU_SESSION_DEFAULT, 0));
  rb_ecu_session_unlock (&self, 0);
  g_assert_false (self.unlocked);
}

static void
test_s3 (void)
{
  RbEcuSession self = programming (5000, 100);
  g_assert_true (rb_ecu_session_is_unlocked (&self, RB_ECU_SESSION_PROGRAMMING, 5099));
  g_assert_false (rb_ecu_session_is_unlocked (&self, RB_ECU_SESSION_EXTENDED, 5099));
  g_assert_false (rb_ecu_session_is_lost (&self, 5099));
  g_assert_false (rb_ecu_session_is_unlocked (&self, RB_ECU_SESSION_PROGRAMMING, 5100));
  g_assert_true (rb_ecu_session_is_lost (&self, 5100));
  g_assert_cmpint (self.session, ==, RB_ECU_SESSION_DEFAULT);
  g_assert_false (rb_ecu_session_is_due (&self, 9000));
  rb_ecu_session_enter (&self, RB_ECU_SESSION_EXTENDED, 9000);
  g_assert_false (rb_ecu_session_is_lost (&self, 9000));
  g_assert_false (rb_ecu_session_is_unlocked (&self, RB_ECU_SESSION_EXTENDED, 9000));
  g_assert_cmpint (self.since, ==, 9000);
}

/* Held each time it is due, it never ends, and is due well within S3. */
static void
test_held (void)
{
  static const gint64 times[] = { 50, 1000, 5000, 60000 };
  for (guint i = 0; i < G_N_ELEMENTS (times); i++) {
    RbEcuSession self = programming (times[i], 0);
    gint64 last = 0;
    for (gint64 now = 0; now < 20 * times[i]; now++)
      if (rb_ecu_session_is_due (&self, now)) {
        g_assert_cmpint (now - last, <=, times[i] / 2);
        rb_ecu_session_touch (&self, now);
        last = now;
      }
    g_assert_cmpint (last, >, 19 * times[i]);
    g_assert_true (rb_ecu_session_is_unlocked (&self, RB_ECU_SESSION_PROGRAMMING, 20 * times[i]));
  }
}

/* A request that lasts longer than S3 (0x78) holds the session. */
static void
test_long_request (void)
{
  RbEcuSession self = programming (5000, 0);
  rb_ecu_session_touch (&self, 60000);
  g_assert_true (rb_ecu_session_is_unlocked (&self, RB_ECU_SESSION_PROGRAMMING, 64999));
  g_assert_true (rb_ecu_session_is_lost (&self, 65000));
}

static void
test_reject (void)
{
  static const guint8 ends[] = { 0x7e, 0x7f, 0x33, 0x34 };
  static const guint8 stays[] = { 0x13, 0x21, 0x22, 0x24, 0x31, 0x72, 0x92, 0x93 };
  for (guint i = 0; i < G_N_ELEMENTS (ends); i++) {
    RbEcuSession self = programming (5000, 0);
    rb_ecu_session_reject (&self, ends[i], 10);
    g_assert_true (rb_ecu_session_is_lost (&self, 10));
    g_assert_false (rb_ecu_session_is_unlocked (&self, RB_ECU_SESSION_PROGRAMMING, 10));
  }
  for (guint i = 0; i < G_N_ELEMENTS (stays); i++) {
    RbEcuSession self = programming (5000, 0);
    rb_ecu_session_reject (&self, stays[i], 4000);
    g_assert_true (rb_ecu_session_is_unlocked (&self, RB_ECU_SESSION_PROGRAMMING, 8999));
  }
}

/* Denied before it was unlocked, or out of the default session, it has lost nothing. */
static void
test_nothing_to_lose (void)
{
  RbEcuSession self;
  rb_ecu_session_init (&self, 5000);
  rb_ecu_session_reject (&self, 0x7f, 0);
  g_assert_false (rb_ecu_session_is_lost (&self, 0));
  rb_ecu_session_enter (&self, RB_ECU_SESSION_EXTENDED, 0);
  rb_ecu_session_reject (&self, 0x33, 0);
  g_assert_false (rb_ecu_session_is_lost (&self, 0));
  g_assert_cmpint (self.session, ==, RB_ECU_SESSION_EXTENDED);
}

static void
test_change_and_reset (void)
{
  RbEcuSession self = programming (5000, 0);
  rb_ecu_session_enter (&self, RB_ECU_SESSION_PROGRAMMING, 10);
  g_assert_false (rb_ecu_session_is_unlocked (&self, RB_ECU_SESSION_PROGRAMMING, 10));
  rb_ecu_session_unlock (&self, 10);
  rb_ecu_session_end (&self);
  g_assert_false (rb_ecu_session_is_unlocked (&self, RB_ECU_SESSION_PROGRAMMING, 10));
  g_assert_false (rb_ecu_session_is_lost (&self, 10));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ecu-session/default", test_default);
  g_test_add_func ("/ecu-session/s3", test_s3);
  g_test_add_func ("/ecu-session/held", test_held);
  g_test_add_func ("/ecu-session/long-request", test_long_request);
  g_test_add_func ("/ecu-session/reject", test_reject);
  g_test_add_func ("/ecu-session/nothing-to-lose", test_nothing_to_lose);
  g_test_add_func ("/ecu-session/change-and-reset", test_change_and_reset);
  return g_test_run ();
}
