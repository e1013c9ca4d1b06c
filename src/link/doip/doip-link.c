/* SPDX-License-Identifier: Apache-2.0 */
#include "doip/doip-link.h"

#include "core/bytes.h"
#include "core/moment.h"
#include "doip/doip-connection.h"
#include "doip/doip-search.h"
#include "doip/doip-stream.h"
#include "doip/doip-tls.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

/*
 * One routing activation on a connection (doip/doip-connection.h), many target addresses.
 *
 * A gateway acknowledges (8002) when it has accepted a message for routing. Some acknowledge after the
 * answer, some never: an answer counts as acknowledgement too, and a missing acknowledgement is no error.
 */
#define CONFIRM_MS 30000 /* time in which a person has to confirm the connection at the vehicle */
#define CONTROL_MS 2000 /* A_DoIP_Ctrl */
#define ACK_MS 2000 /* A_DoIP_Diagnostic_Message */
#define STATUS_MS 200
#define NACK_NO_ROOM 0x05 /* of a diagnostic message */
#define ROOM_ATTEMPTS 5
#define ROOM_MS 100
#define DEFAULT_MAX_MESSAGE 65535
/* A pulled cable is silent: after this time without an acknowledgement by the peer's TCP the connection is closed. */
#define SILENCE_MS 8000

static gboolean
is_activated (RbDoipConnection *self, RbDoipChannel *channel)
{
  return self->told.activated || self->told.refused;
}

static gboolean
is_confirmed (RbDoipConnection *self, RbDoipChannel *channel)
{
  return self->told.refused || self->told.activation_code != RB_DOIP_CONFIRMATION_REQUIRED;
}

static gboolean
status_is_known (RbDoipConnection *self, RbDoipChannel *channel)
{
  return self->told.status_known || self->told.refused;
}

static gboolean
is_acknowledged (RbDoipConnection *self, RbDoipChannel *channel)
{
  return channel->ack != RB_DOIP_ACK_NONE;
}

static gboolean
has_answer (RbDoipConnection *self, RbDoipChannel *channel)
{
  return !g_queue_is_empty (&channel->responses);
}

/* With TLS 1.3 a vehicle refuses the workstation's certificate only after its own handshake is done: the connection
 * just ends. */
static void
set_no_activation (RbDoipConnection *self, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) end = NULL;
  const RbDoipTold said = rb_doip_connection_told (self);
  if (said.refused)
    g_set_error (error, RB_LINK_ERROR, RB_REASON_LINK_PROTOCOL,
                 "the vehicle does not understand the routing activation: %s (code %02x)",
                 rb_doip_header_nack_text (said.refusal), said.refusal);
  else if (!rb_doip_connection_gone (self, cancellable, &end))
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
await_confirmation (RbDoipConnection *self, const RbLinkOptions *options, GCancellable *cancellable)
{
  const RbDoipTold said = rb_doip_connection_told (self);
  if (!said.activated || said.activation_code != RB_DOIP_CONFIRMATION_REQUIRED)
    return;
  if (options != NULL && options->wait != NULL)
    options->wait ("the vehicle asks for a confirmation of the connection: confirm it at the vehicle",
                   options->wait_data);
  (void) rb_doip_connection_wait_for (self, NULL, is_confirmed, CONFIRM_MS, cancellable);
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
activate (RbDoipConnection *self, const RbLinkOptions *options, GCancellable *cancellable, GError **error)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  g_autoptr (GError) unsent = NULL;
  rb_doip_activation_request_write (out, self->client, options == NULL ? 0 : options->activation_type);
  gboolean sent = rb_doip_connection_write (self, out, NULL, cancellable, &unsent);
  (void) rb_doip_connection_wait_for (self, NULL, is_activated, CONTROL_MS, cancellable);
  await_confirmation (self, options, cancellable);
  const RbDoipTold said = rb_doip_connection_told (self);
  if (!said.activated) {
    if (sent || self->secured)
      set_no_activation (self, cancellable, error);
    else
      g_propagate_error (error, g_steal_pointer (&unsent));
    return FALSE;
  }
  if (said.activation_code == RB_DOIP_ACTIVATED)
    return TRUE;
  if (said.activation_code == RB_DOIP_CONFIRMATION_REQUIRED && rb_doip_connection_gone (self, cancellable, error))
    return FALSE;
  g_set_error (error, RB_LINK_ERROR, (int) denial (said.activation_code),
               "the vehicle refused the connection: %s (code %02x)", rb_doip_activation_text (said.activation_code),
               said.activation_code);
  return FALSE;
}

static gboolean
ask_status_by_udp (RbDoipConnection *self, GCancellable *cancellable)
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
ask_status (RbDoipConnection *self, GCancellable *cancellable)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  rb_doip_write (out, RB_DOIP_ENTITY_STATUS_REQUEST, NULL, 0);
  g_autoptr (GError) error = NULL;
  if (rb_doip_connection_write (self, out, NULL, cancellable, &error)
      && rb_doip_connection_wait_for (self, NULL, status_is_known, STATUS_MS, cancellable)
      && rb_doip_connection_told (self).status_known)
    return TRUE;
  return !self->secured && ask_status_by_udp (self, cancellable);
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

static RbDoipConnection *
connect_plain (const char *rest, const RbLinkOptions *options, guint8 version, GCancellable *cancellable,
               GError **error)
{
  GSocketConnection *connection = connect_to (rest, RB_DOIP_PORT, cancellable, error);
  return connection == NULL
           ? NULL
           : rb_doip_connection_new (connection, g_object_ref (G_IO_STREAM (connection)), options, version);
}

static RbDoipConnection *
connect_secured (const char *rest, const RbLinkOptions *options, guint8 version, RbLinkInfo *info,
                 GCancellable *cancellable, GError **error)
{
  g_autoptr (GSocketConnection) connection = connect_to (rest, RB_DOIP_TLS_PORT, cancellable, error);
  GIOStream *stream
    = connection == NULL ? NULL : rb_doip_tls_start (connection, options, info->vin, cancellable, error);
  return stream == NULL ? NULL : rb_doip_connection_new (g_steal_pointer (&connection), stream, options, version);
}

/* An entity that rejects our protocol version responds with its own. */
static guint8
version_wanted (RbDoipConnection *self)
{
  const RbDoipTold said = rb_doip_connection_told (self);
  return said.refused && said.refusal == RB_DOIP_BAD_PATTERN ? said.version : self->version;
}

/* Sends the request again with the entity's protocol version, if it rejected ours. */
static RbDoipConnection *
connect_activated (const char *rest, gboolean secured, const RbLinkOptions *options, RbLinkInfo *info,
                   GCancellable *cancellable, GError **error)
{
  guint8 version = RB_DOIP_VERSION;
  for (;;) {
    g_autoptr (GError) failure = NULL;
    RbDoipConnection *self = secured ? connect_secured (rest, options, version, info, cancellable, error)
                                     : connect_plain (rest, options, version, cancellable, error);
    if (self == NULL || activate (self, options, cancellable, &failure))
      return self;
    guint8 wanted = version_wanted (self);
    rb_doip_connection_close (self);
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
  RbDoipConnection *self = connect_activated (rest, secured, options, info, cancellable, error);
  if (self == NULL)
    return NULL;
  if (!ask_status (self, cancellable))
    g_debug ("the entity does not report its status");
  info->kind = g_strdup (self->secured ? "doips" : "doip");
  const RbDoipTold said = rb_doip_connection_told (self);
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
is_heard (RbDoipConnection *self)
{
  struct tcp_info info = { 0 };
  socklen_t length = sizeof info;
  int fd = g_socket_get_fd (g_socket_connection_get_socket (self->connection));
  return getsockopt (fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0 || info.tcpi_retransmits < 2;
}

static gboolean
doip_link_is_alive (gpointer state)
{
  RbDoipConnection *self = state;
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
  RbDoipConnection *self = state;
  RbDoipChannel *channel = g_new0 (RbDoipChannel, 1);
  channel->target = address->logical;
  g_queue_init (&channel->responses);
  g_mutex_lock (&self->lock);
  gboolean taken = rb_doip_connection_channel_of (self, address->logical) != NULL;
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
  RbDoipConnection *self = state;
  RbDoipChannel *channel = data;
  g_mutex_lock (&self->lock);
  g_queue_clear_full (&channel->responses, (GDestroyNotify) g_bytes_unref);
  channel->unread = 0;
  g_mutex_unlock (&self->lock);
}

static void
doip_channel_close (gpointer state, gpointer data)
{
  RbDoipConnection *self = state;
  doip_drain (state, data);
  g_mutex_lock (&self->lock);
  g_ptr_array_remove (self->channels, data);
  g_mutex_unlock (&self->lock);
  g_free (data);
}

static void
set_nack (const RbDoipChannel *channel, RbDoipAck ack, guint8 code, GError **error)
{
  gboolean header = ack == RB_DOIP_ACK_HEADER_BAD;
  RbReason reason = !header && (code == 0x03 || code == 0x06)     ? RB_REASON_ECU_MISSING
                    : code == (header ? RB_DOIP_TOO_LARGE : 0x04) ? RB_REASON_BLOCK_TOO_LONG
                                                                  : RB_REASON_LINK_PROTOCOL;
  g_set_error (error, RB_LINK_ERROR, (int) reason, "the vehicle's gateway refuses messages to %04x: %s (code %02x)",
               channel->target, header ? rb_doip_header_nack_text (code) : rb_doip_diagnostic_nack_text (code), code);
}

/* full: the gateway had no room for it. */
static gboolean
send_once (RbDoipConnection *self, RbDoipChannel *channel, GBytes *message, gboolean *full, GCancellable *cancellable,
           GError **error)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  rb_doip_diagnostic_header (out, self->client, channel->target, g_bytes_get_size (message));
  if (rb_doip_connection_gone (self, cancellable, error))
    return FALSE;
  g_mutex_lock (&self->lock);
  channel->ack = RB_DOIP_ACK_NONE;
  channel->sent = ++self->sent;
  g_mutex_unlock (&self->lock);
  gboolean written = rb_doip_connection_write (self, out, message, cancellable, error);
  if (written)
    (void) rb_doip_connection_wait_for (self, channel, is_acknowledged, ACK_MS, cancellable);
  g_mutex_lock (&self->lock);
  RbDoipAck ack = channel->ack;
  guint8 code = channel->nack;
  channel->sent = 0; /* the message waits no longer, in any case */
  g_mutex_unlock (&self->lock);
  if (!written)
    return FALSE;
  if (ack == RB_DOIP_ACK_NONE)
    (void) doip_link_is_alive (self);
  if (ack == RB_DOIP_ACK_NONE || ack == RB_DOIP_ACK_GOOD)
    return ack == RB_DOIP_ACK_GOOD || !rb_doip_connection_gone (self, cancellable, error);
  *full = code == (ack == RB_DOIP_ACK_BAD ? NACK_NO_ROOM : RB_DOIP_NO_MEMORY);
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
  RbDoipConnection *self = state;
  RbDoipChannel *channel = data;
  (void) rb_doip_connection_wait_for (self, channel, has_answer, first_ms, cancellable);
  g_mutex_lock (&self->lock);
  GBytes *answer = g_queue_pop_head (&channel->responses);
  if (answer != NULL)
    channel->unread -= g_bytes_get_size (answer) + RB_DOIP_ANSWER_COST;
  g_mutex_unlock (&self->lock);
  if (answer == NULL && !rb_doip_connection_gone (self, cancellable, error))
    g_set_error (error, RB_LINK_ERROR, RB_REASON_TIMEOUT, "no answer from %04x within %" G_GINT64_FORMAT " ms",
                 channel->target, first_ms);
  return answer;
}

static gsize
doip_max_message (gpointer state, gpointer data)
{
  const guint32 max_data = rb_doip_connection_told (state).max_data;
  return max_data > 8 ? max_data - 4 : DEFAULT_MAX_MESSAGE;
}

#define COMMON_SLOTS \
  .close = rb_doip_connection_close, .is_alive = doip_link_is_alive, .channel_open = doip_channel_open, \
  .channel_close = doip_channel_close, .send = doip_send, .receive = doip_receive, .drain = doip_drain, \
  .max_message = doip_max_message

const RbLinkBackend rb_doip_link_backend
  = { .scheme = "doip", .open_with = doip_link_open, .discover = rb_doip_search_discover, COMMON_SLOTS };

const RbLinkBackend rb_doip_link_secured = { .scheme = "doips", .open_with = doip_link_open_secured, COMMON_SLOTS };
