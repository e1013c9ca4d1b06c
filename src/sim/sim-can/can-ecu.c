/* SPDX-License-Identifier: Apache-2.0 */
#include "sim-can/can-ecu.h"

#define NEVER G_MAXINT64
#define MAX_TICKETS 16

typedef struct {
  GBytes *message; /* NULL: the ECU's work is done then, and gives what comes here */
  RbEcu *work;
  gint64 at; /* not before */
} Answer;

struct _RbCanEcu {
  RbCanBus *wire; /* borrowed */
  guint place;
  RbCanEcuConfig config;
  RbCanServer server;
  RbIsotp *isotp;
  GQueue *answers; /* of Answer */
  guint32 tickets[MAX_TICKETS]; /* of frames that wait for the bus, in their order */
  guint n_tickets;
  gboolean hearing;
};

static void
answer_free (gpointer data)
{
  Answer *self = data;
  g_clear_pointer (&self->message, g_bytes_unref);
  g_free (self);
}

/* Before what waits already, or behind it. */
static void
queue_answers (RbCanEcu *self, GPtrArray *answers, gboolean before, gint64 now)
{
  gint64 at = now;
  for (guint i = 0; answers != NULL && i < answers->len; i++) {
    const RbAnswer *one = answers->pdata[i];
    Answer *answer = g_new (Answer, 1);
    at += (gint64) one->delay_ms * 1000000;
    answer->message = one->message == NULL ? NULL : g_bytes_ref (one->message);
    answer->work = one->work;
    answer->at = at;
    g_queue_push_nth (self->answers, answer, before ? (gint) i : -1);
  }
}

static void
ask (RbCanEcu *self, GBytes *request, gboolean functional, gint64 now)
{
  g_autoptr (GPtrArray) answers = self->server.request (self->server.data, request, functional, now / 1000000);
  queue_answers (self, answers, FALSE, now);
}

static void
tell_hearing (RbCanEcu *self, gboolean hears, gint64 now)
{
  if (hears == self->hearing || self->server.hears == NULL)
    return;
  self->hearing = hears;
  self->server.hears (self->server.data, hears, now / 1000000);
}

static void
take_events (RbCanEcu *self, gint64 now)
{
  for (RbIsotpEvent event = rb_isotp_event (self->isotp); event.kind != RB_ISOTP_NONE;
       event = rb_isotp_event (self->isotp)) {
    g_autoptr (GBytes) message = event.message;
    if (event.kind == RB_ISOTP_FIRST_FRAME)
      tell_hearing (self, TRUE, now);
    if (event.kind == RB_ISOTP_MESSAGE)
      ask (self, message, FALSE, now);
  }
  tell_hearing (self, rb_isotp_receiving (self->isotp), now);
}

/* Hands the next answer to the engine when it is due and the one before it is out. */
static void
begin_answer (RbCanEcu *self, gint64 now)
{
  const Answer *head = g_queue_peek_head (self->answers);
  if (head == NULL || head->at > now || rb_isotp_sending (self->isotp))
    return;
  Answer *answer = g_queue_pop_head (self->answers);
  g_autoptr (GError) error = NULL;
  if (answer->work != NULL) {
    g_autoptr (GPtrArray) answers = rb_ecu_work (answer->work);
    queue_answers (self, answers, TRUE, now);
  } else if (!rb_isotp_send (self->isotp, answer->message, now / 1000, &error))
    g_warning ("an answer is lost: %s", error->message);
  answer_free (answer);
}

static void
send_frames (RbCanEcu *self, gint64 now)
{
  RbCanFrame frame;
  guint32 ticket;
  while (self->n_tickets < MAX_TICKETS && rb_isotp_next_frame (self->isotp, now / 1000, &frame, &ticket)) {
    if (rb_can_bus_send (self->wire, self->place, &frame, now))
      self->tickets[self->n_tickets++] = ticket;
  }
}

void
rb_can_ecu_step (RbCanEcu *self, gint64 now)
{
  if (rb_isotp_deadline (self->isotp) <= now / 1000)
    rb_isotp_tick (self->isotp, now / 1000);
  take_events (self, now);
  begin_answer (self, now);
  send_frames (self, now);
}

static void
confirm (RbCanEcu *self, gint64 now)
{
  if (self->n_tickets == 0)
    return;
  guint32 ticket = self->tickets[0];
  self->n_tickets--;
  for (guint i = 0; i < self->n_tickets; i++)
    self->tickets[i] = self->tickets[i + 1];
  rb_isotp_confirm (self->isotp, ticket, now / 1000);
}

/* A functional request is one frame without flow control; anything else on that identifier is nothing (ISO 15765-2). */
static GBytes *
functional_request (const RbCanFrame *frame, int extension)
{
  guint at = extension < 0 ? 0 : 1;
  gboolean escaped = frame->length > 8;
  if (frame->length < at + 2 || (at > 0 && frame->data[0] != extension))
    return NULL;
  if (frame->data[at] >> 4 != 0 || (escaped && frame->data[at] != 0))
    return NULL;
  guint from = at + (escaped ? 2 : 1);
  guint length = frame->data[escaped ? at + 1 : at];
  return length == 0 || from + length > frame->length ? NULL : g_bytes_new (&frame->data[from], length);
}

static void
take (gpointer node, const RbCanFrame *frame, gint64 at)
{
  RbCanEcu *self = node;
  if (frame->own) {
    confirm (self, at);
  } else if (frame->id == self->config.functional && frame->id != 0) {
    g_autoptr (GBytes) request = functional_request (frame, self->config.functional_extension);
    if (request != NULL)
      ask (self, request, TRUE, at);
  } else if (!rb_isotp_receive_frame (self->isotp, frame, at / 1000)) {
    return;
  }
  rb_can_ecu_step (self, at);
}

RbCanEcu *
rb_can_ecu_new (RbCanBus *wire, const RbCanEcuConfig *config, const RbCanServer *server)
{
  RbCanEcu *self = g_new0 (RbCanEcu, 1);
  self->wire = wire;
  self->config = *config;
  self->server = *server;
  self->isotp = rb_isotp_new (&config->isotp);
  self->answers = g_queue_new ();
  self->place = rb_can_bus_join (wire, take, self);
  return self;
}

void
rb_can_ecu_free (RbCanEcu *self)
{
  rb_can_bus_leave (self->wire, self->place);
  rb_isotp_free (self->isotp);
  g_queue_free_full (self->answers, answer_free);
  g_free (self);
}

gint64
rb_can_ecu_due (const RbCanEcu *self)
{
  gint64 due = rb_isotp_deadline (self->isotp);
  const Answer *head = rb_isotp_sending (self->isotp) ? NULL : g_queue_peek_head (self->answers);
  due = due == NEVER ? NEVER : due * 1000;
  return head == NULL ? due : MIN (due, head->at);
}
