/* SPDX-License-Identifier: Apache-2.0 */
#include "core/signals.h"

#include <signal.h>
#include <unistd.h>

static gint first_calls, second_calls; /* atomic */

static void
count (gpointer calls)
{
  g_atomic_int_inc ((gint *) calls);
}

static void
wait_for (gint *calls, gint wanted)
{
  while (g_atomic_int_get (calls) < wanted)
    g_thread_yield ();
}

static void
test_each_signal_reaches_the_handler_of_the_moment (void)
{
  rb_signals_watch (count, &first_calls);
  g_assert_cmpint (kill (getpid (), SIGINT), ==, 0);
  wait_for (&first_calls, 1);
  rb_signals_set (count, &second_calls);
  g_assert_cmpint (kill (getpid (), SIGTERM), ==, 0);
  g_assert_cmpint (kill (getpid (), SIGHUP), ==, 0);
  wait_for (&second_calls, 2);
  rb_signals_set (NULL, NULL);
  g_assert_cmpint (kill (getpid (), SIGHUP), ==, 0);
  wait_for (&first_calls, 2);
  g_assert_cmpint (second_calls, ==, 2);
}

/* In a process of its own, as what is ignored is looked at when the watch begins. */
static void
test_ignored_at_the_start (void)
{
  if (g_test_subprocess ()) {
    signal (SIGHUP, SIG_IGN);
    rb_signals_watch (count, &first_calls);
    g_assert_cmpint (kill (getpid (), SIGHUP), ==, 0);
    g_assert_cmpint (kill (getpid (), SIGTERM), ==, 0);
    wait_for (&first_calls, 1);
    struct sigaction now;
    g_assert_cmpint (sigaction (SIGHUP, NULL, &now), ==, 0);
    g_assert_true (now.sa_handler == SIG_IGN);
    g_assert_cmpint (first_calls, ==, 1);
    return;
  }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/signals/ignored-at-the-start", test_ignored_at_the_start);
  g_test_add_func ("/signals/each-signal-reaches-the-handler-of-the-moment",
                   test_each_signal_reaches_the_handler_of_the_moment);
  return g_test_run ();
}
