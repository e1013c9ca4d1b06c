/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cli.h"

#include "core/files.h"
#include "core/reason.h"

#include <string.h>

static int last_argc;
static char *last_argument;
static char *last_data_dir;
static gboolean last_json;

typedef struct {
  char *name;
} Settings;

static const RbOption options[] = { { "name", "NAME", "a name", RB_OPTION_TEXT (Settings, name) }, { NULL } };

static int
remember (RbCli *cli, int argc, char **argv)
{
  int exit_code;
  Settings settings = { NULL };
  if (!rb_cli_parse (cli, &settings, &argc, &argv, &exit_code))
    return exit_code;
  last_argc = argc;
  g_free (last_argument);
  last_argument = g_strdup (argv[1]);
  g_free (last_data_dir);
  last_data_dir = g_strdup (cli->data_dir);
  last_json = cli->json;
  g_free (settings.name);
  return RB_CLI_OK;
}

static int
refuse (RbCli *cli, int argc, char **argv)
{
  int exit_code;
  if (!rb_cli_parse (cli, NULL, &argc, &argv, &exit_code))
    return exit_code;
  g_autoptr (GError) error = g_error_new (RB_CORE_ERROR, RB_REASON_EXPIRED, "too late");
  return rb_cli_fail (cli, error, NULL);
}

static const RbCliVerb verbs[]
  = { { "thing show", "FILE [MORE]", "Shows it", remember, options, 1, 2 }, { "fail", "", "Fails", refuse }, { NULL } };
static const RbCliVerb *const groups[] = { verbs, NULL };
static const RbCliProgram program = { "program", "For tests.", groups };

static int
run (const char *line)
{
  g_auto (GStrv) argv = g_strsplit (line, " ", -1);
  g_autofree char **copy = g_memdup2 (argv, sizeof (char *) * (g_strv_length (argv) + 1));
  return rb_cli_main (&program, (int) g_strv_length (argv), copy);
}

static void
test_common_options_anywhere (void)
{
  g_assert_cmpint (run ("program --data-dir /x thing show --json FILE --name=n"), ==, RB_CLI_OK);
  g_assert_cmpint (last_argc, ==, 2);
  g_assert_cmpstr (last_argument, ==, "FILE");
  g_assert_cmpstr (last_data_dir, ==, "/x");
  g_assert_true (last_json);
  g_assert_cmpint (run ("program thing show FILE --data-dir=/y"), ==, RB_CLI_OK);
  g_assert_cmpstr (last_data_dir, ==, "/y");
  g_assert_false (last_json);
}

static void
test_after_double_dash (void)
{
  g_assert_cmpint (run ("program thing show -- --json"), ==, RB_CLI_OK);
  g_assert_cmpstr (last_argument, ==, "--json");
  g_assert_false (last_json);
}

static void
test_exit_codes (void)
{
  if (g_test_subprocess ()) {
    g_assert_cmpint (run ("program thing show"), ==, RB_CLI_USAGE);
    g_assert_cmpint (run ("program thing show a b c"), ==, RB_CLI_USAGE);
    g_assert_cmpint (run ("program thing show --unknown a"), ==, RB_CLI_USAGE);
    g_assert_cmpint (run ("program"), ==, RB_CLI_USAGE);
    g_assert_cmpint (run ("program nothing"), ==, RB_CLI_USAGE);
    g_assert_cmpint (run ("program --help"), ==, RB_CLI_OK);
    g_assert_cmpint (run ("program --version"), ==, RB_CLI_OK);
    g_assert_cmpint (run ("program thing show --help"), ==, RB_CLI_OK);
    return;
  }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stdout ("*thing show FILE ?MORE?*");
}

static void
test_json_verdict (void)
{
  if (g_test_subprocess ()) {
    g_assert_cmpint (run ("program fail --json"), ==, RB_CLI_FAILED);
    return;
  }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stdout ("*{\"message\":\"too late\",\"ok\":false,\"reason\":\"expired\"}*");
}

static void
test_text_verdict (void)
{
  if (g_test_subprocess ()) {
    g_assert_cmpint (run ("program fail"), ==, RB_CLI_FAILED);
    return;
  }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_stderr ("*too late*expired*");
}

static void
test_passphrase_file (void)
{
  g_autofree char *folder = g_dir_make_tmp ("recallbay-cli-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "passphrase", NULL);
  RbCli cli = { .json = TRUE };
  g_autoptr (GError) error = NULL;
  g_assert_true (rb_files_write_text (path, "secret words\nrest\n", NULL));
  g_autofree char *passphrase = rb_cli_passphrase (&cli, path, "x", &error);
  g_assert_cmpstr (passphrase, ==, "secret words");
  g_assert_null (rb_cli_passphrase (&cli, NULL, "x", &error));
  g_assert_no_error (error);
  g_assert_true (rb_files_remove_tree (folder, NULL));
  g_assert_null (rb_cli_passphrase (&cli, path, "x", &error));
  g_assert_cmpint (rb_reason_of (error), ==, RB_REASON_NOT_FOUND);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cli/common-options-anywhere", test_common_options_anywhere);
  g_test_add_func ("/cli/after-double-dash", test_after_double_dash);
  g_test_add_func ("/cli/exit-codes", test_exit_codes);
  g_test_add_func ("/cli/json-verdict", test_json_verdict);
  g_test_add_func ("/cli/text-verdict", test_text_verdict);
  g_test_add_func ("/cli/passphrase-file", test_passphrase_file);
  return g_test_run ();
}
