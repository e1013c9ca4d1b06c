/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/teller.h"

struct _RbTeller {
  RbRecoveryWatch watch;
  gpointer user_data;
  GThread *thread;
  GMutex lock;
  GCond changed;
  GQueue events; /* of Told; under lock, as what follows */
  gboolean busy; /* one is being passed on */
  gboolean ended;
};

/* A copy of an event that owns its texts. */
typedef struct {
  RbRecoveryEvent event;
  char *serial, *name, *text, *item, *unit;
} Told;

static Told *
told_new (const RbRecoveryEvent *event)
{
  Told *self = g_new0 (Told, 1);
  self->event = *event;
  self->event.serial = self->serial = g_strdup (event->serial);
  self->event.name = self->name = g_strdup (event->name);
  self->event.text = self->text = g_strdup (event->text);
  self->event.item = self->item = g_strdup (event->item);
  self->event.unit = self->unit = g_strdup (event->unit);
  return self;
}

static void
told_free (Told *self)
{
  g_free (self->serial);
  g_free (self->name);
  g_free (self->text);
  g_free (self->item);
  g_free (self->unit);
  g_free (self);
}

static gpointer
pass_on (gpointer data)
{
  RbTeller *self = data;
  g_mutex_lock (&self->lock);
  for (;;) {
    Told *told = g_queue_pop_head (&self->events);
    self->busy = told != NULL;
    if (told != NULL) {
      g_mutex_unlock (&self->lock);
      self->watch (&told->event, self->user_data);
      told_free (told);
      g_mutex_lock (&self->lock);
      continue;
    }
    g_cond_broadcast (&self->changed);
    if (self->ended)
      break;
    g_cond_wait (&self->changed, &self->lock);
  }
  g_mutex_unlock (&self->lock);
  return NULL;
}

RbTeller *
rb_teller_new (RbRecoveryWatch watch, gpointer user_data)
{
  RbTeller *self = g_new0 (RbTeller, 1);
  self->watch = watch;
  self->user_data = user_data;
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  g_queue_init (&self->events);
  self->thread = g_thread_new ("events", pass_on, self);
  return self;
}

/* Progress that waits is out of date when more of the same ECU comes. */
static void
drop_outdated (RbTeller *self, const RbRecoveryEvent *event)
{
  for (GList *each = self->events.tail; each != NULL && event->kind == RB_EVENT_PROGRESS; each = each->prev) {
    Told *told = each->data;
    if (g_strcmp0 (told->serial, event->serial) != 0)
      continue;
    if (told->event.kind != RB_EVENT_PROGRESS)
      return;
    g_queue_delete_link (&self->events, each);
    told_free (told);
    return;
  }
}

void
rb_teller_tell (RbTeller *self, const RbRecoveryEvent *event)
{
  g_mutex_lock (&self->lock);
  drop_outdated (self, event);
  g_queue_push_tail (&self->events, told_new (event));
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

void
rb_teller_flush (RbTeller *self)
{
  g_mutex_lock (&self->lock);
  while (self->busy || self->events.length > 0)
    g_cond_wait (&self->changed, &self->lock);
  g_mutex_unlock (&self->lock);
}

void
rb_teller_free (RbTeller *self)
{
  g_mutex_lock (&self->lock);
  self->ended = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  g_thread_join (self->thread);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self);
}
