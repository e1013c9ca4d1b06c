/* SPDX-License-Identifier: Apache-2.0 */
#include "core/reason.h"

#include <gio/gio.h>

static void
test_words_round_trip (void)
{
  for (guint i = 1; i < RB_REASON_LAST; i++)
    g_assert_cmpuint (rb_reason_from_word (rb_reason_word ((RbReason) i)), ==, i);
  g_assert_cmpstr (rb_reason_word (RB_REASON_NONE), ==, "ok");
  g_assert_cmpuint (rb_reason_from_word ("no such word"), ==, RB_REASON_NONE);
  g_assert_cmpuint (rb_reason_from_word (NULL), ==, RB_REASON_NONE);
  g_assert_cmpstr (rb_reason_word (RB_REASON_LAST), ==, "internal");
}

static void
test_reason_of_foreign_errors (void)
{
  static const struct {
    int code;
    const char *word;
  } gio[] = { { G_IO_ERROR_NOT_FOUND, "not-found" },
              { G_IO_ERROR_EXISTS, "exists" },
              { G_IO_ERROR_NO_SPACE, "no-space" },
              { G_IO_ERROR_TIMED_OUT, "timeout" },
              { G_IO_ERROR_CANCELLED, "cancelled" },
              { G_IO_ERROR_BUSY, "in-use" },
              { G_IO_ERROR_FAILED, "io" } };
  for (guint i = 0; i < G_N_ELEMENTS (gio); i++) {
    g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, gio[i].code, "x");
    g_assert_cmpstr (rb_reason_word (rb_reason_of (error)), ==, gio[i].word);
  }
  g_autoptr (GError) option = g_error_new_literal (G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "x");
  g_assert_cmpstr (rb_reason_word (rb_reason_of (option)), ==, "usage");
  g_autoptr (GError) foreign = g_error_new_literal (g_quark_from_static_string ("other"), 3, "x");
  g_assert_cmpstr (rb_reason_word (rb_reason_of (foreign)), ==, "internal");
  g_autoptr (GError) ours = g_error_new_literal (RB_CORE_ERROR, RB_REASON_ROLLBACK, "x");
  g_assert_cmpstr (rb_reason_word (rb_reason_of (ours)), ==, "rollback");
}

static void
test_link_lost (void)
{
  static const char *const gone[] = { "link-lost", "bus-off", "no-ack", "wrong-bitrate" };
  guint n = 0;
  for (RbReason reason = RB_REASON_NONE; reason < RB_REASON_LAST; reason++)
    n += rb_reason_is_link_lost (reason);
  g_assert_cmpuint (n, ==, G_N_ELEMENTS (gone));
  for (guint i = 0; i < n; i++)
    g_assert_true (rb_reason_is_link_lost (rb_reason_from_word (gone[i])));
}

static void
test_deny (void)
{
  g_autoptr (GError) error = NULL;
  g_assert_false (rb_reason_deny (&error, RB_CORE_ERROR, RB_REASON_ROLLBACK, "version %d after %s", 3, "50 %"));
  g_assert_error (error, RB_CORE_ERROR, (int) RB_REASON_ROLLBACK);
  g_assert_cmpstr (error->message, ==, "version 3 after 50 %");
  g_assert_false (rb_reason_deny (NULL, RB_CORE_ERROR, RB_REASON_ROLLBACK, "nobody listens"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/reason/words-round-trip", test_words_round_trip);
  g_test_add_func ("/reason/foreign-errors", test_reason_of_foreign_errors);
  g_test_add_func ("/reason/link-lost", test_link_lost);
  g_test_add_func ("/reason/deny", test_deny);
  return g_test_run ();
}
