/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/supervise.h"

#include "core/json.h"
#include "core/moment.h"
#include "recovery/keeper.h"
#include "recovery/network.h"
#include "recovery/teller.h"
#include "recovery/unexpected.h"
#include "recovery/vehicle-link.h"

#include <string.h>

#define DEFAULT_LINK_TIMEOUT_S 20
#define RETRY_MS 250
#define TURN_MS 20
#define MAX_LOST 5

struct _RbSupervise {
  char *data_dir, *link_uri, *vehicle_ca, *vin;
  gint64 link_timeout_s;
  RbIdentitySet *workstation;
  GPtrArray *checklist;
  const RbVehicleModel *model;
  gboolean begun; /* the first write, under primary_lock: other clients on the bus are no longer watched for */
  RbTeller *teller; /* NULL: there is no watch function */
  RbKeeper *keeper; /* of the sessions, while there are units */
  GMutex primary_lock; /* lanes ask the Primary whether the vehicle may be written to */
  GPtrArray *jobs; /* of RbEcuJob, in working order */
  RbLink *link;
  RbNetwork *network; /* of this link; NULL: not prepared */
  gboolean prepared; /* the network is to be, with every new link */
  json_t *vin_sources;
  GPtrArray *unexpected; /* of char *; NULL: not looked for yet */
  char *waiting; /* the reason for the wait; NULL: no wait */
  gboolean confirming; /* the link waits for a person at the vehicle */
  gint stopping; /* atomic */
};

RbSupervise *
rb_supervise_new (const RbSuperviseOptions *options)
{
  RbSupervise *self = g_new0 (RbSupervise, 1);
  self->data_dir = g_strdup (options->data_dir);
  self->link_uri = g_strdup (options->link_uri);
  self->vehicle_ca = g_strdup (options->vehicle_ca);
  self->vin = g_strdup (options->vin);
  self->link_timeout_s = options->link_timeout_s == 0 ? DEFAULT_LINK_TIMEOUT_S : MAX (options->link_timeout_s, 0);
  self->checklist = options->checklist;
  self->model = options->model;
  self->teller = options->watch == NULL ? NULL : rb_teller_new (options->watch, options->user_data);
  g_mutex_init (&self->primary_lock);
  self->jobs = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_ecu_job_free);
  self->vin_sources = json_array ();
  return self;
}

static void
close_units (RbSupervise *self)
{
  g_clear_pointer (&self->keeper, rb_keeper_free);
  for (guint i = 0; i < self->jobs->len; i++) {
    RbEcuJob *job = self->jobs->pdata[i];
    job->block_limit = job->unit == NULL ? job->block_limit : rb_ecu_client_block_limit (job->unit);
    g_clear_pointer (&job->unit, rb_ecu_client_free);
  }
}

static void
disconnect (RbSupervise *self)
{
  g_clear_pointer (&self->network, rb_network_free);
  close_units (self);
  g_clear_pointer (&self->link, rb_link_unref);
}

void
rb_supervise_free (RbSupervise *self)
{
  disconnect (self);
  g_clear_pointer (&self->jobs, g_ptr_array_unref);
  g_clear_pointer (&self->teller, rb_teller_free);
  g_mutex_clear (&self->primary_lock);
  json_decref (self->vin_sources);
  g_clear_pointer (&self->unexpected, g_ptr_array_unref);
  g_free (self->waiting);
  g_free (self->data_dir);
  g_free (self->link_uri);
  g_free (self->vehicle_ca);
  g_free (self->vin);
  g_free (self);
}

void
rb_supervise_set_workstation (RbSupervise *self, RbIdentitySet *workstation)
{
  self->workstation = workstation;
}

GPtrArray *
rb_supervise_jobs (RbSupervise *self)
{
  return self->jobs;
}

RbLink *
rb_supervise_link (RbSupervise *self)
{
  return self->link;
}

const char *
rb_supervise_link_uri (RbSupervise *self)
{
  return self->link_uri;
}

json_t *
rb_supervise_vin_sources (RbSupervise *self)
{
  return self->vin_sources;
}

void
rb_supervise_emit (const RbRecoveryEvent *event, gpointer user_data)
{
  RbSupervise *self = user_data;
  if (self->teller != NULL)
    rb_teller_tell (self->teller, event);
}

void
rb_supervise_flush (RbSupervise *self)
{
  if (self->teller != NULL)
    rb_teller_flush (self->teller);
}

RbEcuJob *
rb_supervise_primary (RbSupervise *self)
{
  for (guint i = 0; i < self->jobs->len; i++)
    if (((RbEcuJob *) self->jobs->pdata[i])->model->primary)
      return self->jobs->pdata[i];
  return NULL;
}

gboolean
rb_supervise_is_fatal (const GError *error)
{
  RbReason reason = rb_reason_of (error);
  return rb_reason_is_link_lost (reason) || reason == RB_REASON_CANCELLED || reason == RB_REASON_LINK_REFUSED
         || reason == RB_REASON_TESTER_PRESENT || reason == RB_REASON_DATABASE || reason == RB_REASON_NO_SPACE
         || reason == RB_REASON_IN_USE;
}

static gboolean
read_vin (RbSupervise *self, RbEcuJob *job, json_t *sources, GCancellable *cancellable, GError **error)
{
  g_autofree char *vin = rb_ecu_client_read_text (job->unit, job->profile->did_vin, cancellable, error);
  if (vin == NULL)
    return FALSE;
  json_array_append_new (sources,
                         json_pack ("{s:s,s:s,s:s}", "ecu", rb_ecu_job_serial (job), "did", "F190", "value", vin));
  if (strcmp (vin, self->vin) == 0)
    return TRUE;
  g_set_error (error, RB_RECOVERY_ERROR, RB_REASON_VIN_MISMATCH, "%s says the vehicle is %s, the plate says %s",
               job->model->label, vin, self->vin);
  return FALSE;
}

/* Values read before a link was lost are kept until all are read again. */
gboolean
rb_supervise_check_vehicle (RbSupervise *self, GCancellable *cancellable, GError **error)
{
  g_autoptr (json_t) sources = json_array ();
  for (guint i = self->jobs->len; i > 0 && json_array_size (sources) < 2; i--) {
    RbEcuJob *job = self->jobs->pdata[i - 1];
    if (job->profile->did_vin != 0 && !read_vin (self, job, sources, cancellable, error))
      return FALSE;
  }
  if (json_array_size (sources) == 0) {
    g_set_error_literal (error, RB_RECOVERY_ERROR, RB_REASON_UNSUPPORTED,
                         "vehicle: no ECU of its model reports the VIN");
    return FALSE;
  }
  json_decref (self->vin_sources);
  self->vin_sources = g_steal_pointer (&sources);
  return TRUE;
}

/* (RbEcuClientWait) In the ECU's lane. */
static void
on_ecu_waits (RbReason reason, const char *text, gpointer user_data)
{
  const RbRecoveryEvent event
    = { .kind = text == NULL ? RB_EVENT_RESUMED : RB_EVENT_WAITING, .reason = reason, .text = text };
  rb_supervise_emit (&event, user_data);
}

static gboolean
open_units (RbSupervise *self, GError **error)
{
  for (guint i = 0; i < self->jobs->len; i++) {
    RbEcuJob *job = self->jobs->pdata[i];
    job->unit = rb_ecu_client_new (self->link, job->model, job->profile, error);
    if (job->unit == NULL)
      return FALSE;
    rb_ecu_client_limit_block (job->unit, job->block_limit);
    rb_ecu_client_set_wait (job->unit, on_ecu_waits, self);
  }
  self->keeper = rb_keeper_new (self->jobs);
  return TRUE;
}

/* Every request id of the model, whether this campaign concerns its ECU or not. */
static gboolean
watch_testers (RbSupervise *self, GError **error)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (guint32));
  for (guint i = 0; i < self->model->ecus->len; i++) {
    const RbModelEcu *ecu = self->model->ecus->pdata[i];
    if (ecu->can_request != 0)
      g_array_append_val (ids, ecu->can_request);
  }
  g_array_append_val (ids, self->model->can_functional);
  return self->begun || rb_link_watch_testers (self->link, (const guint32 *) (gpointer) ids->data, ids->len, error);
}

/* (RbLinkWait) From another thread, while this one waits in rb_vehicle_link_open(). */
static void
on_link_waits (const char *text, gpointer user_data)
{
  RbSupervise *self = user_data;
  const RbRecoveryEvent event = { .kind = RB_EVENT_WAITING, .reason = RB_REASON_LINK_CONFIRMATION, .text = text };
  self->confirming = TRUE;
  rb_supervise_emit (&event, self);
}

static void
tell_confirmed (RbSupervise *self)
{
  const RbRecoveryEvent event = { .kind = RB_EVENT_RESUMED };
  if (self->confirming && self->link != NULL)
    rb_supervise_emit (&event, self);
  self->confirming = FALSE;
}

/* The answers to a functional request are not left to the channels of the ECUs in work. */
gboolean
rb_supervise_find_unexpected (RbSupervise *self, GCancellable *cancellable, GError **error)
{
  if (self->unexpected != NULL)
    return TRUE;
  close_units (self);
  self->unexpected = rb_unexpected_search (self->link, self->model, cancellable, error);
  return self->unexpected != NULL && open_units (self, error);
}

GPtrArray *
rb_supervise_unexpected (RbSupervise *self)
{
  return self->unexpected;
}

gboolean
rb_supervise_check_testers (RbSupervise *self, GError **error)
{
  guint32 id = 0;
  if (self->begun || self->link == NULL)
    return TRUE;
  if (!rb_link_heard_tester (self->link, &id, error))
    return FALSE;
  if (id == 0)
    return TRUE;
  return rb_reason_deny (error, RB_RECOVERY_ERROR, RB_REASON_TESTER_PRESENT,
                         "link %s: request of another tester on CAN id %X", self->link_uri, id & 0x1fffffff);
}

/* With primary_lock held; TRUE once it was, for the rest of the run. */
static gboolean
begin_writing (RbSupervise *self, GError **error)
{
  if (self->begun)
    return TRUE;
  if (!rb_supervise_check_testers (self, error))
    return FALSE;
  self->begun = TRUE;
  return rb_link_watch_testers (self->link, NULL, 0, error);
}

static gboolean
open_link (RbSupervise *self, GCancellable *cancellable, GError **error)
{
  disconnect (self);
  const RbVehicleLinkOptions way = { .uri = self->link_uri,
                                     .data_dir = self->data_dir,
                                     .vehicle_ca = self->vehicle_ca,
                                     .workstation = self->workstation,
                                     .vin = self->vin,
                                     .model = self->model,
                                     .wait = on_link_waits,
                                     .wait_data = self };
  self->link = rb_vehicle_link_open (&way, cancellable, error);
  tell_confirmed (self);
  if (self->link == NULL)
    return FALSE;
  g_free (self->link_uri);
  self->link_uri = g_strdup (rb_link_uri (self->link));
  return watch_testers (self, error) && open_units (self, error);
}

void
rb_supervise_close_link (RbSupervise *self)
{
  disconnect (self);
}

gboolean
rb_supervise_open_link (RbSupervise *self, GCancellable *cancellable, GError **error)
{
  self->begun = FALSE;
  return open_link (self, cancellable, error);
}

static gboolean
prepare_network (RbSupervise *self, GCancellable *cancellable, GError **error)
{
  if (!self->prepared || self->network != NULL)
    return TRUE;
  self->network = rb_network_new (self->link, self->model, self->jobs, error);
  return self->network != NULL && rb_network_prepare (self->network, cancellable, error);
}

gboolean
rb_supervise_prepare_network (RbSupervise *self, GCancellable *cancellable, GError **error)
{
  g_mutex_lock (&self->primary_lock);
  gboolean begun = begin_writing (self, error);
  g_mutex_unlock (&self->primary_lock);
  self->prepared = begun;
  return begun && prepare_network (self, cancellable, error);
}

gboolean
rb_supervise_has_network (RbSupervise *self)
{
  return self->network != NULL;
}

void
rb_supervise_join_network (RbSupervise *self, RbEcuJob *job, GCancellable *cancellable)
{
  if (self->network != NULL)
    rb_network_join (self->network, job, cancellable);
}

gboolean
rb_supervise_restore_network (RbSupervise *self, gboolean clear_dtcs, GError **error)
{
  self->prepared = FALSE;
  if (self->link == NULL)
    return rb_reason_deny (error, RB_RECOVERY_ERROR, RB_REASON_LINK_LOST, "link %s: it is not open", self->link_uri);
  g_autoptr (RbNetwork) network = g_steal_pointer (&self->network);
  if (network == NULL)
    network = rb_network_new (self->link, self->model, self->jobs, error);
  return network != NULL && rb_network_restore (network, clear_dtcs, error);
}

gboolean
rb_supervise_may_go_on (RbSupervise *self, GError **error)
{
  if (!g_atomic_int_get (&self->stopping))
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "stopped; no further ECU was begun");
  return FALSE;
}

void
rb_supervise_stop (RbSupervise *self)
{
  g_atomic_int_set (&self->stopping, TRUE);
}

void
rb_supervise_end_stop (RbSupervise *self)
{
  g_atomic_int_set (&self->stopping, FALSE);
}

static void
emit_waiting (RbSupervise *self, const GError *failure)
{
  if (g_strcmp0 (self->waiting, failure->message) == 0)
    return;
  g_free (self->waiting);
  self->waiting = g_strdup (failure->message);
  const RbRecoveryEvent event = { .kind = RB_EVENT_WAITING, .reason = rb_reason_of (failure), .text = self->waiting };
  rb_supervise_emit (&event, self);
}

static void
emit_resumed (RbSupervise *self)
{
  if (self->waiting == NULL)
    return;
  g_clear_pointer (&self->waiting, g_free);
  const RbRecoveryEvent event = { .kind = RB_EVENT_RESUMED };
  rb_supervise_emit (&event, self);
}

gboolean
rb_supervise_find_again (RbSupervise *self, GCancellable *cancellable, GError **error)
{
  gint64 end = g_get_monotonic_time () + self->link_timeout_s * G_USEC_PER_SEC;
  for (;;) {
    g_autoptr (GError) failure = NULL;
    if (open_link (self, cancellable, &failure) && rb_supervise_check_vehicle (self, cancellable, &failure)
        && prepare_network (self, cancellable, &failure)) {
      emit_resumed (self);
      return TRUE;
    }
    RbReason reason = rb_reason_of (failure);
    gboolean hopeless
      = reason == RB_REASON_CANCELLED || reason == RB_REASON_VIN_MISMATCH || reason == RB_REASON_VEHICLE_CERTIFICATE;
    if (hopeless || g_get_monotonic_time () > end) {
      g_propagate_error (error, g_steal_pointer (&failure));
      if (!hopeless && error != NULL && *error != NULL && !rb_reason_is_link_lost (rb_reason_of (*error)))
        (*error)->code = RB_REASON_LINK_LOST;
      return FALSE;
    }
    emit_waiting (self, failure);
    if (!rb_moment_pause (RETRY_MS, cancellable, error) || !rb_supervise_may_go_on (self, error))
      return FALSE;
  }
}

gboolean
rb_supervise_resume (RbSupervise *self, GCancellable *cancellable, GError **error)
{
  g_clear_pointer (&self->waiting, g_free);
  return (self->link != NULL && rb_link_is_alive (self->link)) || rb_supervise_find_again (self, cancellable, error);
}

gboolean
rb_supervise_read_through (RbSupervise *self, RbSuperviseRead read, gpointer user_data, GCancellable *cancellable,
                           GError **error)
{
  for (guint lost = 0;; lost++) {
    g_autoptr (GError) failure = NULL;
    if (read (user_data, cancellable, &failure))
      return TRUE;
    if (!rb_reason_is_link_lost (rb_reason_of (failure)) || lost == MAX_LOST) {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
    if (!rb_supervise_find_again (self, cancellable, error))
      return FALSE;
  }
}

gboolean
rb_supervise_measure (RbSupervise *self, const RbChecklistItem *item, gint64 *value, gboolean *good,
                      GCancellable *cancellable, GError **error)
{
  RbEcuJob *job = rb_supervise_primary (self);
  guint16 did = job == NULL ? 0 : rb_inspection_did (job->profile, item->measure);
  if (did == 0 || job->unit == NULL) {
    g_set_error (error, RB_RECOVERY_ERROR, RB_REASON_UNSUPPORTED, "this vehicle does not report its %s", item->measure);
    return FALSE;
  }
  if (!rb_ecu_client_read_number (job->unit, did, value, cancellable, error))
    return FALSE;
  *good = *value >= item->low && *value <= item->high;
  const RbRecoveryEvent event
    = { .kind = RB_EVENT_MEASUREMENT, .item = item->id, .value = *value, .unit = item->unit, .good = *good };
  rb_supervise_emit (&event, self);
  return TRUE;
}

gboolean
rb_supervise_measure_all (RbSupervise *self, RbInspection *record, GCancellable *cancellable, GError **error)
{
  GPtrArray *items = self->checklist;
  for (guint i = 0; i < items->len; i++) {
    const RbChecklistItem *item = items->pdata[i];
    gint64 value = 0;
    gboolean good = FALSE;
    if (item->kind != RB_ITEM_MEASURED)
      continue;
    if (!rb_supervise_measure (self, item, &value, &good, cancellable, error))
      return FALSE;
    if (record != NULL)
      rb_inspection_measured (record, item->id, value, good, rb_moment_now ());
    if (!good)
      return rb_inspection_refuse (item, value, error);
  }
  return TRUE;
}

/* Takes primary_lock. */
static gboolean
take_turn (RbSupervise *self, GCancellable *cancellable, GError **error)
{
  while (!g_mutex_trylock (&self->primary_lock)) {
    if (!rb_moment_pause (TURN_MS, cancellable, error))
      return FALSE;
  }
  return TRUE;
}

/* With primary_lock held. */
static gboolean
retry_interlocks (RbSupervise *self, GCancellable *cancellable, GError **error)
{
  gint64 end = g_get_monotonic_time () + self->link_timeout_s * G_USEC_PER_SEC;
  for (;;) {
    g_autoptr (GError) failure = NULL;
    if (rb_supervise_measure_all (self, NULL, cancellable, &failure) && begin_writing (self, &failure)) {
      emit_resumed (self);
      return TRUE;
    }
    if (rb_supervise_is_fatal (failure) || g_get_monotonic_time () > end) {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
    emit_waiting (self, failure);
    if (!rb_moment_pause (RETRY_MS, cancellable, error) || !rb_supervise_may_go_on (self, error))
      return FALSE;
  }
}

/* Voltage, ignition, standstill: waited for as long as for a lost link, while every lane waits. */
static gboolean
wait_for_interlocks (RbSupervise *self, GCancellable *cancellable, GError **error)
{
  if (!take_turn (self, cancellable, error))
    return FALSE;
  gboolean good = retry_interlocks (self, cancellable, error);
  g_mutex_unlock (&self->primary_lock);
  return good;
}

/* A Primary in work was measured before it began: between its steps its bootloader need not know the values. */
gboolean
rb_supervise_safe_point (RbEcuJob *job, GCancellable *cancellable, gpointer user_data, GError **error)
{
  return (job->model->primary && job->writes > 0) || wait_for_interlocks (user_data, cancellable, error);
}
