/* SPDX-License-Identifier: Apache-2.0 */
#include "link/spin-poll.h"

#include <time.h>
#include <unistd.h>

static gint64
own_time_us (void)
{
  struct timespec used;
  g_assert_cmpint (clock_gettime (CLOCK_THREAD_CPUTIME_ID, &used), ==, 0);
  return used.tv_sec * G_USEC_PER_SEC + used.tv_nsec / 1000;
}

typedef struct {
  int ends[2];
  RbSpinPoll waiter;
  struct pollfd polled;
} Pipe;

static void
pipe_open (Pipe *self)
{
  *self = (Pipe){ 0 };
  g_assert_cmpint (pipe (self->ends), ==, 0);
  self->polled = (struct pollfd){ self->ends[0], POLLIN, 0 };
}

static void
pipe_close (Pipe *self)
{
  close (self->ends[0]);
  close (self->ends[1]);
}

static void
put (Pipe *self)
{
  g_assert_cmpint (write (self->ends[1], "x", 1), ==, 1);
}

static void
take (Pipe *self)
{
  char byte;
  g_assert_cmpint (read (self->ends[0], &byte, 1), ==, 1);
}

/* Whoever was soon is looked for at once the next time. */
static void
test_soon (void)
{
  Pipe self;
  pipe_open (&self);
  for (guint i = 0; i < 3; i++) {
    put (&self);
    g_assert_cmpint (rb_spin_poll_wait (&self.waiter, &self.polled, 1, -1), ==, 1);
    g_assert_cmpint (self.polled.revents, ==, POLLIN);
    take (&self);
  }
  pipe_close (&self);
}

/* A wait that was long ends being eager, and takes the time it was given. */
static void
test_late (void)
{
  Pipe self;
  pipe_open (&self);
  self.waiter.eager = TRUE;
  gint64 start = g_get_monotonic_time ();
  g_assert_cmpint (rb_spin_poll_wait (&self.waiter, &self.polled, 1, 20000), ==, 0);
  g_assert_cmpint (g_get_monotonic_time () - start, >=, 20000);
  g_assert_false (self.waiter.eager);
  pipe_close (&self);
}

/* What nobody answers costs next to nothing: it sleeps. */
static void
test_sleeps (void)
{
  Pipe self;
  pipe_open (&self);
  gint64 before = own_time_us ();
  for (guint i = 0; i < 5; i++) {
    self.waiter.eager = TRUE;
    g_assert_cmpint (rb_spin_poll_wait (&self.waiter, &self.polled, 1, 40000), ==, 0);
  }
  g_assert_cmpint (own_time_us () - before, <, 40000); /* of 200 ms; it looks for 0.1 ms each */
  pipe_close (&self);
}

static gpointer
later (gpointer data)
{
  g_poll (NULL, 0, 5);
  put (data);
  return NULL;
}

static void
test_woken (void)
{
  Pipe self;
  pipe_open (&self);
  self.waiter.eager = TRUE;
  g_autoptr (GThread) other = g_thread_new ("later", later, &self);
  g_assert_cmpint (rb_spin_poll_wait (&self.waiter, &self.polled, 1, -1), ==, 1);
  g_assert_false (self.waiter.eager); /* 5 ms is a vehicle, not a loopback */
  g_thread_join (g_steal_pointer (&other));
  pipe_close (&self);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/eager/soon", test_soon);
  g_test_add_func ("/eager/late", test_late);
  g_test_add_func ("/eager/sleeps", test_sleeps);
  g_test_add_func ("/eager/woken", test_woken);
  return g_test_run ();
}
