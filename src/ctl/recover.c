/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/recover.h"

#include "core/advice.h"
#include "core/json.h"
#include "core/reason.h"
#include "recovery/journal.h"
#include "recovery/recovery.h"

#include <glib-unix.h>
#include <signal.h>
#include <string.h>

#define MAX_ANSWERS (1024 * 1024)
#define MAX_ODOMETER_KM 9999999
#define LINK_TIMEOUT_S 20
#define MAX_LINK_TIMEOUT_S (24 * 60 * 60)

typedef struct {
  char *campaign, *link, *vehicle_ca, *answers, *identity, *workstation, *second, *vin, *repair_order, *passphrase_file;
  gint64 odometer_km, link_timeout;
  json_t *sheet; /* the answers file */
  RbIdentitySet *technician_set, *workstation_set, *second_set;
} Settings;

static void
settings_clear (Settings *self)
{
  char **const texts[] = { &self->campaign, &self->link, &self->vehicle_ca, &self->answers, &self->identity, &self->workstation,
                           &self->second, &self->vin, &self->repair_order, &self->passphrase_file };
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
  GCancellable *cancellable;
  RbRecovery *recovery;
  gint running, stopping; /* atomic: the signals have a thread of their own */
  guint last_percent;
} Session;

static void
print_event (Session *session, const RbRecoveryEvent *event)
{
  RbCli *cli = session->cli;
  switch (event->kind) {
  case RB_EVENT_PROGRESS:
    rb_cli_progress (cli, event->name, event->done, event->total);
    if (event->done >= event->total)
      rb_cli_progress (cli, event->name, 0, 0);
    break;
  case RB_EVENT_ECU:
    if (event->state == RB_ECU_PARKED)
      rb_cli_say (cli, "%-24s parked (%s): %s", event->name, rb_reason_word (event->reason), event->text);
    else
      rb_cli_say (cli, "%-24s %s", event->name, rb_event_state_word (event->state));
    break;
  case RB_EVENT_STEP: rb_cli_say (cli, "%-24s … %s", event->name, event->text); break;
  case RB_EVENT_MEASUREMENT:
    rb_cli_say (cli, "%-24s %" G_GINT64_FORMAT " %s%s", event->item, event->value, event->unit == NULL ? "" : event->unit,
                event->good ? "" : "  — not within its limits");
    break;
  case RB_EVENT_WAITING: rb_cli_say (cli, "waiting: %s (%s)\n  %s", event->text, rb_reason_word (event->reason), rb_advice_next (event->reason)); break;
  case RB_EVENT_RESUMED: rb_cli_say (cli, "going on"); break;
  case RB_EVENT_PHASE:
  default: rb_cli_say (cli, "— %s", event->text); break;
  }
}

static json_t *
event_json (const RbRecoveryEvent *event)
{
  static const char *const kinds[] = { "phase", "ecu", "step", "progress", "measurement", "waiting", "resumed" };
  json_t *object = json_pack ("{s:s}", "event", kinds[event->kind]);
  if (event->serial != NULL) {
    rb_json_set_string (object, "serial", event->serial);
    rb_json_set_string (object, "state", rb_event_state_word (event->state));
  }
  if (event->text != NULL)
    rb_json_set_string (object, "text", event->text);
  if (event->reason != RB_REASON_NONE)
    rb_json_set_string (object, "reason", rb_reason_word (event->reason));
  if (event->kind == RB_EVENT_PROGRESS) {
    rb_json_set_integer (object, "done", (gint64) event->done);
    rb_json_set_integer (object, "total", (gint64) event->total);
  }
  if (event->kind == RB_EVENT_MEASUREMENT) {
    rb_json_set_string (object, "item", event->item);
    rb_json_set_integer (object, "value", event->value);
    rb_json_set_string (object, "unit", event->unit);
    rb_json_set_boolean (object, "good", event->good);
  }
  return object;
}

static void
on_event (const RbRecoveryEvent *event, gpointer user_data)
{
  Session *session = user_data;
  guint percent = event->kind == RB_EVENT_PROGRESS && event->total > 0 ? (guint) (event->done * 100 / event->total) : 0;
  /* one line a percent is enough for whoever reads events */
  gboolean news = event->kind != RB_EVENT_PROGRESS || percent != session->last_percent;
  session->last_percent = percent;
  if (session->cli->json && news)
    rb_cli_event (session->cli, event_json (event));
  else if (!session->cli->json)
    print_event (session, event);
}

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

static void
give_answers (RbRecovery *recovery, const json_t *sheet)
{
  const char *item;
  json_t *value;
  json_object_foreach (json_object_get (sheet, "items"), item, value) {
    const char *word = json_is_string (value) ? json_string_value (value) : rb_json_string_or (value, "result", "");
    gboolean known = strcmp (word, "ok") == 0 || strcmp (word, "not-ok") == 0;
    if (known)
      rb_recovery_answer (recovery, item, strcmp (word, "ok") == 0, rb_json_string_or (value, "note", NULL));
  }
}

static gboolean
ask (const char *question, gboolean *passed)
{
  char line[64];
  fprintf (stderr, "%s  [ok / not-ok] ", question);
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
    if (item->kind == RB_ITEM_MANUAL && !cli->json && ask (item->text, &passed))
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
load_identities (RbCli *cli, Settings *settings, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autofree char *passphrase = rb_cli_passphrase (cli, settings->passphrase_file, "Passphrase of the identities", &failure);
  if (failure != NULL) {
    g_propagate_error (error, g_steal_pointer (&failure));
    return FALSE;
  }
  return load_identity (settings->identity, passphrase, &settings->technician_set, error)
         && load_identity (settings->workstation, passphrase, &settings->workstation_set, error)
         && load_identity (settings->second, passphrase, &settings->second_set, error);
}

static RbRecovery *
open_recovery (RbCli *cli, Settings *settings, Session *session, GError **error)
{
  const RbRecoveryOptions options = { .data_dir = cli->data_dir, .campaign = settings->campaign, .link = settings->link,
                                      .vehicle_ca = settings->vehicle_ca, .vin = settings->vin, .repair_order = settings->repair_order,
                                      .odometer_km = settings->odometer_km, .link_timeout_s = settings->link_timeout == 0 ? -1 : settings->link_timeout,
                                      .technician = settings->technician_set, .workstation = settings->workstation_set,
                                      .second = settings->second_set, .watch = on_event, .user_data = session };
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
    json_array_append_new (list, json_pack ("{s:s,s:s,s:s}", "serial", row.serial, "state", done ? "done" : "parked", "reason",
                                            rb_reason_word (reason)));
  }
  return list;
}

static json_t *
verdict (Session *session, const Settings *settings, const char *result, const char *record)
{
  json_t *object = json_object ();
  rb_json_set_string (object, "vin", settings->vin);
  rb_json_set_string (object, "result", result);
  rb_json_set_string (object, "record", record);
  rb_json_set_integer (object, "writes", session->recovery == NULL ? 0 : rb_recovery_writes (session->recovery));
  rb_json_set (object, "ecus", rows_json (session->recovery));
  return object;
}

/* Has an earlier run of this recovery written to the vehicle? */
static gboolean
was_touched (RbCli *cli, const Settings *settings)
{
  gint64 number = 0, started = 0;
  g_autoptr (RbJournal) journal = settings->vin == NULL ? NULL : rb_journal_open (cli->data_dir, NULL);
  return journal != NULL && rb_journal_find (journal, settings->vin, settings->campaign, &number, &started, NULL) && number > 0
         && rb_journal_writes (journal, number) > 0;
}

/* Refused before the vehicle is asked anything; that it is not to be released may be known nevertheless. */
static int
refuse (RbCli *cli, const Settings *settings, const GError *error)
{
  Session session = { .cli = cli };
  json_t *extra = verdict (&session, settings, NULL, NULL);
  if (!was_touched (cli, settings))
    return rb_cli_fail (cli, error, extra);
  g_autofree char *message = g_strdup_printf ("%s. Do not release the vehicle; run the same command again.", error->message);
  return rb_cli_end (cli, RB_CLI_NOT_COMPLETE, rb_reason_word (rb_reason_of (error)), message, extra);
}

static gboolean
prepare (Session *session, Settings *settings, GError **error)
{
  RbRecovery *recovery = session->recovery;
  if (settings->sheet != NULL)
    give_answers (recovery, settings->sheet);
  else
    ask_answers (session->cli, recovery);
  return rb_recovery_connect (recovery, session->cancellable, error)
         && rb_recovery_inspect (recovery, session->cancellable, error) && rb_recovery_plan (recovery, error);
}

static int
finish (Session *session, const Settings *settings, gboolean ran, GError *failure)
{
  g_autoptr (GError) unsigned_error = NULL;
  const char *result = NULL;
  g_autofree char *record = ran ? rb_recovery_sign (session->recovery, &result, &unsigned_error) : NULL;
  gboolean touched = session->recovery != NULL && rb_recovery_was_touched (session->recovery);
  const GError *worst = failure != NULL ? failure : unsigned_error;
  if (worst == NULL && g_strcmp0 (result, "completed") == 0) {
    g_autofree char *message = g_strdup_printf ("Vehicle %s: every control unit is done. Record %s.", settings->vin, record);
    return rb_cli_end (session->cli, RB_CLI_OK, "ok", message, verdict (session, settings, result, record));
  }
  const char *reason = worst == NULL ? rb_reason_word (RB_REASON_NOT_COMPLETE) : rb_reason_word (rb_reason_of (worst));
  g_autofree char *message
    = g_strdup_printf ("%s%s", worst == NULL ? "The vehicle is not complete" : worst->message,
                       touched ? ". Do not release the vehicle; run the same command again." : ". Nothing was written to the vehicle.");
  return rb_cli_end (session->cli, touched ? RB_CLI_NOT_COMPLETE : RB_CLI_FAILED, reason, message,
                     verdict (session, settings, result, record));
}

/* The first signal while the vehicle is worked on waits for the control units in work, the second one does not. */
static gboolean
on_signal (gpointer data)
{
  Session *session = data;
  if (g_atomic_int_get (&session->running) && !g_atomic_int_get (&session->stopping)) {
    rb_recovery_stop (session->recovery);
    fprintf (stderr, "Stopping when the control units in work are done; once more stops at once and leaves them unfinished.\n");
  } else {
    g_cancellable_cancel (session->cancellable);
  }
  g_atomic_int_set (&session->stopping, TRUE);
  return G_SOURCE_CONTINUE;
}

/* Signals stop at the next safe point: their main context runs beside the work. */
static gpointer
signal_thread (gpointer loop)
{
  g_main_loop_run (loop);
  return NULL;
}

static int
work (RbCli *cli, Settings *settings)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Session session = { .cli = cli, .cancellable = cancellable };
  gboolean ran = FALSE;
  if (!load_answers (settings, &error) || !load_identities (cli, settings, &error))
    return refuse (cli, settings, error);
  g_autoptr (RbRecovery) recovery = open_recovery (cli, settings, &session, &error);
  session.recovery = recovery;
  if (recovery == NULL)
    return refuse (cli, settings, error);
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_unix_signal_add (SIGINT, on_signal, &session);
  g_unix_signal_add (SIGTERM, on_signal, &session);
  GThread *signals = g_thread_new ("signals", signal_thread, loop);
  g_atomic_int_set (&session.running, prepare (&session, settings, &error));
  if (g_atomic_int_get (&session.running))
    ran = rb_recovery_run (recovery, cancellable, &error) || rb_recovery_was_touched (recovery);
  int code = finish (&session, settings, ran, error);
  while (!g_main_loop_is_running (loop))
    g_thread_yield ();
  g_main_loop_quit (loop);
  g_thread_join (signals);
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
  Session session = { .cli = cli };
  gboolean loaded = load_answers (&settings, &error) && (settings.workstation == NULL || load_identities (cli, &settings, &error));
  g_autoptr (RbRecovery) recovery = loaded ? open_recovery (cli, &settings, &session, &error) : NULL;
  session.recovery = recovery;
  if (recovery == NULL || !prepare (&session, &settings, &error))
    return rb_cli_fail (cli, error, NULL);
  return rb_cli_end (cli, RB_CLI_OK, "ok", "The inspection is passed; nothing was written.", NULL);
}

#define CAMPAIGN { "campaign", "ID", "campaign", RB_OPTION_TEXT (Settings, campaign), .needed = TRUE }
#define LINK { "link", "URI", "connection to the vehicle", RB_OPTION_LINK (Settings, link), .needed = TRUE }
#define VEHICLE_CA { "vehicle-ca", "FILE", "authority of vehicles' certificates, for doips://", RB_OPTION_FILE (Settings, vehicle_ca) }
#define ANSWERS { "answers", "FILE", "answers to the checklist", RB_OPTION_FILE (Settings, answers) }
#define PASSPHRASE { "passphrase-file", "FILE", "passphrase of all identities", RB_OPTION_FILE (Settings, passphrase_file) }
#define VIN { "vin", "VIN", "VIN as on the plate", RB_OPTION_TEXT (Settings, vin) }

static const RbOption recover_options[] = {
  CAMPAIGN,
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
  { "link-timeout", "S", "how long a lost link is retried (20)", RB_OPTION_NUMBER (Settings, link_timeout, 0, MAX_LINK_TIMEOUT_S) },
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
  { "recover", "--campaign ID --link URI …", "the whole recovery; again: resumes", verb_recover, recover_options, .ignores_output = TRUE },
  { NULL },
};
