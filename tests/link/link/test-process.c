/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bare-entity.h"
#include "link/backend.h"
#include "link/channel.h"
#include "linkd/backends.h"

/* The link process by what happens to it: the program beside it has to live. */
#define SOON (20 * G_USEC_PER_SEC)

typedef struct {
  int listener;
  GThread *thread;
  char *uri;
} Entity;

static gpointer
serve (gpointer data)
{
  bare_entity_serve (((Entity *) data)->listener, NULL, 0);
  return NULL;
}

static Entity *
entity_new (void)
{
  Entity *self = g_new0 (Entity, 1);
  guint16 port;
  self->listener = bare_entity_listen (&port);
  self->uri = g_strdup_printf ("doip://127.0.0.1:%u", port);
  self->thread = g_thread_new ("entity", serve, self);
  return self;
}

static void
entity_free (Entity *self)
{
  shutdown (self->listener, SHUT_RDWR);
  g_thread_join (self->thread);
  close (self->listener);
  g_free (self->uri);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Entity, entity_free)

/* Processes that any thread of this one has started. */
static GArray *
children (int parent)
{
  GArray *found = g_array_new (FALSE, FALSE, sizeof (int));
  g_autofree char *tasks = g_strdup_printf ("/proc/%d/task", parent);
  g_autoptr (GDir) folder = g_dir_open (tasks, 0, NULL);
  const char *task;
  while (folder != NULL && (task = g_dir_read_name (folder)) != NULL) {
    g_autofree char *path = g_build_filename (tasks, task, "children", NULL);
    g_autofree char *text = NULL;
    g_auto (GStrv) words = g_file_get_contents (path, &text, NULL, NULL) ? g_strsplit (text, " ", -1) : NULL;
    for (guint i = 0; words != NULL && words[i] != NULL; i++) {
      int pid = (int) g_ascii_strtoll (words[i], NULL, 10);
      if (pid > 0)
        g_array_append_val (found, pid);
    }
  }
  return found;
}

static int
link_process (void)
{
  g_autoptr (GArray) found = children (getpid ());
  g_assert_cmpuint (found->len, ==, 1);
  return g_array_index (found, int, 0);
}

static RbLink *
link_to (const char *uri)
{
  g_autoptr (GError) error = NULL;
  RbLink *link = rb_link_open_with (uri, NULL, NULL, &error);
  g_assert_no_error (error);
  return link;
}

static RbChannel *
channel_to (RbLink *link, guint16 logical)
{
  const RbAddress address = { .logical = logical, .extension = -1, .response_extension = -1 };
  g_autoptr (GError) error = NULL;
  RbChannel *channel = rb_channel_open (link, &address, &error);
  g_assert_no_error (error);
  return channel;
}

static GBytes *
request_of (guint8 sid, gsize length)
{
  guint8 *bytes = g_malloc (length);
  for (gsize i = 0; i < length; i++)
    bytes[i] = (guint8) (i * 13);
  bytes[0] = sid;
  return g_bytes_new_take (bytes, length);
}

static void
echo (RbChannel *channel, gsize length)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) request = request_of (0x22, length);
  rb_channel_drain (channel);
  gboolean sent = rb_channel_send (channel, request, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (sent);
  g_autoptr (GBytes) answer = rb_channel_receive (channel, SOON / 1000, NULL, &error);
  g_assert_no_error (error);
  gsize got;
  const guint8 *said = g_bytes_get_data (answer, &got);
  g_assert_cmpuint (got, ==, length);
  g_assert_cmpuint (said[0], ==, 0x62);
  g_assert_cmpint (memcmp (&said[1], (const guint8 *) g_bytes_get_data (request, NULL) + 1, length - 1), ==, 0);
}

static void
assert_no_children (void)
{
  g_assert_cmpint (waitpid (-1, NULL, WNOHANG), ==, -1);
  g_assert_cmpint (errno, ==, ECHILD);
}

static void
test_messages_pass (void)
{
  g_autoptr (Entity) entity = entity_new ();
  {
    g_autoptr (RbLink) link = link_to (entity->uri);
    g_assert_cmpstr (rb_link_uri (link), ==, entity->uri);
    g_assert_cmpstr (rb_link_info (link)->kind, ==, "doip");
    g_assert_cmpuint (rb_link_info (link)->logical, ==, 0x1001);
    g_assert_true (rb_link_is_alive (link));
    g_autoptr (RbChannel) one = channel_to (link, 0x1001), two = channel_to (link, 0x1002);
    g_assert_cmpuint (rb_channel_max_message (one), ==, 65535);
    const gsize lengths[] = { 2, 100, 4095, 65535 };
    for (guint i = 0; i < G_N_ELEMENTS (lengths); i++) {
      echo (one, lengths[i]);
      echo (two, lengths[i]);
    }
  }
  assert_no_children ();
}

static void
test_errors_pass (void)
{
  g_autoptr (Entity) entity = entity_new ();
  g_autoptr (GError) error = NULL;
  g_assert_null (rb_link_open_with ("doip://127.0.0.1:1", NULL, NULL, &error));
  g_assert_error (error, RB_LINK_ERROR, RB_REASON_LINK_REFUSED);
  g_assert_true (g_str_has_prefix (error->message, "doip://127.0.0.1:1: "));
  g_clear_error (&error);
  g_assert_null (rb_link_open_with ("nothing", NULL, NULL, &error));
  g_assert_error (error, RB_LINK_ERROR, RB_REASON_USAGE);
  g_clear_error (&error);
  g_autoptr (RbLink) link = link_to (entity->uri);
  g_autoptr (RbChannel) channel = channel_to (link, 0x1001);
  const RbAddress same = { .logical = 0x1001, .extension = -1, .response_extension = -1 };
  g_assert_null (rb_channel_open (link, &same, &error));
  g_assert_error (error, RB_LINK_ERROR, RB_REASON_IN_USE);
  g_clear_error (&error);
  g_autoptr (GBytes) silent = request_of (0x3e, 2);
  g_assert_true (rb_channel_send (channel, silent, NULL, &error));
  g_assert_null (rb_channel_receive (channel, 10, NULL, &error));
  g_assert_error (error, RB_LINK_ERROR, RB_REASON_TIMEOUT);
  g_clear_error (&error);
  g_autoptr (GBytes) too_long = request_of (0x36, 65536);
  g_assert_false (rb_channel_send (channel, too_long, NULL, &error));
  g_assert_error (error, RB_LINK_ERROR, RB_REASON_BLOCK_TOO_LONG);
}

/* A refusal that names no address is for the message that waits, not for one that was never sent. */
static void
test_header_refused (void)
{
  g_autoptr (Entity) entity = entity_new ();
  g_autoptr (GCancellable) cancelled = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (RbLink) link = rb_backends_open (
    entity->uri, NULL, NULL, &error); /* in this process, where nothing stops a cancelled call earlier */
  g_assert_no_error (error);
  g_autoptr (RbChannel) one = channel_to (link, 0x1001), two = channel_to (link, 0x1002);
  g_autoptr (GBytes) unsent = request_of (0x22, 3), refused = request_of (0x29, 3);
  g_cancellable_cancel (cancelled);
  g_assert_false (rb_channel_send (one, unsent, cancelled, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_false (rb_channel_send (two, refused, NULL, &error));
  g_assert_error (error, RB_LINK_ERROR, RB_REASON_BLOCK_TOO_LONG);
  g_assert_nonnull (strstr (error->message, "1002"));
}

enum { OPENERS = 4, HELD = 12, ROUNDS = 3 };

typedef struct {
  RbLink *link;
  guint number;
  gint *ended;
} Opener;

/* Opens and closes more channels than there is room for at first. */
static gpointer
open_and_close (gpointer data)
{
  const Opener *self = data;
  for (guint round = 0; round < ROUNDS; round++) {
    RbChannel *channels[HELD];
    for (guint i = 0; i < HELD; i++)
      channels[i] = channel_to (self->link, (guint16) (0x1001 + self->number * HELD + i));
    echo (channels[round], 100);
    for (guint i = 0; i < HELD; i++)
      rb_channel_unref (channels[i]);
  }
  g_atomic_int_inc (self->ended);
  return NULL;
}

/* Channels come and go in several threads while another one asks after the link; ThreadSanitizer has something to say
 * of it. */
static void
test_several_threads (void)
{
  g_autoptr (Entity) entity = entity_new ();
  g_autoptr (RbLink) link = link_to (entity->uri);
  GThread *threads[OPENERS];
  Opener openers[OPENERS];
  gint ended = 0;
  for (guint i = 0; i < OPENERS; i++) {
    openers[i] = (Opener){ link, i, &ended };
    threads[i] = g_thread_new ("opener", open_and_close, &openers[i]);
  }
  while (g_atomic_int_get (&ended) < OPENERS)
    g_assert_true (rb_link_is_alive (link));
  for (guint i = 0; i < OPENERS; i++)
    g_thread_join (threads[i]);
}

/* An answer that nobody fetched is not taken for the next request's. */
static void
test_drain (void)
{
  g_autoptr (Entity) entity = entity_new ();
  g_autoptr (RbLink) link = link_to (entity->uri);
  g_autoptr (RbChannel) channel = channel_to (link, 0x1001);
  for (guint i = 0; i < 50; i++) {
    g_autoptr (GBytes) request = request_of (0x22, 3 + i);
    g_assert_true (rb_channel_send (channel, request, NULL, NULL));
    if (i % 2 == 1)
      continue;
    g_autoptr (GBytes) answer = rb_channel_receive (channel, SOON / 1000, NULL, NULL);
    g_assert_nonnull (answer);
  }
  echo (channel, 200);
}

/* What the bare entity says to a request. */
static GBytes *
echo_of (GBytes *request)
{
  gsize length;
  g_autofree guint8 *bytes = g_memdup2 (g_bytes_get_data (request, NULL), g_bytes_get_size (request));
  length = g_bytes_get_size (request);
  bytes[0] |= 0x40;
  return g_bytes_new (bytes, length);
}

/* Message after message, each behind the answer to the one before it, short and long by turns: all of them arrive once,
 * in order. */
static void
test_follows (void)
{
  g_autoptr (Entity) entity = entity_new ();
  g_autoptr (RbLink) link = link_to (entity->uri);
  g_autoptr (RbChannel) channel = channel_to (link, 0x1001);
  const gsize lengths[] = { 3, 65535, 4, 4095, 65534, 65533, 2, 2048, 2047, 5, 60000 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) request = request_of (0x22, lengths[0]);
  g_assert_true (rb_channel_send (channel, request, NULL, &error));
  for (guint i = 1; i < 10 * G_N_ELEMENTS (lengths); i++) {
    g_autoptr (GBytes) wanted = echo_of (request);
    g_bytes_unref (request);
    request = request_of (0x22, lengths[i % G_N_ELEMENTS (lengths)]);
    RbChannelFollowUp next = { .after = wanted, .message = request };
    g_autoptr (GBytes) answer = rb_channel_receive_and_send (channel, SOON / 1000, &next, NULL, &error);
    g_assert_no_error (error);
    g_assert_true (g_bytes_equal (answer, wanted));
    g_assert_true (next.sent);
  }
  g_autoptr (GBytes) wanted = echo_of (request);
  g_autoptr (GBytes) last = rb_channel_receive (channel, SOON / 1000, NULL, &error);
  g_assert_true (g_bytes_equal (last, wanted));
  g_assert_null (rb_channel_receive (channel, 10, NULL, &error));
  g_assert_error (error, RB_LINK_ERROR, RB_REASON_TIMEOUT);
}

/* After any other answer, and after none, nothing goes out. */
static void
test_does_not_follow (void)
{
  g_autoptr (Entity) entity = entity_new ();
  g_autoptr (RbLink) link = link_to (entity->uri);
  g_autoptr (RbChannel) channel = channel_to (link, 0x1001);
  g_autoptr (GBytes) wanted = request_of (0x62, 50), message = request_of (0x22, 50), silent = request_of (0x3e, 2);
  for (gsize length = 49; length <= 51; length += 2) {
    RbChannelFollowUp next = { .after = wanted, .message = message, .sent = TRUE };
    g_autoptr (GError) error = NULL;
    g_autoptr (GBytes) request = request_of (0x22, length);
    g_assert_true (rb_channel_send (channel, request, NULL, &error));
    g_autoptr (GBytes) answer = rb_channel_receive_and_send (channel, SOON / 1000, &next, NULL, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (g_bytes_get_size (answer), ==, length);
    g_assert_false (next.sent);
    g_assert_true (rb_channel_send (channel, silent, NULL, &error));
    g_assert_null (rb_channel_receive_and_send (channel, 10, &next, NULL, &error));
    g_assert_error (error, RB_LINK_ERROR, RB_REASON_TIMEOUT);
    g_assert_false (next.sent);
    g_clear_error (&error);
    g_assert_null (rb_channel_receive (channel, 10, NULL, &error));
    g_assert_error (error, RB_LINK_ERROR, RB_REASON_TIMEOUT);
  }
}

static void
test_follower_is_too_long (void)
{
  g_autoptr (Entity) entity = entity_new ();
  g_autoptr (RbLink) link = link_to (entity->uri);
  g_autoptr (RbChannel) channel = channel_to (link, 0x1001);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) request = request_of (0x22, 50), wanted = echo_of (request), too_long = request_of (0x36, 65536);
  RbChannelFollowUp next = { .after = wanted, .message = too_long };
  g_assert_true (rb_channel_send (channel, request, NULL, &error));
  g_autoptr (GBytes) answer = rb_channel_receive_and_send (channel, SOON / 1000, &next, NULL, &error);
  g_assert_true (g_bytes_equal (answer, wanted));
  g_assert_false (next.sent);
}

/* Answers that are fetched late come all, in their order. */
static void
test_late_fetch (void)
{
  g_autoptr (Entity) entity = entity_new ();
  g_autoptr (RbLink) link = link_to (entity->uri);
  g_autoptr (RbChannel) channel = channel_to (link, 0x1001);
  for (gsize length = 2; length < 22; length++) {
    g_autoptr (GBytes) request = request_of (0x22, length);
    g_assert_true (rb_channel_send (channel, request, NULL, NULL));
  }
  for (gsize length = 2; length < 22; length++) {
    g_autoptr (GBytes) answer = rb_channel_receive (channel, SOON / 1000, NULL, NULL);
    g_assert_nonnull (answer);
    g_assert_cmpuint (g_bytes_get_size (answer), ==, length);
  }
}

static void
test_address_is_free_again (void)
{
  g_autoptr (Entity) entity = entity_new ();
  g_autoptr (RbLink) link = link_to (entity->uri);
  for (guint i = 0; i < 200; i++) {
    g_autoptr (RbChannel) channel = channel_to (link, 0x1001);
    if (i % 50 == 0)
      echo (channel, 30);
  }
}

typedef struct {
  RbChannel *channel;
  GCancellable *cancellable;
  int process, how;
} Later;

/* Does it while the other thread waits in a receive: its state says so. */
static gpointer
strike (gpointer data)
{
  Later *self = data;
  for (guint i = 0; i < 20; i++)
    g_thread_yield ();
  if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  else
    kill (self->process, self->how);
  return NULL;
}

/* How long a receive that waits for a minute took to fail by it, in microseconds. */
static gint64
receive_struck_by (RbChannel *channel, int how, GCancellable *cancellable, GError **error)
{
  Later later = { .channel = channel, .cancellable = cancellable, .process = link_process (), .how = how };
  gint64 begin = g_get_monotonic_time ();
  GThread *thread = g_thread_new ("strike", strike, &later);
  g_assert_null (rb_channel_receive (channel, 60000, cancellable, error));
  g_thread_join (thread);
  return g_get_monotonic_time () - begin;
}

static void
ask_the_silent (RbChannel *channel)
{
  g_autoptr (GBytes) silent = request_of (0x3e, 2);
  g_assert_true (rb_channel_send (channel, silent, NULL, NULL));
}

static void
test_dies (gconstpointer data)
{
  int how = GPOINTER_TO_INT (data);
  g_autoptr (Entity) entity = entity_new ();
  gint64 best = G_MAXINT64;
  /* the bound is the link's own, so a computer that is busy elsewhere gets another try */
  for (guint i = 0; i < 3 && best >= 2 * G_USEC_PER_SEC; i++) {
    g_autoptr (RbLink) link = link_to (entity->uri);
    g_autoptr (RbChannel) channel = channel_to (link, 0x1001);
    g_autoptr (GError) error = NULL;
    echo (channel, 10);
    ask_the_silent (channel);
    gint64 took = receive_struck_by (channel, how, NULL, &error);
    g_assert_error (error, RB_LINK_ERROR, RB_REASON_LINK_LOST);
    best = MIN (best, took);
    g_clear_error (&error);
    g_autoptr (GBytes) request = request_of (0x22, 4);
    g_assert_false (rb_channel_send (channel, request, NULL, &error));
    g_assert_error (error, RB_LINK_ERROR, RB_REASON_LINK_LOST);
    g_assert_false (rb_link_is_alive (link));
    const RbAddress other = { .logical = 0x1002, .extension = -1, .response_extension = -1 };
    g_assert_null (rb_channel_open (link, &other, NULL));
    /* while the dead one is still held, a new one takes over */
    g_autoptr (RbLink) next = link_to (entity->uri);
    g_autoptr (RbChannel) again = channel_to (next, 0x1001);
    echo (again, 4095);
  }
  g_test_message ("gone after %d ms", (int) (best / 1000));
  g_assert_cmpint (best, <, 2 * G_USEC_PER_SEC);
  assert_no_children ();
}

static void
test_cancel (void)
{
  g_autoptr (Entity) entity = entity_new ();
  g_autoptr (RbLink) link = link_to (entity->uri);
  g_autoptr (RbChannel) channel = channel_to (link, 0x1001);
  for (guint i = 0; i < 20; i++) {
    g_autoptr (GCancellable) cancellable = g_cancellable_new ();
    g_autoptr (GError) error = NULL;
    ask_the_silent (channel);
    g_assert_cmpint (receive_struck_by (channel, 0, cancellable, &error), <, SOON);
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    echo (channel, 20);
  }
  g_autoptr (GCancellable) before = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  g_cancellable_cancel (before);
  g_assert_null (rb_link_open_with (entity->uri, NULL, before, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

/* A message that went out behind an answer and is stuck: the call after it can be cancelled, and the link process
 * lives. */
static void
test_cancel_what_follows (void)
{
  g_autoptr (Entity) entity = entity_new ();
  g_autoptr (RbLink) link = link_to (entity->uri);
  g_autoptr (RbChannel) channel = channel_to (link, 0x1001);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) request = request_of (0x28, 2), wanted = echo_of (request), message = request_of (0x22, 65535);
  RbChannelFollowUp next = { .after = wanted, .message = message };
  g_assert_true (rb_channel_send (channel, request, NULL, &error));
  g_autoptr (GBytes) answer = rb_channel_receive_and_send (channel, SOON / 1000, &next, NULL, &error);
  g_assert_true (g_bytes_equal (answer, wanted));
  g_assert_true (next.sent);
  g_assert_cmpint (receive_struck_by (channel, 0, cancellable, &error), <, SOON);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_true (rb_link_is_alive (link));
}

static gpointer
open_in_thread (gpointer uri)
{
  return link_to (uri);
}

/* Whoever opened a link may end before it: a child of a thread must not die with the thread. */
static void
test_opener_ends (void)
{
  g_autoptr (Entity) entity = entity_new ();
  g_autoptr (RbLink) link = g_thread_join (g_thread_new ("opener", open_in_thread, entity->uri));
  g_autoptr (RbChannel) channel = channel_to (link, 0x1001);
  for (guint i = 0; i < 20; i++)
    echo (channel, 100);
}

static guint
count_files (int process)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/fd", process);
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  guint count = 0;
  while (folder != NULL && g_dir_read_name (folder) != NULL)
    count++;
  return count;
}

/* The entity, which is in this process too, closes its end of a connection when it hears of the end. */
static guint
files_when_closed (guint wanted)
{
  guint count = count_files (getpid ());
  for (guint i = 0; i < 500 && count > wanted; i++) {
    (void) g_poll (NULL, 0, 10);
    count = count_files (getpid ());
  }
  return count;
}

static void
test_nothing_leaks (void)
{
  g_autoptr (Entity) entity = entity_new ();
  guint before = 0;
  for (guint i = 0; i < 12; i++) {
    g_autoptr (RbLink) link = link_to (entity->uri);
    g_autoptr (RbChannel) channel = channel_to (link, 0x1001);
    echo (channel, 10);
    if (i % 3 == 2)
      kill (link_process (), SIGKILL);
    if (i % 4 == 3)
      g_assert_null (rb_link_open_with ("doip://127.0.0.1:1", NULL, NULL, NULL));
    g_clear_pointer (&channel, rb_channel_unref);
    g_clear_pointer (&link, rb_link_unref);
    assert_no_children ();
    if (i == 3)
      before = count_files (getpid ());
  }
  g_assert_cmpuint (files_when_closed (before), <=, before);
}

static int
status_number (const char *status, const char *name)
{
  g_autofree char *key = g_strdup_printf ("\n%s:\t", name);
  const char *at = strstr (status, key);
  return at == NULL ? -1 : (int) g_ascii_strtoll (&at[strlen (key)], NULL, 10);
}

/* It gets no file of ours, no environment and no terminal, and has put on its rules on every thread. */
static void
test_bare_child (void)
{
  g_autoptr (Entity) entity = entity_new ();
  g_autoptr (RbLink) link = link_to (entity->uri);
  g_autofree char *environment = g_strdup_printf ("/proc/%d/environ", link_process ());
  g_autofree char *text = NULL;
  gsize length = 1;
  if (g_file_get_contents (environment, &text, &length, NULL))
    g_assert_cmpuint (length, ==, 0);
  g_assert_cmpint (getsid (link_process ()), ==, link_process ());
  g_autofree char *tasks = g_strdup_printf ("/proc/%d/task", link_process ());
  g_autoptr (GDir) folder = g_dir_open (tasks, 0, NULL);
  const char *task;
  guint threads = 0;
  while ((task = g_dir_read_name (folder)) != NULL) {
    g_autofree char *path = g_build_filename (tasks, task, "status", NULL);
    g_autofree char *status = NULL;
    g_assert_true (g_file_get_contents (path, &status, NULL, NULL));
    g_assert_cmpint (status_number (status, "Seccomp"), ==, 2);
    g_assert_cmpint (status_number (status, "Seccomp_filters"), ==, 2);
    g_assert_cmpint (status_number (status, "NoNewPrivs"), ==, 1);
    threads++;
  }
  g_assert_cmpuint (threads, >, 1);
}

/* This program again, as one that holds a link until it is killed. */
static int
hold (const char *uri)
{
  g_autoptr (RbLink) link = link_to (uri);
  printf ("\nholds %d\n", link_process ());
  fflush (stdout);
  pause ();
  return 0;
}

static gboolean
is_gone (int process)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/stat", process);
  g_autofree char *text = NULL;
  return !g_file_get_contents (path, &text, NULL, NULL) || strstr (text, ") Z ") != NULL
         || strstr (text, ") X ") != NULL;
}

static void
test_parent_dies (gconstpointer data)
{
  g_autoptr (Entity) entity = entity_new ();
  char *argv[] = { g_file_read_link ("/proc/self/exe", NULL), (char *) "--hold", entity->uri, NULL };
  int holder, out;
  g_assert_true (g_spawn_async_with_pipes (NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &holder, NULL, &out,
                                           NULL, NULL));
  g_autoptr (GIOChannel) lines = g_io_channel_unix_new (out);
  g_autofree char *line = NULL;
  do {
    g_clear_pointer (&line, g_free);
    g_assert_cmpint (g_io_channel_read_line (lines, &line, NULL, NULL, NULL), ==, G_IO_STATUS_NORMAL);
  } while (!g_str_has_prefix (line, "holds "));
  int process = (int) g_ascii_strtoll (&line[6], NULL, 10);
  g_assert_false (is_gone (process));
  if (GPOINTER_TO_INT (data) != 0)
    kill (process, GPOINTER_TO_INT (data));
  kill (holder, SIGKILL);
  g_assert_cmpint (waitpid (holder, NULL, 0), ==, holder);
  gint64 end = g_get_monotonic_time () + SOON;
  while (!is_gone (process) && g_get_monotonic_time () < end)
    g_thread_yield ();
  g_assert_true (is_gone (process));
  close (out);
  g_free (argv[0]);
}

int
main (int argc, char **argv)
{
  if (argc == 3 && strcmp (argv[1], "--hold") == 0)
    return hold (argv[2]);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/link/process/messages-pass", test_messages_pass);
  g_test_add_func ("/link/process/errors-pass", test_errors_pass);
  g_test_add_func ("/link/process/several-threads", test_several_threads);
  g_test_add_func ("/link/process/header-refused", test_header_refused);
  g_test_add_func ("/link/process/drain", test_drain);
  g_test_add_func ("/link/process/late-fetch", test_late_fetch);
  g_test_add_func ("/link/process/address-is-free-again", test_address_is_free_again);
  g_test_add_data_func ("/link/process/killed", GINT_TO_POINTER (SIGKILL), test_dies);
  g_test_add_data_func ("/link/process/crashes", GINT_TO_POINTER (SIGSEGV), test_dies);
  g_test_add_data_func ("/link/process/hangs", GINT_TO_POINTER (SIGSTOP), test_dies);
  g_test_add_func ("/link/process/cancel", test_cancel);
  g_test_add_func ("/link/process/follows", test_follows);
  g_test_add_func ("/link/process/does-not-follow", test_does_not_follow);
  g_test_add_func ("/link/process/follower-is-too-long", test_follower_is_too_long);
  g_test_add_func ("/link/process/cancel-what-follows", test_cancel_what_follows);
  g_test_add_func ("/link/process/opener-ends", test_opener_ends);
  g_test_add_func ("/link/process/nothing-leaks", test_nothing_leaks);
  g_test_add_func ("/link/process/bare-child", test_bare_child);
  g_test_add_data_func ("/link/process/parent-dies", NULL, test_parent_dies);
  g_test_add_data_func ("/link/process/parent-dies-while-it-hangs", GINT_TO_POINTER (SIGSTOP), test_parent_dies);
  return g_test_run ();
}
