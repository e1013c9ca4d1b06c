/* SPDX-License-Identifier: Apache-2.0 */
#include "link/process.h"

#include "link/spin-poll.h"
#include "link/packet-body.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * A supervisor thread starts the child, asks for its heartbeat and buries it. It is the supervisor that starts it
 * because a child's PR_SET_PDEATHSIG looks at the thread that made it, and a thread that opens a link may end before
 * the link does.
 *
 * Callers block on their own sockets. What frees them when the child fails is its death: the kernel closes the other
 * ends.
 */
#define PROGRAM "recall-link"
enum { TICK_MS = 200, HANG_MS = 1500, CANCEL_MS = 1500, CLOSE_MS = 1000, MAX_LOGGED = 1000 };
/* What a call may take over the time it was given, or at all: far more than it needs. Beyond it the child hangs,
 * whatever its heartbeat says. */
enum { GRACE_MS = 20000, OPEN_MS = 60000, MESSAGE_MS = 90000, SEND_MS = 600000, SEND_MS_PER_BYTE = 50 };

typedef struct _Line CallSocket;

typedef struct {
  int heartbeat, calls; /* our ends */
  int child_heartbeat, child_calls;
  int wake; /* eventfd: the link closes */
  pid_t child;
  CallSocket *own; /* the link's, from before the first other thread to after the last */
  GThread *supervisor;
  GMutex lock; /* guards all below */
  GCond changed;
  gboolean started;
  char *lost; /* why the child is no more */
  GPtrArray *lines; /* of Line, borrowed */
  guint32 last_line;
  GMutex wait_lock; /* guards the two below, and is held during the call */
  RbLinkWait wait; /* NULL: not while opening */
  gpointer wait_data;
} Process;

/* One socket of calls: the link's own, or a channel's. */
struct _Line {
  Process *process;
  guint32 number; /* 0: the link's */
  int socket;
  RbPacketBuffer *buffer;
  RbSpinPoll waiter;
  GMutex lock; /* one call at a time */
  guint32 call;
  gint64 cancelled_at; /* guarded by the process's lock; 0: not */
  gint64 due; /* the same; when the call under way must be answered; 0: there is none */
  RbPacketMemory *memory; /* of a channel; NULL: everything goes by packets */
  gboolean drain;
  GQueue ahead; /* of GBytes: answers that came with the acknowledgement of their requests */
  gsize max_message;
};

static char *
find_program (void)
{
  g_autofree char *own = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *folder = own == NULL ? NULL : g_path_get_dirname (own);
  g_autofree char *beside = folder == NULL ? NULL : g_build_filename (folder, PROGRAM, NULL);
  if (beside != NULL && g_file_test (beside, G_FILE_TEST_IS_EXECUTABLE))
    return g_steal_pointer (&beside);
  return g_find_program_in_path (PROGRAM);
}

/* A session of its own: what a terminal sends to the program is not for the child, whose work has to be finished first.
 */
static int
spawn (Process *self, const char *program)
{
  char *argv[] = { PROGRAM, NULL }, *environment[] = { NULL };
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  sigset_t none, all;
  sigemptyset (&none);
  sigfillset (&all);
  posix_spawn_file_actions_init (&files);
  posix_spawn_file_actions_addopen (&files, STDIN_FILENO, "/dev/null", O_RDWR, 0);
  posix_spawn_file_actions_adddup2 (&files, STDIN_FILENO, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2 (&files, STDIN_FILENO, STDERR_FILENO);
  posix_spawn_file_actions_adddup2 (&files, self->child_heartbeat, RB_PACKET_HEARTBEAT_FD);
  posix_spawn_file_actions_adddup2 (&files, self->child_calls, RB_PACKET_CALLS_FD);
  posix_spawn_file_actions_addclosefrom_np (&files, RB_PACKET_CALLS_FD + 1);
  posix_spawnattr_init (&attributes);
  posix_spawnattr_setflags (&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  posix_spawnattr_setsigmask (&attributes, &none);
  posix_spawnattr_setsigdefault (&attributes, &all);
  int failure = posix_spawn (&self->child, program, &files, &attributes, argv, environment);
  posix_spawn_file_actions_destroy (&files);
  posix_spawnattr_destroy (&attributes);
  return failure;
}

static void
set_lost (Process *self, const char *why)
{
  g_mutex_lock (&self->lock);
  if (self->lost == NULL)
    self->lost = g_strdup (why);
  self->started = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

static void
start (Process *self)
{
  g_autofree char *program = find_program ();
  int failure = program == NULL ? ENOENT : spawn (self, program);
  close (self->child_heartbeat);
  close (self->child_calls);
  if (failure != 0) {
    g_autofree char *why = g_strdup_printf ("the program " PROGRAM " cannot be started: %s", g_strerror (failure));
    self->child = 0;
    set_lost (self, why);
    return;
  }
  g_mutex_lock (&self->lock);
  self->started = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

/* How the child ended, once it has. */
static void
reap_child (Process *self, const char *why)
{
  int status = 0;
  if (self->child == 0)
    return;
  kill (self->child, SIGKILL);
  while (waitpid (self->child, &status, 0) < 0 && errno == EINTR)
    ;
  g_autofree char *text = why != NULL ? g_strdup (why)
                          : WIFSIGNALED (status)
                            ? g_strdup_printf ("the link process died of signal %d", WTERMSIG (status))
                            : g_strdup_printf ("the link process ended with %d", WEXITSTATUS (status));
  g_debug ("%s", text);
  set_lost (self, text);
}

/* The fault of a call without a reply, or NULL. */
static const char *
hanging_call (Process *self, gint64 now)
{
  const char *wrong = NULL;
  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->lines->len; i++) {
    const CallSocket *line = self->lines->pdata[i];
    if (line->cancelled_at != 0 && now - line->cancelled_at > CANCEL_MS * 1000)
      wrong = "the link process does not stop a call";
    else if (line->due != 0 && now > line->due)
      wrong = "the link process does not end a call";
  }
  g_mutex_unlock (&self->lock);
  return wrong;
}

static void
extend_deadlines (Process *self, gint64 late)
{
  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->lines->len; i++) {
    CallSocket *line = self->lines->pdata[i];
    line->due += line->due == 0 ? 0 : late;
  }
  g_mutex_unlock (&self->lock);
}

static void
tell_wait (Process *self, const RbPacket *packet)
{
  g_autofree char *text = rb_packet_body_text (packet->body);
  g_mutex_lock (&self->wait_lock);
  if (self->wait != NULL)
    self->wait (text, self->wait_data);
  g_mutex_unlock (&self->wait_lock);
}

static void
set_wait (Process *self, const RbLinkOptions *options)
{
  g_mutex_lock (&self->wait_lock);
  self->wait = options == NULL ? NULL : options->wait;
  self->wait_data = options == NULL ? NULL : options->wait_data;
  g_mutex_unlock (&self->wait_lock);
}

typedef struct {
  gint64 alive_at, round_at, asked_at, closing_at;
  guint logged;
  gboolean ended;
} Supervision;

static void
read_heartbeat (Process *self, RbPacketBuffer *buffer, Supervision *watch)
{
  g_auto (RbPacket) packet = { .fd = -1 };
  if (!rb_packet_receive_whole (self->heartbeat, buffer, &packet)) {
    watch->ended = TRUE;
    return;
  }
  if (packet.kind == RB_PACKET_PONG)
    watch->alive_at = g_get_monotonic_time ();
  if (packet.kind == RB_PACKET_WAIT)
    tell_wait (self, &packet);
  if (packet.kind == RB_PACKET_LOG && watch->logged++ < MAX_LOGGED) {
    g_autofree char *text = rb_packet_body_text (packet.body);
    g_log (G_LOG_DOMAIN, packet.number == G_LOG_LEVEL_WARNING ? G_LOG_LEVEL_WARNING : G_LOG_LEVEL_DEBUG,
           "link process: %s", text);
  }
}

/* The fault of the child process, or NULL. Time in which this computer did not run us either is not the child's. */
static const char *
check_liveness (Process *self, Supervision *watch)
{
  gint64 now = g_get_monotonic_time ();
  gint64 late = now - watch->round_at - TICK_MS * 1000;
  if (late > TICK_MS * 1000) {
    watch->alive_at += late;
    extend_deadlines (self, late);
  }
  watch->round_at = now;
  if (watch->closing_at != 0)
    return now - watch->closing_at > CLOSE_MS * 1000 ? "the link process did not close" : NULL;
  if (now - watch->alive_at > HANG_MS * 1000)
    return "the link process does not answer";
  return hanging_call (self, now);
}

static void
ask_heartbeat (Process *self, Supervision *watch)
{
  const RbPacket ping = { .kind = RB_PACKET_PING, .fd = -1 };
  gint64 now = g_get_monotonic_time ();
  if (watch->closing_at != 0 || now - watch->asked_at < TICK_MS * 1000)
    return;
  watch->asked_at = now;
  watch->ended = !rb_packet_send (self->heartbeat, &ping, MSG_DONTWAIT) && errno != EAGAIN;
}

static gpointer
supervise (gpointer data)
{
  Process *self = data;
  g_autoptr (RbPacketBuffer) buffer = rb_packet_buffer_new ();
  start (self);
  gint64 now = g_get_monotonic_time ();
  Supervision watch = { .alive_at = now, .round_at = now };
  struct pollfd polled[] = { { self->heartbeat, POLLIN, 0 }, { self->wake, POLLIN, 0 } };
  const char *wrong = NULL;
  while (self->child != 0 && !watch.ended && wrong == NULL) {
    ask_heartbeat (self, &watch);
    if (poll (polled, watch.closing_at == 0 ? 2 : 1, TICK_MS) > 0 && polled[0].revents != 0)
      read_heartbeat (self, buffer, &watch);
    if (watch.closing_at == 0 && polled[1].revents != 0)
      watch.closing_at = g_get_monotonic_time ();
    wrong = check_liveness (self, &watch);
  }
  reap_child (self, wrong);
  return NULL;
}

static gboolean
say_lost (Process *self, GError **error)
{
  g_mutex_lock (&self->lock);
  /* the sockets close a moment before the supervisor knows why */
  gint64 end = g_get_monotonic_time () + CLOSE_MS * 1000;
  while (self->lost == NULL && g_cond_wait_until (&self->changed, &self->lock, end))
    ;
  g_set_error (error, RB_LINK_ERROR, RB_REASON_LINK_LOST, "the interface is gone: %s",
               self->lost == NULL ? "the link process hung up" : self->lost);
  g_mutex_unlock (&self->lock);
  return FALSE;
}

typedef struct {
  CallSocket *line;
  guint32 call;
} Cancelling;

static void
on_cancelled (GCancellable *cancellable, gpointer data)
{
  const Cancelling *self = data;
  Process *process = self->line->process;
  (void) cancellable;
  const RbPacket packet = { .kind = RB_PACKET_CANCEL, .call = self->call, .number = self->line->number, .fd = -1 };
  g_mutex_lock (&process->lock);
  self->line->cancelled_at = g_get_monotonic_time ();
  g_mutex_unlock (&process->lock);
  if (!rb_packet_send (process->heartbeat, &packet, MSG_DONTWAIT))
    g_debug ("cannot cancel: %s", g_strerror (errno));
}

static gint64
limit_of (const RbPacket *request)
{
  gint64 given = MAX (request->number, 0);
  switch (request->kind) {
  case RB_PACKET_OPEN: return OPEN_MS;
  case RB_PACKET_DISCOVER: return given + GRACE_MS;
  case RB_PACKET_RECEIVE:
  case RB_PACKET_RECEIVE_AND_SEND: return given + MESSAGE_MS;
  case RB_PACKET_SEND:
    return SEND_MS + SEND_MS_PER_BYTE * (gint64) (request->body == NULL ? 0 : g_bytes_get_size (request->body));
  case RB_PACKET_SEND_SHARED: return SEND_MS + SEND_MS_PER_BYTE * RB_PACKET_SHARED_MAX;
  default: return GRACE_MS;
  }
}

static void
set_due (CallSocket *line, gint64 due)
{
  g_mutex_lock (&line->process->lock);
  line->due = due;
  if (due == 0)
    line->cancelled_at = 0;
  g_mutex_unlock (&line->process->lock);
}

static gboolean
exchange (CallSocket *line, RbPacket *request, RbPacket *answer, GCancellable *cancellable)
{
  request->call = ++line->call;
  set_due (line, g_get_monotonic_time () + limit_of (request) * 1000);
  if (!rb_packet_send (line->socket, request, 0))
    return FALSE;
  Cancelling cancelling = { line, request->call };
  gulong handler
    = cancellable == NULL ? 0 : g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), &cancelling, NULL);
  struct pollfd polled = { line->socket, POLLIN, 0 };
  (void) rb_spin_poll_wait (&line->waiter, &polled, 1, -1);
  gboolean came = rb_packet_receive (line->socket, line->buffer, answer);
  if (handler != 0)
    g_cancellable_disconnect (cancellable, handler);
  set_due (line, 0);
  return came && answer->call == request->call;
}

/* One call and its answer. The answer is cleared by the caller in any case. */
static gboolean
call (CallSocket *line, RbPacket *request, RbPacket *answer, GCancellable *cancellable, GError **error)
{
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;
  g_mutex_lock (&line->lock);
  gboolean came = exchange (line, request, answer, cancellable);
  g_mutex_unlock (&line->lock);
  if (!came)
    return say_lost (line->process, error);
  if (answer->kind == RB_PACKET_REPLY)
    return TRUE;
  rb_packet_body_read_error (answer, error);
  return FALSE;
}

static CallSocket *
line_new (Process *process, guint32 number, int socket)
{
  CallSocket *line = g_new0 (CallSocket, 1);
  line->process = process;
  line->number = number;
  line->socket = socket;
  line->buffer = rb_packet_buffer_new ();
  g_mutex_init (&line->lock);
  g_mutex_lock (&process->lock);
  g_ptr_array_add (process->lines, line);
  g_mutex_unlock (&process->lock);
  return line;
}

static void
line_free (CallSocket *line)
{
  g_mutex_lock (&line->process->lock);
  g_ptr_array_remove (line->process->lines, line);
  g_mutex_unlock (&line->process->lock);
  close (line->socket);
  rb_packet_buffer_free (line->buffer);
  g_clear_pointer (&line->memory, rb_packet_memory_free);
  g_queue_clear_full (&line->ahead, (GDestroyNotify) g_bytes_unref);
  g_mutex_clear (&line->lock);
  g_free (line);
}

static void
process_close (gpointer state)
{
  Process *self = state;
  const guint64 one = 1;
  /* the child closes its link when it sees the end of the last socket */
  line_free (self->own);
  if (write (self->wake, &one, sizeof one) != sizeof one)
    g_debug ("cannot wake the supervisor");
  g_thread_join (self->supervisor);
  close (self->wake);
  close (self->heartbeat);
  g_ptr_array_unref (self->lines);
  g_mutex_clear (&self->lock);
  g_mutex_clear (&self->wait_lock);
  g_cond_clear (&self->changed);
  g_free (self->lost);
  g_free (self);
}

static gboolean
make_sockets (Process *self, GError **error)
{
  int heartbeat[2] = { -1, -1 }, calls[2] = { -1, -1 };
  self->wake = eventfd (0, EFD_CLOEXEC);
  if (self->wake >= 0 && rb_packet_pair (heartbeat) && rb_packet_pair (calls)) {
    self->heartbeat = heartbeat[0];
    self->child_heartbeat = heartbeat[1];
    self->calls = calls[0];
    self->child_calls = calls[1];
    return TRUE;
  }
  g_set_error (error, RB_LINK_ERROR, RB_REASON_IO, "no sockets for a link process: %s", g_strerror (errno));
  for (guint i = 0; i < 2; i++)
    if (heartbeat[i] >= 0)
      close (heartbeat[i]);
  if (self->wake >= 0)
    close (self->wake);
  return FALSE;
}

static Process *
process_new (GError **error)
{
  g_autofree Process *self = g_new0 (Process, 1);
  if (!make_sockets (self, error))
    return NULL;
  g_mutex_init (&self->lock);
  g_mutex_init (&self->wait_lock);
  g_cond_init (&self->changed);
  self->lines = g_ptr_array_new ();
  self->own = line_new (self, 0, self->calls);
  self->supervisor = g_thread_new ("link-supervisor", supervise, self);
  g_mutex_lock (&self->lock);
  while (!self->started)
    g_cond_wait (&self->changed, &self->lock);
  gboolean lost = self->lost != NULL;
  if (lost)
    g_set_error_literal (error, RB_LINK_ERROR, RB_REASON_LINK_NONE, self->lost);
  g_mutex_unlock (&self->lock);
  if (!lost)
    return g_steal_pointer (&self);
  process_close (g_steal_pointer (&self));
  return NULL;
}

static gpointer
process_open (const char *uri, const RbLinkOptions *options, RbLinkInfo *info, GCancellable *cancellable,
              GError **error)
{
  Process *self = process_new (error);
  if (self == NULL)
    return NULL;
  g_autoptr (GBytes) body = rb_packet_body_open (uri, options);
  RbPacket request = { .kind = RB_PACKET_OPEN, .body = body, .fd = -1 };
  g_auto (RbPacket) answer = { .fd = -1 };
  set_wait (self, options);
  gboolean opened = call (self->own, &request, &answer, cancellable, error);
  set_wait (self, NULL);
  if (opened && rb_packet_body_read_info (answer.body, info))
    return self;
  if (opened)
    g_set_error_literal (error, RB_LINK_ERROR, RB_REASON_LINK_PROTOCOL, "the link process does not say what it opened");
  process_close (self);
  return NULL;
}

static gboolean
process_is_alive (gpointer state)
{
  RbPacket request = { .kind = RB_PACKET_ALIVE, .fd = -1 };
  g_auto (RbPacket) answer = { .fd = -1 };
  g_autoptr (GError) error = NULL;
  return call (((Process *) state)->own, &request, &answer, NULL, &error) && answer.number != 0;
}

static gboolean
process_watch_testers (gpointer state, const guint32 *ids, guint n, GError **error)
{
  g_autoptr (GBytes) body = rb_packet_body_ids (ids, n);
  RbPacket request = { .kind = RB_PACKET_WATCH, .body = body, .fd = -1 };
  g_auto (RbPacket) answer = { .fd = -1 };
  return call (((Process *) state)->own, &request, &answer, NULL, error);
}

static gboolean
process_heard_tester (gpointer state, guint32 *id, GError **error)
{
  RbPacket request = { .kind = RB_PACKET_HEARD, .fd = -1 };
  g_auto (RbPacket) answer = { .fd = -1 };
  if (!call (((Process *) state)->own, &request, &answer, NULL, error))
    return FALSE;
  *id = (guint32) CLAMP (answer.number, 0, G_MAXUINT32);
  return TRUE;
}

static gpointer
process_channel_open (gpointer state, const RbAddress *address, GError **error)
{
  Process *self = state;
  int sockets[2] = { -1, -1 };
  if (!rb_packet_pair (sockets)) {
    g_set_error (error, RB_LINK_ERROR, RB_REASON_IO, "no socket for a channel: %s", g_strerror (errno));
    return NULL;
  }
  g_mutex_lock (&self->lock);
  guint32 number = ++self->last_line;
  g_mutex_unlock (&self->lock);
  g_autoptr (GBytes) body = rb_packet_body_address (address);
  g_autoptr (RbPacketMemory) memory = rb_packet_memory_new ();
  RbPacket request = { .kind = RB_PACKET_CHANNEL,
                       .number = number,
                       .body = body,
                       .fd = sockets[1],
                       .memory = memory == NULL ? sockets[1] : rb_packet_memory_file (memory) };
  g_auto (RbPacket) answer = { .fd = -1 };
  gboolean opened = call (self->own, &request, &answer, NULL, error);
  close (sockets[1]);
  if (!opened) {
    close (sockets[0]);
    return NULL;
  }
  CallSocket *line = line_new (self, number, sockets[0]);
  line->memory = g_steal_pointer (&memory);
  line->max_message = (gsize) CLAMP (answer.number, 0, RB_PACKET_MAX_BODY);
  return line;
}

/* Waits for the child, so that the address is free again at once; but not for one that does not answer. */
static void
process_channel_close (gpointer state, gpointer channel)
{
  Process *self = state;
  RbPacket request = { .kind = RB_PACKET_CLOSE, .fd = -1 };
  g_auto (RbPacket) answer = { .fd = -1 };
  g_mutex_lock (&self->lock);
  ((CallSocket *) channel)->cancelled_at = g_get_monotonic_time ();
  g_mutex_unlock (&self->lock);
  if (!exchange (channel, &request, &answer, NULL))
    g_debug ("the link process was gone before its channel");
  line_free (channel);
}

/* Where the message is now, or NULL. */
static GBytes *
queue_follow_up (CallSocket *line, GBytes *message, GBytes *after)
{
  guint32 place;
  if (line->memory == NULL || !rb_packet_memory_put (line->memory, message, &place))
    return NULL;
  return rb_packet_body_queued (place, g_bytes_get_size (message), after);
}

static gboolean
process_send (gpointer state, gpointer channel, GBytes *message, GCancellable *cancellable, GError **error)
{
  CallSocket *line = channel;
  (void) state;
  gsize length = g_bytes_get_size (message);
  RbPacket request = { .kind = RB_PACKET_SEND, .number = line->drain ? 1 : 0, .body = message, .fd = -1 };
  g_autoptr (GBytes) ready = length < RB_PACKET_SHARED_MIN ? NULL : queue_follow_up (line, message, NULL);
  if (ready != NULL) {
    request.kind = RB_PACKET_SEND_SHARED;
    request.body = ready;
  }
  g_auto (RbPacket) answer = { .fd = -1 };
  line->drain = FALSE;
  if (!call (line, &request, &answer, cancellable, error))
    return FALSE;
  if (answer.number != 0)
    g_queue_push_tail (&line->ahead, g_steal_pointer (&answer.body));
  return TRUE;
}

static GBytes *
process_receive (gpointer state, gpointer channel, gint64 first_ms, GCancellable *cancellable, GError **error)
{
  CallSocket *line = channel;
  (void) state;
  if (!g_queue_is_empty (&line->ahead))
    return g_queue_pop_head (&line->ahead);
  RbPacket request = { .kind = RB_PACKET_RECEIVE, .number = first_ms, .fd = -1 };
  g_auto (RbPacket) answer = { .fd = -1 };
  if (!call (line, &request, &answer, cancellable, error))
    return NULL;
  return g_steal_pointer (&answer.body);
}

/* An answer that is here already needs no receiving: the message goes out now. */
static GBytes *
process_receive_then (gpointer state, gpointer channel, gint64 first_ms, RbChannelFollowUp *next,
                      GCancellable *cancellable, GError **error)
{
  CallSocket *line = channel;
  GBytes *ahead = g_queue_peek_head (&line->ahead);
  gboolean useless = ahead != NULL && !g_bytes_equal (ahead, next->after);
  g_autoptr (GBytes) ready = useless ? NULL : queue_follow_up (line, next->message, next->after);
  if (ready == NULL)
    return process_receive (state, channel, first_ms, cancellable, error);
  RbPacket request
    = { .kind = RB_PACKET_RECEIVE_AND_SEND, .number = ahead == NULL ? first_ms : -1, .body = ready, .fd = -1 };
  g_auto (RbPacket) answer = { .fd = -1 };
  if (!call (line, &request, &answer, cancellable, error))
    return NULL;
  next->sent = answer.number != 0;
  return ahead == NULL ? g_steal_pointer (&answer.body) : g_queue_pop_head (&line->ahead);
}

/* Drops the messages held here now; the child drops its own before it sends the next message, which saves a round trip.
 */
static void
process_drain (gpointer state, gpointer channel)
{
  CallSocket *line = channel;
  (void) state;
  g_queue_clear_full (&line->ahead, (GDestroyNotify) g_bytes_unref);
  line->drain = TRUE;
}

static gsize
process_max_message (gpointer state, gpointer channel)
{
  (void) state;
  return ((CallSocket *) channel)->max_message;
}

GPtrArray *
rb_process_discover (gint64 timeout_ms, GCancellable *cancellable, GError **error)
{
  Process *self = process_new (error);
  if (self == NULL)
    return NULL;
  RbPacket request = { .kind = RB_PACKET_DISCOVER, .number = timeout_ms, .fd = -1 };
  g_auto (RbPacket) answer = { .fd = -1 };
  gboolean found = call (self->own, &request, &answer, cancellable, error);
  GPtrArray *entries = found ? rb_packet_body_read_entries (answer.body) : NULL;
  if (found && entries == NULL)
    g_set_error_literal (error, RB_LINK_ERROR, RB_REASON_LINK_PROTOCOL, "the link process does not say what it found");
  process_close (self);
  return entries;
}

const RbLinkBackend rb_process_backend = {
  .scheme = "link",
  .open_with = process_open,
  .close = process_close,
  .is_alive = process_is_alive,
  .watch_testers = process_watch_testers,
  .heard_tester = process_heard_tester,
  .channel_open = process_channel_open,
  .channel_close = process_channel_close,
  .send = process_send,
  .receive = process_receive,
  .receive_and_send = process_receive_then,
  .drain = process_drain,
  .max_message = process_max_message,
};
