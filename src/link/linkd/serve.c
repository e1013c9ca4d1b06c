/* SPDX-License-Identifier: Apache-2.0 */
#include "linkd/serve.h"

#include "link/backend.h"
#include "link/channel.h"
#include "link/spin-poll.h"
#include "link/packet-body.h"
#include "linkd/backends.h"
#include "linkd/sandbox.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/*
 * A thread for each socket of calls, in which the link's functions may block; the main thread answers the heartbeat,
 * passes cancelling on and is done when the last socket is closed.
 */
#define AHEAD_MS 1 /* an answer so soon after its request is told in one packet with it */
#define MAX_LOG 600

typedef struct _Server Server;

typedef struct {
  Server *server;
  guint32 number; /* 0: the link's own */
  int socket;
  RbChannel *channel;
  RbPacketMemory *memory;
  GBytes *then; /* in the memory: to be sent once the call is answered */
  GError *failure; /* error of sending it, which the next receive returns */
  RbSpinPoll waiter;
  guint32 call, cancelled; /* guarded by the server's lock */
  GCancellable *cancellable;
  RbPacket first; /* a request that came before the thread; kind OPEN or DISCOVER of line 0 */
} Line;

struct _Server {
  RbLink *link; /* of line 0 alone */
  RbSandbox sandbox;
  GMutex lock;
  GPtrArray *lines; /* of Line */
  int finished; /* pipe: written when the last line is closed */
};

static void
reply_error (RbPacket *answer, const GError *error)
{
  answer->kind = RB_PACKET_ERROR;
  answer->number = rb_packet_body_error (error, &answer->body);
}

/* (RbLinkWait) */
static void
tell_wait (const char *text, gpointer data)
{
  (void) data;
  g_autoptr (GBytes) body = g_bytes_new (text, MIN (strlen (text), MAX_LOG));
  const RbPacket packet = { .kind = RB_PACKET_WAIT, .body = body, .fd = -1 };
  if (!rb_packet_reply (RB_PACKET_HEARTBEAT_FD, &packet))
    g_debug ("cannot read what is waited for");
}

static void
do_open (Line *line, const RbPacket *request, RbPacket *answer, GError **error)
{
  g_auto (RbPacketBodyOpen) wanted = { 0 };
  if (!rb_packet_body_read_open (request->body, &wanted)) {
    g_set_error_literal (error, RB_LINK_ERROR, RB_REASON_USAGE, "the object is not a link");
    return;
  }
  const RbLinkOptions options = { wanted.secured ? wanted.identity : NULL,
                                  wanted.secured ? wanted.anchors : NULL,
                                  wanted.tester,
                                  wanted.activation_type,
                                  tell_wait,
                                  NULL };
  g_autoptr (RbLink) link = rb_backends_open (wanted.uri, &options, line->cancellable, error);
  if (link == NULL || !rb_sandbox_narrow (&line->server->sandbox, error))
    return;
  answer->body = rb_packet_body_info (rb_link_info (link));
  line->server->link = g_steal_pointer (&link);
}

static void
do_discover (Line *line, const RbPacket *request, RbPacket *answer, GError **error)
{
  g_autoptr (GPtrArray) entries = rb_backends_discover (request->number, line->cancellable, error);
  if (entries != NULL)
    answer->body = rb_packet_body_entries (entries);
}

static void line_start (Server *server, guint32 number, int socket, RbChannel *channel, RbPacketMemory *memory,
                        const RbPacket *first);

static void
do_channel (Line *line, RbPacket *request, RbPacket *answer, GError **error)
{
  RbAddress address;
  if (line->server->link == NULL || request->fd < 0 || !rb_packet_body_read_address (request->body, &address)) {
    g_set_error_literal (error, RB_LINK_ERROR, RB_REASON_USAGE, "the object is not a channel");
    return;
  }
  RbChannel *channel = rb_channel_open (line->server->link, &address, error);
  if (channel == NULL)
    return;
  answer->number = (gint64) rb_channel_max_message (channel);
  line_start (line->server, (guint32) request->number, request->fd, channel, rb_packet_memory_open (request->memory),
              NULL);
  request->fd = -1;
}

static GBytes *
message_of (Line *line, const RbPacket *request)
{
  g_auto (RbPacketBodyQueued) ready = { 0 };
  if (request->kind == RB_PACKET_SEND)
    return g_bytes_ref (request->body);
  if (line->memory == NULL || !rb_packet_body_read_queued (request->body, &ready))
    return NULL;
  return rb_packet_memory_view (line->memory, ready.place, ready.length);
}

static void
do_send (Line *line, const RbPacket *request, RbPacket *answer, GError **error)
{
  g_autoptr (GBytes) message = message_of (line, request);
  if (message == NULL) {
    g_set_error_literal (error, RB_LINK_ERROR, RB_REASON_USAGE, "there is no such message");
    return;
  }
  g_clear_error (&line->failure);
  if (request->number != 0)
    rb_channel_drain (line->channel);
  if (!rb_channel_send (line->channel, message, line->cancellable, error))
    return;
  g_autoptr (GError) not_yet = NULL;
  answer->body = rb_channel_receive (line->channel, AHEAD_MS, line->cancellable, &not_yet);
  answer->number = answer->body != NULL;
}

static void
do_receive (Line *line, const RbPacket *request, RbPacket *answer, GError **error)
{
  if (line->failure != NULL)
    g_propagate_error (error, g_steal_pointer (&line->failure));
  else
    answer->body = rb_channel_receive (line->channel, request->number, line->cancellable, error);
}

static void
do_receive_then (Line *line, const RbPacket *request, RbPacket *answer, GError **error)
{
  g_auto (RbPacketBodyQueued) ready = { 0 };
  g_autoptr (GBytes) message = message_of (line, request);
  if (message == NULL || !rb_packet_body_read_queued (request->body, &ready)) {
    g_set_error_literal (error, RB_LINK_ERROR, RB_REASON_USAGE, "there is no such message");
    return;
  }
  if (request->number >= 0)
    do_receive (line, request, answer, error);
  if (request->number < 0 || (answer->body != NULL && g_bytes_equal (answer->body, ready.after)))
    line->then = g_steal_pointer (&message);
  answer->number = line->then != NULL;
}

/* The message that the program queued behind a response. It belongs to the next call.
 */
static void
send_then (Line *line)
{
  g_autoptr (GBytes) message = g_steal_pointer (&line->then);
  rb_channel_drain (line->channel);
  if (!rb_channel_send (line->channel, message, line->cancellable, &line->failure))
    g_debug ("the queued message is not sent: %s", line->failure->message);
}

static void
do_watch (Line *line, const RbPacket *request, GError **error)
{
  g_autoptr (GArray) ids = rb_packet_body_read_ids (request->body);
  if (line->server->link == NULL || ids == NULL)
    g_set_error_literal (error, RB_LINK_ERROR, RB_REASON_USAGE, "the request ids are malformed");
  else if (!rb_link_watch_testers (line->server->link, (const guint32 *) (gpointer) ids->data, ids->len, error))
    g_debug ("the link does not watch for testers");
}

static void
do_heard (Line *line, RbPacket *answer, GError **error)
{
  guint32 id = 0;
  if (line->server->link == NULL)
    g_set_error_literal (error, RB_LINK_ERROR, RB_REASON_USAGE, "no link is open");
  else if (rb_link_heard_tester (line->server->link, &id, error))
    answer->number = id;
}

static void
serve_link (Line *line, RbPacket *request, RbPacket *answer, GError **error)
{
  switch (request->kind) {
  case RB_PACKET_OPEN: do_open (line, request, answer, error); break;
  case RB_PACKET_DISCOVER: do_discover (line, request, answer, error); break;
  case RB_PACKET_CHANNEL: do_channel (line, request, answer, error); break;
  case RB_PACKET_ALIVE: answer->number = line->server->link != NULL && rb_link_is_alive (line->server->link); break;
  case RB_PACKET_WATCH: do_watch (line, request, error); break;
  case RB_PACKET_HEARD: do_heard (line, answer, error); break;
  default: g_set_error_literal (error, RB_LINK_ERROR, RB_REASON_USAGE, "the call is not one of a link");
  }
}

static void
serve_channel (Line *line, RbPacket *request, RbPacket *answer, GError **error)
{
  switch (request->kind) {
  case RB_PACKET_SEND_SHARED:
  case RB_PACKET_SEND: do_send (line, request, answer, error); break;
  case RB_PACKET_RECEIVE: do_receive (line, request, answer, error); break;
  case RB_PACKET_RECEIVE_AND_SEND: do_receive_then (line, request, answer, error); break;
  case RB_PACKET_DRAIN: rb_channel_drain (line->channel); break;
  case RB_PACKET_CLOSE: g_clear_pointer (&line->channel, rb_channel_unref); break;
  default: g_set_error_literal (error, RB_LINK_ERROR, RB_REASON_USAGE, "the call is not one of a channel");
  }
}

static void
begin_call (Line *line, guint32 call)
{
  g_mutex_lock (&line->server->lock);
  line->call = call;
  g_cancellable_reset (line->cancellable);
  if (line->cancelled == call)
    g_cancellable_cancel (line->cancellable);
  g_mutex_unlock (&line->server->lock);
}

static gboolean
next_request (Line *line, RbPacketBuffer *buffer, RbPacket *request)
{
  struct pollfd polled = { line->socket, POLLIN, 0 };
  if (line->first.body == NULL) {
    (void) rb_spin_poll_wait (&line->waiter, &polled, 1, -1);
    return rb_packet_receive (line->socket, buffer, request);
  }
  *request = line->first;
  line->first = (RbPacket){ .fd = -1 };
  return TRUE;
}

static gboolean
serve_once (Line *line, RbPacketBuffer *buffer)
{
  g_auto (RbPacket) request = { .fd = -1 };
  if (!next_request (line, buffer, &request))
    return FALSE;
  g_auto (RbPacket) answer = { .kind = RB_PACKET_REPLY, .call = request.call, .fd = -1 };
  g_autoptr (GError) error = NULL;
  begin_call (line, request.call);
  if (line->number == 0)
    serve_link (line, &request, &answer, &error);
  else
    serve_channel (line, &request, &answer, &error);
  if (error != NULL)
    reply_error (&answer, error);
  if (!rb_packet_reply (line->socket, &answer) || request.kind == RB_PACKET_CLOSE)
    return FALSE;
  if (line->then != NULL) {
    begin_call (line, request.call + 1);
    send_then (line);
  }
  return TRUE;
}

static void
line_end (Line *line)
{
  Server *server = line->server;
  if (line->number == 0)
    g_clear_pointer (&server->link, rb_link_unref);
  g_clear_pointer (&line->channel, rb_channel_unref);
  g_clear_pointer (&line->then, g_bytes_unref);
  g_clear_error (&line->failure);
  g_clear_pointer (&line->memory, rb_packet_memory_free);
  close (line->socket);
  g_mutex_lock (&server->lock);
  g_ptr_array_remove (server->lines, line);
  gboolean last = server->lines->len == 0;
  g_mutex_unlock (&server->lock);
  g_object_unref (line->cancellable);
  g_free (line);
  if (last)
    close (server->finished);
}

static gpointer
serve_line (gpointer data)
{
  g_autoptr (RbPacketBuffer) buffer = rb_packet_buffer_new ();
  while (serve_once (data, buffer))
    ;
  line_end (data);
  return NULL;
}

static void
line_start (Server *server, guint32 number, int socket, RbChannel *channel, RbPacketMemory *memory,
            const RbPacket *first)
{
  Line *line = g_new0 (Line, 1);
  line->server = server;
  line->number = number;
  line->socket = socket;
  line->channel = channel;
  line->memory = memory;
  line->first = first == NULL ? (RbPacket){ .fd = -1 } : *first;
  line->cancellable = g_cancellable_new ();
  g_mutex_lock (&server->lock);
  g_ptr_array_add (server->lines, line);
  g_mutex_unlock (&server->lock);
  g_thread_unref (g_thread_new ("link-calls", serve_line, line));
}

static void
cancel (Server *self, const RbPacket *packet)
{
  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->lines->len; i++) {
    Line *line = self->lines->pdata[i];
    if (line->number != packet->number)
      continue;
    line->cancelled = packet->call;
    if (line->call == packet->call)
      g_cancellable_cancel (line->cancellable);
  }
  g_mutex_unlock (&self->lock);
}

static gboolean
serve_heartbeat (Server *self, RbPacketBuffer *buffer)
{
  const RbPacket pong = { .kind = RB_PACKET_PONG, .fd = -1 };
  g_auto (RbPacket) packet = { .fd = -1 };
  if (!rb_packet_receive_whole (RB_PACKET_HEARTBEAT_FD, buffer, &packet))
    return FALSE;
  if (packet.kind == RB_PACKET_CANCEL)
    cancel (self, &packet);
  return packet.kind != RB_PACKET_PING || rb_packet_reply (RB_PACKET_HEARTBEAT_FD, &pong);
}

/* Several threads log; a packet is always sent whole. */
static GLogWriterOutput
log_to_program (GLogLevelFlags level, const GLogField *fields, gsize n, gpointer data)
{
  (void) data;
  for (gsize i = 0; i < n; i++) {
    if (strcmp (fields[i].key, "MESSAGE") != 0)
      continue;
    gsize length = fields[i].length < 0 ? strlen (fields[i].value) : (gsize) fields[i].length;
    g_autoptr (GBytes) body = g_bytes_new (fields[i].value, MIN (length, MAX_LOG));
    const RbPacket packet = { .kind = RB_PACKET_LOG, .number = level & G_LOG_LEVEL_MASK, .body = body, .fd = -1 };
    return rb_packet_reply (RB_PACKET_HEARTBEAT_FD, &packet) ? G_LOG_WRITER_HANDLED : G_LOG_WRITER_UNHANDLED;
  }
  return G_LOG_WRITER_UNHANDLED;
}

/* Reads the URI to be opened and enters its sandbox, while this is the only thread. */
static gboolean
confine (Server *self, RbPacketBuffer *buffer, RbPacket *first)
{
  if (!rb_packet_receive (RB_PACKET_CALLS_FD, buffer, first))
    return FALSE;
  g_auto (RbPacketBodyOpen) wanted = { 0 };
  if (first->kind == RB_PACKET_OPEN && rb_packet_body_read_open (first->body, &wanted))
    self->sandbox = rb_sandbox_for_uri (wanted.uri);
  else if (first->kind == RB_PACKET_DISCOVER)
    self->sandbox.kind = RB_SANDBOX_SEARCH;
  g_auto (RbPacket) answer = { .kind = RB_PACKET_ERROR, .call = first->call, .fd = -1 };
  g_autoptr (GError) error = NULL;
  if (rb_sandbox_enter (&self->sandbox, &error))
    return TRUE;
  reply_error (&answer, error);
  rb_packet_clear (first);
  if (!rb_packet_reply (RB_PACKET_CALLS_FD, &answer))
    g_debug ("no client hears that it failed");
  return FALSE;
}

static void
serve_heartbeats (Server *self, RbPacketBuffer *buffer, int finished)
{
  struct pollfd polled[] = { { RB_PACKET_HEARTBEAT_FD, POLLIN, 0 }, { finished, POLLIN, 0 } };
  while (poll (polled, G_N_ELEMENTS (polled), -1) >= 0 && polled[1].revents == 0)
    if (polled[0].revents != 0 && !serve_heartbeat (self, buffer))
      return;
}

void
rb_serve_run (void)
{
  int finished[2];
  g_autoptr (GError) error = NULL;
  g_log_set_writer_func (log_to_program, NULL, NULL);
  if (!rb_sandbox_detach (RB_PACKET_CALLS_FD, &error) || pipe2 (finished, O_CLOEXEC) != 0) {
    g_warning ("%s", error == NULL ? "no pipe" : error->message);
    return;
  }
  Server server = { .lines = g_ptr_array_new (), .finished = finished[1] };
  g_autoptr (RbPacketBuffer) buffer = rb_packet_buffer_new ();
  RbPacket first = { .fd = -1 };
  g_mutex_init (&server.lock);
  if (!confine (&server, buffer, &first))
    return;
  line_start (&server, 0, RB_PACKET_CALLS_FD, NULL, NULL, &first);
  serve_heartbeats (&server, buffer, finished[0]);
  /* other threads may still run: what they use stays */
  _exit (0);
}
