/* SPDX-License-Identifier: Apache-2.0 */
#include "core/advice.h"

#include <string.h>

static void
test_every_reason (void)
{
  for (RbReason reason = RB_REASON_NONE + 1; reason < RB_REASON_LAST; reason++) {
    g_test_message ("%s", rb_reason_word (reason));
    g_assert_cmpstr (rb_advice_means (reason), !=, "");
    g_assert_cmpstr (rb_advice_next (reason), !=, "");
  }
}

/* The same reason may end a run that wrote nothing in a vehicle that was written to before. */
static void
test_nothing_is_called_untouched (void)
{
  for (RbReason reason = RB_REASON_NONE + 1; reason < RB_REASON_LAST; reason++) {
    const char *claim = strstr (rb_advice_means (reason), "Nothing was written.");
    g_assert_true (claim == NULL || reason == RB_REASON_NO_WORK_NEEDED);
  }
}

static void
test_no_reason (void)
{
  g_assert_cmpstr (rb_advice_means (RB_REASON_NONE), ==, "");
  g_assert_cmpstr (rb_advice_next (RB_REASON_NONE), ==, "");
  g_assert_cmpstr (rb_advice_next (RB_REASON_LAST), ==, "");
}

static void
test_words (void)
{
  g_assert_cmpstr (rb_advice_means (RB_REASON_BUNDLE_TRUNCATED), ==,
                   "The bundle file ends too early. Nothing was stored.");
  g_assert_cmpstr (rb_advice_next (RB_REASON_MOVING), ==, "Secure the vehicle, then go on.");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/advice/every-reason", test_every_reason);
  g_test_add_func ("/advice/nothing-is-called-untouched", test_nothing_is_called_untouched);
  g_test_add_func ("/advice/no-reason", test_no_reason);
  g_test_add_func ("/advice/words", test_words);
  return g_test_run ();
}
