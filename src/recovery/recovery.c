/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/recovery.h"

#include "campaign/library.h"
#include "core/json.h"
#include "core/moment.h"
#include "crypto/digest.h"
#include "record/statement.h"
#include "recovery/facts.h"
#include "recovery/inspection.h"
#include "recovery/lanes.h"
#include "recovery/signers.h"
#include "recovery/way.h"

#include <string.h>

#define DEFAULT_LINK_TIMEOUT_S 20
#define RETRY_MS 250
#define MAX_LOST 5
#define MAX_SILENT 2
#define MAX_SHE (256 * 1024)

struct _RbRecovery {
  char *data_dir, *link_uri, *vehicle_ca, *vin, *repair_order;
  gint64 odometer_km, link_timeout_s, now;
  RbIdentitySet *technician, *workstation, *second;
  RbRecoveryWatch watch;
  gpointer user_data;
  GMutex watch_lock;   /* watch is called from one thread at a time */
  GMutex primary_lock; /* lanes ask the Primary whether the vehicle may be written to */

  RbContents *contents;
  RbJournal *journal;
  gint64 number;   /* in the journal, 0: not begun */
  gint64 started;  /* first run's start */
  gint64 run_started; /* of this run; before started when the clock was set back since */
  char *waiting;   /* for what, as it was told; NULL: the work goes on */
  gint64 row_before; /* newest step in the journal when this run began */
  RbLink *link;
  json_t *vin_sources;
  RbInspection *inspection;
  gboolean inspected;
  GPtrArray *works;      /* of RbWork, in working order */
  GPtrArray *unexpected; /* of char * */
  RbIdentity *authentication;
  json_t *she;
  GBytes *manifest_before, *manifest_after;
  RbStatementEnd end;
  gboolean ran;
  gint stopping; /* atomic */
};

static const char *const state_words[] = {
  [RB_ECU_WAITING] = "waiting",     [RB_ECU_CHECKED] = "checked",           [RB_ECU_UNLOCKED] = "unlocked",
  [RB_ECU_WRITING] = "writing",     [RB_ECU_RESETTING] = "resetting",       [RB_ECU_READING_BACK] = "reading back",
  [RB_ECU_DONE] = "done",           [RB_ECU_PARKED] = "parked",             [RB_ECU_UNKNOWN] = "unknown",
};

const char *
rb_recovery_state_word (RbEcuState state)
{
  return state_words[state];
}

/* (RbRecoveryWatch) */
static void
emit (const RbRecoveryEvent *event, gpointer user_data)
{
  RbRecovery *self = user_data;
  if (self->watch == NULL)
    return;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->watch_lock);
  self->watch (event, self->user_data);
}

static void
emit_phase (RbRecovery *self, const char *phase)
{
  const RbRecoveryEvent event = { .kind = RB_EVENT_PHASE, .text = phase };
  emit (&event, self);
}

static gint64
moment (RbRecovery *self)
{
  return self->now > 0 ? self->now : rb_moment_now ();
}

static gboolean safe_point (RbWork *work, GCancellable *cancellable, gpointer user_data, GError **error);

static RbWorkContext
work_context (RbRecovery *self, GCancellable *cancellable)
{
  return (RbWorkContext){ .contents = self->contents, .journal = self->journal, .recovery = self->number, .vin = self->vin,
                          .authentication = self->authentication, .she = self->she, .cancellable = cancellable,
                          .safe_point = safe_point, .safe_point_data = self, .watch = emit, .user_data = self };
}

static gboolean
check_vin (const RbRecoveryOptions *options, GError **error)
{
  if (options->vin == NULL || options->vin[0] == '\0') {
    g_set_error_literal (error, RB_RECOVERY_ERROR, RB_REASON_VIN_MISSING,
                         "the VIN as on the plate is needed before the vehicle is touched");
    return FALSE;
  }
  if (rb_campaign_vin_is_valid (options->vin))
    return TRUE;
  g_set_error (error, RB_RECOVERY_ERROR, RB_REASON_VIN_INVALID, "“%s” is not a VIN", options->vin);
  return FALSE;
}

static void
copy_options (RbRecovery *self, const RbRecoveryOptions *options)
{
  self->data_dir = g_strdup (options->data_dir);
  self->link_uri = g_strdup (options->link);
  self->vehicle_ca = g_strdup (options->vehicle_ca);
  self->vin = g_strdup (options->vin);
  self->repair_order = g_strdup (options->repair_order);
  self->odometer_km = options->odometer_km;
  self->link_timeout_s = options->link_timeout_s > 0 ? options->link_timeout_s : DEFAULT_LINK_TIMEOUT_S;
  self->now = options->now;
  self->watch = options->watch;
  self->user_data = options->user_data;
  g_mutex_init (&self->watch_lock);
  g_mutex_init (&self->primary_lock);
  self->works = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_work_free);
  self->unexpected = g_ptr_array_new_with_free_func (g_free);
  self->vin_sources = json_array ();
  self->end = RB_STATEMENT_ABORTED;
  rb_recovery_set_identities (self, options->technician, options->workstation, options->second);
}

/* A vehicle that was started in time may be finished: expiry is then judged at the first run's start. */
static gboolean
open_campaign (RbRecovery *self, const char *id, GError **error)
{
  g_autoptr (RbLibrary) library = rb_library_new (self->data_dir);
  self->journal = rb_journal_open (self->data_dir, error);
  if (self->journal == NULL || !rb_library_check_clock (library, moment (self), error)
      || !rb_journal_find (self->journal, self->vin, id, &self->number, &self->started, error))
    return FALSE;
  self->contents = rb_library_open (library, id, self->number > 0 ? self->started : moment (self), error);
  if (self->contents == NULL)
    return FALSE;
  if (self->number == 0 && !rb_contents_may_start (self->contents, moment (self), error))
    return FALSE;
  if (rb_campaign_has_vin (rb_contents_campaign (self->contents), self->vin))
    return TRUE;
  g_set_error (error, RB_RECOVERY_ERROR, RB_REASON_NOT_IN_SCOPE, "vehicle %s is not in campaign %s", self->vin, id);
  return FALSE;
}

RbRecovery *
rb_recovery_open (const RbRecoveryOptions *options, GError **error)
{
  if (!check_vin (options, error))
    return NULL;
  g_autoptr (RbRecovery) self = g_new0 (RbRecovery, 1);
  copy_options (self, options);
  if (!open_campaign (self, options->campaign, error))
    return NULL;
  self->inspection = rb_inspection_new (rb_contents_campaign (self->contents));
  return g_steal_pointer (&self);
}

static void
disconnect (RbRecovery *self)
{
  for (guint i = 0; i < self->works->len; i++)
    g_clear_pointer (&((RbWork *) self->works->pdata[i])->unit, rb_unit_free);
  g_clear_pointer (&self->link, rb_link_unref);
}

void
rb_recovery_free (RbRecovery *self)
{
  disconnect (self);
  g_clear_pointer (&self->works, g_ptr_array_unref);
  g_clear_pointer (&self->unexpected, g_ptr_array_unref);
  g_clear_pointer (&self->contents, rb_contents_unref);
  g_clear_pointer (&self->journal, rb_journal_close);
  g_free (self->waiting);
  g_clear_pointer (&self->inspection, rb_inspection_free);
  g_clear_pointer (&self->authentication, rb_identity_unref);
  g_clear_pointer (&self->manifest_before, g_bytes_unref);
  g_clear_pointer (&self->manifest_after, g_bytes_unref);
  g_mutex_clear (&self->watch_lock);
  g_mutex_clear (&self->primary_lock);
  json_decref (self->vin_sources);
  json_decref (self->she);
  g_free (self->data_dir);
  g_free (self->link_uri);
  g_free (self->vehicle_ca);
  g_free (self->vin);
  g_free (self->repair_order);
  g_free (self);
}

const RbCampaign *
rb_recovery_campaign (RbRecovery *self)
{
  return rb_contents_campaign (self->contents);
}

void
rb_recovery_set_identities (RbRecovery *self, RbIdentitySet *technician, RbIdentitySet *workstation, RbIdentitySet *second)
{
  self->technician = technician;
  self->workstation = workstation;
  self->second = second;
}

static void
add_works (RbRecovery *self)
{
  const RbVehicleModel *model = rb_contents_model (self->contents);
  for (int rank = 0; rank < RB_LANES_N_RANKS; rank++)
    for (guint i = 0; i < model->ecus->len; i++) {
      const RbModelEcu *ecu = model->ecus->pdata[i];
      const RbCampaignEcu *wanted = rb_campaign_ecu (rb_contents_campaign (self->contents), ecu->hardware_id);
      const RbProfile *profile = rb_contents_profile (self->contents, ecu->hardware_id);
      if (rb_lanes_rank (model, ecu) == (RbLanesRank) rank && wanted != NULL && profile != NULL)
        g_ptr_array_add (self->works, rb_work_new (ecu, profile, wanted));
    }
}

static gboolean
read_vin (RbRecovery *self, RbWork *work, GCancellable *cancellable, GError **error)
{
  g_autofree char *vin = rb_unit_read_text (work->unit, work->profile->did_vin, cancellable, error);
  if (vin == NULL)
    return FALSE;
  json_array_append_new (self->vin_sources, json_pack ("{s:s,s:s,s:s}", "ecu", work->model->name, "did", "F190", "value", vin));
  if (strcmp (vin, self->vin) == 0)
    return TRUE;
  g_set_error (error, RB_RECOVERY_ERROR, RB_REASON_VIN_MISMATCH, "%s says the vehicle is %s, the plate says %s", work->model->label,
               vin, self->vin);
  return FALSE;
}

/* The VIN must be the plate's on the Primary and on one more ECU. */
static gboolean
check_vehicle (RbRecovery *self, GCancellable *cancellable, GError **error)
{
  json_array_clear (self->vin_sources);
  for (guint i = self->works->len; i > 0 && json_array_size (self->vin_sources) < 2; i--) {
    RbWork *work = self->works->pdata[i - 1];
    if (work->profile->did_vin != 0 && !read_vin (self, work, cancellable, error))
      return FALSE;
  }
  return json_array_size (self->vin_sources) > 0;
}

static gboolean
open_units (RbRecovery *self, GError **error)
{
  for (guint i = 0; i < self->works->len; i++) {
    RbWork *work = self->works->pdata[i];
    work->unit = rb_unit_new (self->link, work->model, work->profile, error);
    if (work->unit == NULL)
      return FALSE;
  }
  return TRUE;
}

static gboolean
open_link (RbRecovery *self, GCancellable *cancellable, GError **error)
{
  disconnect (self);
  const RbWay way = { .uri = self->link_uri, .data_dir = self->data_dir, .vehicle_ca = self->vehicle_ca, .workstation = self->workstation,
                      .vin = self->vin };
  self->link = rb_way_open (&way, cancellable, error);
  if (self->link == NULL)
    return FALSE;
  g_free (self->link_uri);
  self->link_uri = g_strdup (rb_link_uri (self->link));
  return open_units (self, error);
}

static RbWork *
work_of (RbRecovery *self, const char *hardware_id)
{
  for (guint i = 0; i < self->works->len; i++)
    if (strcmp (((RbWork *) self->works->pdata[i])->model->hardware_id, hardware_id) == 0)
      return self->works->pdata[i];
  return NULL;
}

/* Director and Image metadata of this VIN, verified; each assignment finds its ECU by hardware id. */
static gboolean
assign (RbRecovery *self, GError **error)
{
  gint64 at = self->number > 0 ? self->started : moment (self);
  g_autoptr (GPtrArray) assignments = rb_contents_assignments (self->contents, self->vin, at, NULL, 0, error);
  if (assignments == NULL)
    return FALSE;
  g_ptr_array_set_free_func (assignments, NULL);
  for (guint i = 0; i < assignments->len; i++) {
    RbAssignment *assignment = assignments->pdata[i];
    RbWork *work = work_of (self, assignment->hardware_id);
    if (work == NULL || work->assignment != NULL) {
      g_set_error (error, RB_RECOVERY_ERROR, RB_REASON_ECU_UNKNOWN, "the campaign directs %s, which the vehicle model does not have",
                   assignment->serial);
      return FALSE;
    }
    work->assignment = assignment;
  }
  for (guint i = self->works->len; i > 0; i--)
    if (((RbWork *) self->works->pdata[i - 1])->assignment == NULL)
      g_ptr_array_remove_index (self->works, i - 1);
  return TRUE;
}

static gboolean
is_fatal (const GError *error)
{
  RbReason reason = rb_reason_of (error);
  return rb_reason_is_link_lost (reason) || reason == RB_REASON_CANCELLED || reason == RB_REASON_LINK_REFUSED
         || reason == RB_REASON_DATABASE || reason == RB_REASON_NO_SPACE || reason == RB_REASON_BUSY;
}

/* One ECU at first sight; one that does not answer is parked and does not hide the others. */
static gboolean
look_at (RbRecovery *self, RbWork *work, GCancellable *cancellable, GError **error)
{
  const RbWorkContext context = work_context (self, cancellable);
  g_autoptr (GError) failure = NULL;
  if (rb_work_observe (work, &context, &failure))
    return TRUE;
  if (is_fatal (failure)) {
    g_propagate_error (error, g_steal_pointer (&failure));
    return FALSE;
  }
  rb_work_set_state (work, &context, RB_ECU_PARKED, rb_reason_of (failure), failure->message);
  return TRUE;
}

static gboolean
decrypt_she (RbRecovery *self, GError **error)
{
  g_autoptr (GBytes) bytes = rb_contents_she (self->contents, self->vin, NULL);
  if (bytes == NULL || self->she != NULL || self->workstation == NULL)
    return TRUE;
  g_autoptr (RbIdentity) agreement = rb_identity_set_find (self->workstation, RB_PURPOSE_KEY_AGREEMENT, error);
  g_autoptr (GBytes) plain = agreement == NULL ? NULL : rb_identity_decrypt (agreement, bytes, error);
  self->she = plain == NULL ? NULL : rb_json_parse (plain, MAX_SHE, "she.json", error);
  return self->she != NULL;
}

static gboolean find_again (RbRecovery *self, GCancellable *cancellable, GError **error);

/* Reads what it reads; when the link is lost meanwhile it is found again, and all is read from the start, a few times. */
static gboolean
read_through (RbRecovery *self, gboolean (*read) (RbRecovery *self, GCancellable *cancellable, GError **error), GCancellable *cancellable,
              GError **error)
{
  for (guint lost = 0;; lost++) {
    g_autoptr (GError) failure = NULL;
    if (read (self, cancellable, &failure))
      return TRUE;
    if (!rb_reason_is_link_lost (rb_reason_of (failure)) || lost == MAX_LOST) {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
    if (!find_again (self, cancellable, error))
      return FALSE;
  }
}

static gboolean
look_at_all (RbRecovery *self, GCancellable *cancellable, GError **error)
{
  if (!check_vehicle (self, cancellable, error))
    return FALSE;
  for (guint i = 0; i < self->works->len; i++)
    if (!look_at (self, self->works->pdata[i], cancellable, error))
      return FALSE;
  return TRUE;
}

gboolean
rb_recovery_connect (RbRecovery *self, GCancellable *cancellable, GError **error)
{
  emit_phase (self, "connect");
  g_ptr_array_set_size (self->works, 0);
  add_works (self);
  return assign (self, error) && decrypt_she (self, error) && open_link (self, cancellable, error)
         && read_through (self, look_at_all, cancellable, error);
}

static RbWork *
primary (RbRecovery *self)
{
  for (guint i = 0; i < self->works->len; i++)
    if (((RbWork *) self->works->pdata[i])->model->primary)
      return self->works->pdata[i];
  return NULL;
}

gboolean
rb_recovery_measure (RbRecovery *self, const RbChecklistItem *item, gint64 *value, gboolean *good, GCancellable *cancellable,
                     GError **error)
{
  RbWork *work = primary (self);
  guint16 did = work == NULL ? 0 : rb_inspection_did (work->profile, item->measure);
  if (did == 0 || work->unit == NULL) {
    g_set_error (error, RB_RECOVERY_ERROR, RB_REASON_UNSUPPORTED, "this vehicle cannot tell its %s", item->measure);
    return FALSE;
  }
  if (!rb_unit_read_number (work->unit, did, value, cancellable, error))
    return FALSE;
  *good = *value >= item->low && *value <= item->high;
  const RbRecoveryEvent event = { .kind = RB_EVENT_MEASUREMENT, .item = item->id, .value = *value, .unit = item->unit, .good = *good };
  emit (&event, self);
  return TRUE;
}

void
rb_recovery_answer (RbRecovery *self, const char *item, gboolean passed, const char *note)
{
  rb_inspection_answer (self->inspection, item, passed, note, rb_moment_now ());
}

/* Measured items in turn; error when one is outside its limits. */
static gboolean
measure_all (RbRecovery *self, gboolean record, GCancellable *cancellable, GError **error)
{
  GPtrArray *items = rb_recovery_campaign (self)->checklist;
  for (guint i = 0; i < items->len; i++) {
    const RbChecklistItem *item = items->pdata[i];
    gint64 value = 0;
    gboolean good = FALSE;
    if (item->kind != RB_ITEM_MEASURED)
      continue;
    if (!rb_recovery_measure (self, item, &value, &good, cancellable, error))
      return FALSE;
    if (record)
      rb_inspection_measured (self->inspection, item->id, value, good, rb_moment_now ());
    if (!good)
      return rb_inspection_refuse (item, value, error);
  }
  return TRUE;
}

static gboolean
measure_and_record (RbRecovery *self, GCancellable *cancellable, GError **error)
{
  return measure_all (self, TRUE, cancellable, error);
}

gboolean
rb_recovery_inspect (RbRecovery *self, GCancellable *cancellable, GError **error)
{
  emit_phase (self, "inspect");
  self->inspected = FALSE;
  if (!rb_inspection_answers_pass (self->inspection, error) || !read_through (self, measure_and_record, cancellable, error))
    return FALSE;
  rb_inspection_complete (self->inspection, rb_moment_now ());
  self->inspected = TRUE;
  return TRUE;
}

gboolean
rb_recovery_plan (RbRecovery *self, GError **error)
{
  emit_phase (self, "plan");
  /* every image is read and hashed before the first byte is written to any ECU */
  for (guint i = 0; i < self->works->len; i++) {
    const RbWork *work = self->works->pdata[i];
    g_autoptr (GBytes) image = rb_contents_image (self->contents, work->wanted->image_sha256, error);
    if (image == NULL)
      return FALSE;
  }
  return TRUE;
}

guint
rb_recovery_n_rows (RbRecovery *self)
{
  return self->works->len;
}

void
rb_recovery_row (RbRecovery *self, guint i, RbPlanRow *row)
{
  const RbWork *work = self->works->pdata[i];
  const RbCampaign *campaign = rb_recovery_campaign (self);
  gboolean keeps_image_root = work->profile->did_image_root != 0;
  memset (row, 0, sizeof *row);
  row->serial = rb_work_serial (work);
  row->name = work->model->label;
  row->hardware_id = work->model->hardware_id;
  row->software = work->now == NULL ? "" : work->now->software;
  row->target = work->wanted->image;
  row->image_differs = work->need_image;
  row->director_root_differs = work->need_director_root;
  row->image_root_differs = work->need_image_root;
  row->metadata_differs = work->need_metadata;
  row->new_key = work->need_key;
  row->abort_recoverable = work->profile->abort_recoverable;
  row->image_bytes = work->need_image && work->assignment != NULL ? work->assignment->target->length : 0;
  row->director_root_found = work->now == NULL ? 0 : work->now->director.version;
  row->director_root_wanted = campaign->director_root.version;
  row->image_root_found = work->now == NULL ? 0 : work->now->image.version;
  row->image_root_wanted = keeps_image_root ? campaign->image_root.version : 0;
  row->state = work->state;
  row->reason = work->reason;
}

static RbSigners *
signers (RbRecovery *self, GError **error)
{
  return rb_signers_new (self->technician, self->workstation, self->second, rb_recovery_campaign (self)->second_person, moment (self),
                         error);
}

gboolean
rb_recovery_may_run (RbRecovery *self, GError **error)
{
  if (!self->inspected) {
    g_set_error_literal (error, RB_RECOVERY_ERROR, RB_REASON_INSPECTION_MISSING, "nothing is written before the inspection is passed");
    return FALSE;
  }
  g_autoptr (RbSigners) people = signers (self, error);
  if (people == NULL)
    return FALSE;
  g_clear_pointer (&self->authentication, rb_identity_unref);
  self->authentication = rb_identity_set_find (self->workstation, RB_PURPOSE_ECU_AUTHENTICATION, error);
  return self->authentication != NULL && decrypt_she (self, error);
}

static gboolean
may_go_on (RbRecovery *self, GError **error)
{
  if (!g_atomic_int_get (&self->stopping))
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "stopped; no further control unit was begun");
  return FALSE;
}

void
rb_recovery_stop (RbRecovery *self)
{
  g_atomic_int_set (&self->stopping, TRUE);
}

static void
tell_waiting (RbRecovery *self, const GError *failure)
{
  if (g_strcmp0 (self->waiting, failure->message) == 0)
    return;
  g_free (self->waiting);
  self->waiting = g_strdup (failure->message);
  const RbRecoveryEvent event = { .kind = RB_EVENT_WAITING, .reason = rb_reason_of (failure), .text = self->waiting };
  emit (&event, self);
}

static void
tell_resumed (RbRecovery *self)
{
  if (self->waiting == NULL)
    return;
  g_clear_pointer (&self->waiting, g_free);
  const RbRecoveryEvent event = { .kind = RB_EVENT_RESUMED };
  emit (&event, self);
}

/* A lost link is tried again until the time is over; the vehicle must be the same one. */
static gboolean
find_again (RbRecovery *self, GCancellable *cancellable, GError **error)
{
  gint64 end = g_get_monotonic_time () + self->link_timeout_s * G_USEC_PER_SEC;
  for (;;) {
    g_autoptr (GError) failure = NULL;
    if (open_link (self, cancellable, &failure) && check_vehicle (self, cancellable, &failure)) {
      tell_resumed (self);
      return TRUE;
    }
    RbReason reason = rb_reason_of (failure);
    gboolean hopeless = reason == RB_REASON_CANCELLED || reason == RB_REASON_VIN_MISMATCH || reason == RB_REASON_VEHICLE_CERTIFICATE;
    if (hopeless || g_get_monotonic_time () > end) {
      g_propagate_error (error, g_steal_pointer (&failure));
      if (!hopeless && error != NULL && *error != NULL && !rb_reason_is_link_lost (rb_reason_of (*error)))
        (*error)->code = RB_REASON_LINK_LOST;
      return FALSE;
    }
    tell_waiting (self, failure);
    if (!rb_moment_pause (RETRY_MS, cancellable, error) || !may_go_on (self, error))
      return FALSE;
  }
}

/* Voltage, ignition, standstill: waited for as long as for a lost link, while every lane waits. */
static gboolean
interlocks_hold (RbRecovery *self, GCancellable *cancellable, GError **error)
{
  gint64 end = g_get_monotonic_time () + self->link_timeout_s * G_USEC_PER_SEC;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->primary_lock);
  for (;;) {
    g_autoptr (GError) failure = NULL;
    if (measure_all (self, FALSE, cancellable, &failure)) {
      tell_resumed (self);
      return TRUE;
    }
    if (is_fatal (failure) || g_get_monotonic_time () > end) {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
    tell_waiting (self, failure);
    if (!rb_moment_pause (RETRY_MS, cancellable, error) || !may_go_on (self, error))
      return FALSE;
  }
}

/* (RbWorkSafePoint) A Primary in work was measured before it began: between its steps its bootloader need not know the values. */
static gboolean
safe_point (RbWork *work, GCancellable *cancellable, gpointer user_data, GError **error)
{
  return (work->model->primary && work->writes > 0) || interlocks_hold (user_data, cancellable, error);
}

typedef struct {
  RbRecovery *recovery;
  GCancellable *cancellable;
} Run;

/*
 * An answer that did not come in time leaves open what the ECU did: only looking again can tell, so it is looked at again
 * and gone on with, a few times. Requests that may be repeated were repeated before (uds/client.c).
 */
static gboolean
work_while_it_answers (RbWork *work, const RbWorkContext *context, GError **error)
{
  for (;;) {
    g_autoptr (GError) failure = NULL;
    if (rb_work_run (work, context, &failure))
      return TRUE;
    if (rb_reason_of (failure) != RB_REASON_NO_ANSWER || work->silent++ >= MAX_SILENT) {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
    rb_work_set_state (work, context, RB_ECU_UNKNOWN, RB_REASON_NO_ANSWER, failure->message);
  }
}

/* (RbLanesWork) One ECU to its end: done, parked, or FALSE when the run cannot go on. */
static gboolean
run_one (RbWork *work, gpointer user_data, GError **error)
{
  const Run *run = user_data;
  const RbWorkContext context = work_context (run->recovery, run->cancellable);
  g_autoptr (GError) failure = NULL;
  if (!may_go_on (run->recovery, error))
    return FALSE;
  if (work_while_it_answers (work, &context, &failure))
    return TRUE;
  /* an ECU under which the link goes away again and again is not tried for ever */
  gboolean lost = rb_reason_is_link_lost (rb_reason_of (failure)) && work->lost++ < MAX_LOST;
  rb_work_set_state (work, &context, lost ? RB_ECU_UNKNOWN : RB_ECU_PARKED, rb_reason_of (failure), failure->message);
  work->finished = rb_moment_now ();
  if (!lost && (!is_fatal (failure) || rb_reason_is_link_lost (rb_reason_of (failure))))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/* ECUs of that rank that are neither done nor parked. (element-type RbWork) */
static GPtrArray *
open_works (RbRecovery *self, RbLanesRank rank)
{
  GPtrArray *open = g_ptr_array_new ();
  for (guint i = 0; i < self->works->len; i++) {
    RbWork *work = self->works->pdata[i];
    gboolean ended = work->finished != 0 && (work->state == RB_ECU_DONE || work->state == RB_ECU_PARKED);
    if (rb_lanes_rank (rb_contents_model (self->contents), work->model) == rank && !ended)
      g_ptr_array_add (open, work);
  }
  return open;
}

/* When the link is lost every lane ends; with a new one the ECUs that are still open are observed and worked on again. */
static gboolean
run_rank (RbRecovery *self, RbLanesRank rank, GCancellable *cancellable, GError **error)
{
  Run run = { self, cancellable };
  for (;;) {
    g_autoptr (GPtrArray) works = open_works (self, rank);
    g_autoptr (GError) failure = NULL;
    if (rb_lanes_run (works, run_one, &run, &failure))
      return TRUE;
    if (!rb_reason_is_link_lost (rb_reason_of (failure))) {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
    if (!find_again (self, cancellable, error))
      return FALSE;
  }
}

static void
read_manifest (RbRecovery *self, GBytes **manifest, GCancellable *cancellable)
{
  RbWork *work = primary (self);
  g_autoptr (GError) refused = NULL;
  if (work == NULL || work->unit == NULL || work->profile->routine_manifest == 0)
    return;
  g_autoptr (GBytes) nonce = rb_campaign_ecu_nonce (rb_recovery_campaign (self), self->vin, work->assignment->serial);
  g_autoptr (GBytes) challenge = rb_digest_random (16);
  g_clear_pointer (manifest, g_bytes_unref);
  *manifest = rb_unit_manifest (work->unit, nonce, challenge, cancellable, &refused);
  if (*manifest == NULL)
    g_debug ("no vehicle version manifest: %s", refused->message);
}

static gboolean
begin (RbRecovery *self, GError **error)
{
  self->run_started = moment (self);
  if (self->number > 0)
    return TRUE;
  self->started = self->run_started;
  return rb_journal_begin (self->journal, self->vin, rb_recovery_campaign (self)->id, self->started, &self->number, error);
}

static guint
count_not_done (RbRecovery *self)
{
  guint count = 0;
  for (guint i = 0; i < self->works->len; i++)
    count += ((RbWork *) self->works->pdata[i])->state != RB_ECU_DONE;
  return count;
}

static gboolean
run_all (RbRecovery *self, GCancellable *cancellable, GError **error)
{
  emit_phase (self, "run");
  if (!rb_recovery_may_run (self, error) || !begin (self, error))
    return FALSE;
  self->ran = TRUE;
  for (guint i = 0; i < self->works->len; i++) {
    RbWork *work = self->works->pdata[i];
    work->finished = 0;
    work->lost = work->silent = 0;
  }
  g_clear_pointer (&self->waiting, g_free);
  self->row_before = rb_journal_last_row (self->journal);
  self->end = RB_STATEMENT_ABORTED;
  /* an earlier run of this object may have ended with the link */
  if ((self->link == NULL || !rb_link_is_alive (self->link)) && !find_again (self, cancellable, error))
    return FALSE;
  read_manifest (self, &self->manifest_before, cancellable);
  for (int rank = 0; rank < RB_LANES_N_RANKS; rank++)
    if (!run_rank (self, (RbLanesRank) rank, cancellable, error))
      return FALSE;
  read_manifest (self, &self->manifest_after, cancellable);
  self->end = RB_STATEMENT_FINISHED;
  guint open = count_not_done (self);
  if (open == 0)
    return TRUE;
  g_set_error (error, RB_RECOVERY_ERROR, RB_REASON_NOT_COMPLETE, "not done: %u of %u control units", open, self->works->len);
  return FALSE;
}

gboolean
rb_recovery_run (RbRecovery *self, GCancellable *cancellable, GError **error)
{
  gboolean complete = run_all (self, cancellable, error);
  g_atomic_int_set (&self->stopping, FALSE);
  return complete;
}

guint
rb_recovery_writes (RbRecovery *self)
{
  guint writes = 0;
  for (guint i = 0; i < self->works->len; i++)
    writes += ((RbWork *) self->works->pdata[i])->writes;
  return writes;
}

gboolean
rb_recovery_was_touched (RbRecovery *self)
{
  return self->number > 0 && rb_journal_writes (self->journal, self->number) > 0;
}

static json_t *
build_facts (RbRecovery *self)
{
  g_autoptr (RbLibrary) library = rb_library_new (self->data_dir);
  const RbCampaign *campaign = rb_recovery_campaign (self);
  gint64 floor = rb_library_time_floor (library);
  gint64 now = moment (self), first = MIN (self->started, self->run_started);
  RbFacts facts = { .vin = self->vin, .repair_order = self->repair_order, .odometer_km = self->odometer_km, .link = self->link,
                    .link_uri = self->link_uri, .vin_sources = self->vin_sources,
                    .inspection = self->inspected ? rb_inspection_json (self->inspection) : NULL, .works = self->works,
                    .unexpected = self->unexpected, .manifest_before = self->manifest_before, .manifest_after = self->manifest_after,
                    .now = now, .started = MIN (first, now), .not_before = MAX (floor, campaign->issued),
                    .not_before_source = floor > campaign->issued ? "library" : "campaign" };
  facts.first_write = rb_journal_first_after (self->journal, self->number, self->row_before);
  return rb_facts_build (&facts, campaign);
}

char *
rb_recovery_sign (RbRecovery *self, const char **result, GError **error)
{
  emit_phase (self, "sign");
  if (!self->ran) {
    g_set_error_literal (error, RB_RECOVERY_ERROR, RB_REASON_NOT_STARTED, "there is nothing to sign yet");
    return NULL;
  }
  g_autoptr (RbOutbox) outbox = rb_outbox_open (self->data_dir, error);
  g_autoptr (RbSigners) people = outbox == NULL ? NULL : signers (self, error);
  if (people == NULL)
    return NULL;
  g_autoptr (json_t) facts = build_facts (self);
  const RbStatementRequest request = { rb_recovery_campaign (self), rb_contents_campaign_sha256 (self->contents), self->end, facts,
                                       people->technician, people->workstation, people->second };
  g_autoptr (RbOutboxRecord) record = rb_statement_make (outbox, &request, error);
  if (record == NULL)
    return NULL;
  *result = g_intern_string (record->result);
  if (strcmp (record->result, "completed") == 0
      && !rb_journal_finish (self->journal, self->number, record->digest, moment (self), error))
    return NULL;
  return g_strdup (record->digest);
}
