/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/repo-verbs.h"

#include "authority/install.h"
#include "core/files.h"
#include "core/json.h"
#include "core/moment.h"
#include "core/signals.h"
#include "crypto/secret.h"
#include "oem/override.h"
#include "oem/publish.h"
#include "oem/secret-option.h"

#include <string.h>

typedef struct {
  GStrv roles, approved_by;
  char *output, *passphrase_file, *expires, *below_policy;
  gint64 every; /* seconds; 0: once */
} Options;

static void
options_clear (Options *self)
{
  g_strfreev (self->roles);
  g_strfreev (self->approved_by);
  g_free (self->output);
  g_free (self->passphrase_file);
  g_free (self->expires);
  g_free (self->below_policy);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

/* (element-type RbRolePlan) */
static GPtrArray *
parse_roles (GStrv texts, const char *oem, GError **error)
{
  g_autoptr (GPtrArray) roles = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_role_plan_free);
  for (guint i = 0; texts != NULL && texts[i] != NULL; i++) {
    RbRolePlan *plan = rb_role_plan_parse (texts[i], oem, error);
    if (plan == NULL)
      return NULL;
    g_ptr_array_add (roles, plan);
  }
  return g_steal_pointer (&roles);
}

static gboolean
init (const RbOemFolder *folder, const char *kind, const Options *options, GError **error)
{
  const RbOverride override = { options->below_policy, options->approved_by };
  g_autoptr (GPtrArray) roles
    = rb_authoring_check_kind (kind, error) ? parse_roles (options->roles, folder->path, error) : NULL;
  g_autoptr (RbAuthoring) authoring
    = roles == NULL ? NULL : rb_authoring_init (folder->path, kind, g_ptr_array_ref (roles), error);
  return authoring != NULL && rb_role_plan_check_all (roles, error)
         && rb_override_check (&override, authoring, roles, json_object_get (folder->config, "policy"),
                               rb_moment_now (), error)
         && rb_authoring_save (authoring, error);
}

static int
verb_init (RbCli *cli, int argc, char **argv)
{
  g_auto (Options) options = { NULL };
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  g_autoptr (RbOemFolder) folder = rb_oem_folder_open (cli->data_dir, &error);
  if (folder == NULL || !init (folder, argv[1], &options, &error))
    return rb_cli_fail (cli, error, NULL);
  g_autofree char *message = g_strdup_printf ("%s repository; see repo publish", argv[1]);
  return rb_cli_end (cli, RB_CLI_OK, "ok", message, json_pack ("{s:s}", "kind", argv[1]));
}

static int
publish (RbCli *cli, const RbOemFolder *folder, RbPublishing *publishing, const Options *options, GError **error)
{
  g_autofree char *path = NULL;
  if (!rb_publish_or_draft (folder, publishing, options->output, &path, error))
    return RB_CLI_FAILED;
  g_autofree char *message
    = path == NULL ? g_strdup ("published") : g_strdup_printf ("draft for the offline keys: %s", path);
  return rb_cli_end (cli, RB_CLI_OK, "ok", message,
                     json_pack ("{s:s?,s:O}", "draft", path, "published", publishing->done));
}

static gboolean
take_expiry (RbPublishing *publishing, const char *text, GError **error)
{
  return text == NULL || (rb_moment_from_text (text, &publishing->expires) && publishing->expires > publishing->now)
         || rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_USAGE, "--expires %s: not a time in the future", text);
}

static int
verb_publish (RbCli *cli, int argc, char **argv)
{
  g_auto (Options) options = { NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (RbPublishing) publishing = NULL;
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  g_autoptr (RbOemFolder) folder
    = rb_authoring_check_kind (argv[1], &error) ? rb_oem_folder_open (cli->data_dir, &error) : NULL;
  char *secret = folder == NULL ? NULL : rb_secret_option_of_folder (cli, options.passphrase_file, folder, &error);
  if (secret != NULL)
    publishing = rb_publishing_open (folder, argv[1], secret, rb_moment_now (), &error);
  code = publishing != NULL && take_expiry (publishing, options.expires, &error)
           ? publish (cli, folder, publishing, &options, &error)
           : RB_CLI_FAILED;
  rb_secret_free (secret);
  return error != NULL ? rb_cli_fail (cli, error, NULL) : code;
}

/* Published kinds: those given, or all that the folder has. */
static gboolean
is_wanted (char **kinds, const RbOemFolder *folder, const char *kind)
{
  g_autofree char *file = g_strconcat (kind, ".json", NULL);
  g_autofree char *path = g_build_filename (folder->path, "authoring", file, NULL);
  return kinds[0] == NULL ? rb_files_exists (path) : g_strv_contains ((const char *const *) kinds, kind);
}

static gboolean
refresh_once (RbCli *cli, char **kinds, const char *passphrase_file, GError **error)
{
  static const char *const all[] = { "director", "image", "service" };
  g_autoptr (RbOemFolder) folder = rb_oem_folder_open (cli->data_dir, error);
  char *secret = folder == NULL ? NULL : rb_secret_option_of_folder (cli, passphrase_file, folder, error);
  gboolean good = secret != NULL;
  for (guint i = 0; good && i < G_N_ELEMENTS (all); i++) {
    if (!is_wanted (kinds, folder, all[i]))
      continue;
    g_autoptr (RbPublishing) publishing = rb_publishing_open (folder, all[i], secret, rb_moment_now (), error);
    good = publishing != NULL && rb_install_refresh (publishing, FALSE, error);
    if (good) {
      rb_cli_say (cli, "%s: %zu files signed", all[i], json_array_size (publishing->done));
      rb_cli_event (cli,
                    json_pack ("{s:s,s:s,s:O}", "event", "refresh", "kind", all[i], "published", publishing->done));
    }
  }
  rb_secret_free (secret);
  return good;
}

typedef struct {
  GMutex lock;
  GCond ended;
  gboolean end;
} Waiting;

static void
end_waiting (gpointer data)
{
  Waiting *self = data;
  g_mutex_lock (&self->lock);
  self->end = TRUE;
  g_cond_signal (&self->ended);
  g_mutex_unlock (&self->lock);
}

/* FALSE: a signal has come. */
static gboolean
wait_seconds (Waiting *self, gint64 seconds)
{
  gint64 until = g_get_monotonic_time () + seconds * G_USEC_PER_SEC;
  g_mutex_lock (&self->lock);
  while (!self->end && g_cond_wait_until (&self->ended, &self->lock, until))
    ;
  gboolean on = !self->end;
  g_mutex_unlock (&self->lock);
  return on;
}

/* One round after another until a signal comes; what fails in one round is tried in the next. */
static int
refresh_for_ever (RbCli *cli, char **kinds, const Options *options)
{
  Waiting waiting = { .end = FALSE };
  g_mutex_init (&waiting.lock);
  g_cond_init (&waiting.ended);
  rb_signals_set (end_waiting, &waiting);
  do {
    g_autoptr (GError) problem = NULL;
    if (refresh_once (cli, kinds, options->passphrase_file, &problem))
      continue;
    rb_cli_event (cli, json_pack ("{s:s,s:s,s:s}", "event", "failed", "reason", rb_reason_word (rb_reason_of (problem)),
                                  "message", problem->message));
    rb_cli_say (cli, "%s", problem->message);
  } while (wait_seconds (&waiting, options->every));
  rb_signals_set (NULL, NULL);
  g_cond_clear (&waiting.ended);
  g_mutex_clear (&waiting.lock);
  return rb_cli_end (cli, RB_CLI_OK, "ok", "ended by a signal", NULL);
}

static int
verb_refresh (RbCli *cli, int argc, char **argv)
{
  g_auto (Options) options = { NULL };
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  for (int i = 1; i < argc; i++)
    if (!rb_authoring_check_kind (argv[i], &error))
      return rb_cli_fail (cli, error, NULL);
  if (options.every > 0)
    return refresh_for_ever (cli, &argv[1], &options);
  return refresh_once (cli, &argv[1], options.passphrase_file, &error)
           ? rb_cli_end (cli, RB_CLI_OK, "ok", "fresh", NULL)
           : rb_cli_fail (cli, error, NULL);
}

static const RbOption init_options[] = {
  { "role", "ROLE=THRESHOLD:KEY,KEY", "root, timestamp, snapshot, targets: each once", RB_OPTION_TEXTS (Options, roles),
    .needed = TRUE },
  { "below-policy", "TEXT", "why the policy is not met; two people approve it",
    RB_OPTION_TEXT (Options, below_policy) },
  { "approved-by", "KEY", "who approves that; twice", RB_OPTION_TEXTS (Options, approved_by) },
  { NULL },
};

static const RbOption publish_options[] = {
  { "passphrase-file", "FILE", "passphrase of the online keys", RB_OPTION_FILE (Options, passphrase_file) },
  { "expires", "TIME", "draft targets again, with this expiry", RB_OPTION_TEXT (Options, expires) },
  { "output", "FILE", "where a draft goes; default drafts/ in the folder", RB_OPTION_FILE (Options, output),
    .letter = 'o' },
  { NULL },
};

static const RbOption refresh_options[] = {
  { "every", "S", "repeat every S seconds until a signal", RB_OPTION_NUMBER (Options, every, 1, 86400) },
  { "passphrase-file", "FILE", "passphrase of the online keys", RB_OPTION_FILE (Options, passphrase_file) },
  { NULL },
};

const RbCliVerb rb_repo_verbs[] = {
  { "repo init", "KIND", "a director, image or service repository with its roles", verb_init, init_options, 1, 1 },
  { "repo publish", "KIND", "sign with the online keys; a draft is left for the rest", verb_publish, publish_options, 1,
    1 },
  { "repo refresh", "[KIND…]", "sign online roles again where less than half of their time is left", verb_refresh,
    refresh_options, 0, 3 },
  { NULL },
};
