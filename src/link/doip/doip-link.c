/* SPDX-License-Identifier: Apache-2.0 */
#include "doip/doip-link.h"

#include "core/bytes.h"
#include "core/moment.h"
#include "doip/doip-search.h"
#include "doip/doip-stream.h"
#include "doip/doip-tls.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

/*
 * One TCP connection, one routing activation, many target addresses. A thread that waits for something reads the stream
 * apart, one at a time, and puts each answer in the queue of the channel with its source address; a thread does it
 * while no thread waits, and always where there is TLS. Everything below is guarded by `lock` and announced by
 * `changed`.
 *
 * A gateway acknowledges (8002) when it has accepted a message for routing. Some acknowledge after the
 * answer, some never: an answer counts as acknowledgement too, and a missing acknowledgement is no error.
 */
#define CLIENT_ADDRESS 0x0e80 /* unless the caller knows the vehicle's */
#define CONFIRM_MS 30000 /* time in which a person has to confirm the connection at the vehicle */
#define CONTROL_MS 2000 /* A_DoIP_Ctrl */
#define ACK_MS 2000 /* A_DoIP_Diagnostic_Message */
#define STATUS_MS 200
#define NACK_NO_ROOM 0x05 /* of a diagnostic message */
#define ROOM_ATTEMPTS 5
#define ROOM_MS 100
#define DEFAULT_MAX_MESSAGE 65535
#define IDLE_MS 20 /* no call waited for so long: the thread reads */
/* bytes of responses that were not received yet; an honest ECU sends one at a time */
#define MAX_UNREAD (8 * 1024 * 1024)
#define ANSWER_COST 128 /* of an answer beside its bytes */
/* A pulled cable is silent: after this time without an acknowledgement by the peer's TCP the connection is closed. */
#define SILENCE_MS 8000

typedef enum { ACK_NONE, ACK_GOOD, ACK_BAD, ACK_HEADER_BAD } Ack;

typedef struct {
  guint16 target;
  GQueue answers; /* of GBytes */
  gsize unread;
  Ack ack;
  guint8 nack;
  guint64 sent; /* number of the message that waits for its acknowledgement, 0 none does */
} Channel;

/* State that the entity reports, outside any channel. It may report again at any time. */
typedef struct {
  gboolean activated;
  guint8 activation_code;
  gboolean refused; /* by its header: a message outside any channel was not understood */
  guint8 refusal;
  guint8 version; /* that it speaks */
  guint16 entity;
  gboolean status_known;
  guint32 max_data; /* 0: not reported */
} Told;

typedef struct {
  GSocketConnection *connection;
  GIOStream *stream; /* the connection, or TLS over it */
  RbDoipStream *plain; /* NULL with TLS */
  gboolean secured;
  GThread *reader;
  GCancellable *stop;
  GMutex lock;
  GCond changed;
  GCond idle; /* for the thread alone */
  gboolean reading, stopping;
  guint waiting; /* for something to be read */
  guint asleep; /* of them, until another thread has read: a broadcast costs a system call */
  gint64 left_at; /* when the last of them was done */
  GMutex write_lock;
  GPtrArray *channels; /* of Channel, borrowed */
  guint8 version; /* that is spoken here; never changes */
  guint16 client; /* logical address; never changes */
  Told told;
  guint64 sent;
  char *lost; /* why the connection is lost */
} DoipLink;

static Told
told (DoipLink *self)
{
  g_mutex_lock (&self->lock);
  Told copy = self->told;
  g_mutex_unlock (&self->lock);
  return copy;
}

/* With the lock held. */
static void
announce (DoipLink *self)
{
  if (self->asleep > 0)
    g_cond_broadcast (&self->changed);
}

/* A partial write cannot be taken back: the DoIP stream is desynchronised. */
static void
give_up (DoipLink *self)
{
  g_mutex_lock (&self->lock);
  if (self->lost == NULL)
    self->lost = g_strdup ("a message could not be sent to its end");
  announce (self);
  g_mutex_unlock (&self->lock);
}

static gboolean
write_parts (DoipLink *self, GByteArray *head, GBytes *rest, gsize *done, GCancellable *cancellable, GError **error)
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

/* rest may be NULL; with it head is used up. */
static gboolean
write_all (DoipLink *self, GByteArray *head, GBytes *rest, GCancellable *cancellable, GError **error)
{
  gsize done = 0;
  rb_doip_speak (head, self->version);
  g_mutex_lock (&self->write_lock);
  gboolean written = write_parts (self, head, rest, &done, cancellable, error);
  g_mutex_unlock (&self->write_lock);
  if (!written && done > 0)
    give_up (self);
  if (!written && error != NULL && !g_error_matches (*error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
    g_autofree char *text = g_strdup ((*error)->message);
    g_clear_error (error);
    g_set_error (error, RB_LINK_ERROR, RB_REASON_LINK_LOST, "the connection to the vehicle is gone: %s", text);
  }
  return written;
}

static Channel *
channel_of (DoipLink *self, guint16 target)
{
  for (guint i = 0; i < self->channels->len; i++)
    if (((Channel *) self->channels->pdata[i])->target == target)
      return self->channels->pdata[i];
  return NULL;
}

static void
take_diagnostic (DoipLink *self, const guint8 *payload, gsize length)
{
  guint16 source, target;
  if (!rb_doip_addresses_parse (payload, length, &source, &target) || target != self->client)
    return;
  Channel *channel = channel_of (self, source);
  if (channel == NULL)
    return;
  RbReader reader = rb_reader_new (payload, length);
  (void) rb_reader_take (&reader, 4);
  channel->ack = ACK_GOOD;
  channel->unread += rb_reader_left (&reader) + ANSWER_COST;
  if (channel->unread > MAX_UNREAD) {
    if (self->lost == NULL)
      self->lost = g_strdup ("the vehicle sends more than it was asked for");
  } else
    g_queue_push_tail (&channel->answers, rb_reader_take_bytes (&reader, rb_reader_left (&reader)));
}

static void
take_acknowledge (DoipLink *self, Ack ack, const guint8 *payload, gsize length)
{
  RbReader reader = rb_reader_new (payload, length);
  guint16 source = rb_reader_u16be (&reader);
  (void) rb_reader_u16be (&reader);
  guint8 code = rb_reader_u8 (&reader);
  Channel *channel = rb_reader_ok (&reader) ? channel_of (self, source) : NULL;
  if (channel == NULL)
    return;
  channel->ack = ack;
  channel->nack = code;
}

/* An entity handles messages in order: a header NACK belongs to the oldest that waits. */
static void
take_header_nack (DoipLink *self, guint8 code)
{
  Channel *oldest = NULL;
  for (guint i = 0; i < self->channels->len; i++) {
    Channel *channel = self->channels->pdata[i];
    if (channel->sent > 0 && channel->ack == ACK_NONE && (oldest == NULL || channel->sent < oldest->sent))
      oldest = channel;
  }
  if (oldest != NULL) {
    oldest->ack = ACK_HEADER_BAD;
    oldest->nack = code;
  } else {
    self->told.refused = TRUE;
    self->told.refusal = code;
  }
}

static void
take_control (DoipLink *self, guint16 type, const guint8 *payload, gsize length)
{
  guint16 tester, entity;
  guint8 code;
  RbDoipStatusInfo status;
  if (type == RB_DOIP_ACTIVATION_RESPONSE && rb_doip_activated_parse (payload, length, &tester, &entity, &code)) {
    self->told.entity = entity;
    self->told.activation_code = code;
    self->told.activated = TRUE;
  }
  if (type == RB_DOIP_STATUS_RESPONSE && rb_doip_status_parse (payload, length, &status)) {
    self->told.max_data = status.max_data;
    self->told.status_known = TRUE;
  }
  if (type == RB_DOIP_NACK && length == 1)
    take_header_nack (self, payload[0]);
}

static void
answer_alive_check (DoipLink *self)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  const guint8 source[] = { self->client >> 8, self->client & 0xff };
  rb_doip_write (out, RB_DOIP_ALIVE_RESPONSE, source, sizeof source);
  g_autoptr (GError) error = NULL;
  if (!write_all (self, out, NULL, self->stop, &error))
    g_debug ("alive check: %s", error->message);
}

static void
take_message (gpointer data, const RbDoipHeader *header, const guint8 *payload)
{
  DoipLink *self = data;
  const guint16 type = header->type;
  const gsize length = header->length;
  if (type == RB_DOIP_ALIVE_REQUEST) {
    answer_alive_check (self);
    return;
  }
  g_mutex_lock (&self->lock);
  self->told.version = header->version;
  if (type == RB_DOIP_DIAGNOSTIC)
    take_diagnostic (self, payload, length);
  else if (type == RB_DOIP_DIAGNOSTIC_ACK)
    take_acknowledge (self, ACK_GOOD, payload, length);
  else if (type == RB_DOIP_DIAGNOSTIC_NACK)
    take_acknowledge (self, ACK_BAD, payload, length);
  else
    take_control (self, type, payload, length);
  announce (self);
  g_mutex_unlock (&self->lock);
}

static gboolean
read_exactly (DoipLink *self, guint8 *buffer, gsize length, GError **error)
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
read_message (DoipLink *self, GError **error)
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
  take_message (self, &header, payload);
  return TRUE;
}

/* With the lock held. */
static void
set_lost (DoipLink *self, const GError *error)
{
  if (self->lost == NULL)
    self->lost = g_strdup (error->message);
  announce (self);
}

static gpointer
secured_reader (gpointer data)
{
  DoipLink *self = data;
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
read_until (DoipLink *self, gint64 end)
{
  g_autoptr (GError) error = NULL;
  self->reading = TRUE;
  g_mutex_unlock (&self->lock);
  gboolean good = rb_doip_stream_read (self->plain, end, take_message, self, &error);
  g_mutex_lock (&self->lock);
  self->reading = FALSE;
  if (!good)
    set_lost (self, error);
  announce (self);
}

static gpointer
idle_reader (gpointer data)
{
  DoipLink *self = data;
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
  DoipLink *self = data;
  g_mutex_lock (&self->lock);
  announce (self);
  g_mutex_unlock (&self->lock);
  if (self->plain != NULL)
    rb_doip_stream_interrupt (self->plain);
}

typedef gboolean (*Condition) (DoipLink *self, Channel *channel);

/* With the lock held. */
static void
sleep_until (DoipLink *self, gint64 end)
{
  self->asleep++;
  (void) g_cond_wait_until (&self->changed, &self->lock, end);
  self->asleep--;
}

/* Waits until condition holds, the link is lost, the time is over or the call is cancelled. */
static gboolean
wait_for (DoipLink *self, Channel *channel, Condition condition, gint64 timeout_ms, GCancellable *cancellable)
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

static gboolean
is_activated (DoipLink *self, Channel *channel)
{
  return self->told.activated || self->told.refused;
}

static gboolean
is_confirmed (DoipLink *self, Channel *channel)
{
  return self->told.refused || self->told.activation_code != RB_DOIP_CONFIRMATION_REQUIRED;
}

static gboolean
status_is_known (DoipLink *self, Channel *channel)
{
  return self->told.status_known || self->told.refused;
}

static gboolean
is_acknowledged (DoipLink *self, Channel *channel)
{
  return channel->ack != ACK_NONE;
}

static gboolean
has_answer (DoipLink *self, Channel *channel)
{
  return !g_queue_is_empty (&channel->answers);
}

/* TRUE when the link is lost or the call cancelled, with the error set. */
static gboolean
gone (DoipLink *self, GCancellable *cancellable, GError **error)
{
  g_mutex_lock (&self->lock);
  g_autofree char *lost = g_strdup (self->lost);
  g_mutex_unlock (&self->lock);
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return TRUE;
  if (lost == NULL)
    return FALSE;
  g_set_error (error, RB_LINK_ERROR, RB_REASON_LINK_LOST, "the connection to the vehicle is gone: %s", lost);
  return TRUE;
}

/* With TLS 1.3 a vehicle refuses the workstation's certificate only after its own handshake is done: the connection
 * just ends. */
static void
set_no_activation (DoipLink *self, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) end = NULL;
  const Told said = told (self);
  if (said.refused)
    g_set_error (error, RB_LINK_ERROR, RB_REASON_LINK_PROTOCOL,
                 "the vehicle does not understand the routing activation: %s (code %02x)",
                 rb_doip_header_nack_text (said.refusal), said.refusal);
  else if (!gone (self, cancellable, &end))
    g_set_error_literal (error, RB_LINK_ERROR, RB_REASON_LINK_REFUSED,
                         "the vehicle does not answer the routing activation");
  else if (self->secured && g_error_matches (end, RB_LINK_ERROR, RB_REASON_LINK_LOST))
    g_set_error (error, RB_LINK_ERROR, RB_REASON_TLS_REFUSED,
                 "the vehicle ended the TLS connection, which it does when it does not accept the"
                 " workstation's certificate: %s",
                 end->message);
  else
    g_propagate_error (error, g_steal_pointer (&end));
}

/* Code 0x11: a person confirms the connection at the vehicle, and the entity responds once more on the same socket. */
static void
await_confirmation (DoipLink *self, const RbLinkOptions *options, GCancellable *cancellable)
{
  const Told said = told (self);
  if (!said.activated || said.activation_code != RB_DOIP_CONFIRMATION_REQUIRED)
    return;
  if (options != NULL && options->wait != NULL)
    options->wait ("the vehicle asks for a confirmation of the connection: confirm it at the vehicle",
                   options->wait_data);
  (void) wait_for (self, NULL, is_confirmed, CONFIRM_MS, cancellable);
}

static RbReason
denial (guint8 code)
{
  switch (code) {
  case RB_DOIP_TLS_REQUIRED: return RB_REASON_TLS_REQUIRED;
  case RB_DOIP_CONFIRMATION_REQUIRED: return RB_REASON_LINK_CONFIRMATION;
  default: return RB_REASON_LINK_REFUSED;
  }
}

static gboolean
activate (DoipLink *self, const RbLinkOptions *options, GCancellable *cancellable, GError **error)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  g_autoptr (GError) unsent = NULL;
  rb_doip_activation_write (out, self->client, options == NULL ? 0 : options->activation_type);
  gboolean sent = write_all (self, out, NULL, cancellable, &unsent);
  (void) wait_for (self, NULL, is_activated, CONTROL_MS, cancellable);
  await_confirmation (self, options, cancellable);
  const Told said = told (self);
  if (!said.activated) {
    if (sent || self->secured)
      set_no_activation (self, cancellable, error);
    else
      g_propagate_error (error, g_steal_pointer (&unsent));
    return FALSE;
  }
  if (said.activation_code == RB_DOIP_ACTIVATED)
    return TRUE;
  if (said.activation_code == RB_DOIP_CONFIRMATION_REQUIRED && gone (self, cancellable, error))
    return FALSE;
  g_set_error (error, RB_LINK_ERROR, (int) denial (said.activation_code),
               "the vehicle refused the connection: %s (code %02x)", rb_doip_activation_text (said.activation_code),
               said.activation_code);
  return FALSE;
}

static gboolean
ask_status_by_udp (DoipLink *self, GCancellable *cancellable)
{
  RbDoipStatusInfo status;
  g_autoptr (GSocketAddress) far = g_socket_connection_get_remote_address (self->connection, NULL);
  if (far == NULL || !rb_doip_search_status (far, self->version, &status, STATUS_MS, cancellable))
    return FALSE;
  g_mutex_lock (&self->lock);
  self->told.max_data = status.max_data;
  g_mutex_unlock (&self->lock);
  return TRUE;
}

/* Entity status gives the largest message. The standard has it on UDP; many entities also respond on the connection. */
static gboolean
ask_status (DoipLink *self, GCancellable *cancellable)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  rb_doip_write (out, RB_DOIP_STATUS_REQUEST, NULL, 0);
  g_autoptr (GError) error = NULL;
  if (write_all (self, out, NULL, cancellable, &error) && wait_for (self, NULL, status_is_known, STATUS_MS, cancellable)
      && told (self).status_known)
    return TRUE;
  return !self->secured && ask_status_by_udp (self, cancellable);
}

/* Skips close_notify when the send buffer is full: a peer must not delay the close. */
static void
say_goodbye (DoipLink *self)
{
  GSocket *socket = g_socket_connection_get_socket (self->connection);
  if (self->stream != G_IO_STREAM (self->connection)
      && (g_socket_condition_check (socket, G_IO_OUT | G_IO_ERR | G_IO_HUP) == G_IO_OUT))
    g_io_stream_close (self->stream, NULL, NULL);
}

static void
doip_link_close (gpointer state)
{
  DoipLink *self = state;
  g_cancellable_cancel (self->stop);
  g_mutex_lock (&self->lock);
  self->stopping = TRUE;
  g_cond_signal (&self->idle);
  g_mutex_unlock (&self->lock);
  if (self->plain != NULL)
    rb_doip_stream_interrupt (self->plain);
  g_thread_join (self->reader);
  g_clear_pointer (&self->plain, rb_doip_stream_free);
  say_goodbye (self);
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

static void
watch_over (GSocket *socket)
{
  const struct {
    int option, value;
  } settings[] = { { TCP_NODELAY, 1 }, { TCP_KEEPIDLE, 1 }, { TCP_KEEPINTVL, 1 }, { TCP_USER_TIMEOUT, SILENCE_MS } };
  g_socket_set_timeout (socket, 0);
  g_socket_set_keepalive (socket, TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (settings); i++)
    g_socket_set_option (socket, IPPROTO_TCP, settings[i].option, settings[i].value, NULL);
}

static GSocketConnection *
connect_to (const char *rest, guint16 port, GCancellable *cancellable, GError **error)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  const char *host = g_str_has_prefix (rest, "//") ? &rest[2] : rest;
  g_socket_client_set_timeout (client, 5);
  g_socket_client_set_enable_proxy (client, FALSE);
  g_autoptr (GError) failure = NULL;
  GSocketConnection *connection = g_socket_client_connect_to_host (client, host, port, cancellable, &failure);
  if (connection == NULL) {
    if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
      g_propagate_error (error, g_steal_pointer (&failure));
    else
      g_set_error (error, RB_LINK_ERROR, RB_REASON_LINK_REFUSED, "no connection to the vehicle: %s", failure->message);
    return NULL;
  }
  watch_over (g_socket_connection_get_socket (connection));
  return connection;
}

/* Takes connection and stream. */
static DoipLink *
link_new (GSocketConnection *connection, GIOStream *stream, const RbLinkOptions *options, guint8 version)
{
  DoipLink *self = g_new0 (DoipLink, 1);
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

static DoipLink *
connect_plain (const char *rest, const RbLinkOptions *options, guint8 version, GCancellable *cancellable,
               GError **error)
{
  GSocketConnection *connection = connect_to (rest, RB_DOIP_PORT, cancellable, error);
  return connection == NULL ? NULL : link_new (connection, g_object_ref (G_IO_STREAM (connection)), options, version);
}

static DoipLink *
connect_secured (const char *rest, const RbLinkOptions *options, guint8 version, RbLinkInfo *info,
                 GCancellable *cancellable, GError **error)
{
  g_autoptr (GSocketConnection) connection = connect_to (rest, RB_DOIP_TLS_PORT, cancellable, error);
  GIOStream *stream
    = connection == NULL ? NULL : rb_doip_tls_start (connection, options, info->vin, cancellable, error);
  return stream == NULL ? NULL : link_new (g_steal_pointer (&connection), stream, options, version);
}

/* An entity that rejects our protocol version responds with its own. */
static guint8
version_wanted (DoipLink *self)
{
  const Told said = told (self);
  return said.refused && said.refusal == RB_DOIP_BAD_PATTERN ? said.version : self->version;
}

/* Sends the request again with the entity's protocol version, if it rejected ours. */
static DoipLink *
connect_activated (const char *rest, gboolean secured, const RbLinkOptions *options, RbLinkInfo *info,
                   GCancellable *cancellable, GError **error)
{
  guint8 version = RB_DOIP_VERSION;
  for (;;) {
    g_autoptr (GError) failure = NULL;
    DoipLink *self = secured ? connect_secured (rest, options, version, info, cancellable, error)
                             : connect_plain (rest, options, version, cancellable, error);
    if (self == NULL || activate (self, options, cancellable, &failure))
      return self;
    guint8 wanted = version_wanted (self);
    doip_link_close (self);
    if (wanted == version || version != RB_DOIP_VERSION) {
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }
    version = wanted;
  }
}

static gpointer
start (const char *rest, gboolean secured, const RbLinkOptions *options, RbLinkInfo *info, GCancellable *cancellable,
       GError **error)
{
  DoipLink *self = connect_activated (rest, secured, options, info, cancellable, error);
  if (self == NULL)
    return NULL;
  if (!ask_status (self, cancellable))
    g_debug ("the entity does not report its status");
  info->kind = g_strdup (self->secured ? "doips" : "doip");
  const Told said = told (self);
  info->logical = said.entity;
  info->max_message = said.max_data;
  return self;
}

static gpointer
doip_link_open (const char *rest, const RbLinkOptions *options, RbLinkInfo *info, GCancellable *cancellable,
                GError **error)
{
  return start (rest, FALSE, options, info, cancellable, error);
}

static gpointer
doip_link_open_secured (const char *rest, const RbLinkOptions *options, RbLinkInfo *info, GCancellable *cancellable,
                        GError **error)
{
  if (options != NULL && options->identity != NULL && options->anchors != NULL)
    return start (rest, TRUE, options, info, cancellable, error);
  g_set_error_literal (error, RB_LINK_ERROR, RB_REASON_IDENTITY,
                       "a link with TLS needs the workstation's identity and the certificate of the vehicle authority");
  return NULL;
}

/* A gateway may be slow to acknowledge, but its TCP is not: bytes sent again and again and never acknowledged mean that
 * no peer is there. */
static gboolean
is_heard (DoipLink *self)
{
  struct tcp_info info = { 0 };
  socklen_t length = sizeof info;
  int fd = g_socket_get_fd (g_socket_connection_get_socket (self->connection));
  return getsockopt (fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0 || info.tcpi_retransmits < 2;
}

static gboolean
doip_link_is_alive (gpointer state)
{
  DoipLink *self = state;
  gboolean heard = is_heard (self);
  g_mutex_lock (&self->lock);
  if (!heard && self->lost == NULL)
    self->lost
      = g_strdup ("nothing comes back from the vehicle, not even that bytes have come: is the cable plugged in?");
  gboolean alive = self->lost == NULL;
  g_mutex_unlock (&self->lock);
  return alive;
}

static gpointer
doip_channel_open (gpointer state, const RbAddress *address, GError **error)
{
  DoipLink *self = state;
  Channel *channel = g_new0 (Channel, 1);
  channel->target = address->logical;
  g_queue_init (&channel->answers);
  g_mutex_lock (&self->lock);
  gboolean taken = channel_of (self, address->logical) != NULL;
  if (!taken)
    g_ptr_array_add (self->channels, channel);
  g_mutex_unlock (&self->lock);
  if (!taken)
    return channel;
  g_free (channel);
  g_set_error (error, RB_LINK_ERROR, RB_REASON_IN_USE, "address %04x is in use on this link", address->logical);
  return NULL;
}

static void
doip_drain (gpointer state, gpointer data)
{
  DoipLink *self = state;
  Channel *channel = data;
  g_mutex_lock (&self->lock);
  g_queue_clear_full (&channel->answers, (GDestroyNotify) g_bytes_unref);
  channel->unread = 0;
  g_mutex_unlock (&self->lock);
}

static void
doip_channel_close (gpointer state, gpointer data)
{
  DoipLink *self = state;
  doip_drain (state, data);
  g_mutex_lock (&self->lock);
  g_ptr_array_remove (self->channels, data);
  g_mutex_unlock (&self->lock);
  g_free (data);
}

static void
set_nack (const Channel *channel, Ack ack, guint8 code, GError **error)
{
  gboolean header = ack == ACK_HEADER_BAD;
  RbReason reason = !header && (code == 0x03 || code == 0x06)     ? RB_REASON_ECU_MISSING
                    : code == (header ? RB_DOIP_TOO_LARGE : 0x04) ? RB_REASON_BLOCK_TOO_LONG
                                                                  : RB_REASON_LINK_PROTOCOL;
  g_set_error (error, RB_LINK_ERROR, (int) reason, "the vehicle's gateway refuses messages to %04x: %s (code %02x)",
               channel->target, header ? rb_doip_header_nack_text (code) : rb_doip_nack_text (code), code);
}

/* full: the gateway had no room for it. */
static gboolean
send_once (DoipLink *self, Channel *channel, GBytes *message, gboolean *full, GCancellable *cancellable, GError **error)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  rb_doip_diagnostic_head (out, self->client, channel->target, g_bytes_get_size (message));
  if (gone (self, cancellable, error))
    return FALSE;
  g_mutex_lock (&self->lock);
  channel->ack = ACK_NONE;
  channel->sent = ++self->sent;
  g_mutex_unlock (&self->lock);
  gboolean written = write_all (self, out, message, cancellable, error);
  if (written)
    (void) wait_for (self, channel, is_acknowledged, ACK_MS, cancellable);
  g_mutex_lock (&self->lock);
  Ack ack = channel->ack;
  guint8 code = channel->nack;
  channel->sent = 0; /* the message waits no longer, in any case */
  g_mutex_unlock (&self->lock);
  if (!written)
    return FALSE;
  if (ack == ACK_NONE)
    (void) doip_link_is_alive (self);
  if (ack == ACK_NONE || ack == ACK_GOOD)
    return ack == ACK_GOOD || !gone (self, cancellable, error);
  *full = code == (ack == ACK_BAD ? NACK_NO_ROOM : RB_DOIP_NO_MEMORY);
  set_nack (channel, ack, code, error);
  return FALSE;
}

/* A gateway that is out of memory has routed nothing: the request can be sent again. */
static gboolean
doip_send (gpointer state, gpointer data, GBytes *message, GCancellable *cancellable, GError **error)
{
  for (guint attempt = 1;; attempt++) {
    g_autoptr (GError) refusal = NULL;
    gboolean full = FALSE;
    if (send_once (state, data, message, &full, cancellable, &refusal))
      return TRUE;
    if (!full || attempt == ROOM_ATTEMPTS) {
      g_propagate_error (error, g_steal_pointer (&refusal));
      return FALSE;
    }
    if (!rb_moment_pause (ROOM_MS, cancellable, error))
      return FALSE;
  }
}

static GBytes *
doip_receive (gpointer state, gpointer data, gint64 first_ms, GCancellable *cancellable, GError **error)
{
  DoipLink *self = state;
  Channel *channel = data;
  (void) wait_for (self, channel, has_answer, first_ms, cancellable);
  g_mutex_lock (&self->lock);
  GBytes *answer = g_queue_pop_head (&channel->answers);
  if (answer != NULL)
    channel->unread -= g_bytes_get_size (answer) + ANSWER_COST;
  g_mutex_unlock (&self->lock);
  if (answer == NULL && !gone (self, cancellable, error))
    g_set_error (error, RB_LINK_ERROR, RB_REASON_TIMEOUT, "no answer from %04x within %" G_GINT64_FORMAT " ms",
                 channel->target, first_ms);
  return answer;
}

static gsize
doip_max_message (gpointer state, gpointer data)
{
  const guint32 max_data = told (state).max_data;
  return max_data > 8 ? max_data - 4 : DEFAULT_MAX_MESSAGE;
}

#define COMMON_SLOTS \
  .close = doip_link_close, .is_alive = doip_link_is_alive, .channel_open = doip_channel_open, \
  .channel_close = doip_channel_close, .send = doip_send, .receive = doip_receive, .drain = doip_drain, \
  .max_message = doip_max_message

const RbLinkBackend rb_doip_link_backend
  = { .scheme = "doip", .open_with = doip_link_open, .discover = rb_doip_search_discover, COMMON_SLOTS };

const RbLinkBackend rb_doip_link_secured = { .scheme = "doips", .open_with = doip_link_open_secured, COMMON_SLOTS };
