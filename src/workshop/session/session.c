/* SPDX-License-Identifier: Apache-2.0 */
#include "session/session.h"

#include "recovery/error.h"

#include <glib/gi18n-lib.h>

#define N_TASKS (RB_TASK_RECORDS + 1)
#define PROGRESS_EVERY (G_USEC_PER_SEC / 10)

/* One task in its thread: its input is copied in, its results are handed to the main loop. */
typedef struct {
  RbSession *session; /* a reference */
  RbSessionWork work;
} Job;

/* An event of the recovery, queued for the main loop. */
typedef struct {
  RbSession *session;
  RbEventKind kind;
  char *serial, *name, *text, *item;
  RbEcuState state;
  RbReason reason;
  gint64 value;
  gboolean good;
  guint64 done, total;
} Event;

struct _RbSession {
  GObject parent_instance;
  RbSessionInput input;
  RbSessionVehicle vehicle;
  GThread *thread;
  RbSessionTask task, pending;
  GCancellable *cancellable;
  gboolean stopping; /* the task that runs was asked to stop */
  gboolean ran[N_TASKS];
  GError *errors[N_TASKS];
  GPtrArray *found, *ecus, *records, *answers;
  GError *waiting;
  gboolean touched;
  char *digest;
  const char *result;
  gint64 last_progress; /* of the task's thread */
};

enum { CHANGED, ECU_CHANGED, ECUS_CHANGED, MEASURED, FINISHED, N_SIGNALS };
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (RbSession, rb_session, G_TYPE_OBJECT)

static void
job_free (gpointer data)
{
  Job *job = data;
  rb_session_task_clear (&job->work);
  g_object_unref (job->session);
  g_free (job);
}

static void
event_free (gpointer data)
{
  Event *event = data;
  g_free (event->serial);
  g_free (event->name);
  g_free (event->text);
  g_free (event->item);
  g_object_unref (event->session);
  g_free (event);
}

/* events, on the main loop */

static RbSessionEcu *
ecu_of (RbSession *self, const Event *event, guint *index)
{
  for (*index = 0; *index < self->ecus->len; (*index)++) {
    RbSessionEcu *ecu = self->ecus->pdata[*index];
    if (g_strcmp0 (ecu->serial, event->serial) == 0)
      return ecu;
  }
  RbSessionEcu *ecu = g_new0 (RbSessionEcu, 1);
  ecu->serial = g_strdup (event->serial);
  ecu->name = g_strdup (event->name == NULL ? event->serial : event->name);
  ecu->abort_recoverable = TRUE;
  g_ptr_array_add (self->ecus, ecu);
  g_signal_emit (self, signals[ECUS_CHANGED], 0);
  return ecu;
}

static void
ecu_event (RbSession *self, const Event *event)
{
  guint index;
  RbSessionEcu *ecu = ecu_of (self, event, &index);
  switch (event->kind) {
  case RB_EVENT_ECU:
    ecu->state = event->state;
    ecu->reason = event->reason;
    rb_session_enter (&ecu->text, event->text);
    rb_session_enter (&ecu->step, "");
    if (event->state != RB_ECU_WRITING)
      ecu->total = 0;
    break;
  case RB_EVENT_STEP: rb_session_enter (&ecu->step, event->text); break;
  case RB_EVENT_DTCS: rb_session_enter (&ecu->dtcs, event->text); break;
  case RB_EVENT_PROGRESS:
    ecu->done = event->done;
    ecu->total = event->total;
    break;
  default: break;
  }
  g_signal_emit (self, signals[ECU_CHANGED], 0, index);
}

static void
set_waiting (RbSession *self, const Event *event)
{
  g_clear_error (&self->waiting);
  if (event->kind == RB_EVENT_WAITING)
    self->waiting = g_error_new_literal (RB_RECOVERY_ERROR, (int) event->reason, event->text);
  g_signal_emit (self, signals[CHANGED], 0);
}

static gboolean
on_event (gpointer data)
{
  const Event *event = data;
  RbSession *self = event->session;
  if (event->kind == RB_EVENT_MEASUREMENT && event->item != NULL)
    g_signal_emit (self, signals[MEASURED], 0, event->item, event->value, event->good);
  else if (event->kind == RB_EVENT_WAITING || event->kind == RB_EVENT_RESUMED)
    set_waiting (self, event);
  else if (event->serial != NULL)
    ecu_event (self, event);
  return G_SOURCE_REMOVE;
}

/* in the task's thread */

static void
watch (const RbRecoveryEvent *event, gpointer user_data)
{
  RbSession *self = user_data;
  gint64 now = g_get_monotonic_time ();
  if (event->kind == RB_EVENT_PROGRESS && event->done < event->total && now - self->last_progress < PROGRESS_EVERY)
    return;
  if (event->kind == RB_EVENT_PROGRESS)
    self->last_progress = now;
  Event *copy = g_new0 (Event, 1);
  *copy = (Event){ .session = g_object_ref (self),
                   .kind = event->kind,
                   .serial = g_strdup (event->serial),
                   .name = g_strdup (event->name),
                   .text = g_strdup (event->text),
                   .item = g_strdup (event->item),
                   .state = event->state,
                   .reason = event->reason,
                   .value = event->value,
                   .good = event->good,
                   .done = event->done,
                   .total = event->total };
  g_idle_add_full (G_PRIORITY_DEFAULT, on_event, copy, event_free);
}

/* on the main loop again */

static void
replace (GPtrArray **place, GPtrArray **taken)
{
  if (*taken == NULL)
    return;
  g_ptr_array_unref (*place);
  *place = g_steal_pointer (taken);
}

static void
take_ecus (RbSession *self, RbSessionWork *work)
{
  for (guint i = 0; work->ecus != NULL && i < work->ecus->len; i++) {
    RbSessionEcu *ecu = work->ecus->pdata[i];
    Event event = { .serial = ecu->serial, .name = ecu->name };
    guint index;
    const RbSessionEcu *seen = ecu_of (self, &event, &index);
    rb_session_enter (&ecu->text, seen->text);
    rb_session_enter (&ecu->dtcs, seen->dtcs);
  }
  gboolean any = work->ecus != NULL;
  replace (&self->ecus, &work->ecus);
  if (any)
    g_signal_emit (self, signals[ECUS_CHANGED], 0);
}

static gboolean
on_done (gpointer data)
{
  Job *job = data;
  RbSession *self = job->session;
  RbSessionWork *work = &job->work;
  RbSessionTask task = work->task;
  g_clear_pointer (&self->thread, g_thread_join);
  g_clear_object (&self->cancellable);
  self->stopping = FALSE;
  self->ran[task] = TRUE;
  g_clear_error (&self->errors[task]);
  self->errors[task] = g_steal_pointer (&work->error);
  replace (&self->found, &work->found);
  replace (&self->records, &work->records);
  take_ecus (self, work);
  if (work->digest != NULL) {
    g_free (self->digest);
    self->digest = g_steal_pointer (&work->digest);
    self->result = work->result;
  }
  if (self->vehicle.recovery != NULL)
    self->touched = rb_recovery_was_touched (self->vehicle.recovery);
  RbSessionTask next = self->pending;
  self->task = self->pending = RB_TASK_NONE;
  g_clear_error (&self->waiting);
  g_signal_emit (self, signals[FINISHED], 0, (int) task, self->errors[task] == NULL);
  if (next != RB_TASK_NONE && self->task == RB_TASK_NONE)
    rb_session_start (self, next);
  g_signal_emit (self, signals[CHANGED], 0);
  return G_SOURCE_REMOVE;
}

static gpointer
work_thread (gpointer data)
{
  Job *job = data;
  RbSessionWork *work = &job->work;
  if (!rb_session_task_run (work) && work->error == NULL)
    g_set_error_literal (&work->error, RB_RECOVERY_ERROR, RB_REASON_INTERNAL, "The task ended without a word");
  g_idle_add_full (G_PRIORITY_DEFAULT, on_done, job, job_free);
  return NULL;
}

void
rb_session_start (RbSession *self, RbSessionTask task)
{
  if (task == RB_TASK_NONE)
    return;
  if (self->task != RB_TASK_NONE) {
    if (task != RB_TASK_MEASURE)
      self->pending = task;
    return;
  }
  Job *job = g_new0 (Job, 1);
  job->session = g_object_ref (self);
  job->work = (RbSessionWork){ .task = task,
                               .answers = g_ptr_array_ref (self->answers),
                               .cancellable = g_cancellable_new (),
                               .vehicle = &self->vehicle,
                               .watch = watch,
                               .user_data = self };
  rb_session_input_copy (&job->work.input, &self->input);
  self->task = task;
  self->ran[task] = FALSE;
  g_clear_error (&self->errors[task]);
  self->cancellable = g_object_ref (job->work.cancellable);
  self->thread = g_thread_new ("recovery", work_thread, job);
  if (task != RB_TASK_MEASURE)
    g_signal_emit (self, signals[CHANGED], 0);
}

void
rb_session_stop (RbSession *self)
{
  self->pending = RB_TASK_NONE;
  self->stopping = self->task != RB_TASK_NONE;
  if (self->task == RB_TASK_RUN)
    rb_recovery_stop (self->vehicle.recovery);
  else if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  g_signal_emit (self, signals[CHANGED], 0);
}

static RbSessionAnswer *
answer_new (const char *item, gboolean passed, const char *note)
{
  RbSessionAnswer *answer = g_new0 (RbSessionAnswer, 1);
  *answer = (RbSessionAnswer){ g_strdup (item), note == NULL || *note == '\0' ? NULL : g_strdup (note), passed };
  return answer;
}

/* A task that runs keeps the answers that it was given. */
void
rb_session_answer (RbSession *self, const char *item, gboolean passed, const char *note)
{
  GPtrArray *answers = rb_session_rows_new_answers ();
  for (guint i = 0; i < self->answers->len; i++) {
    const RbSessionAnswer *old = self->answers->pdata[i];
    if (g_strcmp0 (old->item, item) != 0)
      g_ptr_array_add (answers, answer_new (old->item, old->passed, old->note));
  }
  g_ptr_array_add (answers, answer_new (item, passed, note));
  g_ptr_array_unref (self->answers);
  self->answers = answers;
}

void
rb_session_next_vehicle (RbSession *self)
{
  RbSessionInput *input = &self->input;
  rb_session_enter (&input->vin, "");
  rb_session_enter (&input->campaign, "");
  rb_session_enter (&input->repair_order, "");
  input->odometer_km = -1;
  g_ptr_array_set_size (self->found, 0);
  g_ptr_array_set_size (self->ecus, 0);
  g_ptr_array_unref (self->answers);
  self->answers = rb_session_rows_new_answers ();
  for (guint i = 0; i < N_TASKS; i++) {
    g_clear_error (&self->errors[i]);
    self->ran[i] = FALSE;
  }
  g_clear_pointer (&self->digest, g_free);
  self->result = NULL;
  self->touched = FALSE;
  g_signal_emit (self, signals[ECUS_CHANGED], 0);
  g_signal_emit (self, signals[CHANGED], 0);
}

void
rb_session_enter (char **place, const char *text)
{
  if (*place == text)
    return;
  g_free (*place);
  *place = g_strdup (text == NULL ? "" : text);
}

RbSessionInput *
rb_session_input (RbSession *self)
{
  return &self->input;
}

RbSessionTask
rb_session_task (RbSession *self)
{
  return self->pending != RB_TASK_NONE ? self->pending : self->task;
}

gboolean
rb_session_is_stopping (RbSession *self)
{
  return self->stopping;
}

gboolean
rb_session_is_working (RbSession *self)
{
  return self->task == RB_TASK_RUN || self->pending == RB_TASK_RUN;
}

const GError *
rb_session_error (RbSession *self, RbSessionTask task)
{
  return self->errors[task];
}

gboolean
rb_session_succeeded (RbSession *self, RbSessionTask task)
{
  return self->ran[task] && self->errors[task] == NULL;
}

GPtrArray *
rb_session_found (RbSession *self)
{
  return self->found;
}

GPtrArray *
rb_session_ecus (RbSession *self)
{
  return self->ecus;
}

GPtrArray *
rb_session_records (RbSession *self)
{
  return self->records;
}

const GError *
rb_session_waiting (RbSession *self)
{
  return self->waiting;
}

const RbCampaign *
rb_session_campaign (RbSession *self)
{
  if (self->vehicle.recovery == NULL || self->task == RB_TASK_OPEN)
    return NULL;
  return rb_recovery_campaign (self->vehicle.recovery);
}

const char *
rb_session_verdict (RbSession *self, gboolean complete)
{
  if (complete)
    return _ ("The vehicle is complete");
  return self->touched ? _ ("Do not release this vehicle") : _ ("Nothing was changed in this vehicle");
}

gboolean
rb_session_is_unsigned (RbSession *self)
{
  return self->touched && self->digest == NULL;
}

const char *
rb_session_digest (RbSession *self)
{
  return self->digest;
}

const char *
rb_session_result (RbSession *self)
{
  return self->result;
}

static void
finalize (GObject *object)
{
  RbSession *self = RB_SESSION (object);
  rb_session_task_clear_vehicle (&self->vehicle);
  rb_session_input_clear (&self->input);
  for (guint i = 0; i < N_TASKS; i++)
    g_clear_error (&self->errors[i]);
  g_ptr_array_unref (self->found);
  g_ptr_array_unref (self->ecus);
  g_ptr_array_unref (self->records);
  g_clear_error (&self->waiting);
  g_ptr_array_unref (self->answers);
  g_free (self->digest);
  G_OBJECT_CLASS (rb_session_parent_class)->finalize (object);
}

static guint
signal_new (const char *name, guint n, GType a, GType b, GType c)
{
  return g_signal_new (name, RB_TYPE_SESSION, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, n, a, b, c);
}

static void
rb_session_class_init (RbSessionClass *class)
{
  G_OBJECT_CLASS (class)->finalize = finalize;
  signals[CHANGED] = signal_new ("changed", 0, 0, 0, 0);
  signals[ECUS_CHANGED] = signal_new ("ecus-changed", 0, 0, 0, 0);
  signals[ECU_CHANGED] = signal_new ("ecu-changed", 1, G_TYPE_UINT, 0, 0);
  signals[MEASURED] = signal_new ("measured", 3, G_TYPE_STRING, G_TYPE_INT64, G_TYPE_BOOLEAN);
  signals[FINISHED] = signal_new ("finished", 2, G_TYPE_INT, G_TYPE_BOOLEAN, 0);
}

static void
rb_session_init (RbSession *self)
{
  self->found = rb_session_rows_new_found ();
  self->ecus = rb_session_rows_new_ecus ();
  self->records = rb_session_rows_new_records ();
  self->answers = rb_session_rows_new_answers ();
}

RbSession *
rb_session_new (const RbSessionInput *input)
{
  RbSession *self = g_object_new (RB_TYPE_SESSION, NULL);
  rb_session_input_copy (&self->input, input);
  return self;
}
