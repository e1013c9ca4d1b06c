/* SPDX-License-Identifier: Apache-2.0 */
#include "can/can-io.h"

#include "can/can-health.h"
#include "can/can-testers.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum {
  FLIGHT = 128, /* frames given to the backend and not yet confirmed */
  INPUT = 256, /* received at a time, so that a flood does not prevent sending */
  MESSAGES = 32, /* complete ones that were not received yet; more are the vehicle's fault */
  SHARED = 16, /* in flight at most, while several pipes send */
  DEEP = 16, /* this number in flight keeps the bus busy for longer than BATCH_MS */
  BATCH_MS = 1,
  RETRY_US = 1000, /* after AGAIN */
  MEND_US = 500 * 1000, /* between two attempts to recover */
};

typedef enum { SEND_IDLE, SEND_STARTED, SEND_DONE, SEND_FAILED } SendState;

struct _RbCanPipe {
  RbCanIo *io;
  RbIsotpConfig config;
  RbIsotp *engine;
  GCond changed;
  SendState sending;
  RbReason send_reason;
  const char *send_text;
  GQueue messages; /* of GBytes */
  gboolean arriving;
  const char *broken; /* error of the message whose reception began */
  RbReason broken_reason;
};

typedef struct {
  RbCanPipe *pipe; /* NULL: closed meanwhile */
  guint32 ticket;
  guint32 id;
  guint8 length;
  guint8 head[8];
} Flight;

struct _RbCanIo {
  const RbCanBackend *backend;
  gpointer state;
  gboolean has_fd;
  GThread *thread;
  int epoll, quiet, wake, timer; /* quiet: all but the interface */
  GMutex lock; /* everything below, and all calls of engines */
  gboolean stop, filter_stale;
  GPtrArray *pipes; /* of RbCanPipe, borrowed */
  guint turn; /* the pipe that gives the next frame */
  Flight flight[FLIGHT];
  guint first_flight, n_flight;
  gboolean holding; /* the backend had no room for this frame */
  RbCanFrame held;
  Flight held_flight;
  RbCanHealth health;
  RbCanTesters testers;
  gint64 mend_due;
  gint64 armed;
  char *lost;
};

/* Frames in flight */

static void
flight_push (RbCanIo *self, const Flight *flight)
{
  self->flight[(self->first_flight + self->n_flight++) % FLIGHT] = *flight;
}

static gboolean
is_flight (const Flight *flight, const RbCanFrame *frame)
{
  return flight->id == frame->id && flight->length == frame->length
         && memcmp (flight->head, frame->data, MIN (frame->length, sizeof flight->head)) == 0;
}

static Flight *
flight_at (RbCanIo *self, guint i)
{
  return &self->flight[(self->first_flight + i) % FLIGHT];
}

static void
flight_pop (RbCanIo *self, guint n)
{
  self->first_flight = (self->first_flight + n) % FLIGHT;
  self->n_flight -= n;
}

static gboolean
is_awaited (const Flight *flight)
{
  return flight->pipe != NULL && rb_isotp_awaits (flight->pipe->engine, flight->ticket);
}

static guint
room (RbCanIo *self)
{
  guint sending = 0;
  for (guint i = 0; i < self->pipes->len; i++)
    sending += ((RbCanPipe *) self->pipes->pdata[i])->sending == SEND_STARTED;
  return sending > 1 ? SHARED : FLIGHT;
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
    Flight *flight = flight_at (self, i);
    if (is_flight (flight, frame) && (found == self->n_flight || is_awaited (flight)))
      found = i;
  }
  rb_can_health_good (&self->health);
  if (found == self->n_flight)
    return;
  Flight flight = *flight_at (self, found);
  flight_pop (self, found + 1);
  if (flight.pipe != NULL)
    rb_isotp_sent (flight.pipe->engine, flight.ticket, now);
}

/* Input */

static void
lose (RbCanIo *self, const char *text)
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
    if (rb_isotp_take (((RbCanPipe *) self->pipes->pdata[i])->engine, frame, now))
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
    default: lose (self, error == NULL ? "it closed" : error->message); return;
    }
}

/* Output */

static gboolean
hand_over (RbCanIo *self, const RbCanFrame *frame, const Flight *flight)
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
  default: lose (self, error == NULL ? "it takes no more frames" : error->message); return FALSE;
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
  Flight flight = { .pipe = pipe };
  if (!has_room (self) || !rb_isotp_next (pipe->engine, now, &frame, &flight.ticket))
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
  case RB_ISOTP_FIRST:
    pipe->arriving = TRUE;
    pipe->broken = NULL;
    break;
  case RB_ISOTP_MESSAGE: message_came (pipe, event->message); break;
  case RB_ISOTP_BROKEN:
    pipe->arriving = FALSE;
    pipe->broken = event->text;
    pipe->broken_reason = event->reason;
    break;
  case RB_ISOTP_SENT: pipe->sending = SEND_DONE; break;
  case RB_ISOTP_FAILED:
    pipe->sending = SEND_FAILED;
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
    if (pipe->sending != SEND_STARTED)
      continue;
    rb_isotp_abort (pipe->engine);
    pipe->sending = SEND_FAILED;
    pipe->send_reason = rb_can_health_reason (trouble);
    pipe->send_text = rb_can_health_text (trouble);
    g_cond_broadcast (&pipe->changed);
  }
}

static void
mend (RbCanIo *self, const char *trouble, gint64 now)
{
  g_autoptr (GError) error = NULL;
  if (now < self->mend_due || self->backend->mend == NULL)
    return;
  self->mend_due = now + MEND_US;
  self->n_flight = 0;
  self->holding = FALSE;
  if (self->backend->mend (self->state, &error))
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
    if (pipe->sending != SEND_FAILED || pipe->send_reason != RB_REASON_TIMEOUT)
      continue;
    const char *trouble = trouble_of (self);
    if (trouble == NULL)
      continue;
    pipe->send_reason = rb_can_health_reason (trouble);
    pipe->send_text = rb_can_health_text (trouble);
    if (g_str_equal (trouble, "bus-off") || g_str_equal (trouble, "stuck"))
      mend (self, trouble, now);
  }
}

static void
watch_health (RbCanIo *self, gint64 now)
{
  if (self->lost != NULL)
    return;
  if (self->health.kind == RB_CAN_BUS_OFF) {
    fail_sending (self, "bus-off");
    mend (self, "bus-off", now);
  }
  explain_failures (self, now);
}

/* The thread */

static void
arm (RbCanIo *self, gint64 now)
{
  gint64 due = self->holding ? now + RETRY_US : G_MAXINT64;
  if (self->lost == NULL && self->health.kind == RB_CAN_BUS_OFF && self->backend->mend != NULL)
    due = MIN (due, MAX (self->mend_due, now + RETRY_US));
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

static void
work (RbCanIo *self, gboolean readable)
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

static gpointer
io_thread (gpointer data)
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
      work (self, readable);
    deep = self->n_flight >= DEEP && self->lost == NULL;
    g_mutex_unlock (&self->lock);
    if (stop)
      return NULL;
  }
}

static void
wake (RbCanIo *self)
{
  guint64 one = 1;
  if (write (self->wake, &one, sizeof one) < 0 && errno != EAGAIN)
    g_debug ("write: %s", g_strerror (errno));
}

static gboolean
watch (int epoll, int fd)
{
  struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
  return epoll >= 0 && fd >= 0 && epoll_ctl (epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static gboolean
watch_all (RbCanIo *self)
{
  return watch (self->epoll, self->wake) && watch (self->epoll, self->timer) && watch (self->quiet, self->wake)
         && watch (self->quiet, self->timer) && watch (self->epoll, self->backend->fd (self->state));
}

static void
shut (int fd)
{
  if (fd >= 0)
    close (fd);
}

RbCanIo *
rb_can_io_new (const RbCanBackend *backend, gpointer state, GError **error)
{
  RbCanIo *self = g_new0 (RbCanIo, 1);
  self->backend = backend;
  self->state = state;
  self->has_fd = backend->has_fd != NULL && backend->has_fd (state);
  self->pipes = g_ptr_array_new ();
  self->armed = G_MAXINT64;
  g_mutex_init (&self->lock);
  self->epoll = epoll_create1 (EPOLL_CLOEXEC);
  self->wake = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  self->timer = timerfd_create (CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  self->quiet = epoll_create1 (EPOLL_CLOEXEC);
  if (!watch_all (self)) {
    g_set_error (error, RB_LINK_ERROR, RB_REASON_IO, "no descriptors for the interface: %s", g_strerror (errno));
    rb_can_io_free (self);
    return NULL;
  }
  self->thread = g_thread_new ("can-io", io_thread, self);
  return self;
}

void
rb_can_io_free (RbCanIo *self)
{
  g_mutex_lock (&self->lock);
  self->stop = TRUE;
  g_mutex_unlock (&self->lock);
  if (self->thread != NULL) {
    wake (self);
    g_thread_join (self->thread);
  }
  self->backend->close (self->state);
  shut (self->epoll);
  shut (self->quiet);
  shut (self->wake);
  shut (self->timer);
  g_ptr_array_unref (self->pipes);
  rb_can_testers_clear (&self->testers);
  g_mutex_clear (&self->lock);
  g_free (self->lost);
  g_free (self);
}

gboolean
rb_can_io_is_alive (RbCanIo *self)
{
  g_mutex_lock (&self->lock);
  gboolean alive = self->lost == NULL;
  g_mutex_unlock (&self->lock);
  return alive;
}

gboolean
rb_can_io_has_fd (RbCanIo *self)
{
  return self->has_fd;
}

void
rb_can_io_watch_testers (RbCanIo *self, const guint32 *ids, guint n)
{
  g_mutex_lock (&self->lock);
  rb_can_testers_watch (&self->testers, ids, n);
  self->filter_stale = TRUE;
  g_mutex_unlock (&self->lock);
  wake (self);
}

guint32
rb_can_io_heard_tester (RbCanIo *self)
{
  g_mutex_lock (&self->lock);
  guint32 heard = self->testers.heard;
  g_mutex_unlock (&self->lock);
  return heard;
}

/* Pipes, from any thread */

static gboolean
is_taken (RbCanIo *self, const RbIsotpConfig *config)
{
  for (guint i = 0; i < self->pipes->len; i++) {
    const RbIsotpConfig *other = &((RbCanPipe *) self->pipes->pdata[i])->config;
    gboolean same
      = config->functional
          ? other->functional && other->tx_id == config->tx_id && other->tx_extension == config->tx_extension
          : !other->functional && other->rx_id == config->rx_id && other->rx_extension == config->rx_extension;
    if (same)
      return TRUE;
  }
  return FALSE;
}

RbCanPipe *
rb_can_io_open (RbCanIo *self, const RbIsotpConfig *config, GError **error)
{
  RbCanPipe *pipe = g_new0 (RbCanPipe, 1);
  pipe->io = self;
  pipe->config = *config;
  pipe->engine = rb_isotp_new (config);
  g_cond_init (&pipe->changed);
  g_queue_init (&pipe->messages);
  g_mutex_lock (&self->lock);
  gboolean taken = is_taken (self, config);
  g_ptr_array_add (self->pipes, pipe);
  self->filter_stale = TRUE;
  g_mutex_unlock (&self->lock);
  if (!taken) {
    wake (self);
    return pipe;
  }
  rb_can_io_close (pipe);
  g_set_error (error, RB_LINK_ERROR, RB_REASON_IN_USE, "the address %x is in use on this link",
               config->tx_id & RB_CAN_ID);
  return NULL;
}

void
rb_can_io_close (RbCanPipe *pipe)
{
  RbCanIo *self = pipe->io;
  g_mutex_lock (&self->lock);
  g_ptr_array_remove (self->pipes, pipe);
  self->filter_stale = TRUE;
  for (guint i = 0; i < FLIGHT; i++)
    if (self->flight[i].pipe == pipe)
      self->flight[i].pipe = NULL;
  if (self->held_flight.pipe == pipe)
    self->held_flight.pipe = NULL;
  g_mutex_unlock (&self->lock);
  wake (self);
  rb_isotp_free (pipe->engine);
  g_queue_clear_full (&pipe->messages, (GDestroyNotify) g_bytes_unref);
  g_cond_clear (&pipe->changed);
  g_free (pipe);
}

static void
on_cancelled (GCancellable *cancellable, gpointer data)
{
  RbCanPipe *pipe = data;
  (void) cancellable;
  g_mutex_lock (&pipe->io->lock);
  g_cond_broadcast (&pipe->changed);
  g_mutex_unlock (&pipe->io->lock);
}

static gulong
listen_for_cancel (RbCanPipe *pipe, GCancellable *cancellable)
{
  return cancellable == NULL ? 0 : g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), pipe, NULL);
}

static gboolean
fail_lost (RbCanPipe *pipe, GError **error)
{
  g_set_error (error, RB_LINK_ERROR, RB_REASON_LINK_LOST, "the CAN interface is gone: %s", pipe->io->lost);
  return FALSE;
}

/* With the lock held. */
static gboolean
start_sending (RbCanPipe *pipe, GBytes *message, GError **error)
{
  g_autoptr (GError) failure = NULL;
  if (pipe->io->lost != NULL)
    return fail_lost (pipe, error);
  if (!rb_isotp_send (pipe->engine, message, g_get_monotonic_time (), &failure)) {
    g_set_error (error, RB_LINK_ERROR, failure->code, "%x: %s", pipe->config.tx_id & RB_CAN_ID, failure->message);
    return FALSE;
  }
  pipe->sending = SEND_STARTED;
  return TRUE;
}

static gboolean
end_sending (RbCanPipe *pipe, GCancellable *cancellable, GError **error)
{
  SendState state = pipe->sending;
  pipe->sending = SEND_IDLE;
  if (state == SEND_DONE)
    return TRUE;
  rb_isotp_abort (pipe->engine);
  if (state == SEND_FAILED)
    g_set_error (error, RB_LINK_ERROR, (int) pipe->send_reason, "%x: %s", pipe->config.tx_id & RB_CAN_ID,
                 pipe->send_text);
  else if (pipe->io->lost != NULL)
    fail_lost (pipe, error);
  else
    (void) g_cancellable_set_error_if_cancelled (cancellable, error);
  return FALSE;
}

gboolean
rb_can_io_send (RbCanPipe *pipe, GBytes *message, GCancellable *cancellable, GError **error)
{
  RbCanIo *self = pipe->io;
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;
  gulong handler = listen_for_cancel (pipe, cancellable);
  g_mutex_lock (&self->lock);
  gboolean done = start_sending (pipe, message, error);
  if (done) {
    work (self, FALSE); /* the first frame goes out from here: no other thread has to wake up for it */
    while (pipe->sending == SEND_STARTED && self->lost == NULL && !g_cancellable_is_cancelled (cancellable))
      g_cond_wait (&pipe->changed, &self->lock);
    done = end_sending (pipe, cancellable, error);
  }
  g_mutex_unlock (&self->lock);
  g_cancellable_disconnect (cancellable, handler);
  return done;
}

static gboolean
has_news (RbCanPipe *pipe, GCancellable *cancellable)
{
  return !g_queue_is_empty (&pipe->messages) || pipe->broken != NULL || pipe->io->lost != NULL
         || g_cancellable_is_cancelled (cancellable);
}

/* first_ms counts up to the first frame; from there on N_Cr does. */
static void
wait_for_message (RbCanPipe *pipe, gint64 end, GCancellable *cancellable)
{
  while (!has_news (pipe, cancellable)) {
    if (pipe->arriving)
      g_cond_wait (&pipe->changed, &pipe->io->lock);
    else if (!g_cond_wait_until (&pipe->changed, &pipe->io->lock, end) && !pipe->arriving)
      return;
  }
}

/* A missing frame counts as a missing response: the request is repeated, not the frame. */
static void
fail_receive (RbCanPipe *pipe, gint64 first_ms, GCancellable *cancellable, GError **error)
{
  guint32 id = pipe->config.rx_id & RB_CAN_ID;
  RbReason reason = pipe->broken_reason == RB_REASON_BLOCK_TOO_LONG ? RB_REASON_BLOCK_TOO_LONG : RB_REASON_TIMEOUT;
  const char *trouble = pipe->io->lost == NULL ? rb_can_health_trouble (&pipe->io->health) : NULL;
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return;
  if (pipe->io->lost != NULL)
    fail_lost (pipe, error);
  else if (pipe->broken != NULL)
    g_set_error (error, RB_LINK_ERROR, (int) reason, "%x: %s", id, pipe->broken);
  else if (trouble != NULL)
    g_set_error (error, RB_LINK_ERROR, (int) rb_can_health_reason (trouble), "%x: %s", id,
                 rb_can_health_text (trouble));
  else
    g_set_error (error, RB_LINK_ERROR, RB_REASON_TIMEOUT, "no answer from %x within %" G_GINT64_FORMAT " ms", id,
                 first_ms);
  pipe->broken = NULL;
}

GBytes *
rb_can_io_receive (RbCanPipe *pipe, gint64 first_ms, GCancellable *cancellable, GError **error)
{
  gint64 end = g_get_monotonic_time () + first_ms * 1000;
  gulong handler = listen_for_cancel (pipe, cancellable);
  g_mutex_lock (&pipe->io->lock);
  wait_for_message (pipe, end, cancellable);
  GBytes *message = g_queue_pop_head (&pipe->messages);
  if (message == NULL)
    fail_receive (pipe, first_ms, cancellable, error);
  g_mutex_unlock (&pipe->io->lock);
  g_cancellable_disconnect (cancellable, handler);
  return message;
}

void
rb_can_io_drain (RbCanPipe *pipe)
{
  g_mutex_lock (&pipe->io->lock);
  g_queue_clear_full (&pipe->messages, (GDestroyNotify) g_bytes_unref);
  pipe->broken = NULL;
  g_mutex_unlock (&pipe->io->lock);
}
