/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cli.h"
#include "core/json.h"
#include "core/signals.h"
#include "crypto/secret.h"
#include "workstation/application.h"
#include "workstation/instance.h"

#define MAX_ANSWERS (1024 * 1024)

typedef struct {
  char *link, *answers, *identity, *workstation, *second, *passphrase_file;
} Options;

static void
clear_options (Options *self)
{
  char *const texts[]
    = { self->link, self->answers, self->identity, self->workstation, self->second, self->passphrase_file };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_free (texts[i]);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, clear_options)

static gboolean
read_answers (RbSessionInput *input, const char *path, GError **error)
{
  if (path == NULL)
    return TRUE;
  g_autoptr (json_t) answers = rb_json_load (path, MAX_ANSWERS, error);
  if (answers == NULL)
    return FALSE;
  input->vin = g_strdup (rb_json_string_or (answers, "vin", ""));
  input->repair_order = g_strdup (rb_json_string_or (answers, "repair_order", ""));
  input->odometer_km = rb_json_integer_or (answers, "odometer_km", -1);
  return TRUE;
}

static gboolean
read_passphrase (RbCli *cli, RbSessionInput *input, const char *path, GError **error)
{
  if (path == NULL)
    return TRUE;
  input->passphrase = rb_cli_passphrase (cli, path, "", error);
  input->second_passphrase = g_strdup (input->passphrase);
  return input->passphrase != NULL;
}

static void
copy_path (char **to, const char *path)
{
  *to = g_strdup (path == NULL ? "" : path);
}

static int
run (RbCli *cli, int argc, char **argv)
{
  g_auto (Options) options = { NULL };
  g_autoptr (GError) error = NULL;
  RbSessionInput input = { .odometer_km = -1 };
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  copy_path (&input.data_dir, cli->data_dir);
  copy_path (&input.link, options.link);
  copy_path (&input.identity, options.identity);
  copy_path (&input.workstation, options.workstation);
  copy_path (&input.second, options.second);
  g_autoptr (RbLock) lock = NULL;
  if (!read_answers (&input, options.answers, &error) || !read_passphrase (cli, &input, options.passphrase_file, &error)
      || (lock = rb_instance_take (cli->data_dir, &error)) == NULL) {
    rb_session_input_clear (&input);
    return rb_cli_fail (cli, error, NULL);
  }
  g_autoptr (RbApplication) application = rb_application_new ();
  rb_instance_watch (lock, GTK_APPLICATION (application));
  rb_application_take_input (application, &input);
  int status = g_application_run (G_APPLICATION (application), 0, NULL);
  rb_signals_set (NULL, NULL);
  return rb_application_is_unsigned (application) ? RB_CLI_NOT_COMPLETE : status;
}

static const RbOption options_table[] = {
  { "link", "URI", "connection to the vehicle", RB_OPTION_LINK (Options, link) },
  { "answers", "FILE", "fills in VIN, repair order and odometer", RB_OPTION_FILE (Options, answers) },
  { "identity", "FILE", "technician's key and certificate", RB_OPTION_FILE (Options, identity) },
  { "workstation", "FILE", "workstation's keys and certificates", RB_OPTION_FILE (Options, workstation) },
  { "second", "FILE", "second person's key and certificate", RB_OPTION_FILE (Options, second) },
  { "passphrase-file", "FILE", "passphrase of all identities, first line of a file",
    RB_OPTION_FILE (Options, passphrase_file) },
  { NULL },
};

static const RbCliVerb verbs[] = {
  { "", "", "lead a technician through the recovery of one vehicle", run, options_table, .ignores_output = TRUE },
  { NULL },
};
static const RbCliVerb *const groups[] = { verbs, NULL };

int
main (int argc, char **argv)
{
  static const RbCliProgram program
    = { "recallbay", "Recovers vehicles after a key compromise.", groups, RB_CLI_NO_JSON };
  rb_secret_prepare ();
  return rb_cli_main (&program, argc, argv);
}
