/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/keeper.h"

#define TURN_MS 100

struct _RbKeeper {
  GPtrArray *jobs; /* borrowed */
  GThread *thread;
  GMutex lock;
  GCond changed;
  gboolean ended; /* under lock */
};

static void
hold_sessions (RbKeeper *self)
{
  for (guint i = 0; i < self->jobs->len; i++) {
    const RbEcuJob *job = self->jobs->pdata[i];
    if (job->unit != NULL && !rb_ecu_client_tester_present (job->unit))
      g_debug ("%s: TesterPresent is not sent", job->model->label); /* the lane hears of a lost link by itself */
  }
}

static gpointer
keep (gpointer data)
{
  RbKeeper *self = data;
  g_mutex_lock (&self->lock);
  while (!self->ended) {
    g_mutex_unlock (&self->lock);
    hold_sessions (self);
    g_mutex_lock (&self->lock);
    if (!self->ended)
      g_cond_wait_until (&self->changed, &self->lock, g_get_monotonic_time () + TURN_MS * 1000);
  }
  g_mutex_unlock (&self->lock);
  return NULL;
}

RbKeeper *
rb_keeper_new (GPtrArray *jobs)
{
  RbKeeper *self = g_new0 (RbKeeper, 1);
  self->jobs = jobs;
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  self->thread = g_thread_new ("session-keeper", keep, self);
  return self;
}

void
rb_keeper_free (RbKeeper *self)
{
  g_mutex_lock (&self->lock);
  self->ended = TRUE;
  g_cond_signal (&self->changed);
  g_mutex_unlock (&self->lock);
  g_thread_join (self->thread);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self);
}
