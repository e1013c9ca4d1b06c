/* SPDX-License-Identifier: Apache-2.0 */
#include "can/can-io.h"

#include "can/can-thread.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* Frames in flight */

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
  self->thread = g_thread_new ("can-io", rb_can_thread_run, self);
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
  for (guint i = 0; i < RB_CAN_FLIGHT; i++)
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
  return rb_reason_deny (error, RB_LINK_ERROR, RB_REASON_LINK_LOST, "the CAN interface is gone: %s", pipe->io->lost);
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
  pipe->sending = RB_CAN_SEND_STARTED;
  return TRUE;
}

static gboolean
end_sending (RbCanPipe *pipe, GCancellable *cancellable, GError **error)
{
  RbCanSending state = pipe->sending;
  pipe->sending = RB_CAN_SEND_IDLE;
  if (state == RB_CAN_SEND_DONE)
    return TRUE;
  rb_isotp_abort (pipe->engine);
  if (state == RB_CAN_SEND_FAILED)
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
    rb_can_thread_work (self, FALSE); /* the first frame goes out from here: no other thread has to wake up for it */
    while (pipe->sending == RB_CAN_SEND_STARTED && self->lost == NULL && !g_cancellable_is_cancelled (cancellable))
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
