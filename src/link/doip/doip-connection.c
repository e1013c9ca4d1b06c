/* SPDX-License-Identifier: Apache-2.0 */
#include "doip/doip-connection.h"

#include "core/bytes.h"

#define CLIENT_ADDRESS 0x0e80 /* unless the caller knows the vehicle's */
#define IDLE_MS 20 /* no call waited for so long: the thread reads */
/* bytes of responses that were not received yet; an honest ECU sends one at a time */
#define MAX_UNREAD (8 * 1024 * 1024)

RbDoipTold
rb_doip_connection_told (RbDoipConnection *self)
{
  g_mutex_lock (&self->lock);
  RbDoipTold copy = self->told;
  g_mutex_unlock (&self->lock);
  return copy;
}

/* With the lock held. */
static void
wake_waiters (RbDoipConnection *self)
{
  if (self->asleep > 0)
    g_cond_broadcast (&self->changed);
}

/* A partial write cannot be taken back: the DoIP stream is desynchronised. */
static void
mark_desynchronised (RbDoipConnection *self)
{
  g_mutex_lock (&self->lock);
  if (self->lost == NULL)
    self->lost = g_strdup ("a message could not be sent to its end");
  wake_waiters (self);
  g_mutex_unlock (&self->lock);
}

static gboolean
write_parts (RbDoipConnection *self, GByteArray *head, GBytes *rest, gsize *done, GCancellable *cancellable,
             GError **error)
{
  gsize length = 0;
  gconstpointer data = rest == NULL ? NULL : g_bytes_get_data (rest, &length);
  if (self->plain != NULL) {
    struct iovec parts[] = { { head->data, head->len }, { (void *) data, length } };
    return rb_doip_stream_write (self->plain, parts, G_N_ELEMENTS (parts), done, cancellable, error);
  }
  if (data != NULL)
    g_byte_array_append (head, data, (guint) length);
  return g_output_stream_write_all (g_io_stream_get_output_stream (self->stream), head->data, head->len, done,
                                    cancellable, error);
}

gboolean
rb_doip_connection_write (RbDoipConnection *self, GByteArray *head, GBytes *rest, GCancellable *cancellable,
                          GError **error)
{
  gsize done = 0;
  rb_doip_set_version (head, self->version);
  g_mutex_lock (&self->write_lock);
  gboolean written = write_parts (self, head, rest, &done, cancellable, error);
  g_mutex_unlock (&self->write_lock);
  if (!written && done > 0)
    mark_desynchronised (self);
  if (!written && error != NULL && !g_error_matches (*error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
    g_autofree char *text = g_strdup ((*error)->message);
    g_clear_error (error);
    g_set_error (error, RB_LINK_ERROR, RB_REASON_LINK_LOST,
                 "the connection to the vehicle is rb_doip_connection_gone: %s", text);
  }
  return written;
}

RbDoipChannel *
rb_doip_connection_channel_of (RbDoipConnection *self, guint16 target)
{
  for (guint i = 0; i < self->channels->len; i++)
    if (((RbDoipChannel *) self->channels->pdata[i])->target == target)
      return self->channels->pdata[i];
  return NULL;
}

static void
receive_diagnostic (RbDoipConnection *self, const guint8 *payload, gsize length)
{
  guint16 source, target;
  if (!rb_doip_addresses_parse (payload, length, &source, &target) || target != self->client)
    return;
  RbDoipChannel *channel = rb_doip_connection_channel_of (self, source);
  if (channel == NULL)
    return;
  RbReader reader = rb_reader_new (payload, length);
  (void) rb_reader_take (&reader, 4);
  channel->ack = RB_DOIP_ACK_GOOD;
  channel->unread += rb_reader_left (&reader) + RB_DOIP_ANSWER_COST;
  if (channel->unread > MAX_UNREAD) {
    if (self->lost == NULL)
      self->lost = g_strdup ("the vehicle sends more than it was asked for");
  } else
    g_queue_push_tail (&channel->responses, rb_reader_take_bytes (&reader, rb_reader_left (&reader)));
}

static void
receive_acknowledge (RbDoipConnection *self, RbDoipAck ack, const guint8 *payload, gsize length)
{
  RbReader reader = rb_reader_new (payload, length);
  guint16 source = rb_reader_u16be (&reader);
  (void) rb_reader_u16be (&reader);
  guint8 code = rb_reader_u8 (&reader);
  RbDoipChannel *channel = rb_reader_ok (&reader) ? rb_doip_connection_channel_of (self, source) : NULL;
  if (channel == NULL)
    return;
  channel->ack = ack;
  channel->nack = code;
}

/* An entity handles messages in order: a header NACK belongs to the oldest that waits. */
static void
receive_header_nack (RbDoipConnection *self, guint8 code)
{
  RbDoipChannel *oldest = NULL;
  for (guint i = 0; i < self->channels->len; i++) {
    RbDoipChannel *channel = self->channels->pdata[i];
    if (channel->sent > 0 && channel->ack == RB_DOIP_ACK_NONE && (oldest == NULL || channel->sent < oldest->sent))
      oldest = channel;
  }
  if (oldest != NULL) {
    oldest->ack = RB_DOIP_ACK_HEADER_BAD;
    oldest->nack = code;
  } else {
    self->told.refused = TRUE;
    self->told.refusal = code;
  }
}

static void
receive_control (RbDoipConnection *self, guint16 type, const guint8 *payload, gsize length)
{
  guint16 tester, entity;
  guint8 code;
  RbDoipStatusInfo status;
  if (type == RB_DOIP_ROUTING_ACTIVATION_RESPONSE
      && rb_doip_activation_response_parse (payload, length, &tester, &entity, &code)) {
    self->told.entity = entity;
    self->told.activation_code = code;
    self->told.activated = TRUE;
  }
  if (type == RB_DOIP_ENTITY_STATUS_RESPONSE && rb_doip_status_parse (payload, length, &status)) {
    self->told.max_data = status.max_data;
    self->told.status_known = TRUE;
  }
  if (type == RB_DOIP_HEADER_NACK && length == 1)
    receive_header_nack (self, payload[0]);
}

static void
answer_alive_check (RbDoipConnection *self)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  const guint8 source[] = { self->client >> 8, self->client & 0xff };
  rb_doip_write (out, RB_DOIP_ALIVE_CHECK_RESPONSE, source, sizeof source);
  g_autoptr (GError) error = NULL;
  if (!rb_doip_connection_write (self, out, NULL, self->stop, &error))
    g_debug ("alive check: %s", error->message);
}

static void
receive_message (gpointer data, const RbDoipHeader *header, const guint8 *payload)
{
  RbDoipConnection *self = data;
  const guint16 type = header->type;
  const gsize length = header->length;
  if (type == RB_DOIP_ALIVE_CHECK_REQUEST) {
    answer_alive_check (self);
    return;
  }
  g_mutex_lock (&self->lock);
  self->told.version = header->version;
  if (type == RB_DOIP_DIAGNOSTIC)
    receive_diagnostic (self, payload, length);
  else if (type == RB_DOIP_DIAGNOSTIC_ACK)
    receive_acknowledge (self, RB_DOIP_ACK_GOOD, payload, length);
  else if (type == RB_DOIP_DIAGNOSTIC_NACK)
    receive_acknowledge (self, RB_DOIP_ACK_BAD, payload, length);
  else
    receive_control (self, type, payload, length);
  wake_waiters (self);
  g_mutex_unlock (&self->lock);
}

static gboolean
read_exactly (RbDoipConnection *self, guint8 *buffer, gsize length, GError **error)
{
  gsize got = 0;
  GInputStream *in = g_io_stream_get_input_stream (self->stream);
  if (!g_input_stream_read_all (in, buffer, length, &got, self->stop, error))
    return FALSE;
  if (got == length)
    return TRUE;
  g_set_error_literal (error, RB_LINK_ERROR, RB_REASON_LINK_LOST, "the vehicle closed the connection");
  return FALSE;
}

static gboolean
read_message (RbDoipConnection *self, GError **error)
{
  guint8 head[RB_DOIP_HEADER];
  RbDoipHeader header;
  if (!read_exactly (self, head, sizeof head, error))
    return FALSE;
  if (rb_doip_header_parse (head, sizeof head, &header) != RB_DOIP_HEADER_GOOD || header.length > RB_DOIP_MAX_PAYLOAD) {
    g_set_error_literal (error, RB_LINK_ERROR, RB_REASON_LINK_PROTOCOL, "the vehicle sent something that is not DoIP");
    return FALSE;
  }
  g_autofree guint8 *payload = g_malloc (header.length + 1);
  if (!read_exactly (self, payload, header.length, error))
    return FALSE;
  receive_message (self, &header, payload);
  return TRUE;
}

/* With the lock held. */
static void
set_lost (RbDoipConnection *self, const GError *error)
{
  if (self->lost == NULL)
    self->lost = g_strdup (error->message);
  wake_waiters (self);
}

static gpointer
secured_reader (gpointer data)
{
  RbDoipConnection *self = data;
  g_autoptr (GError) error = NULL;
  gboolean good = TRUE;
  while (good) {
    gboolean read = read_message (self, &error);
    g_mutex_lock (&self->lock);
    if (!read)
      set_lost (self, error);
    good = self->lost == NULL;
    g_mutex_unlock (&self->lock);
  }
  return NULL;
}

/* With the lock held and no thread reading. */
static void
read_until (RbDoipConnection *self, gint64 end)
{
  g_autoptr (GError) error = NULL;
  self->reading = TRUE;
  g_mutex_unlock (&self->lock);
  gboolean good = rb_doip_stream_read (self->plain, end, receive_message, self, &error);
  g_mutex_lock (&self->lock);
  self->reading = FALSE;
  if (!good)
    set_lost (self, error);
  wake_waiters (self);
}

static gpointer
idle_reader (gpointer data)
{
  RbDoipConnection *self = data;
  g_mutex_lock (&self->lock);
  while (self->lost == NULL && !self->stopping) {
    gint64 now = g_get_monotonic_time ();
    if (!self->reading && self->waiting == 0 && now - self->left_at >= IDLE_MS * 1000)
      read_until (self, 0);
    else
      (void) g_cond_wait_until (&self->idle, &self->lock, now + IDLE_MS * 1000);
  }
  g_mutex_unlock (&self->lock);
  return NULL;
}

static void
on_cancelled (GCancellable *cancellable, gpointer data)
{
  RbDoipConnection *self = data;
  g_mutex_lock (&self->lock);
  wake_waiters (self);
  g_mutex_unlock (&self->lock);
  if (self->plain != NULL)
    rb_doip_stream_interrupt (self->plain);
}

/* With the lock held. */
static void
sleep_until (RbDoipConnection *self, gint64 end)
{
  self->asleep++;
  (void) g_cond_wait_until (&self->changed, &self->lock, end);
  self->asleep--;
}

gboolean
rb_doip_connection_wait_for (RbDoipConnection *self, RbDoipChannel *channel, RbDoipCondition condition,
                             gint64 timeout_ms, GCancellable *cancellable)
{
  gint64 end = g_get_monotonic_time () + timeout_ms * 1000;
  gulong handler = cancellable == NULL ? 0 : g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), self, NULL);
  g_mutex_lock (&self->lock);
  self->waiting++;
  gboolean in_time = TRUE;
  while (!condition (self, channel) && self->lost == NULL && !g_cancellable_is_cancelled (cancellable) && in_time) {
    if (self->plain != NULL && !self->reading)
      read_until (self, end);
    else
      sleep_until (self, end);
    in_time = g_get_monotonic_time () < end;
  }
  gboolean holds = condition (self, channel);
  self->waiting--;
  self->left_at = g_get_monotonic_time ();
  g_mutex_unlock (&self->lock);
  g_cancellable_disconnect (cancellable, handler);
  return holds;
}
gboolean
rb_doip_connection_gone (RbDoipConnection *self, GCancellable *cancellable, GError **error)
{
  g_mutex_lock (&self->lock);
  g_autofree char *lost = g_strdup (self->lost);
  g_mutex_unlock (&self->lock);
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return TRUE;
  if (lost == NULL)
    return FALSE;
  g_set_error (error, RB_LINK_ERROR, RB_REASON_LINK_LOST,
               "the connection to the vehicle is rb_doip_connection_gone: %s", lost);
  return TRUE;
}
/* Skips close_notify when the send buffer is full: a peer must not delay the close. */
static void
send_close_notify (RbDoipConnection *self)
{
  GSocket *socket = g_socket_connection_get_socket (self->connection);
  if (self->stream != G_IO_STREAM (self->connection)
      && (g_socket_condition_check (socket, G_IO_OUT | G_IO_ERR | G_IO_HUP) == G_IO_OUT))
    g_io_stream_close (self->stream, NULL, NULL);
}
void
rb_doip_connection_close (gpointer state)
{
  RbDoipConnection *self = state;
  g_cancellable_cancel (self->stop);
  g_mutex_lock (&self->lock);
  self->stopping = TRUE;
  g_cond_signal (&self->idle);
  g_mutex_unlock (&self->lock);
  if (self->plain != NULL)
    rb_doip_stream_interrupt (self->plain);
  g_thread_join (self->reader);
  g_clear_pointer (&self->plain, rb_doip_stream_free);
  send_close_notify (self);
  g_io_stream_close (G_IO_STREAM (self->connection), NULL, NULL);
  g_object_unref (self->stream);
  g_object_unref (self->connection);
  g_object_unref (self->stop);
  g_ptr_array_unref (self->channels);
  g_mutex_clear (&self->lock);
  g_mutex_clear (&self->write_lock);
  g_cond_clear (&self->changed);
  g_cond_clear (&self->idle);
  g_free (self->lost);
  g_free (self);
}
RbDoipConnection *
rb_doip_connection_new (GSocketConnection *connection, GIOStream *stream, const RbLinkOptions *options, guint8 version)
{
  RbDoipConnection *self = g_new0 (RbDoipConnection, 1);
  self->version = version;
  self->client = options == NULL || options->tester == 0 ? CLIENT_ADDRESS : options->tester;
  self->connection = connection;
  self->stream = stream;
  self->secured = stream != G_IO_STREAM (connection);
  self->stop = g_cancellable_new ();
  self->channels = g_ptr_array_new ();
  g_mutex_init (&self->lock);
  g_mutex_init (&self->write_lock);
  g_cond_init (&self->changed);
  g_cond_init (&self->idle);
  if (!self->secured)
    self->plain = rb_doip_stream_new (g_socket_connection_get_socket (connection));
  self->reader = g_thread_new ("doip-reader", self->secured ? secured_reader : idle_reader, self);
  return self;
}
