/* SPDX-License-Identifier: Apache-2.0 */
#include "core/moment.h"

static void
test_text (void)
{
  static const struct {
    const char *text;
    gint64 moment;
  } good[] = { { "1970-01-01T00:00:00Z", 0 },
               { "2026-11-23T07:00:00Z", 1795417200 },
               { "2026-11-23T07:00:00.987654Z", 1795417200 },
               { "2038-01-19T03:14:08Z", G_GINT64_CONSTANT (2147483648) },
               { "2028-02-29T23:59:59Z", 1835481599 } };
  for (guint i = 0; i < G_N_ELEMENTS (good); i++) {
    gint64 moment = -1;
    g_assert_true (rb_moment_from_text (good[i].text, &moment));
    g_assert_cmpint (moment, ==, good[i].moment);
  }
  g_autofree char *text = rb_moment_to_text (1795417200);
  g_assert_cmpstr (text, ==, "2026-11-23T07:00:00Z");
}

/* A year has four digits, and what was written is read again. */
static void
test_early_years (void)
{
  static const char *const years[]
    = { "0001-01-01T00:00:00Z", "0226-11-23T07:00:00Z", "0999-12-31T23:59:59Z", "9999-12-31T23:59:59Z" };
  for (guint i = 0; i < G_N_ELEMENTS (years); i++) {
    gint64 moment = 0;
    g_assert_true (rb_moment_from_text (years[i], &moment));
    g_autofree char *text = rb_moment_to_text (moment);
    g_assert_cmpstr (text, ==, years[i]);
  }
}

static void
test_not_a_time (void)
{
  static const char *const bad[] = { NULL,
                                     "",
                                     "2026-11-23",
                                     "2026-11-23T07:00:00",
                                     "2026-11-23 07:00:00Z",
                                     "2026-11-23T07:00:00+01:00",
                                     "2026-13-01T00:00:00Z",
                                     "2027-02-29T00:00:00Z",
                                     "2026-11-23T24:00:00Z",
                                     "2026-11-23T07:00:00.Z",
                                     "2026-11-23T07:00:00Zx" };
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    gint64 moment;
    g_assert_false (rb_moment_from_text (bad[i], &moment));
  }
}

static gpointer
cancel (gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
  return NULL;
}

static void
test_pause (void)
{
  g_autoptr (GError) error = NULL;
  const gint64 before = g_get_monotonic_time ();
  g_assert_true (rb_moment_pause (20, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (g_get_monotonic_time () - before, >=, 19 * G_TIME_SPAN_MILLISECOND);
}

static void
test_pause_ends_when_cancelled (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GThread) other = g_thread_new ("cancel", cancel, cancellable);
  g_assert_false (rb_moment_pause (10 * 60 * 1000, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_thread_join (g_steal_pointer (&other));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/moment/text", test_text);
  g_test_add_func ("/moment/early-years", test_early_years);
  g_test_add_func ("/moment/not-a-time", test_not_a_time);
  g_test_add_func ("/moment/pause", test_pause);
  g_test_add_func ("/moment/pause-ends-when-cancelled", test_pause_ends_when_cancelled);
  return g_test_run ();
}
