/* SPDX-License-Identifier: Apache-2.0 */
#include "sim-can/can-bus.h"

#define NEVER G_MAXINT64
#define MAX_WAITING 4096
/* CAN_ERR_PROT of linux/can/error.h: what every node sees when a frame does not fit the bus */
#define ERROR_PROTOCOL 0x8u
#define ERROR_FRAME_BITS 20

typedef struct {
  RbCanFrame frame;
  gint64 at;
} Waiting;

typedef struct {
  RbCanBusTake take; /* NULL: the node has left */
  gpointer node;
  GQueue *waiting; /* of Waiting */
} Place;

struct _RbCanBus {
  RbCanBusConfig config;
  GPtrArray *places; /* of Place, never removed: a number stays that node's */
  Waiting *sending; /* on the wire now */
  guint sender;
  gint64 free_at; /* end of the frame on the wire, or of the last one */
  gboolean held;
  RbCanBusCount count;
};

static void
place_free (gpointer data)
{
  Place *self = data;
  g_queue_free_full (self->waiting, g_free);
  g_free (self);
}

RbCanBus *
rb_can_bus_new (const RbCanBusConfig *config)
{
  RbCanBus *self = g_new0 (RbCanBus, 1);
  self->config = *config;
  self->places = g_ptr_array_new_with_free_func (place_free);
  return self;
}

void
rb_can_bus_free (RbCanBus *self)
{
  g_ptr_array_unref (self->places);
  g_free (self->sending);
  g_free (self);
}

static Place *
place_at (const RbCanBus *self, guint place)
{
  return self->places->pdata[place];
}

guint
rb_can_bus_join (RbCanBus *self, RbCanBusTake take, gpointer node)
{
  guint index = 0;
  while (index < self->places->len
         && (place_at (self, index)->take != NULL || (self->sending != NULL && self->sender == index)))
    index++;
  if (index == self->places->len) {
    Place *fresh = g_new0 (Place, 1);
    fresh->waiting = g_queue_new ();
    g_ptr_array_add (self->places, fresh);
  }
  Place *place = place_at (self, index);
  place->take = take;
  place->node = node;
  return index;
}

void
rb_can_bus_leave (RbCanBus *self, guint index)
{
  Place *place = place_at (self, index);
  place->take = NULL;
  place->node = NULL;
  g_queue_clear_full (place->waiting, g_free);
}

gboolean
rb_can_bus_send (RbCanBus *self, guint index, const RbCanFrame *frame, gint64 at)
{
  Place *place = place_at (self, index);
  if (place->waiting->length >= MAX_WAITING)
    return FALSE;
  Waiting *waiting = g_new (Waiting, 1);
  waiting->frame = *frame;
  waiting->frame.own = FALSE;
  waiting->at = at;
  g_queue_push_tail (place->waiting, waiting);
  return TRUE;
}

guint
rb_can_bus_waiting (const RbCanBus *self, guint index)
{
  return place_at (self, index)->waiting->length + (self->sending != NULL && self->sender == index ? 1 : 0);
}

void
rb_can_bus_hold (RbCanBus *self, gboolean hold)
{
  self->held = hold;
}

gboolean
rb_can_bus_is_paced (const RbCanBus *self)
{
  return self->config.paced;
}

const RbCanBusCount *
rb_can_bus_count (const RbCanBus *self)
{
  return &self->count;
}

void
rb_can_bus_count_anew (RbCanBus *self)
{
  self->count = (RbCanBusCount){ 0 };
}

/* The bits of arbitration in their order on the wire: 11 bits, RTR or SRR, IDE, 18 bits, RTR (ISO 11898-1). 0 wins. */
static guint64
rank (const RbCanFrame *frame)
{
  guint64 remote = (frame->id & RB_CAN_REMOTE) != 0 ? 1 : 0;
  guint64 id = frame->id & RB_CAN_ID;
  if ((frame->id & RB_CAN_EXTENDED) == 0)
    return id << 21 | remote << 20;
  return id >> 18 << 21 | 1u << 20 | 1u << 19 | (id & 0x3ffff) << 1 | remote;
}

/* When the first frame that waits can start. */
static gint64
next_start (const RbCanBus *self)
{
  gint64 first = NEVER;
  for (guint i = 0; i < self->places->len; i++) {
    const Waiting *head = g_queue_peek_head (place_at (self, i)->waiting);
    if (head != NULL)
      first = MIN (first, head->at);
  }
  return first == NEVER ? NEVER : MAX (first, self->free_at);
}

gint64
rb_can_bus_due (const RbCanBus *self)
{
  if (self->sending != NULL)
    return self->free_at;
  return self->held ? NEVER : next_start (self);
}

/* Of those who want to start by then, who has the lowest identifier? */
static guint
arbitrate (const RbCanBus *self, gint64 start)
{
  guint winner = 0;
  guint64 lowest = G_MAXUINT64;
  for (guint i = 0; i < self->places->len; i++) {
    const Waiting *head = g_queue_peek_head (place_at (self, i)->waiting);
    if (head == NULL || head->at > start || rank (&head->frame) >= lowest)
      continue;
    lowest = rank (&head->frame);
    winner = i;
  }
  return winner;
}

/* A controller without FD sees a form error in an FD frame and destroys it with an error frame. */
static gboolean
is_foreign (const RbCanBus *self, const RbCanFrame *frame)
{
  return frame->fd && !self->config.fd;
}

gint64
rb_can_bus_time (const RbCanBus *self, const RbCanFrame *frame)
{
  if (!self->config.paced)
    return 0;
  if (is_foreign (self, frame))
    return (gint64) ERROR_FRAME_BITS * 1000000000 / self->config.bitrate;
  return rb_can_time (frame, self->config.bitrate, self->config.data_bitrate);
}

static void
start (RbCanBus *self, gint64 at)
{
  self->sender = arbitrate (self, at);
  self->sending = g_queue_pop_head (place_at (self, self->sender)->waiting);
  gint64 length = rb_can_bus_time (self, &self->sending->frame);
  if (self->count.frames > 0)
    self->count.worst_idle = MAX (self->count.worst_idle, at - self->free_at);
  self->free_at = at + length;
  self->count.busy += length;
}

static void
give_out (RbCanBus *self, RbCanFrame *frame, gboolean error)
{
  gint64 at = self->free_at;
  for (guint i = 0; i < self->places->len; i++) {
    const Place *place = place_at (self, i);
    frame->own = !error && i == self->sender;
    if (place->take != NULL)
      place->take (place->node, frame, at);
  }
}

static void
finish (RbCanBus *self, gint64 now)
{
  g_autofree Waiting *sent = g_steal_pointer (&self->sending);
  gboolean error = is_foreign (self, &sent->frame);
  RbCanFrame frame = sent->frame;
  if (error) {
    frame = (RbCanFrame){ .id = RB_CAN_ERROR | ERROR_PROTOCOL, .length = 8 };
    self->count.errors++;
  } else {
    self->count.frames++;
  }
  self->count.worst_late = MAX (self->count.worst_late, now - self->free_at);
  give_out (self, &frame, error);
}

void
rb_can_bus_step (RbCanBus *self, gint64 now)
{
  gint64 due = rb_can_bus_due (self);
  if (due > now)
    return;
  if (self->sending == NULL)
    start (self, due);
  if (self->free_at <= now)
    finish (self, now);
}
