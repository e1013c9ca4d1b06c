/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/tuf-client.h"

#include "core/files.h"
#include "core/json.h"
#include "core/lock.h"
#include "core/moment.h"
#include "crypto/secret.h"
#include "net/http.h"
#include "uptane/workflow.h"

#include <errno.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <string.h>

#define MAX_ROOT (1024 * 1024)

typedef struct {
  char *metadata_dir, *metadata_url, *target_base_url, *target_dir, *time, *ca;
  char **target_names;
  RbHttp *http; /* shared by both sources */
} Settings;

static void
settings_clear (Settings *self)
{
  g_free (self->metadata_dir);
  g_free (self->metadata_url);
  g_free (self->target_base_url);
  g_free (self->target_dir);
  g_free (self->time);
  g_free (self->ca);
  g_strfreev (self->target_names);
  g_clear_pointer (&self->http, rb_http_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Settings, settings_clear)

/* An http(s): URL, a file: URL or a folder. */
static RbSource *
open_source (Settings *settings, const char *where, GError **error)
{
  if (rb_http_is_url (where)) {
    const RbHttpOptions options = { .ca_file = settings->ca };
    if (settings->http == NULL)
      settings->http = rb_http_new (&options, error);
    return settings->http == NULL ? NULL : rb_source_http (settings->http, where);
  }
  if (!g_str_has_prefix (where, "file:"))
    return rb_source_folder (where);
  g_autofree char *folder = g_filename_from_uri (where, NULL, error);
  return folder == NULL ? NULL : rb_source_folder (folder);
}

/* 0: nothing is trusted of the role. */
static gint64
version_of (RbRepository *repository, const char *role)
{
  const RbMetadata *metadata = rb_repository_metadata (repository, role);
  return metadata == NULL ? 0 : metadata->version;
}

static int
end_with_versions (RbCli *cli, RbRepository *repository, json_t *extra)
{
  static const char *const roles[] = { "root", "timestamp", "snapshot", "targets" };
  for (guint i = 0; i < G_N_ELEMENTS (roles); i++)
    rb_json_set_integer (extra, roles[i], version_of (repository, roles[i]));
  g_autofree char *message = g_strdup_printf ("root %" G_GINT64_FORMAT ", timestamp %" G_GINT64_FORMAT
                                              ", snapshot %" G_GINT64_FORMAT ", targets %" G_GINT64_FORMAT,
                                              version_of (repository, "root"), version_of (repository, "timestamp"),
                                              version_of (repository, "snapshot"), version_of (repository, "targets"));
  return rb_cli_end (cli, RB_CLI_OK, "ok", message, extra);
}

static int
print_failure (RbCli *cli, const GError *error, const RbRejection *verdict)
{
  json_t *extra = json_object ();
  rb_json_set_string (extra, "role", verdict->role);
  rb_json_set_string (extra, "attack", verdict->attack);
  return rb_cli_fail (cli, error, extra);
}

/* Held for the whole call: what it reads is what it replaces. */
static RbLock *
lock_metadata (const Settings *settings, GError **error)
{
  return rb_lock_folder (settings->metadata_dir, settings->metadata_dir, error);
}

static int
init (RbCli *cli, const Settings *settings, const char *path)
{
  gboolean made = !rb_files_exists (settings->metadata_dir);
  g_autoptr (GError) error = NULL;
  g_autoptr (RbLock) lock = lock_metadata (settings, &error);
  g_autoptr (GBytes) root = lock == NULL ? NULL : rb_files_read (path, MAX_ROOT, &error);
  gboolean good = root != NULL && rb_workflow_init (settings->metadata_dir, root, &error);
  /* a rejected root leaves no folder; one that another process uses is not empty */
  if (!good && made && lock != NULL && g_rmdir (settings->metadata_dir) != 0)
    g_debug ("%s: %s", settings->metadata_dir, g_strerror (errno));
  if (!good)
    return rb_cli_fail (cli, error, NULL);
  return rb_cli_end (cli, RB_CLI_OK, "ok", "the root is trusted from now on", NULL);
}

static gboolean
download (RbCli *cli, Settings *settings, RbRepository *repository, json_t *files, GError **error)
{
  g_autoptr (RbSource) source = open_source (settings, settings->target_base_url, error);
  if (source == NULL)
    return FALSE;
  for (guint i = 0; settings->target_names[i] != NULL; i++) {
    gboolean fetched = FALSE;
    g_autoptr (RbTarget) target = rb_repository_find (repository, settings->target_names[i], NULL, error);
    if (target == NULL || !rb_workflow_download (repository, target, source, settings->target_dir, &fetched, error))
      return FALSE;
    rb_cli_say (cli, "%s: %s", target->path, fetched ? _ ("fetched") : _ ("already there"));
    json_array_append_new (files, json_pack ("{s:s,s:b}", "target", target->path, "fetched", fetched));
  }
  return TRUE;
}

static int
refresh (RbCli *cli, Settings *settings, gint64 now, gboolean with_targets)
{
  g_autoptr (GError) error = NULL;
  g_auto (RbRejection) verdict = { 0 };
  g_autoptr (json_t) files = json_array ();
  const RbPolicy policy = rb_policy_tuf (now);
  g_autoptr (RbLock) lock = lock_metadata (settings, &error);
  g_autoptr (RbSource) source = lock == NULL ? NULL : open_source (settings, settings->metadata_url, &error);
  g_autoptr (RbRepository) repository
    = source == NULL ? NULL : rb_workflow_new (settings->metadata_dir, source, &policy, &verdict, &error);
  if (repository == NULL || !rb_workflow_refresh (repository, &error)
      || (with_targets && !download (cli, settings, repository, files, &error)))
    return print_failure (cli, error, &verdict);
  return end_with_versions (cli, repository,
                            with_targets ? json_pack ("{s:O}", "targets_fetched", files) : json_object ());
}

static int
usage (RbCli *cli, const char *message)
{
  return rb_cli_end (cli, RB_CLI_USAGE, "usage", message, NULL);
}

static int
act (RbCli *cli, Settings *settings, int argc, char **argv)
{
  gint64 now = rb_moment_now ();
  if (settings->time != NULL && !rb_moment_from_text (settings->time, &now))
    return usage (cli, "--time: a time like 2026-11-23T12:00:00Z");
  if (strcmp (argv[1], "init") == 0)
    return argc == 3 ? init (cli, settings, argv[2]) : usage (cli, "tuf init needs the file of a trusted root");
  gboolean with_targets = strcmp (argv[1], "download") == 0;
  if (argc != 2 || (!with_targets && strcmp (argv[1], "refresh") != 0))
    return usage (cli, "tuf: init ROOT, refresh or download");
  if (settings->metadata_url == NULL)
    return usage (cli, "tuf needs --metadata-url: where the repository is");
  if (with_targets
      && (settings->target_names == NULL || settings->target_base_url == NULL || settings->target_dir == NULL))
    return usage (cli, "tuf download needs --target-name, --target-base-url and --target-dir");
  return refresh (cli, settings, now, with_targets);
}

static int
verb_client (RbCli *cli, int argc, char **argv)
{
  g_auto (Settings) settings = { NULL };
  int code;
  if (!rb_cli_parse (cli, &settings, &argc, &argv, &code))
    return code;
  rb_secret_show_process ();
  return act (cli, &settings, argc, argv);
}

static const RbOption options[] = {
  { "metadata-dir", "DIR", "where trusted metadata is kept", RB_OPTION_FOLDER (Settings, metadata_dir),
    .needed = TRUE },
  { "metadata-url", "URL", "the repository's metadata: URL or folder", RB_OPTION_FOLDER (Settings, metadata_url) },
  { "target-name", "PATH", "a target to fetch; may be repeated", RB_OPTION_TEXTS (Settings, target_names) },
  { "target-base-url", "URL", "the repository's targets: URL or folder", RB_OPTION_FOLDER (Settings, target_base_url) },
  { "target-dir", "DIR", "where targets are put", RB_OPTION_FOLDER (Settings, target_dir) },
  { "ca", "FILE", "authority of the server for https: (default: the system's)", RB_OPTION_FILE (Settings, ca) },
  { "time", "T", "evaluate expiry at this time (default: now)", RB_OPTION_TEXT (Settings, time) },
  { NULL },
};

const RbCliVerb rb_tuf_client_verbs[] = {
  { "tuf", "--metadata-dir DIR … init|refresh|download [ROOT.json]", "a client of any TUF repository", verb_client,
    options, 1, 2 },
  { NULL },
};
