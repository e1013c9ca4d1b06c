/* SPDX-License-Identifier: Apache-2.0 */
#include "paced-bus.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { QUEUE = 64 };

typedef struct {
  RbCanFrame frame;
  guint32 ticket;
  gint64 since;
} Waiting;

typedef struct {
  Waiting waiting[QUEUE];
  guint first, n;
} Node;

typedef struct {
  const PacedBus *config;
  RbIsotp *ecu;
  int client, timer;
  Node nodes[2]; /* tester, ECU */
  int on_wire; /* node whose frame is on it, -1 none */
  gint64 end; /* when the frame on the wire, or the last one, ends */
  guint count;
} Hub;

static gint64
nanoseconds (void)
{
  struct timespec now;
  clock_gettime (CLOCK_MONOTONIC, &now);
  return (gint64) now.tv_sec * 1000000000 + now.tv_nsec;
}

static void
queue (Node *node, const RbCanFrame *frame, guint32 ticket, gint64 since)
{
  g_assert_cmpuint (node->n, <, QUEUE);
  Waiting *waiting = &node->waiting[(node->first + node->n++) % QUEUE];
  waiting->frame = *frame;
  waiting->ticket = ticket;
  waiting->since = since;
}

static void
answer (Hub *hub, gint64 now)
{
  RbIsotpEvent event = rb_isotp_event (hub->ecu);
  for (; event.kind != RB_ISOTP_NONE; event = rb_isotp_event (hub->ecu)) {
    if (event.kind != RB_ISOTP_MESSAGE)
      continue;
    g_autoptr (GBytes) request = event.message;
    const guint8 *bytes = g_bytes_get_data (request, NULL);
    guint8 reply[2] = { bytes[0] | 0x40, g_bytes_get_size (request) > 1 ? bytes[1] : 0 };
    g_autoptr (GBytes) message = g_bytes_new (reply, bytes[0] == 0x36 ? 2 : 1);
    g_assert_true (rb_isotp_send (hub->ecu, message, now / 1000, NULL));
  }
  RbCanFrame frame;
  guint32 ticket = 0;
  while (rb_isotp_next_frame (hub->ecu, now / 1000, &frame, &ticket))
    queue (&hub->nodes[1], &frame, ticket, now);
}

static void
tell (Hub *hub, const RbCanFrame *frame, gboolean own)
{
  guint8 packet[RB_CAN_FD_PACKET];
  RbCanFrame copy = *frame;
  copy.own = own;
  gsize length = rb_can_write (&copy, packet);
  (void) !send (hub->client, packet, length, MSG_NOSIGNAL);
}

static void
finish (Hub *hub)
{
  Node *node = &hub->nodes[hub->on_wire];
  Waiting done = node->waiting[node->first];
  node->first = (node->first + 1) % QUEUE;
  node->n--;
  tell (hub, &done.frame, hub->on_wire == 0);
  hub->count++;
  if (hub->on_wire == 1)
    rb_isotp_confirm (hub->ecu, done.ticket, hub->end / 1000);
  else if (hub->config->lose_every == 0 || hub->count % hub->config->lose_every != 0)
    (void) rb_isotp_receive_frame (hub->ecu, &done.frame, hub->end / 1000);
  hub->on_wire = -1;
  answer (hub, hub->end);
}

/* Of those that waited when the wire became free, or of the next to come, the lowest identifier. */
static gboolean
begin (Hub *hub)
{
  gint64 start = G_MAXINT64;
  for (int i = 0; i < 2; i++)
    if (hub->nodes[i].n > 0)
      start = MIN (start, MAX (hub->nodes[i].waiting[hub->nodes[i].first].since, hub->end));
  for (int i = 0; i < 2; i++) {
    const Waiting *head = &hub->nodes[i].waiting[hub->nodes[i].first];
    if (hub->nodes[i].n == 0 || head->since > start)
      continue;
    if (hub->on_wire < 0 || head->frame.id < hub->nodes[0].waiting[hub->nodes[0].first].frame.id)
      hub->on_wire = i;
  }
  if (hub->on_wire < 0)
    return FALSE;
  const Waiting *next = &hub->nodes[hub->on_wire].waiting[hub->nodes[hub->on_wire].first];
  hub->end
    = start
      + (hub->config->bitrate == 0 ? 0 : rb_can_time (&next->frame, hub->config->bitrate, hub->config->data_bitrate));
  return TRUE;
}

static gboolean
read_client (Hub *hub)
{
  while (hub->nodes[0].n < QUEUE) {
    guint8 packet[RB_CAN_FD_PACKET];
    RbCanFrame frame;
    ssize_t length = recv (hub->client, packet, sizeof packet, MSG_DONTWAIT);
    if (length <= 0)
      return length < 0 && errno == EAGAIN;
    if (rb_can_parse (packet, (gsize) length, &frame))
      queue (&hub->nodes[0], &frame, 0, nanoseconds ());
  }
  return TRUE;
}

static void
arm (Hub *hub, gint64 at)
{
  struct itimerspec when = { .it_value = { at / 1000000000, at % 1000000000 } };
  (void) timerfd_settime (hub->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static void
run (Hub *hub)
{
  struct pollfd wait[2] = { { hub->client, POLLIN, 0 }, { hub->timer, POLLIN, 0 } };
  while (read_client (hub)) {
    gint64 now = nanoseconds ();
    while ((hub->on_wire >= 0 || begin (hub)) && hub->end <= now)
      finish (hub);
    arm (hub, hub->on_wire >= 0 ? hub->end : now + 100000000);
    wait[0].events = hub->nodes[0].n < QUEUE ? POLLIN : 0;
    (void) poll (wait, 2, 1000);
    rb_isotp_tick (hub->ecu, nanoseconds () / 1000);
    answer (hub, nanoseconds ());
  }
}

static void
serve (int listener, const PacedBus *bus)
{
  Hub hub = { .config = bus, .on_wire = -1 };
  (void) prctl (PR_SET_TIMERSLACK, 1, 0, 0, 0);
  (void) prctl (PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  hub.client = accept (listener, NULL, NULL);
  hub.timer = timerfd_create (CLOCK_MONOTONIC, TFD_CLOEXEC);
  hub.ecu = rb_isotp_new (&bus->ecu);
  if (hub.client >= 0)
    run (&hub);
  rb_isotp_free (hub.ecu);
}

int
paced_bus_start (const PacedBus *bus)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  g_strlcpy (address.sun_path, bus->path, sizeof address.sun_path);
  int listener = socket (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  g_assert_cmpint (bind (listener, (struct sockaddr *) &address, sizeof address), ==, 0);
  g_assert_cmpint (listen (listener, 1), ==, 0);
  int process = fork ();
  g_assert_cmpint (process, >=, 0);
  if (process == 0) {
    serve (listener, bus);
    _exit (0);
  }
  close (listener);
  return process;
}

void
paced_bus_stop (int process)
{
  int status = 0;
  (void) kill (process, SIGKILL);
  g_assert_cmpint (waitpid (process, &status, 0), ==, process);
}
