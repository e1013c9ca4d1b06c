/* SPDX-License-Identifier: Apache-2.0 */
#include "can/can-thread.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum {
  INPUT = 256, /* received at a time, so that a flood does not prevent sending */
  MESSAGES = 32, /* complete ones that were not received yet; more are the vehicle's fault */
  SHARED = 16, /* in flight at most, while several pipes send */
  DEEP = 16, /* this number in flight keeps the bus busy for longer than BATCH_MS */
  BATCH_MS = 1,
  RETRY_US = 1000, /* after AGAIN */
  MEND_US = 500 * 1000, /* between two attempts to recover */
};
static void
flight_push (RbCanIo *self, const RbCanFlight *flight)
{
  self->flight[(self->first_flight + self->n_flight++) % RB_CAN_FLIGHT] = *flight;
}

static gboolean
is_flight (const RbCanFlight *flight, const RbCanFrame *frame)
{
  return flight->id == frame->id && flight->length == frame->length
         && memcmp (flight->head, frame->data, MIN (frame->length, sizeof flight->head)) == 0;
}

static RbCanFlight *
flight_at (RbCanIo *self, guint i)
{
  return &self->flight[(self->first_flight + i) % RB_CAN_FLIGHT];
}

static void
flight_pop (RbCanIo *self, guint n)
{
  self->first_flight = (self->first_flight + n) % RB_CAN_FLIGHT;
  self->n_flight -= n;
}

static gboolean
is_awaited (const RbCanFlight *flight)
{
  return flight->pipe != NULL && rb_isotp_has_ticket (flight->pipe->engine, flight->ticket);
}

static guint
room (RbCanIo *self)
{
  guint sending = 0;
  for (guint i = 0; i < self->pipes->len; i++)
    sending += ((RbCanPipe *) self->pipes->pdata[i])->sending == RB_CAN_SEND_STARTED;
  return sending > 1 ? SHARED : RB_CAN_FLIGHT;
}

/* Frames whose message is over and that were never confirmed must not fill the list. */
static gboolean
has_room (RbCanIo *self)
{
  guint most = room (self);
  while (self->n_flight >= most && !is_awaited (flight_at (self, 0)))
    flight_pop (self, 1);
  return self->n_flight < most;
}

/*
 * Those before it were dropped by the backend; their messages end by N_As. A frame that is awaited comes first: the
 * same bytes of a message that is over may never have reached the wire.
 */
static void
confirm (RbCanIo *self, const RbCanFrame *frame, gint64 now)
{
  guint found = self->n_flight;
  for (guint i = self->n_flight; i-- > 0;) {
    RbCanFlight *flight = flight_at (self, i);
    if (is_flight (flight, frame) && (found == self->n_flight || is_awaited (flight)))
      found = i;
  }
  rb_can_health_good (&self->health);
  if (found == self->n_flight)
    return;
  RbCanFlight flight = *flight_at (self, found);
  flight_pop (self, found + 1);
  if (flight.pipe != NULL)
    rb_isotp_confirm (flight.pipe->engine, flight.ticket, now);
}

/* Input */

static void
set_lost (RbCanIo *self, const char *text)
{
  if (self->lost == NULL)
    self->lost = g_strdup (text);
  (void) epoll_ctl (self->epoll, EPOLL_CTL_DEL, self->backend->fd (self->state), NULL);
  self->holding = FALSE;
  for (guint i = 0; i < self->pipes->len; i++)
    g_cond_broadcast (&((RbCanPipe *) self->pipes->pdata[i])->changed);
}

/* An interface that does not mark the frames it gives back. */
static gboolean
is_in_flight (RbCanIo *self, const RbCanFrame *frame)
{
  for (guint i = 0; i < self->n_flight; i++)
    if (is_flight (flight_at (self, i), frame))
      return TRUE;
  return FALSE;
}

static void
dispatch (RbCanIo *self, const RbCanFrame *frame, gint64 now)
{
  if ((frame->id & RB_CAN_ERROR) != 0) {
    rb_can_health_error (&self->health, frame);
    return;
  }
  rb_can_health_good (&self->health);
  if (self->testers.n > 0 && !is_in_flight (self, frame))
    rb_can_testers_note (&self->testers, frame);
  for (guint i = 0; i < self->pipes->len; i++)
    if (rb_isotp_receive_frame (((RbCanPipe *) self->pipes->pdata[i])->engine, frame, now))
      return;
}

static void
input (RbCanIo *self, gint64 now)
{
  RbCanFrame frame;
  g_autoptr (GError) error = NULL;
  for (guint i = 0; i < INPUT; i++)
    switch (self->backend->receive (self->state, &frame, &error)) {
    case RB_CAN_FRAME: dispatch (self, &frame, now); break;
    case RB_CAN_CONFIRM: confirm (self, &frame, now); break;
    case RB_CAN_EMPTY: return;
    case RB_CAN_GONE:
    default: set_lost (self, error == NULL ? "it closed" : error->message); return;
    }
}

/* Output */

static gboolean
hand_over (RbCanIo *self, const RbCanFrame *frame, const RbCanFlight *flight)
{
  g_autoptr (GError) error = NULL;
  switch (self->backend->send (self->state, frame, &error)) {
  case RB_CAN_DONE: flight_push (self, flight); return TRUE;
  case RB_CAN_AGAIN:
    self->holding = TRUE;
    self->held = *frame;
    self->held_flight = *flight;
    return FALSE;
  case RB_CAN_FAILED:
  default: set_lost (self, error == NULL ? "it takes no more frames" : error->message); return FALSE;
  }
}

static gboolean
output_held (RbCanIo *self)
{
  if (!self->holding)
    return TRUE;
  self->holding = FALSE;
  return self->held_flight.pipe == NULL || hand_over (self, &self->held, &self->held_flight);
}

/* One frame of one pipe; FALSE when there is none or no room. */
static gboolean
output_one (RbCanIo *self, RbCanPipe *pipe, gint64 now)
{
  RbCanFrame frame;
  RbCanFlight flight = { .pipe = pipe };
  if (!has_room (self) || !rb_isotp_next_frame (pipe->engine, now, &frame, &flight.ticket))
    return FALSE;
  flight.id = frame.id;
  flight.length = frame.length;
  memcpy (flight.head, frame.data, sizeof flight.head);
  return hand_over (self, &frame, &flight);
}

/* Each pipe in turn gives a frame, so that a long message delays no other channel. */
static void
output (RbCanIo *self, gint64 now)
{
  if (self->lost != NULL || !output_held (self))
    return;
  for (gboolean some = TRUE; some;) {
    some = FALSE;
    guint n = self->pipes->len;
    self->turn = n == 0 ? 0 : (self->turn + 1) % n;
    for (guint i = 0; i < n && !self->holding && self->lost == NULL; i++)
      some |= output_one (self, self->pipes->pdata[(self->turn + i) % n], now);
    some = some && !self->holding && self->lost == NULL;
  }
}

/* Events */

static void
message_came (RbCanPipe *pipe, GBytes *message)
{
  if (g_queue_get_length (&pipe->messages) == MESSAGES)
    g_bytes_unref (g_queue_pop_head (&pipe->messages));
  g_queue_push_tail (&pipe->messages, message);
  pipe->arriving = FALSE;
  pipe->broken = NULL;
}

static void
take_event (RbCanPipe *pipe, const RbIsotpEvent *event)
{
  switch (event->kind) {
  case RB_ISOTP_FIRST_FRAME:
    pipe->arriving = TRUE;
    pipe->broken = NULL;
    break;
  case RB_ISOTP_MESSAGE: message_came (pipe, event->message); break;
  case RB_ISOTP_RECEIVE_FAILED:
    pipe->arriving = FALSE;
    pipe->broken = event->text;
    pipe->broken_reason = event->reason;
    break;
  case RB_ISOTP_SENT: pipe->sending = RB_CAN_SEND_DONE; break;
  case RB_ISOTP_SEND_FAILED:
    pipe->sending = RB_CAN_SEND_FAILED;
    pipe->send_reason = event->reason;
    pipe->send_text = event->text;
    break;
  case RB_ISOTP_NONE:
  default: break;
  }
}

static void
events (RbCanPipe *pipe)
{
  RbIsotpEvent event = rb_isotp_event (pipe->engine);
  if (event.kind == RB_ISOTP_NONE)
    return;
  for (; event.kind != RB_ISOTP_NONE; event = rb_isotp_event (pipe->engine))
    take_event (pipe, &event);
  g_cond_broadcast (&pipe->changed);
}

/* Health */

static const char *
trouble_of (RbCanIo *self)
{
  RbCanState state = { 0 };
  gboolean known = self->backend->state != NULL && self->backend->state (self->state, &state);
  if (known && state.reason != NULL)
    return state.reason;
  if (known && state.kind != RB_CAN_VIRTUAL)
    rb_can_health_merge (&self->health, &state);
  return rb_can_health_trouble (&self->health);
}

/* Queued frames will not reach the bus; their senders are notified at once. */
static void
fail_sending (RbCanIo *self, const char *trouble)
{
  for (guint i = 0; i < self->pipes->len; i++) {
    RbCanPipe *pipe = self->pipes->pdata[i];
    if (pipe->sending != RB_CAN_SEND_STARTED)
      continue;
    rb_isotp_abort (pipe->engine);
    pipe->sending = RB_CAN_SEND_FAILED;
    pipe->send_reason = rb_can_health_reason (trouble);
    pipe->send_text = rb_can_health_text (trouble);
    g_cond_broadcast (&pipe->changed);
  }
}

static void
recover (RbCanIo *self, const char *trouble, gint64 now)
{
  g_autoptr (GError) error = NULL;
  if (now < self->recover_due || self->backend->recover == NULL)
    return;
  self->recover_due = now + MEND_US;
  self->n_flight = 0;
  self->holding = FALSE;
  if (self->backend->recover (self->state, &error))
    rb_can_health_good (&self->health);
  else
    g_debug ("%s is not restarted: %s", trouble, error == NULL ? "no reason" : error->message);
}

/* A frame that did not reach the wire within N_As has a cause that the bus can name. */
static void
explain_failures (RbCanIo *self, gint64 now)
{
  for (guint i = 0; i < self->pipes->len; i++) {
    RbCanPipe *pipe = self->pipes->pdata[i];
    if (pipe->sending != RB_CAN_SEND_FAILED || pipe->send_reason != RB_REASON_TIMEOUT)
      continue;
    const char *trouble = trouble_of (self);
    if (trouble == NULL)
      continue;
    pipe->send_reason = rb_can_health_reason (trouble);
    pipe->send_text = rb_can_health_text (trouble);
    if (g_str_equal (trouble, "bus-off") || g_str_equal (trouble, "stuck"))
      recover (self, trouble, now);
  }
}

static void
watch_health (RbCanIo *self, gint64 now)
{
  if (self->lost != NULL)
    return;
  if (self->health.kind == RB_CAN_BUS_OFF) {
    fail_sending (self, "bus-off");
    recover (self, "bus-off", now);
  }
  explain_failures (self, now);
}

/* The thread */

static void
arm (RbCanIo *self, gint64 now)
{
  gint64 due = self->holding ? now + RETRY_US : G_MAXINT64;
  if (self->lost == NULL && self->health.kind == RB_CAN_BUS_OFF && self->backend->recover != NULL)
    due = MIN (due, MAX (self->recover_due, now + RETRY_US));
  for (guint i = 0; i < self->pipes->len; i++)
    due = MIN (due, rb_isotp_deadline (((RbCanPipe *) self->pipes->pdata[i])->engine));
  if (due == self->armed || (due > self->armed && self->armed > now))
    return; /* waking up once too early costs less than arming for each frame */
  struct itimerspec when = { 0 };
  if (due != G_MAXINT64) {
    gint64 at = MAX (due, 1);
    when.it_value.tv_sec = at / G_USEC_PER_SEC;
    when.it_value.tv_nsec = at % G_USEC_PER_SEC * 1000;
  }
  (void) timerfd_settime (self->timer, TFD_TIMER_ABSTIME, &when, NULL);
  self->armed = due;
}

static void
set_filter (RbCanIo *self)
{
  self->filter_stale = FALSE;
  if (self->backend->filter == NULL)
    return;
  g_autofree guint32 *ids = g_new0 (guint32, 2 * self->pipes->len + 1);
  guint n = 0;
  /* requests of another client may have any of many ids: all frames are received while they are watched for */
  for (guint i = 0; i < self->pipes->len && self->testers.n == 0; i++) {
    const RbIsotpConfig *config = &((RbCanPipe *) self->pipes->pdata[i])->config;
    ids[n++] = config->tx_id;
    if (!config->functional)
      ids[n++] = config->rx_id;
  }
  self->backend->filter (self->state, ids, n);
}

void
rb_can_thread_work (RbCanIo *self, gboolean readable)
{
  gint64 now = g_get_monotonic_time ();
  if (self->filter_stale && self->lost == NULL)
    set_filter (self);
  if (readable && self->lost == NULL)
    input (self, now);
  for (guint i = 0; i < self->pipes->len; i++)
    rb_isotp_tick (((RbCanPipe *) self->pipes->pdata[i])->engine, now);
  output (self, now);
  for (guint i = 0; i < self->pipes->len; i++)
    events (self->pipes->pdata[i]);
  watch_health (self, now);
  arm (self, now);
}

static void
empty (int fd)
{
  guint64 count = 0;
  if (read (fd, &count, sizeof count) < 0 && errno != EAGAIN)
    g_debug ("read: %s", g_strerror (errno));
}

/* In the middle of a long message the confirmations are taken in batches: waking up for each frame costs more than all
 * else. */
static int
wait_for_work (RbCanIo *self, gboolean deep, struct epoll_event ready[3])
{
  return deep ? epoll_wait (self->quiet, ready, 3, BATCH_MS) : epoll_wait (self->epoll, ready, 3, -1);
}

gpointer
rb_can_thread_run (gpointer data)
{
  RbCanIo *self = data;
  struct epoll_event ready[3];
  (void) prctl (PR_SET_TIMERSLACK, 1, 0, 0, 0); /* STmin has steps of 100 us */
  for (gboolean deep = FALSE;;) {
    gboolean readable = deep;
    int n = wait_for_work (self, deep, ready);
    g_mutex_lock (&self->lock);
    for (int i = 0; i < n; i++) {
      if (ready[i].data.fd == self->wake || ready[i].data.fd == self->timer)
        empty (ready[i].data.fd);
      else
        readable = TRUE;
      if (ready[i].data.fd == self->timer)
        self->armed = G_MAXINT64;
    }
    gboolean stop = self->stop;
    if (!stop)
      rb_can_thread_work (self, readable);
    deep = self->n_flight >= DEEP && self->lost == NULL;
    g_mutex_unlock (&self->lock);
    if (stop)
      return NULL;
  }
}
