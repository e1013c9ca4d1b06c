/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/target-verbs.h"

#include "authority/delegation-change.h"
#include "authority/drafting.h"
#include "authority/target-list.h"
#include "core/files.h"
#include "core/json.h"
#include "core/moment.h"
#include "crypto/secret.h"
#include "oem/online-keys.h"
#include "oem/secret-option.h"

typedef struct {
  GStrv hardware_ids, paths;
  char *role, *format, *output, *passphrase_file, *timestamp, *snapshot;
  gint64 release_counter;
} Options;

static void
options_clear (Options *self)
{
  char *texts[] = { self->role, self->format, self->output, self->passphrase_file, self->timestamp, self->snapshot };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_free (texts[i]);
  g_strfreev (self->hardware_ids);
  g_strfreev (self->paths);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

static RbAuthoring *
load (const RbOemFolder *folder, const char *kind, GError **error)
{
  return rb_authoring_check_kind (kind, error) ? rb_authoring_load (folder->path, kind, error) : NULL;
}

static int
end (RbCli *cli, const RbAuthoring *authoring, const char *what, GError *error)
{
  g_autofree char *message = g_strdup_printf ("%s; see repo publish", what);
  return error != NULL || !rb_authoring_save (authoring, &error)
           ? rb_cli_fail (cli, error, NULL)
           : rb_cli_end (cli, RB_CLI_OK, "ok", message, json_pack ("{s:s}", "kind", authoring->kind));
}

static int
verb_add (RbCli *cli, int argc, char **argv)
{
  g_auto (Options) options = { .release_counter = -1 };
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  g_autoptr (RbOemFolder) folder = rb_oem_folder_open (cli->data_dir, &error);
  g_autoptr (RbAuthoring) authoring = folder == NULL ? NULL : load (folder, argv[1], &error);
  const RbTargetListImage image
    = { argv[2], argv[3], options.role, (const char *const *) options.hardware_ids, options.release_counter };
  if (authoring == NULL || !rb_target_list_add (authoring, &image, &error))
    return rb_cli_fail (cli, error, NULL);
  return end (cli, authoring, argv[2], NULL);
}

static int
verb_remove (RbCli *cli, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, NULL, &argc, &argv, &code))
    return code;
  g_autoptr (RbOemFolder) folder = rb_oem_folder_open (cli->data_dir, &error);
  g_autoptr (RbAuthoring) authoring = folder == NULL ? NULL : load (folder, argv[1], &error);
  if (authoring == NULL || !rb_target_list_remove (authoring, argv[2], &error))
    return rb_cli_fail (cli, error, NULL);
  return end (cli, authoring, argv[2], NULL);
}

static int
verb_direct (RbCli *cli, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, NULL, &argc, &argv, &code))
    return code;
  g_autoptr (RbOemFolder) folder = rb_oem_folder_open (cli->data_dir, &error);
  g_autoptr (RbAuthoring) director = folder == NULL ? NULL : load (folder, "director", &error);
  g_autoptr (RbAuthoring) image = director == NULL ? NULL : load (folder, "image", &error);
  if (image == NULL || !rb_target_list_direct (director, image, argv[1], (const char *const *) &argv[2], &error))
    return rb_cli_fail (cli, error, NULL);
  return end (cli, director, argv[1], NULL);
}

static int
verb_delegation_add (RbCli *cli, int argc, char **argv)
{
  g_auto (Options) options = { NULL };
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  g_autoptr (RbOemFolder) folder = rb_oem_folder_open (cli->data_dir, &error);
  g_autoptr (RbAuthoring) image = folder == NULL ? NULL : load (folder, "image", &error);
  if (image == NULL
      || !rb_delegation_change_add (image, argv[1], options.role, (const char *const *) options.paths,
                                    (const char *const *) options.hardware_ids, &error))
    return rb_cli_fail (cli, error, NULL);
  return end (cli, image, argv[1], NULL);
}

/* The root with other timestamp and snapshot keys, and the targets, as one draft: clients drop what they have of both
 * roles, so that a file that is gone is not missed. */
static gboolean
draft_rotation (RbPublishing *publishing, const Options *options, const char *secret, GError **error)
{
  g_autoptr (RbDraft) draft = rb_draft_new ();
  const RbOnlineKeys keys = { options->timestamp, options->snapshot, secret };
  g_autoptr (GPtrArray) roles = rb_online_keys_rotate (&keys, publishing, error);
  if (roles == NULL || !rb_drafting_root (publishing, roles, draft, error)
      || !rb_drafting_targets (publishing, draft, error) || !rb_authoring_save (publishing->authoring, error))
    return FALSE;
  g_autoptr (GBytes) bytes = rb_draft_to_bytes (draft);
  return rb_files_write_output (options->output, bytes, 0644, error);
}

static gboolean
change_delegation (RbCli *cli, const RbOemFolder *folder, const Options *options, const char *name, gboolean revoke,
                   GError **error)
{
  g_autoptr (RbPublishing) publishing = NULL;
  char *secret = rb_secret_option_of_folder (cli, options->passphrase_file, folder, error);
  if (secret != NULL)
    publishing = rb_publishing_open (folder, "image", secret, rb_moment_now (), error);
  gboolean changed = publishing != NULL
                     && (revoke ? rb_delegation_change_revoke (publishing->authoring, name, error)
                                : rb_delegation_change_replace (publishing->authoring, name, options->role,
                                                                (const char *const *) options->paths,
                                                                (const char *const *) options->hardware_ids, error))
                     && draft_rotation (publishing, options, secret, error);
  rb_secret_free (secret);
  return changed;
}

static int
end_change (RbCli *cli, int argc, char **argv, gboolean revoke)
{
  g_auto (Options) options = { NULL };
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  g_autoptr (RbOemFolder) folder = rb_oem_folder_open (cli->data_dir, &error);
  if (folder == NULL || !change_delegation (cli, folder, &options, argv[1], revoke, &error))
    return rb_cli_fail (cli, error, NULL);
  g_autofree char *message = g_strdup_printf ("draft for the offline keys: %s", options.output);
  return rb_cli_end (cli, RB_CLI_OK, "ok", message, json_pack ("{s:s}", "draft", options.output));
}

static int
verb_delegation_revoke (RbCli *cli, int argc, char **argv)
{
  return end_change (cli, argc, argv, TRUE);
}

static int
verb_delegation_replace (RbCli *cli, int argc, char **argv)
{
  return end_change (cli, argc, argv, FALSE);
}

#define DELEGATION_OPTIONS \
  { "role", "THRESHOLD:KEY,KEY", "its keys", RB_OPTION_TEXT (Options, role) }, \
    { "paths", "PATTERN", "which targets it may list; may be repeated", RB_OPTION_TEXTS (Options, paths) }, \
  { \
    "hardware-id", "ID", "for which hardware; may be repeated", RB_OPTION_TEXTS (Options, hardware_ids) \
  }

#define ROTATION_OPTIONS \
  { "timestamp", "THRESHOLD:KEY,KEY", "the new timestamp keys; default: made in files", \
    RB_OPTION_TEXT (Options, timestamp) }, \
    { "snapshot", "THRESHOLD:KEY,KEY", "the new snapshot keys; default: made in files", \
      RB_OPTION_TEXT (Options, snapshot) }, \
    { "passphrase-file", "FILE", "passphrase of the online keys", RB_OPTION_FILE (Options, passphrase_file) }, \
  { \
    "output", "FILE", "the draft", RB_OPTION_FILE (Options, output), .needed = TRUE, .letter = 'o' \
  }

static const RbOption add_options[] = {
  { "hardware-id", "ID", "hardware that the image is for; may be repeated", RB_OPTION_TEXTS (Options, hardware_ids) },
  { "release-counter", "N", "never lower than before", RB_OPTION_NUMBER (Options, release_counter, 0, G_MAXINT32) },
  { "format", "bin", "form of the file: raw bytes", RB_OPTION_WORD (Options, format) },
  { "role", "DELEGATION", "the delegated role that lists it", RB_OPTION_TEXT (Options, role) },
  { NULL },
};

static const RbOption delegation_options[] = { DELEGATION_OPTIONS, { NULL } };
static const RbOption revoke_options[] = { ROTATION_OPTIONS, { NULL } };
static const RbOption replace_options[] = { DELEGATION_OPTIONS, ROTATION_OPTIONS, { NULL } };

const RbCliVerb rb_target_verbs[] = {
  { "repo add", "KIND PATH FILE", "list an image or a file", verb_add, add_options, 3, 3 },
  { "repo remove", "KIND PATH", "list it no more", verb_remove, NULL, 2, 2 },
  { "repo direct", "VIN SERIAL=PATH…", "what the Director assigns to one vehicle", verb_direct, NULL, 2, -1 },
  { "delegation add", "NAME", "let a supplier's keys sign for some targets", verb_delegation_add, delegation_options, 1,
    1 },
  { "delegation revoke", "NAME", "end a delegation; timestamp and snapshot keys change with it", verb_delegation_revoke,
    revoke_options, 1, 1 },
  { "delegation replace", "NAME", "other keys; timestamp and snapshot keys change with them", verb_delegation_replace,
    replace_options, 1, 1 },
  { NULL },
};
