/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/recover.h"

#include "core/json.h"
#include "core/output.h"
#include "core/reason.h"
#include "core/signals.h"
#include "crypto/secret.h"
#include "ctl/recover-view.h"
#include "recovery/journal.h"
#include "recovery/recovery.h"

#include <glib/gi18n-lib.h>
#include <string.h>
#include <unistd.h>

#define MAX_ANSWERS (1024 * 1024)
#define MAX_ODOMETER_KM 9999999
#define LINK_TIMEOUT_S 20
#define ASK_POLL_MS 200
#define MAX_LINK_TIMEOUT_S (24 * 60 * 60)

typedef struct {
  char *campaign, *link, *vehicle_ca, *answers, *identity, *workstation, *second, *vin, *repair_order, *passphrase_file,
    *evidence;
  gint64 odometer_km, link_timeout;
  json_t *sheet; /* the answers file */
  RbIdentitySet *technician_set, *workstation_set, *second_set;
} Settings;

static void
settings_clear (Settings *self)
{
  char **const texts[]
    = { &self->campaign, &self->link, &self->vehicle_ca,   &self->answers,         &self->identity, &self->workstation,
        &self->second,   &self->vin,  &self->repair_order, &self->passphrase_file, &self->evidence };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_clear_pointer (texts[i], g_free);
  json_decref (self->sheet);
  g_clear_pointer (&self->technician_set, rb_identity_set_free);
  g_clear_pointer (&self->workstation_set, rb_identity_set_free);
  g_clear_pointer (&self->second_set, rb_identity_set_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Settings, settings_clear)

typedef struct {
  RbCli *cli;
  const Settings *settings;
  GCancellable *cancellable;
  RbVisit *visit;
  GMutex lock; /* the thread of the signals stops a recovery, this one frees it */
  RbRecovery *recovery;
  json_t *done; /* of campaigns that were completed before the present one: [{"campaign", "result", "record"}] */
  gint64 written; /* steps that wrote, for them */
  RbRecoverView *view;
  gint asking, running, stopping; /* atomic: the signals have a thread of their own */
} Session;

static gboolean
load_answers (Settings *settings, GError **error)
{
  if (settings->answers == NULL)
    return TRUE;
  settings->sheet = rb_json_load (settings->answers, MAX_ANSWERS, error);
  if (settings->sheet == NULL)
    return FALSE;
  if (settings->vin == NULL)
    settings->vin = g_strdup (rb_json_string_or (settings->sheet, "vin", NULL));
  if (settings->repair_order == NULL)
    settings->repair_order = g_strdup (rb_json_string_or (settings->sheet, "repair_order", NULL));
  if (settings->odometer_km < 0)
    settings->odometer_km = rb_json_integer_or (settings->sheet, "odometer_km", -1);
  return TRUE;
}

/* shared: an answer that was given for another campaign of the visit stands. */
static void
give_answers (RbRecovery *recovery, const json_t *sheet, gboolean shared)
{
  const char *item;
  json_t *value;
  json_object_foreach (json_object_get (sheet, "items"), item, value) {
    const char *word = json_is_string (value) ? json_string_value (value) : rb_json_string_or (value, "result", "");
    gboolean known = strcmp (word, "ok") == 0 || strcmp (word, "not-ok") == 0;
    if (known && !(shared && rb_recovery_is_answered (recovery, item)))
      rb_recovery_answer (recovery, item, strcmp (word, "ok") == 0, rb_json_string_or (value, "note", NULL));
  }
}

static gboolean
ask (const char *question, gboolean *passed)
{
  char line[64];
  rb_output_complain ("%s  [ok / not-ok] ", question);
  if (fgets (line, sizeof line, stdin) == NULL)
    return FALSE;
  *passed = strcmp (g_strchomp (line), "ok") == 0;
  return *passed || strcmp (line, "not-ok") == 0;
}

/* Without an answers file a person at a terminal is asked. */
static void
ask_answers (RbCli *cli, RbRecovery *recovery)
{
  GPtrArray *items = rb_recovery_campaign (recovery)->checklist;
  for (guint i = 0; i < items->len; i++) {
    const RbChecklistItem *item = items->pdata[i];
    gboolean passed = FALSE;
    if (item->kind == RB_ITEM_MANUAL && !rb_recovery_is_answered (recovery, item->id) && !cli->json
        && ask (item->text, &passed))
      rb_recovery_answer (recovery, item->id, passed, NULL);
  }
}

static gboolean
load_identity (const char *path, const char *passphrase, RbIdentitySet **set, GError **error)
{
  if (path == NULL)
    return TRUE;
  *set = rb_identity_set_load (path, passphrase, error);
  return *set != NULL;
}

static gboolean
load_identities (Session *session, Settings *settings, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_atomic_int_set (&session->asking, TRUE);
  char *passphrase
    = rb_cli_passphrase (session->cli, settings->passphrase_file, "Passphrase of the identities", &failure);
  g_atomic_int_set (&session->asking, FALSE);
  if (failure != NULL) {
    g_propagate_error (error, g_steal_pointer (&failure));
    return FALSE;
  }
  gboolean loaded = load_identity (settings->identity, passphrase, &settings->technician_set, error)
                    && load_identity (settings->workstation, passphrase, &settings->workstation_set, error)
                    && load_identity (settings->second, passphrase, &settings->second_set, error);
  rb_secret_free (passphrase);
  return loaded;
}

/* The word for a step of a recovery recipe: of this ECU ("SERIAL/fuse-out"), else of all ("fuse-out"). */
static const char *
recipe_word (const json_t *sheet, const char *serial, const char *step)
{
  const json_t *recipe = json_object_get (sheet, "recipe");
  g_autofree char *own = g_strdup_printf ("%s/%s", serial, step);
  return rb_json_string_or (recipe, own, rb_json_string_or (recipe, step, ""));
}

/* Ends when the program is told to stop: the run then ends by itself. */
static gboolean
line_is_there (const Session *session, GCancellable *cancellable)
{
  GPollFD input = { .fd = STDIN_FILENO, .events = G_IO_IN | G_IO_HUP };
  while (!g_atomic_int_get (&session->stopping) && !g_cancellable_is_cancelled (cancellable))
    if (g_poll (&input, 1, ASK_POLL_MS) > 0)
      return TRUE;
  return FALSE;
}

/* (RbRecoveryConfirm) The answers file speaks for the person; without one a person at a terminal is asked. */
static gboolean
confirm_step (const char *serial, const RbRecipeStep *step, GCancellable *cancellable, gpointer user_data)
{
  const Session *session = user_data;
  char line[64];
  if (session->settings->sheet != NULL)
    return strcmp (recipe_word (session->settings->sheet, serial, step->id), "done") == 0;
  if (session->cli->json || !isatty (STDIN_FILENO))
    return FALSE;
  rb_output_complain ("%s: %s  [done / not-possible] ", serial, step->text);
  return line_is_there (session, cancellable) && fgets (line, sizeof line, stdin) != NULL
         && strcmp (g_strchomp (line), "done") == 0;
}

static RbRecovery *
open_recovery (RbCli *cli, Settings *settings, Session *session, GError **error)
{
  const char *campaign = session->visit == NULL ? settings->campaign : rb_visit_campaign (session->visit);
  const RbRecoveryOptions options = { .data_dir = cli->data_dir,
                                      .visit = session->visit,
                                      .campaign = campaign,
                                      .link = settings->link,
                                      .vehicle_ca = settings->vehicle_ca,
                                      .vin = settings->vin,
                                      .repair_order = settings->repair_order,
                                      .evidence = settings->evidence,
                                      .odometer_km = settings->odometer_km,
                                      .link_timeout_s = settings->link_timeout == 0 ? -1 : settings->link_timeout,
                                      .technician = settings->technician_set,
                                      .workstation = settings->workstation_set,
                                      .second = settings->second_set,
                                      .watch = rb_recover_view_show,
                                      .user_data = session->view,
                                      .confirm = confirm_step,
                                      .confirm_data = session };
  return rb_recovery_open (&options, error);
}

static json_t *
rows_json (RbRecovery *recovery)
{
  json_t *list = json_array ();
  for (guint i = 0; recovery != NULL && i < rb_recovery_n_rows (recovery); i++) {
    RbPlanRow row;
    rb_recovery_row (recovery, i, &row);
    gboolean done = row.state == RB_ECU_DONE;
    RbReason reason = done ? RB_REASON_NONE : row.reason == RB_REASON_NONE ? RB_REASON_NOT_STARTED : row.reason;
    json_array_append_new (list, json_pack ("{s:s,s:s,s:s}", "serial", row.serial, "state", done ? "done" : "parked",
                                            "reason", rb_reason_word (reason)));
  }
  return list;
}

/* ECUs that answered and that the vehicle model does not have. */
static json_t *
unexpected_json (RbRecovery *recovery)
{
  json_t *list = json_array ();
  GPtrArray *names = recovery == NULL ? NULL : rb_recovery_unexpected (recovery);
  for (guint i = 0; names != NULL && i < names->len; i++)
    json_array_append_new (list, json_string (names->pdata[i]));
  return list;
}

static void
say_unexpected (RbCli *cli, RbRecovery *recovery)
{
  GPtrArray *names = rb_recovery_unexpected (recovery);
  for (guint i = 0; names != NULL && i < names->len; i++)
    rb_cli_say (cli, _ ("%s responds and is not in the vehicle model. The record names it."),
                (const char *) names->pdata[i]);
}

/* Of ECUs that were exchanged for a part. */
static json_t *
replaced_json (RbRecovery *recovery)
{
  return recovery == NULL ? json_array () : rb_recovery_replaced (recovery);
}

static json_t *
campaign_row (Session *session, const char *result, const char *record)
{
  json_t *row = json_object ();
  rb_json_set_string (row, "campaign", rb_recovery_campaign (session->recovery)->id);
  rb_json_set_string (row, "result", result);
  rb_json_set_string (row, "record", record);
  return row;
}

/* Of this visit, in the order of the work. */
static json_t *
campaigns_json (Session *session, const char *result, const char *record)
{
  json_t *list = session->done == NULL ? json_array () : json_copy (session->done);
  if (session->recovery != NULL)
    json_array_append_new (list, campaign_row (session, result, record));
  return list;
}

static json_t *
verdict (Session *session, const Settings *settings, const char *result, const char *record)
{
  json_t *object = json_object ();
  rb_json_set_string (object, "vin", settings->vin);
  rb_json_set_string (object, "result", result);
  rb_json_set_string (object, "record", record);
  rb_json_set_integer (object, "writes",
                       session->written + (session->recovery == NULL ? 0 : rb_recovery_writes (session->recovery)));
  rb_json_set (object, "ecus", rows_json (session->recovery));
  rb_json_set (object, "unexpected", unexpected_json (session->recovery));
  rb_json_set (object, "replaced", replaced_json (session->recovery));
  rb_json_set (object, "campaigns", campaigns_json (session, result, record));
  return object;
}

static gboolean
prepare (Session *session, Settings *settings, GError **error)
{
  RbRecovery *recovery = session->recovery;
  if (settings->sheet != NULL)
    give_answers (recovery, settings->sheet, session->done != NULL && json_array_size (session->done) > 0);
  else {
    g_atomic_int_set (&session->asking, TRUE);
    ask_answers (session->cli, recovery);
    g_atomic_int_set (&session->asking, FALSE);
  }
  if (!rb_recovery_connect (recovery, session->cancellable, error))
    return FALSE;
  say_unexpected (session->cli, recovery);
  return rb_recovery_inspect (recovery, session->cancellable, error) && rb_recovery_plan (recovery, error);
}

/* This or an earlier run of this recovery has written to the vehicle; also where the recovery cannot be opened. */
static gboolean
was_touched (const Session *session)
{
  if (session->written > 0)
    return TRUE;
  if (session->recovery != NULL)
    return rb_recovery_was_touched (session->recovery);
  const Settings *settings = session->settings;
  return settings->vin != NULL && rb_journal_was_started (session->cli->data_dir, settings->vin, settings->campaign);
}

/* No key stays in memory behind the last signature. */
static void
forget_keys (Session *session, Settings *settings)
{
  g_clear_pointer (&session->recovery, rb_recovery_free);
  g_clear_pointer (&settings->technician_set, rb_identity_set_free);
  g_clear_pointer (&settings->workstation_set, rb_identity_set_free);
  g_clear_pointer (&settings->second_set, rb_identity_set_free);
}

/* in-use says that this call touched nothing: a store that another program holds after a write is a failure of the
 * database. */
static RbReason
reason_of (const Session *session, const GError *worst)
{
  RbReason reason = worst == NULL ? RB_REASON_NOT_COMPLETE : rb_reason_of (worst);
  gboolean wrote = session->written > 0 || (session->recovery != NULL && rb_recovery_writes (session->recovery) > 0);
  return reason == RB_REASON_IN_USE && wrote ? RB_REASON_DATABASE : reason;
}

static int
finish (Session *session, Settings *settings, gboolean ran, GError *failure)
{
  g_autoptr (GError) unsigned_error = NULL;
  const char *result = NULL;
  g_autofree char *record = ran ? rb_recovery_sign (session->recovery, &result, &unsigned_error) : NULL;
  const GError *worst = failure != NULL ? failure : unsigned_error;
  RbReason word = reason_of (session, worst);
  gboolean touched = word != RB_REASON_IN_USE && was_touched (session);
  json_t *details = verdict (session, settings, result, record);
  forget_keys (session, settings);
  if (worst == NULL && g_strcmp0 (result, "completed") == 0) {
    g_autofree char *message = g_strdup_printf ("Vehicle %s: all ECUs are complete. Record %s.", settings->vin, record);
    return rb_cli_end (session->cli, RB_CLI_OK, "ok", message, details);
  }
  g_autofree char *message = g_strdup_printf ("%s%s", worst == NULL ? "The vehicle is not complete" : worst->message,
                                              touched ? ". Do not release the vehicle; run the same command again."
                                                      : ". Nothing was written to the vehicle.");
  int code = touched ? RB_CLI_NOT_COMPLETE : word == RB_REASON_USAGE ? RB_CLI_USAGE : RB_CLI_FAILED;
  return rb_cli_end (session->cli, code, rb_reason_word (word), message, details);
}

/* While a person is asked, the program ends. The first signal while the vehicle is worked on waits for the ECUs in
 * progress, the second does not. */
static void
on_signal (gpointer data)
{
  Session *session = data;
  if (g_atomic_int_get (&session->asking)) {
    gboolean touched = was_touched (session);
    rb_cli_exit (session->cli, touched ? RB_CLI_NOT_COMPLETE : RB_CLI_FAILED, rb_reason_word (RB_REASON_CANCELLED),
                 "ended by a signal", verdict (session, session->settings, NULL, NULL));
  }
  g_mutex_lock (&session->lock);
  if (g_atomic_int_get (&session->running) && !g_atomic_int_get (&session->stopping)) {
    rb_recovery_stop (session->recovery);
    rb_output_complain (
      "Finishing the ECUs in progress. Press Ctrl-C again to stop now; these ECUs will be incomplete.\n");
  } else {
    g_cancellable_cancel (session->cancellable);
  }
  g_atomic_int_set (&session->stopping, TRUE);
  g_mutex_unlock (&session->lock);
}

/* The verdict is on its way. */
static void
ignore_signal (gpointer unused)
{
}

/* NULL: rb_recovery_open() says what is wrong with the VIN. */
static gboolean
plan_visit (Session *session, Settings *settings, GError **error)
{
  const RbVisitOptions options
    = { .data_dir = session->cli->data_dir, .vin = settings->vin, .campaign = settings->campaign };
  if (settings->vin == NULL || !rb_campaign_vin_is_valid (settings->vin))
    return TRUE;
  session->visit = rb_visit_plan (&options, error);
  return session->visit != NULL;
}

static gboolean
open_next (Session *session, Settings *settings, GError **error)
{
  session->recovery = open_recovery (session->cli, settings, session, error);
  if (session->recovery == NULL || (settings->workstation_set == NULL && !load_identities (session, settings, error)))
    return FALSE;
  rb_recovery_set_identities (session->recovery, settings->technician_set, settings->workstation_set,
                              settings->second_set);
  return TRUE;
}

/* One campaign. ran: it has something to sign. */
static gboolean
run_one (Session *session, Settings *settings, gboolean *ran, GError **error)
{
  *ran = FALSE;
  if (!open_next (session, settings, error))
    return FALSE;
  g_atomic_int_set (&session->running, prepare (session, settings, error));
  if (!g_atomic_int_get (&session->running))
    return FALSE;
  gboolean complete = rb_recovery_run (session->recovery, session->cancellable, error);
  *ran = complete || rb_recovery_was_touched (session->recovery);
  return complete;
}

/* The present campaign is done: its record is signed, and the next one of the visit is begun. */
static gboolean
go_on (Session *session, GError **error)
{
  const char *result = NULL;
  g_autofree char *record = rb_recovery_sign (session->recovery, &result, error);
  if (record == NULL || strcmp (result, "completed") != 0)
    return record == NULL
             ? FALSE
             : rb_reason_deny (error, RB_RECOVERY_ERROR, RB_REASON_NOT_COMPLETE, "campaign %s: its record says %s",
                               rb_recovery_campaign (session->recovery)->id, result);
  json_array_append_new (session->done, campaign_row (session, result, record));
  rb_cli_say (session->cli, _ ("Campaign %s is complete. Record %s."), rb_recovery_campaign (session->recovery)->id,
              record);
  session->written += rb_recovery_writes (session->recovery);
  g_mutex_lock (&session->lock);
  g_atomic_int_set (&session->running, FALSE);
  g_clear_pointer (&session->recovery, rb_recovery_free);
  g_mutex_unlock (&session->lock);
  rb_visit_complete (session->visit, record);
  return !g_atomic_int_get (&session->stopping)
         || rb_reason_deny (error, RB_RECOVERY_ERROR, RB_REASON_CANCELLED, "stopped before campaign %s",
                            rb_visit_campaign (session->visit));
}

static int
work (RbCli *cli, Settings *settings)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (RbRecoverView) view = rb_recover_view_new (cli);
  g_autoptr (json_t) done = json_array ();
  Session session = { .cli = cli, .settings = settings, .cancellable = cancellable, .view = view, .done = done };
  gboolean ran = FALSE;
  g_mutex_init (&session.lock);
  rb_signals_set (on_signal, &session);
  if (load_answers (settings, &error) && plan_visit (&session, settings, &error))
    while (run_one (&session, settings, &ran, &error) && session.visit != NULL && !rb_visit_is_last (session.visit)) {
      ran = FALSE;
      if (!go_on (&session, &error))
        break;
    }
  rb_signals_set (ignore_signal, NULL);
  int code = finish (&session, settings, ran, error);
  g_clear_pointer (&session.visit, rb_visit_free);
  g_mutex_clear (&session.lock);
  return code;
}

static int
verb_recover (RbCli *cli, int argc, char **argv)
{
  g_auto (Settings) settings = { .odometer_km = -1, .link_timeout = LINK_TIMEOUT_S };
  int code;
  if (!rb_cli_parse (cli, &settings, &argc, &argv, &code))
    return code;
  return work (cli, &settings);
}

static int
verb_inspect (RbCli *cli, int argc, char **argv)
{
  g_auto (Settings) settings = { .odometer_km = -1, .link_timeout = LINK_TIMEOUT_S };
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, &settings, &argc, &argv, &code))
    return code;
  g_autoptr (RbRecoverView) view = rb_recover_view_new (cli);
  Session session = { .cli = cli, .settings = &settings, .view = view };
  gboolean loaded = load_answers (&settings, &error)
                    && (settings.workstation == NULL || load_identities (&session, &settings, &error));
  g_autoptr (RbRecovery) recovery = loaded ? open_recovery (cli, &settings, &session, &error) : NULL;
  session.recovery = recovery;
  if (recovery == NULL || !prepare (&session, &settings, &error))
    return rb_cli_fail (cli, error, json_pack ("{s:o}", "replaced", replaced_json (recovery)));
  return rb_cli_end (cli, RB_CLI_OK, "ok", "The inspection is passed; nothing was written.", NULL);
}

#define CAMPAIGN \
  { \
    "campaign", "ID", "campaign", RB_OPTION_TEXT (Settings, campaign), .needed = TRUE \
  }
#define ONE_CAMPAIGN \
  { \
    "campaign", "ID", "only this campaign, and those before it (all open ones)", RB_OPTION_TEXT (Settings, campaign) \
  }
#define LINK \
  { \
    "link", "URI", "connection to the vehicle", RB_OPTION_LINK (Settings, link), .needed = TRUE \
  }
#define VEHICLE_CA \
  { \
    "vehicle-ca", "FILE", "authority of vehicles' certificates, for doips://", RB_OPTION_FILE (Settings, vehicle_ca) \
  }
#define ANSWERS \
  { \
    "answers", "FILE", "answers to the checklist", RB_OPTION_FILE (Settings, answers) \
  }
#define PASSPHRASE \
  { \
    "passphrase-file", "FILE", "passphrase of all identities", RB_OPTION_FILE (Settings, passphrase_file) \
  }
#define VIN \
  { \
    "vin", "VIN", "VIN as on the plate", RB_OPTION_TEXT (Settings, vin) \
  }

static const RbOption recover_options[] = {
  ONE_CAMPAIGN,
  LINK,
  VEHICLE_CA,
  ANSWERS,
  { "identity", "ID", "the technician's identity", RB_OPTION_FILE (Settings, identity), .needed = TRUE },
  { "workstation", "ID", "the workstation's identities", RB_OPTION_FILE (Settings, workstation), .needed = TRUE },
  { "second", "ID", "a second person's identity", RB_OPTION_FILE (Settings, second) },
  PASSPHRASE,
  VIN,
  { "repair-order", "TEXT", "repair order", RB_OPTION_TEXT (Settings, repair_order) },
  { "odometer", "KM", "odometer", RB_OPTION_NUMBER (Settings, odometer_km, 0, MAX_ODOMETER_KM) },
  { "evidence", "DIR",
    "a folder outside this workstation: before ECUs are erased, a signed partial record with their coding, for another workstation",
    RB_OPTION_FOLDER (Settings, evidence) },
  { "link-timeout", "S", "how long a lost link is retried (20)",
    RB_OPTION_NUMBER (Settings, link_timeout, 0, MAX_LINK_TIMEOUT_S) },
  { NULL },
};

static const RbOption inspect_options[] = {
  CAMPAIGN,
  LINK,
  VEHICLE_CA,
  ANSWERS,
  { "workstation", "ID", "the workstation's identities, for doips://", RB_OPTION_FILE (Settings, workstation) },
  PASSPHRASE,
  VIN,
  { NULL },
};

const RbCliVerb rb_recover_verbs[] = {
  { "inspect", "--campaign ID --link URI", "only the safety inspection", verb_inspect, inspect_options },
  { "recover", "--link URI …", "the whole recovery of one vehicle; repeated after an interruption, it continues",
    verb_recover, recover_options, .ignores_output = TRUE },
  { NULL },
};
