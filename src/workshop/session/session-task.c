/* SPDX-License-Identifier: Apache-2.0 */
#include "session/session-task.h"

#include "core/moment.h"
#include "library/library.h"
#include "outbox/stored.h"
#include "recovery/error.h"
#include "session/workplace.h"

void
rb_session_task_clear_vehicle (RbSessionVehicle *self)
{
  g_clear_pointer (&self->recovery, rb_recovery_free);
  g_clear_pointer (&self->technician, rb_identity_set_free);
  g_clear_pointer (&self->workstation, rb_identity_set_free);
  g_clear_pointer (&self->second, rb_identity_set_free);
  g_clear_pointer (&self->link_keys, rb_identity_set_free);
}

void
rb_session_task_clear (RbSessionWork *work)
{
  rb_session_input_clear (&work->input);
  g_clear_pointer (&work->answers, g_ptr_array_unref);
  g_clear_pointer (&work->found, g_ptr_array_unref);
  g_clear_pointer (&work->ecus, g_ptr_array_unref);
  g_clear_pointer (&work->records, g_ptr_array_unref);
  g_clear_object (&work->cancellable);
  g_clear_error (&work->error);
  g_clear_pointer (&work->digest, g_free);
}

static gboolean
find_campaigns (RbSessionWork *work)
{
  gint64 now = rb_moment_now ();
  g_autoptr (GPtrArray) problems = NULL;
  g_autoptr (RbLibrary) library = rb_library_new (work->input.data_dir);
  g_autoptr (GPtrArray) all = rb_library_for_vin (library, work->input.vin, now, &problems, &work->error);
  if (all == NULL)
    return FALSE;
  work->found = rb_session_rows_new_found ();
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
open_link_keys (RbSessionWork *work)
{
  RbSessionVehicle *self = work->vehicle;
  const RbSessionInput *input = &work->input;
  g_clear_pointer (&self->link_keys, rb_identity_set_free);
  if (!rb_session_input_link_has_key (input->link) || *input->workstation == '\0')
    return TRUE;
  self->link_keys = rb_identity_set_load (input->workstation, input->passphrase, &work->error);
  return self->link_keys != NULL;
}

static gboolean
open_vehicle (RbSessionWork *work)
{
  RbSessionVehicle *self = work->vehicle;
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
                                .watch = work->watch,
                                .user_data = work->user_data };
  self->recovery = rb_recovery_open (&options, &work->error);
  return self->recovery != NULL;
}

static gboolean
connect_vehicle (RbSessionWork *work)
{
  if (!rb_recovery_connect (work->vehicle->recovery, work->cancellable, &work->error))
    return FALSE;
  rb_workplace_keep_link (work->input.data_dir, work->input.link);
  return TRUE;
}

static gboolean
measure_items (RbSessionWork *work)
{
  const RbCampaign *campaign = rb_recovery_campaign (work->vehicle->recovery);
  for (guint i = 0; i < campaign->checklist->len; i++) {
    const RbChecklistItem *item = campaign->checklist->pdata[i];
    RbRecoveryEvent event = { .kind = RB_EVENT_MEASUREMENT, .item = item->id };
    if (item->kind != RB_ITEM_MEASURED)
      continue;
    if (!rb_recovery_measure (work->vehicle->recovery, item, &event.value, &event.good, work->cancellable,
                              &work->error))
      return FALSE;
    work->watch (&event, work->user_data);
  }
  return TRUE;
}

static void
take_rows (RbSessionWork *work)
{
  RbRecovery *recovery = work->vehicle->recovery;
  work->ecus = rb_session_rows_new_ecus ();
  for (guint i = 0; i < rb_recovery_n_rows (recovery); i++) {
    RbPlanRow row = { 0 };
    rb_recovery_row (recovery, i, &row);
    RbSessionEcu *ecu = g_new0 (RbSessionEcu, 1);
    *ecu = (RbSessionEcu){ .serial = g_strdup (row.serial),
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
    g_ptr_array_add (work->ecus, ecu);
  }
}

static gboolean
inspect_vehicle (RbSessionWork *work)
{
  RbRecovery *recovery = work->vehicle->recovery;
  for (guint i = 0; i < work->answers->len; i++) {
    const RbSessionAnswer *answer = work->answers->pdata[i];
    rb_recovery_answer (recovery, answer->item, answer->passed, answer->note);
  }
  if (!rb_recovery_inspect (recovery, work->cancellable, &work->error) || !rb_recovery_plan (recovery, &work->error))
    return FALSE;
  take_rows (work);
  return TRUE;
}

static gboolean
authorise_people (RbSessionWork *work)
{
  RbSessionVehicle *self = work->vehicle;
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
run_recovery (RbSessionWork *work)
{
  gboolean ok = rb_recovery_run (work->vehicle->recovery, work->cancellable, &work->error);
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
list_records (RbSessionWork *work)
{
  g_autoptr (RbOutbox) outbox = rb_outbox_open (work->input.data_dir, &work->error);
  g_autoptr (GPtrArray) all = outbox == NULL ? NULL : rb_stored_list (outbox, NULL, NULL, NULL, &work->error);
  if (all == NULL)
    return FALSE;
  work->records = rb_session_rows_new_records ();
  for (guint i = 0; i < all->len; i++) {
    g_ptr_array_insert (work->records, 0, session_record (all->pdata[i]));
  }
  return TRUE;
}

gboolean
rb_session_task_run (RbSessionWork *work)
{
  RbSessionVehicle *self = work->vehicle;
  if (self->recovery == NULL && work->task >= RB_TASK_CONNECT && work->task <= RB_TASK_SIGN) {
    g_set_error_literal (&work->error, RB_RECOVERY_ERROR, RB_REASON_INTERNAL, "No vehicle is open");
    return FALSE;
  }
  switch (work->task) {
  case RB_TASK_FIND: return find_campaigns (work);
  case RB_TASK_OPEN: return open_vehicle (work);
  case RB_TASK_CONNECT: return connect_vehicle (work);
  case RB_TASK_MEASURE: return measure_items (work);
  case RB_TASK_INSPECT: return inspect_vehicle (work);
  case RB_TASK_AUTHORISE: return authorise_people (work);
  case RB_TASK_RUN: return run_recovery (work);
  case RB_TASK_SIGN:
    work->digest = rb_recovery_sign (self->recovery, &work->result, &work->error);
    return work->digest != NULL;
  case RB_TASK_RECORDS: return list_records (work);
  case RB_TASK_NONE: break;
  }
  return TRUE;
}
