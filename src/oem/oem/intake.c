/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/intake.h"

#include "core/files.h"
#include "core/json.h"
#include "core/moment.h"
#include "core/signals.h"
#include "crypto/dsse.h"
#include "intake/server.h"
#include "intake/upload.h"
#include "intake/record-verdict.h"

#include "oem/error.h"

#include <stdio.h>
#include <string.h>

#define RECORD_SUFFIX ".json"
#define RECEIPT_SUFFIX ".tlog-proof"

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

/* Always from the loop, which may not run yet. */
static void
on_signal (gpointer data)
{
  g_timeout_add (0, stop, data); /* not behind busy clients */
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

/* Uploads that were submitted are stored first. */
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

/* import */

/* A record of a folder, with its file's name. */
typedef struct {
  GPtrArray *uploads; /* of RbLedgerUpload */
  GPtrArray *names;
  const char *folder;
} Folder;

static gboolean
read_upload (Folder *self, const char *name, const RbSettings *settings, GError **error)
{
  g_autofree char *path = g_build_filename (self->folder, name, NULL);
  g_autoptr (GBytes) bytes = rb_files_read (path, RB_UPLOAD_MAX_BYTES, error);
  g_autoptr (RbDsse) dsse = bytes == NULL ? NULL : rb_dsse_parse (bytes, RB_UPLOAD_MAX_BYTES, error);
  RbLedgerUpload *upload
    = dsse == NULL ? NULL
                   : rb_upload_read (bytes, NULL, rb_dsse_digest (dsse), settings->dealer_cas, rb_moment_now (), error);
  if (upload == NULL) {
    g_prefix_error (error, "%s: ", path);
    return FALSE;
  }
  g_ptr_array_add (self->uploads, upload);
  g_ptr_array_add (self->names, g_strndup (name, strlen (name) - strlen (RECORD_SUFFIX)));
  return TRUE;
}

static gboolean
write_receipts (const Folder *self, guint *fresh, GError **error)
{
  for (guint i = 0; i < self->uploads->len; i++) {
    const RbLedgerUpload *upload = self->uploads->pdata[i];
    g_autofree char *name = g_strconcat (self->names->pdata[i], RECEIPT_SUFFIX, NULL);
    g_autofree char *path = g_build_filename (self->folder, name, NULL);
    if (!rb_files_write_output (path, upload->receipt, 0644, error))
      return FALSE;
    *fresh += upload->is_new ? 1 : 0;
  }
  return TRUE;
}

/* All of the folder or nothing: one that is not authentic stops it before any is logged. */
static gboolean
import_folder (Folder *self, const Options *options, guint *fresh, GError **error)
{
  g_autoptr (RbSettings) settings = rb_settings_load (options->config, error);
  g_auto (GStrv) names = settings == NULL ? NULL : rb_files_list (self->folder, error);
  for (guint i = 0; names != NULL && names[i] != NULL; i++)
    if (g_str_has_suffix (names[i], RECORD_SUFFIX) && !read_upload (self, names[i], settings, error))
      return FALSE;
  if (names == NULL)
    return FALSE;
  if (self->uploads->len == 0)
    return rb_reason_deny (error, RB_OEM_ERROR, RB_REASON_NOT_FOUND, "%s: it holds no records", self->folder);
  g_autoptr (RbLedger) ledger = rb_ledger_open (options->database, settings->origin, settings->log_key, error);
  return ledger != NULL && rb_ledger_receive (ledger, self->uploads, rb_moment_now (), error)
         && write_receipts (self, fresh, error);
}

static int
verb_import (RbCli *cli, int argc, char **argv)
{
  g_auto (Options) options = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) uploads = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_ledger_upload_free);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  guint fresh = 0;
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  Folder folder = { uploads, names, argv[1] };
  if (!import_folder (&folder, &options, &fresh, &error))
    return rb_cli_fail (cli, error, NULL);
  g_autofree char *message = g_strdup_printf ("%u records, %u of them new", uploads->len, fresh);
  return rb_cli_end (cli, RB_CLI_OK, "ok", message,
                     json_pack ("{s:I,s:I}", "records", (json_int_t) uploads->len, "new", (json_int_t) fresh));
}

#define DATABASE_OPTION \
  { \
    "database", "URI", "sqlite:///ABSOLUTE/PATH or postgresql://…", RB_OPTION_TEXT (Options, database), .needed = TRUE \
  }
#define CONFIG_OPTION \
  { \
    "config", "FILE", "the intake's configuration", RB_OPTION_FILE (Options, config), .needed = TRUE \
  }

static const RbOption import_options[] = { DATABASE_OPTION, CONFIG_OPTION, { NULL } };

static const RbOption serve_options[] = {
  { "listen", "HOST:PORT", "where to listen; port 0 picks one", RB_OPTION_TEXT (Options, listen), .needed = TRUE },
  DATABASE_OPTION,
  CONFIG_OPTION,
  { NULL },
};

const RbCliVerb rb_intake_verbs[] = {
  { "intake serve", "", "receive records over HTTPS until SIGTERM", verb_serve, serve_options, .own_config = TRUE },
  { "intake import", "DIR", "receive records from a folder, and write their receipts into it", verb_import,
    import_options, 1, 1, .own_config = TRUE },
  { NULL },
};
