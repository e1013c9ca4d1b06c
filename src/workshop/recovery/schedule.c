/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/schedule.h"

typedef struct {
  RbScheduleJob run;
  gpointer user_data;
  gint stopped; /* atomic */
  GMutex lock; /* of error */
  GError *error;
} Shared;

typedef struct {
  Shared *shared;
  const char *bus;
  GPtrArray *jobs; /* borrowed elements */
} Lane;

RbScheduleRank
rb_schedule_rank (const RbVehicleModel *model, const RbModelEcu *ecu)
{
  if (ecu->primary)
    return RB_SCHEDULE_PRIMARY;
  for (guint i = 0; i < model->ecus->len; i++)
    if (g_strcmp0 (((RbModelEcu *) model->ecus->pdata[i])->gateway, ecu->name) == 0)
      return RB_SCHEDULE_GATEWAYS;
  return RB_SCHEDULE_SECONDARIES;
}

static void
lane_free (Lane *self)
{
  g_ptr_array_unref (self->jobs);
  g_free (self);
}

static void
stop (Shared *self, GError *error)
{
  g_mutex_lock (&self->lock);
  gboolean wins = self->error == NULL || rb_reason_of (error) == RB_REASON_CANCELLED;
  if (wins && self->error != NULL)
    g_clear_error (&self->error);
  if (wins)
    self->error = error;
  else
    g_clear_error (&error);
  g_atomic_int_set (&self->stopped, TRUE);
  g_mutex_unlock (&self->lock);
}

static gpointer
lane_run (gpointer data)
{
  const Lane *self = data;
  for (guint i = 0; i < self->jobs->len && !g_atomic_int_get (&self->shared->stopped); i++) {
    GError *error = NULL;
    if (!self->shared->run (self->jobs->pdata[i], self->shared->user_data, &error))
      stop (self->shared, error);
  }
  return NULL;
}

static Lane *
lane_of (GPtrArray *lanes, Shared *shared, const char *bus)
{
  for (guint i = 0; i < lanes->len; i++)
    if (g_strcmp0 (((Lane *) lanes->pdata[i])->bus, bus) == 0)
      return lanes->pdata[i];
  Lane *lane = g_new0 (Lane, 1);
  lane->shared = shared;
  lane->bus = bus;
  lane->jobs = g_ptr_array_new ();
  g_ptr_array_add (lanes, lane);
  return lane;
}

/* The first lane runs in the caller's thread: a vehicle with one bus needs no other. */
static void
run_all (GPtrArray *lanes)
{
  g_autoptr (GPtrArray) threads = g_ptr_array_new ();
  for (guint i = 1; i < lanes->len; i++)
    g_ptr_array_add (threads, g_thread_new ("recovery-lane", lane_run, lanes->pdata[i]));
  if (lanes->len > 0)
    lane_run (lanes->pdata[0]);
  for (guint i = 0; i < threads->len; i++)
    g_thread_join (threads->pdata[i]);
}

gboolean
rb_schedule_run (GPtrArray *jobs, RbScheduleJob run, gpointer user_data, GError **error)
{
  Shared shared = { .run = run, .user_data = user_data };
  g_autoptr (GPtrArray) lanes = g_ptr_array_new_with_free_func ((GDestroyNotify) lane_free);
  g_mutex_init (&shared.lock);
  for (guint i = 0; i < jobs->len; i++) {
    RbEcuJob *job = jobs->pdata[i];
    g_ptr_array_add (lane_of (lanes, &shared, job->model->bus)->jobs, job);
  }
  run_all (lanes);
  g_mutex_clear (&shared.lock);
  if (shared.error == NULL)
    return TRUE;
  g_propagate_error (error, shared.error);
  return FALSE;
}
