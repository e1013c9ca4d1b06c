/* SPDX-License-Identifier: Apache-2.0 */
#include "session/session.h"

#include "core/moment.h"
#include "library/library.h"
#include "outbox/stored.h"
#include "recovery/error.h"
#include "session/workplace.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#define N_TASKS (RB_TASK_RECORDS + 1)
#define PROGRESS_EVERY (G_USEC_PER_SEC / 10)

/* One task in its thread: its input is copied in, its results are handed to the main loop. */
typedef struct {
  RbSession *session; /* a reference */
  RbSessionTask task;
  RbSessionInput input;
  GPtrArray *answers; /* of Answer */
  GCancellable *cancellable;
  GError *error;
  GPtrArray *found, *units, *records;
  char *digest;
  const char *result;
} Work;

typedef struct {
  char *item, *note;
  gboolean passed;
} Answer;

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
  RbRecovery *recovery; /* used by the task's thread while one runs */
  RbIdentitySet *technician, *workstation, *second;
  RbIdentitySet *link_keys; /* the workstation's, as far as the link needs them; NULL */
  GThread *thread;
  RbSessionTask task, pending;
  GCancellable *cancellable;
  gboolean stopping; /* the task that runs was asked to stop */
  gboolean ran[N_TASKS];
  GError *errors[N_TASKS];
  GPtrArray *found, *units, *records, *answers;
  GError *waiting;
  gboolean touched;
  char *digest;
  const char *result;
  gint64 last_progress; /* of the task's thread */
};

enum { CHANGED, UNIT_CHANGED, UNITS_CHANGED, MEASURED, FINISHED, N_SIGNALS };
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (RbSession, rb_session, G_TYPE_OBJECT)

static void
found_free (gpointer data)
{
  RbSessionFound *self = data;
  g_free (self->id);
  g_free (self->name);
  g_free (self->title);
  g_free (self->oem);
  g_free (self);
}

static void
unit_free (gpointer data)
{
  RbSessionEcu *self = data;
  g_free (self->serial);
  g_free (self->name);
  g_free (self->hardware_id);
  g_free (self->software);
  g_free (self->target);
  g_free (self->step);
  g_free (self->text);
  g_free (self->dtcs);
  g_free (self);
}

static void
record_free (gpointer data)
{
  RbSessionRecord *self = data;
  g_free (self->digest);
  g_free (self->vin);
  g_free (self->campaign);
  g_free (self->result);
  g_free (self);
}

static void
answer_free (gpointer data)
{
  Answer *self = data;
  g_free (self->item);
  g_free (self->note);
  g_free (self);
}

static void
wipe (char **secret)
{
  if (*secret != NULL)
    explicit_bzero (*secret, strlen (*secret));
  g_clear_pointer (secret, g_free);
}

gboolean
rb_session_link_has_key (const char *link)
{
  return g_str_has_prefix (link, "doips:");
}

void
rb_session_input_clear (RbSessionInput *input)
{
  g_clear_pointer (&input->data_dir, g_free);
  g_clear_pointer (&input->vin, g_free);
  g_clear_pointer (&input->campaign, g_free);
  g_clear_pointer (&input->link, g_free);
  g_clear_pointer (&input->repair_order, g_free);
  g_clear_pointer (&input->identity, g_free);
  g_clear_pointer (&input->workstation, g_free);
  g_clear_pointer (&input->second, g_free);
  wipe (&input->passphrase);
  wipe (&input->second_passphrase);
}

static char *
copy_text (const char *text)
{
  return g_strdup (text == NULL ? "" : text);
}

static void
input_copy (RbSessionInput *to, const RbSessionInput *from)
{
  to->data_dir = copy_text (from->data_dir);
  to->vin = copy_text (from->vin);
  to->campaign = copy_text (from->campaign);
  to->link = copy_text (from->link);
  to->repair_order = copy_text (from->repair_order);
  to->odometer_km = from->odometer_km;
  to->identity = copy_text (from->identity);
  to->workstation = copy_text (from->workstation);
  to->second = copy_text (from->second);
  to->passphrase = copy_text (from->passphrase);
  to->second_passphrase = copy_text (from->second_passphrase);
}

static void
work_free (gpointer data)
{
  Work *work = data;
  rb_session_input_clear (&work->input);
  g_clear_pointer (&work->answers, g_ptr_array_unref);
  g_clear_pointer (&work->found, g_ptr_array_unref);
  g_clear_pointer (&work->units, g_ptr_array_unref);
  g_clear_pointer (&work->records, g_ptr_array_unref);
  g_clear_object (&work->cancellable);
  g_clear_error (&work->error);
  g_free (work->digest);
  g_object_unref (work->session);
  g_free (work);
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
unit_of (RbSession *self, const Event *event, guint *index)
{
  for (*index = 0; *index < self->units->len; (*index)++) {
    RbSessionEcu *unit = self->units->pdata[*index];
    if (g_strcmp0 (unit->serial, event->serial) == 0)
      return unit;
  }
  RbSessionEcu *unit = g_new0 (RbSessionEcu, 1);
  unit->serial = g_strdup (event->serial);
  unit->name = g_strdup (event->name == NULL ? event->serial : event->name);
  unit->abort_recoverable = TRUE;
  g_ptr_array_add (self->units, unit);
  g_signal_emit (self, signals[UNITS_CHANGED], 0);
  return unit;
}

static void
unit_event (RbSession *self, const Event *event)
{
  guint index;
  RbSessionEcu *unit = unit_of (self, event, &index);
  switch (event->kind) {
  case RB_EVENT_ECU:
    unit->state = event->state;
    unit->reason = event->reason;
    rb_session_enter (&unit->text, event->text);
    rb_session_enter (&unit->step, "");
    if (event->state != RB_ECU_WRITING)
      unit->total = 0;
    break;
  case RB_EVENT_STEP: rb_session_enter (&unit->step, event->text); break;
  case RB_EVENT_DTCS: rb_session_enter (&unit->dtcs, event->text); break;
  case RB_EVENT_PROGRESS:
    unit->done = event->done;
    unit->total = event->total;
    break;
  default: break;
  }
  g_signal_emit (self, signals[UNIT_CHANGED], 0, index);
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
    unit_event (self, event);
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

static gboolean
work_find (Work *work)
{
  gint64 now = rb_moment_now ();
  g_autoptr (GPtrArray) problems = NULL;
  g_autoptr (RbLibrary) library = rb_library_new (work->input.data_dir);
  g_autoptr (GPtrArray) all = rb_library_for_vin (library, work->input.vin, now, &problems, &work->error);
  if (all == NULL)
    return FALSE;
  work->found = g_ptr_array_new_with_free_func (found_free);
  for (guint i = 0; i < all->len; i++) {
    const RbCampaign *campaign = rb_contents_campaign (all->pdata[i]);
    g_autofree char *name = rb_library_name (library, all->pdata[i], &work->error);
    if (name == NULL)
      return FALSE;
    RbSessionFound *found = g_new0 (RbSessionFound, 1);
    *found = (RbSessionFound){ g_strdup (campaign->id),  g_strdup (campaign->title),
                               g_strdup (campaign->oem), g_steal_pointer (&name),
                               campaign->ecus->len,      rb_contents_valid_until (all->pdata[i]) };
    g_ptr_array_add (work->found, found);
  }
  if (all->len == 0 && problems != NULL && problems->len > 0)
    work->error = g_error_copy (problems->pdata[0]);
  return work->error == NULL;
}

/* A link with TLS needs its key before it is opened; other links need none. */
static gboolean
open_link_keys (Work *work)
{
  RbSession *self = work->session;
  const RbSessionInput *input = &work->input;
  g_clear_pointer (&self->link_keys, rb_identity_set_free);
  if (!rb_session_link_has_key (input->link) || *input->workstation == '\0')
    return TRUE;
  self->link_keys = rb_identity_set_load (input->workstation, input->passphrase, &work->error);
  return self->link_keys != NULL;
}

static gboolean
work_open (Work *work)
{
  RbSession *self = work->session;
  const RbSessionInput *input = &work->input;
  g_clear_pointer (&self->recovery, rb_recovery_free);
  if (!open_link_keys (work))
    return FALSE;
  RbRecoveryOptions options = { .data_dir = input->data_dir,
                                .campaign = input->campaign,
                                .link = input->link,
                                .vin = input->vin,
                                .repair_order = *input->repair_order == '\0' ? NULL : input->repair_order,
                                .odometer_km = input->odometer_km,
                                .workstation = self->link_keys,
                                .watch = watch,
                                .user_data = self };
  self->recovery = rb_recovery_open (&options, &work->error);
  return self->recovery != NULL;
}

static gboolean
work_connect (Work *work)
{
  if (!rb_recovery_connect (work->session->recovery, work->cancellable, &work->error))
    return FALSE;
  rb_workplace_keep_link (work->input.data_dir, work->input.link);
  return TRUE;
}

static gboolean
work_measure (Work *work)
{
  const RbCampaign *campaign = rb_recovery_campaign (work->session->recovery);
  for (guint i = 0; i < campaign->checklist->len; i++) {
    const RbChecklistItem *item = campaign->checklist->pdata[i];
    RbRecoveryEvent event = { .kind = RB_EVENT_MEASUREMENT, .item = item->id };
    if (item->kind != RB_ITEM_MEASURED)
      continue;
    if (!rb_recovery_measure (work->session->recovery, item, &event.value, &event.good, work->cancellable,
                              &work->error))
      return FALSE;
    watch (&event, work->session);
  }
  return TRUE;
}

static void
take_rows (Work *work)
{
  RbRecovery *recovery = work->session->recovery;
  work->units = g_ptr_array_new_with_free_func (unit_free);
  for (guint i = 0; i < rb_recovery_n_rows (recovery); i++) {
    RbPlanRow row = { 0 };
    rb_recovery_row (recovery, i, &row);
    RbSessionEcu *unit = g_new0 (RbSessionEcu, 1);
    *unit = (RbSessionEcu){ .serial = g_strdup (row.serial),
                            .name = g_strdup (row.name),
                            .hardware_id = g_strdup (row.hardware_id),
                            .software = g_strdup (row.software),
                            .target = g_strdup (row.target),
                            .state = row.state,
                            .reason = row.reason,
                            .planned = TRUE,
                            .new_key = row.new_key,
                            .image_differs = row.image_differs,
                            .abort_recoverable = row.abort_recoverable,
                            .director_root_found = row.director_root_found,
                            .director_root_wanted = row.director_root_wanted,
                            .image_root_found = row.image_root_found,
                            .image_root_wanted = row.image_root_wanted };
    g_ptr_array_add (work->units, unit);
  }
}

static gboolean
work_inspect (Work *work)
{
  RbRecovery *recovery = work->session->recovery;
  for (guint i = 0; i < work->answers->len; i++) {
    const Answer *answer = work->answers->pdata[i];
    rb_recovery_answer (recovery, answer->item, answer->passed, answer->note);
  }
  if (!rb_recovery_inspect (recovery, work->cancellable, &work->error) || !rb_recovery_plan (recovery, &work->error))
    return FALSE;
  take_rows (work);
  return TRUE;
}

static gboolean
work_authorise (Work *work)
{
  RbSession *self = work->session;
  const RbSessionInput *input = &work->input;
  g_autoptr (RbIdentitySet) technician = rb_identity_set_load (input->identity, input->passphrase, &work->error);
  g_autoptr (RbIdentitySet) station
    = technician == NULL ? NULL : rb_identity_set_load (input->workstation, input->passphrase, &work->error);
  g_autoptr (RbIdentitySet) second = NULL;
  if (station == NULL)
    return FALSE;
  if (*input->second != '\0'
      && (second = rb_identity_set_load (input->second, input->second_passphrase, &work->error)) == NULL)
    return FALSE;
  rb_recovery_set_identities (self->recovery, technician, station, second);
  g_clear_pointer (&self->technician, rb_identity_set_free);
  g_clear_pointer (&self->workstation, rb_identity_set_free);
  g_clear_pointer (&self->second, rb_identity_set_free);
  self->technician = g_steal_pointer (&technician);
  self->workstation = g_steal_pointer (&station);
  self->second = g_steal_pointer (&second);
  return rb_recovery_may_run (self->recovery, &work->error);
}

static gboolean
work_run (Work *work)
{
  gboolean ok = rb_recovery_run (work->session->recovery, work->cancellable, &work->error);
  take_rows (work);
  return ok;
}

/* A record that cannot be read is listed without its contents. */
static RbSessionRecord *
session_record (const RbStored *record)
{
  const RbVerifyOutcome *outcome = record->outcome;
  gboolean readable = outcome->predicate != NULL;
  RbSessionRecord *copy = g_new0 (RbSessionRecord, 1);
  *copy = (RbSessionRecord){ g_strdup (readable ? outcome->digest : record->stored_as),
                             g_strdup (readable ? outcome->vin : "?"),
                             g_strdup (readable ? outcome->campaign : "?"),
                             g_strdup (outcome->reason == RB_REASON_NONE ? outcome->result
                                                                         : rb_reason_word (outcome->reason)),
                             record->finished,
                             record->acknowledged };
  return copy;
}

static gboolean
work_records (Work *work)
{
  g_autoptr (RbOutbox) outbox = rb_outbox_open (work->input.data_dir, &work->error);
  g_autoptr (GPtrArray) all = outbox == NULL ? NULL : rb_stored_list (outbox, NULL, NULL, NULL, &work->error);
  if (all == NULL)
    return FALSE;
  work->records = g_ptr_array_new_with_free_func (record_free);
  for (guint i = 0; i < all->len; i++) {
    g_ptr_array_insert (work->records, 0, session_record (all->pdata[i]));
  }
  return TRUE;
}

static gboolean
work_do (Work *work)
{
  RbSession *self = work->session;
  if (self->recovery == NULL && work->task >= RB_TASK_CONNECT && work->task <= RB_TASK_SIGN) {
    g_set_error_literal (&work->error, RB_RECOVERY_ERROR, RB_REASON_INTERNAL, "No vehicle is open");
    return FALSE;
  }
  switch (work->task) {
  case RB_TASK_FIND: return work_find (work);
  case RB_TASK_OPEN: return work_open (work);
  case RB_TASK_CONNECT: return work_connect (work);
  case RB_TASK_MEASURE: return work_measure (work);
  case RB_TASK_INSPECT: return work_inspect (work);
  case RB_TASK_AUTHORISE: return work_authorise (work);
  case RB_TASK_RUN: return work_run (work);
  case RB_TASK_SIGN:
    work->digest = rb_recovery_sign (self->recovery, &work->result, &work->error);
    return work->digest != NULL;
  case RB_TASK_RECORDS: return work_records (work);
  case RB_TASK_NONE: break;
  }
  return TRUE;
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
take_units (RbSession *self, Work *work)
{
  for (guint i = 0; work->units != NULL && i < work->units->len; i++) {
    RbSessionEcu *unit = work->units->pdata[i];
    Event event = { .serial = unit->serial, .name = unit->name };
    guint index;
    const RbSessionEcu *seen = unit_of (self, &event, &index);
    rb_session_enter (&unit->text, seen->text);
    rb_session_enter (&unit->dtcs, seen->dtcs);
  }
  gboolean any = work->units != NULL;
  replace (&self->units, &work->units);
  if (any)
    g_signal_emit (self, signals[UNITS_CHANGED], 0);
}

static gboolean
on_done (gpointer data)
{
  Work *work = data;
  RbSession *self = work->session;
  RbSessionTask task = work->task;
  g_clear_pointer (&self->thread, g_thread_join);
  g_clear_object (&self->cancellable);
  self->stopping = FALSE;
  self->ran[task] = TRUE;
  g_clear_error (&self->errors[task]);
  self->errors[task] = g_steal_pointer (&work->error);
  replace (&self->found, &work->found);
  replace (&self->records, &work->records);
  take_units (self, work);
  if (work->digest != NULL) {
    g_free (self->digest);
    self->digest = g_steal_pointer (&work->digest);
    self->result = work->result;
  }
  if (self->recovery != NULL)
    self->touched = rb_recovery_was_touched (self->recovery);
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
  Work *work = data;
  if (!work_do (work) && work->error == NULL)
    g_set_error_literal (&work->error, RB_RECOVERY_ERROR, RB_REASON_INTERNAL, "The task ended without a word");
  g_idle_add_full (G_PRIORITY_DEFAULT, on_done, work, work_free);
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
  Work *work = g_new0 (Work, 1);
  work->session = g_object_ref (self);
  work->task = task;
  work->answers = g_ptr_array_ref (self->answers);
  work->cancellable = g_cancellable_new ();
  input_copy (&work->input, &self->input);
  self->task = task;
  self->ran[task] = FALSE;
  g_clear_error (&self->errors[task]);
  self->cancellable = g_object_ref (work->cancellable);
  self->thread = g_thread_new ("recovery", work_thread, work);
  if (task != RB_TASK_MEASURE)
    g_signal_emit (self, signals[CHANGED], 0);
}

void
rb_session_stop (RbSession *self)
{
  self->pending = RB_TASK_NONE;
  self->stopping = self->task != RB_TASK_NONE;
  if (self->task == RB_TASK_RUN)
    rb_recovery_stop (self->recovery);
  else if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  g_signal_emit (self, signals[CHANGED], 0);
}

void
rb_session_answer (RbSession *self, const char *item, gboolean passed, const char *note)
{
  Answer *answer = g_new0 (Answer, 1);
  *answer = (Answer){ g_strdup (item), note == NULL || *note == '\0' ? NULL : g_strdup (note), passed };
  GPtrArray *answers = g_ptr_array_new_with_free_func (answer_free);
  for (guint i = 0; i < self->answers->len; i++) {
    const Answer *old = self->answers->pdata[i];
    Answer *copy = g_new0 (Answer, 1);
    *copy = (Answer){ g_strdup (old->item), g_strdup (old->note), old->passed };
    if (g_strcmp0 (old->item, item) != 0)
      g_ptr_array_add (answers, copy);
    else
      answer_free (copy);
  }
  g_ptr_array_add (answers, answer);
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
  g_ptr_array_set_size (self->units, 0);
  g_ptr_array_unref (self->answers);
  self->answers = g_ptr_array_new_with_free_func (answer_free);
  for (guint i = 0; i < N_TASKS; i++) {
    g_clear_error (&self->errors[i]);
    self->ran[i] = FALSE;
  }
  g_clear_pointer (&self->digest, g_free);
  self->result = NULL;
  self->touched = FALSE;
  g_signal_emit (self, signals[UNITS_CHANGED], 0);
  g_signal_emit (self, signals[CHANGED], 0);
}

void
rb_session_enter (char **place, const char *text)
{
  if (*place == text)
    return;
  g_free (*place);
  *place = copy_text (text);
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
  return self->units;
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
  if (self->recovery == NULL || self->task == RB_TASK_OPEN)
    return NULL;
  return rb_recovery_campaign (self->recovery);
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
  g_clear_pointer (&self->recovery, rb_recovery_free);
  g_clear_pointer (&self->technician, rb_identity_set_free);
  g_clear_pointer (&self->workstation, rb_identity_set_free);
  g_clear_pointer (&self->second, rb_identity_set_free);
  g_clear_pointer (&self->link_keys, rb_identity_set_free);
  rb_session_input_clear (&self->input);
  for (guint i = 0; i < N_TASKS; i++)
    g_clear_error (&self->errors[i]);
  g_ptr_array_unref (self->found);
  g_ptr_array_unref (self->units);
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
  signals[UNITS_CHANGED] = signal_new ("ecus-changed", 0, 0, 0, 0);
  signals[UNIT_CHANGED] = signal_new ("ecu-changed", 1, G_TYPE_UINT, 0, 0);
  signals[MEASURED] = signal_new ("measured", 3, G_TYPE_STRING, G_TYPE_INT64, G_TYPE_BOOLEAN);
  signals[FINISHED] = signal_new ("finished", 2, G_TYPE_INT, G_TYPE_BOOLEAN, 0);
}

static void
rb_session_init (RbSession *self)
{
  self->found = g_ptr_array_new_with_free_func (found_free);
  self->units = g_ptr_array_new_with_free_func (unit_free);
  self->records = g_ptr_array_new_with_free_func (record_free);
  self->answers = g_ptr_array_new_with_free_func (answer_free);
}

RbSession *
rb_session_new (const RbSessionInput *input)
{
  RbSession *self = g_object_new (RB_TYPE_SESSION, NULL);
  input_copy (&self->input, input);
  return self;
}
