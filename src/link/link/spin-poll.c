/* SPDX-License-Identifier: Apache-2.0 */
#include "link/spin-poll.h"

#include <sched.h>

enum { LOOK_US = 100, SHORT_US = 200 };

static int
poll_for (struct pollfd *fds, guint n, gint64 microseconds)
{
  const struct timespec most = { microseconds / G_USEC_PER_SEC, microseconds % G_USEC_PER_SEC * 1000 };
  return ppoll (fds, n, microseconds < 0 ? NULL : &most, NULL);
}

int
rb_spin_poll_wait (RbSpinPoll *self, struct pollfd *fds, guint n, gint64 microseconds)
{
  gint64 start = g_get_monotonic_time ();
  int ready = 0;
  while (self->eager && ready == 0 && g_get_monotonic_time () - start < LOOK_US) {
    ready = poll_for (fds, n, 0);
    if (ready == 0)
      sched_yield (); /* the other side may be waiting for this very core */
  }
  if (ready == 0)
    ready = poll_for (fds, n, microseconds);
  self->eager = ready > 0 && g_get_monotonic_time () - start < SHORT_US;
  return ready;
}
