/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/intake.h"

#include "core/json.h"
#include "core/signals.h"
#include "intake/server.h"
#include "intake/record-verdict.h"

#include <stdio.h>

typedef struct {
  char *listen, *database, *config;
} Options;

static void
clear_options (Options *self)
{
  g_free (self->listen);
  g_free (self->database);
  g_free (self->config);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, clear_options)

/* The parts of a running intake. */
typedef struct {
  GMutex lock; /* one writing transaction at a time */
  GMainLoop *loop;
  RbRecordVerdict *verdict;
  RbGroupCommit *commit;
  RbLedger *reader;
  RbServer *server;
} Intake;

static void
quit (gpointer data)
{
  g_main_loop_quit (data);
}

static gboolean
stop (gpointer data)
{
  Intake *self = data;
  rb_server_stop (self->server, quit, self->loop);
  return G_SOURCE_REMOVE;
}

static void
on_signal (gpointer data)
{
  g_main_context_invoke (NULL, stop, data);
}

static void
wake_verdict (gpointer commit, gpointer data)
{
  rb_record_verdict_wake (data);
}

static gboolean
begin (Intake *self, const Options *options, const RbSettings *settings, GError **error)
{
  RbLedger *writer = rb_ledger_open (options->database, settings->origin, settings->log_key, error);
  RbLedger *judge
    = writer == NULL ? NULL : rb_ledger_open (options->database, settings->origin, settings->log_key, error);
  self->reader = judge == NULL ? NULL : rb_ledger_open (options->database, settings->origin, NULL, error);
  if (self->reader == NULL) {
    g_clear_pointer (&writer, rb_ledger_close);
    g_clear_pointer (&judge, rb_ledger_close);
    return FALSE;
  }
  self->verdict = rb_record_verdict_new (judge, &self->lock, settings->dealer_cas, settings->bundles);
  self->commit = rb_group_commit_new (writer, &self->lock, wake_verdict, self->verdict);
  self->server = rb_server_new (settings, self->commit, self->reader, options->listen, error);
  return self->server != NULL;
}

/* What was submitted is stored; the answers that are still to be sent have no client left. */
static void
end (Intake *self)
{
  g_clear_pointer (&self->commit, rb_group_commit_free);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_clear_pointer (&self->server, rb_server_free);
  g_clear_pointer (&self->verdict, rb_record_verdict_free);
  g_clear_pointer (&self->reader, rb_ledger_close);
  g_main_loop_unref (self->loop);
  g_mutex_clear (&self->lock);
}

static void
say_ready (RbCli *cli, Intake *self)
{
  g_autoptr (json_t) ready = json_pack ("{s:b,s:s}", "ready", TRUE, "url", rb_server_url (self->server));
  g_autofree char *line = rb_json_to_text (ready);
  g_autofree char *text = g_strconcat (line, "\n", NULL);
  rb_cli_put (cli, text);
  fflush (stdout);
}

static int
verb_serve (RbCli *cli, int argc, char **argv)
{
  g_auto (Options) options = { 0 };
  g_autoptr (GError) error = NULL;
  Intake intake = { .loop = NULL };
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  g_autoptr (RbSettings) settings = rb_settings_load (options.config, &error);
  if (settings == NULL)
    return rb_cli_fail (cli, error, NULL);
  intake.loop = g_main_loop_new (NULL, FALSE);
  g_mutex_init (&intake.lock);
  gboolean begun = begin (&intake, &options, settings, &error);
  if (begun) {
    rb_signals_watch (on_signal, &intake);
    say_ready (cli, &intake);
    g_main_loop_run (intake.loop);
  }
  end (&intake);
  return begun ? RB_CLI_OK : rb_cli_fail (cli, error, NULL);
}

static const RbOption serve_options[] = {
  { "listen", "HOST:PORT", "where to listen; port 0 picks one", RB_OPTION_TEXT (Options, listen), .needed = TRUE },
  { "database", "URI", "sqlite:///ABSOLUTE/PATH or postgresql://…", RB_OPTION_TEXT (Options, database),
    .needed = TRUE },
  { "config", "FILE", "the intake's configuration", RB_OPTION_FILE (Options, config), .needed = TRUE },
  { NULL },
};

const RbCliVerb rb_intake_verbs[] = {
  { "intake serve", "", "receive records over HTTPS until SIGTERM", verb_serve, serve_options, .own_config = TRUE },
  { NULL },
};
