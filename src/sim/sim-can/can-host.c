/* SPDX-License-Identifier: Apache-2.0 */
#include "sim-can/can-host.h"

#include "sim-ecu/fd-source.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define NEVER G_MAXINT64
#define SECOND G_GINT64_CONSTANT (1000000000)

struct _RbCanHost {
  RbCanNetwork *network;
  int timer;
  RbFdSource *watch;
  gint64 armed; /* NEVER: not */
};

gint64
rb_can_host_now (void)
{
  struct timespec now;
  clock_gettime (CLOCK_MONOTONIC, &now);
  return (gint64) now.tv_sec * SECOND + now.tv_nsec;
}

RbCanNetwork *
rb_can_host_network (RbCanHost *self)
{
  return self->network;
}

static void
arm (RbCanHost *self)
{
  gint64 due = rb_can_network_due (self->network);
  if (due == self->armed)
    return;
  gint64 at = MAX (due, 1); /* zero would disarm */
  const struct itimerspec when = { .it_value = { .tv_sec = at / SECOND, .tv_nsec = at % SECOND } };
  const struct itimerspec off = { .it_value = { 0, 0 } };
  if (timerfd_settime (self->timer, TFD_TIMER_ABSTIME, due == NEVER ? &off : &when, NULL) != 0)
    g_warning ("timer: %s", g_strerror (errno));
  self->armed = due;
}

void
rb_can_host_run (RbCanHost *self)
{
  rb_can_network_run (self->network, rb_can_host_now ());
  arm (self);
}

/* Setting the timer anew makes the descriptor unreadable again, so that the count of expirations need not be read. */
static void
on_time (gpointer data, GIOCondition condition)
{
  RbCanHost *self = data;
  self->armed = 0;
  rb_can_host_run (self);
}

RbCanHost *
rb_can_host_new (RbCanNetwork *network, GError **error)
{
  RbCanHost *self = g_new0 (RbCanHost, 1);
  self->network = network;
  self->armed = NEVER;
  self->timer = timerfd_create (CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (self->timer < 0) {
    g_set_error (error, RB_SIM_ERROR, RB_REASON_IO, "timer: %s", g_strerror (errno));
    rb_can_network_free (network);
    g_free (self);
    return NULL;
  }
  self->watch = rb_fd_source_new (self->timer, G_IO_IN, on_time, self);
  rb_can_host_run (self);
  return self;
}

void
rb_can_host_free (RbCanHost *self)
{
  rb_fd_source_free (self->watch);
  close (self->timer);
  rb_can_network_free (self->network);
  g_free (self);
}
