/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cli.h"

#include "core/advice.h"
#include "core/cli-config.h"
#include "core/cli-help.h"
#include "core/files.h"
#include "core/json.h"
#include "core/output.h"
#include "core/reason.h"
#include "core/signals.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static const RbOption common_options[] = {
  { "json", NULL, "standard output carries JSON, one object a line", RB_OPTION_FLAG (RbCli, json) },
  { "data-dir", "DIR", "folder of library, journal and records", RB_OPTION_FOLDER (RbCli, data_dir) },
  { "config", "FILE", "settings, see recallbay.conf(5)", RB_OPTION_FILE (RbCli, config) },
  { "help", NULL, "show this help", RB_OPTION_FLAG (RbCli, help), .letter = 'h' },
  { "version", NULL, "show the version", RB_OPTION_FLAG (RbCli, version) },
  { NULL },
};

static const RbOption *
common_of (const RbCli *cli)
{
  static const guint first[] = { [RB_CLI_ALL] = 0, [RB_CLI_NO_JSON] = 1, [RB_CLI_PLAIN] = 3 };
  return &common_options[first[cli->program->common]];
}

static char *
program_folder (void)
{
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  return self == NULL ? g_strdup (".") : g_path_get_dirname (self);
}

/* Number of words that the verb's name takes; -1: argv names another. */
static int
match (const RbCliVerb *verb, char **arguments)
{
  if (verb->name[0] == '\0')
    return 0;
  g_auto (GStrv) words = g_strsplit (verb->name, " ", -1);
  int n = 0;
  for (; words[n] != NULL; n++)
    if (g_strcmp0 (words[n], arguments[n]) != 0)
      return -1;
  return n;
}

/* The verb with the longest name that matches; NULL: none. */
static const RbCliVerb *
find_verb (const RbCliProgram *program, char **arguments, int *words)
{
  const RbCliVerb *best = NULL;
  *words = -1;
  for (const RbCliVerb *const *group = program->groups; *group != NULL; group++)
    for (const RbCliVerb *verb = *group; verb->name != NULL; verb++) {
      int n = match (verb, arguments);
      if (n > *words) {
        best = verb;
        *words = n;
      }
    }
  return best;
}

/* Second words of the commands with that first word: "verify, import"; "" when there are none. */
static char *
list_followers (const RbCliProgram *program, const char *first)
{
  GString *list = g_string_new (NULL);
  g_autofree char *prefix = g_strdup_printf ("%s ", first);
  for (const RbCliVerb *const *group = program->groups; *group != NULL; group++)
    for (const RbCliVerb *verb = *group; verb->name != NULL; verb++)
      if (g_str_has_prefix (verb->name, prefix))
        g_string_append_printf (list, "%s%s", list->len == 0 ? "" : ", ", &verb->name[strlen (prefix)]);
  return g_string_free (list, FALSE);
}

int
rb_cli_usage (RbCli *cli, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  return rb_cli_end (cli, RB_CLI_USAGE, rb_reason_word (RB_REASON_USAGE), message, NULL);
}

static int
show_version (RbCli *cli)
{
  g_autofree char *line = g_strdup_printf ("%s %s\n", cli->program->name, RB_VERSION);
  if (cli->json)
    rb_cli_event (cli, json_pack ("{s:s,s:s}", "program", cli->program->name, "version", RB_VERSION));
  else
    rb_cli_put (cli, line);
  return RB_CLI_OK;
}

/* --help or --version was given: of the verb, of a group, of the program. */
static int
show_help (RbCli *cli, const char *group)
{
  if (cli->version)
    return show_version (cli);
  if (cli->json) {
    rb_cli_event (cli, rb_cli_help_table (cli->program, common_of (cli)));
    return RB_CLI_OK;
  }
  g_autofree char *text = cli->verb != NULL ? rb_cli_help_verb (cli->program, cli->verb, common_of (cli))
                                            : rb_cli_help_overview (cli->program, group);
  rb_cli_put (cli, text);
  return RB_CLI_OK;
}

/* An error in the options is reported as JSON even when --json stands behind it. */
static int
end_with_usage (RbCli *cli, const GError *error, char **rest)
{
  for (; *rest != NULL && strcmp (*rest, "--") != 0; rest++)
    cli->json = cli->json || (cli->program->common == RB_CLI_ALL && strcmp (*rest, "--json") == 0);
  return rb_cli_fail (cli, error, NULL);
}

/* Options and positional arguments, which may be mixed until "--"; the positional ones are left in words. */
static gboolean
take_arguments (RbCli *cli, gpointer settings, char **arguments, GPtrArray *words, GError **error)
{
  const RbOptionSet set = { cli->verb == NULL ? NULL : cli->verb->options, settings, common_of (cli), cli, cli->given };
  guint at = 0;
  while (arguments[at] != NULL && strcmp (arguments[at], "--") != 0)
    if (arguments[at][0] != '-' || arguments[at][1] == '\0')
      g_ptr_array_add (words, arguments[at++]);
    else if (!rb_option_take (&set, arguments, &at, error))
      return FALSE;
  at += arguments[at] != NULL;
  for (; arguments[at] != NULL; at++)
    g_ptr_array_add (words, arguments[at]);
  return TRUE;
}

static int
end_without_verb (RbCli *cli, char **arguments)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  const char *first = arguments[0] == NULL ? "" : arguments[0];
  g_autofree char *followers = list_followers (cli->program, first);
  gboolean group = followers[0] != '\0';
  if (group && !take_arguments (cli, NULL, &arguments[1], words, &error))
    return end_with_usage (cli, error, arguments);
  if (cli->help || cli->version)
    return show_help (cli, group ? first : NULL);
  if (group)
    return rb_cli_usage (cli, "%s is followed by one of %s", first, followers);
  if (first[0] != '\0' && strcmp (first, "help") != 0) {
    g_set_error (&error, RB_CORE_ERROR, RB_REASON_USAGE, "%s is %s; %s --help lists %s", first,
                 first[0] == '-' ? "no option" : "no verb", cli->program->name,
                 first[0] == '-' ? "the options" : "them");
    return end_with_usage (cli, error, arguments);
  }
  if (first[0] != '\0')
    return show_help (cli, NULL);
  g_autofree char *text = rb_cli_help_overview (cli->program, NULL);
  rb_output_complain ("%s", text);
  return RB_CLI_USAGE;
}

/* "--help --json" prints the table of every program, also of those without --json. */
static gboolean
asks_for_table (char **arguments)
{
  return g_strcmp0 (arguments[0], "--help") == 0 && g_strcmp0 (arguments[1], "--json") == 0 && arguments[2] == NULL;
}

static int
run_program (RbCli *cli, char **arguments)
{
  const RbOptionSet set = { NULL, NULL, common_of (cli), cli, cli->given };
  g_autoptr (GError) error = NULL;
  guint at = 0;
  int words;
  if (asks_for_table (arguments)) {
    cli->json = cli->help = TRUE;
    return show_help (cli, NULL);
  }
  while (arguments[at] != NULL && arguments[at][0] == '-' && arguments[at][1] != '\0') {
    g_auto (GStrv) parts = g_strsplit (&arguments[at][arguments[at][1] == '-' ? 2 : 1], "=", 2);
    gboolean known
      = rb_option_find (common_of (cli), parts[0] == NULL ? "" : parts[0]) != NULL || strcmp (arguments[at], "-h") == 0;
    if (!known)
      break;
    if (!rb_option_take (&set, arguments, &at, &error))
      return end_with_usage (cli, error, &arguments[at]);
  }
  cli->verb = find_verb (cli->program, &arguments[at], &words);
  if (cli->verb == NULL)
    return end_without_verb (cli, &arguments[at]);
  g_autofree char **argv = g_new0 (char *, g_strv_length (&arguments[at]) + 2);
  int argc = 1;
  argv[0] = (char *) cli->verb->name;
  for (char **argument = &arguments[at + (guint) words]; *argument != NULL; argument++)
    argv[argc++] = *argument;
  return cli->verb->run (cli, argc, argv);
}

gboolean
rb_cli_parse (RbCli *cli, gpointer settings, int *argc, char ***argv, int *exit_code)
{
  const RbCliVerb *verb = cli->verb;
  g_autoptr (GPtrArray) words = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  if (!take_arguments (cli, settings, &(*argv)[1], words, &error)) {
    *exit_code = end_with_usage (cli, error, &(*argv)[1]);
    return FALSE;
  }
  if (cli->help || cli->version) {
    *exit_code = show_help (cli, NULL);
    return FALSE;
  }
  int given = (int) words->len;
  if (given < verb->low || (verb->high >= 0 && given > verb->high)) {
    g_autofree char *usage = g_strdup_printf ("%s %s", verb->name, verb->arguments);
    *exit_code = rb_cli_usage (cli, "%s: %s", g_strstrip (usage),
                               given < verb->low ? "an argument is missing" : "too many arguments");
    return FALSE;
  }
  if (cli->config != NULL && !verb->own_config && !rb_cli_config_apply (cli, common_of (cli), settings, &error)) {
    *exit_code = rb_cli_fail (cli, error, NULL);
    return FALSE;
  }
  if (!rb_option_check_needed (verb->options, settings, &error)) {
    g_prefix_error (&error, "%s%s", verb->name, verb->name[0] == '\0' ? "" : ": ");
    *exit_code = rb_cli_fail (cli, error, NULL);
    return FALSE;
  }
  if (cli->data_dir == NULL)
    cli->data_dir = g_build_filename (g_get_user_data_dir (), "recallbay", NULL);
  for (guint i = 0; i < words->len; i++)
    (*argv)[i + 1] = words->pdata[i];
  *argc = given + 1;
  (*argv)[*argc] = NULL;
  return TRUE;
}

/* Output that was not written makes a good run a failed one; it does not change what a vehicle is. */
static int
check_output (RbCli *cli, int code)
{
  int problem = rb_output_check ();
  if (cli->output_errno == 0)
    cli->output_errno = problem;
  if (cli->output_errno == 0 || code != RB_CLI_OK || (cli->verb != NULL && cli->verb->ignores_output))
    return code;
  RbReason reason = cli->output_errno == ENOSPC || cli->output_errno == EDQUOT ? RB_REASON_NO_SPACE : RB_REASON_IO;
  rb_output_complain ("standard output: %s [%s]\n", g_strerror (cli->output_errno), rb_reason_word (reason));
  return RB_CLI_FAILED;
}

/* A verb without a way to stop ends where it is: what it was making is not there. */
static void
end_on_signal (gpointer data)
{
  RbCli *cli = data;
  if (cli != NULL && g_atomic_int_get (&cli->ended) == 0)
    rb_cli_exit (cli, RB_CLI_FAILED, rb_reason_word (RB_REASON_CANCELLED), "ended by a signal", NULL);
}

int
rb_cli_main (const RbCliProgram *program, int argc, char **argv)
{
  g_autoptr (GHashTable) given = g_hash_table_new (NULL, NULL);
  RbCli cli = { .program = program, .program_path = program_folder (), .given = given };
  rb_output_prepare ();
  rb_advice_set_language (cli.program_path);
  g_set_prgname (program->name);
  g_autofree char **arguments = g_new0 (char *, (gsize) argc + 1);
  for (int i = 1; i < argc; i++)
    arguments[i - 1] = argv[i];
  rb_signals_watch (end_on_signal, &cli);
  int code = check_output (&cli, run_program (&cli, arguments));
  rb_signals_watch (end_on_signal, NULL);
  g_free (cli.data_dir);
  g_free (cli.config);
  g_free (cli.program_path);
  return code;
}

void
rb_cli_put (RbCli *cli, const char *text)
{
  int problem = rb_output_write (stdout, text);
  if (cli->output_errno == 0)
    cli->output_errno = problem;
}

void
rb_cli_say (RbCli *cli, const char *format, ...)
{
  va_list arguments;
  if (cli->json)
    return;
  va_start (arguments, format);
  g_autofree char *text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_autofree char *shown = rb_output_printable (text);
  g_autofree char *line = g_strconcat (shown, "\n", NULL);
  rb_cli_put (cli, line);
}

void
rb_cli_event (RbCli *cli, json_t *event)
{
  g_autoptr (json_t) owned = event;
  if (!cli->json)
    return;
  g_autofree char *text = rb_json_to_text (owned);
  g_autofree char *line = g_strconcat (text, "\n", NULL);
  int problem = rb_output_write_raw (stdout, line);
  if (cli->output_errno == 0)
    cli->output_errno = problem;
}

/* Prints the error, its meaning for the vehicle, and the next action. */
static void
say_end (RbCli *cli, int code, const char *reason, const char *message)
{
  RbReason known = rb_reason_from_word (reason);
  if (code == RB_CLI_OK && message[0] != '\0')
    rb_cli_say (cli, "%s", message);
  if (code == RB_CLI_OK)
    return;
  g_autofree char *shown = rb_output_printable (message);
  rb_output_complain ("%s [%s]\n", shown, reason);
  if (known != RB_REASON_NONE && known != RB_REASON_USAGE)
    rb_output_complain ("%s\n%s\n", rb_advice_means (known), rb_advice_next (known));
}

int
rb_cli_end (RbCli *cli, int code, const char *reason, const char *message, json_t *extra)
{
  g_autoptr (json_t) verdict = extra == NULL ? json_object () : extra;
  g_atomic_int_set (&cli->ended, TRUE);
  if (!cli->json) {
    say_end (cli, code, reason, message == NULL ? "" : message);
    return code;
  }
  rb_json_set_boolean (verdict, "ok", code == RB_CLI_OK);
  rb_json_set_string (verdict, "reason", reason);
  rb_json_set_string (verdict, "message", message == NULL ? "" : message);
  rb_cli_event (cli, g_steal_pointer (&verdict));
  return code;
}

int
rb_cli_fail (RbCli *cli, const GError *error, json_t *extra)
{
  RbReason reason = rb_reason_of (error);
  return rb_cli_end (cli, reason == RB_REASON_USAGE ? RB_CLI_USAGE : RB_CLI_FAILED, rb_reason_word (reason),
                     error->message, extra);
}

void
rb_cli_progress (RbCli *cli, const char *label, guint64 done, guint64 total)
{
  if (cli->json || !isatty (STDOUT_FILENO))
    return;
  g_autofree char *line
    = total == 0 ? g_strdup ("\r\033[K") : g_strdup_printf ("\r\033[K%s  %3u%%", label, (guint) (done * 100 / total));
  rb_cli_put (cli, line);
}

static struct termios with_echo;
static gint is_silent; /* atomic: with_echo is to be set again */

static void
set_echo (void)
{
  if (g_atomic_int_compare_and_exchange (&is_silent, TRUE, FALSE))
    tcsetattr (STDIN_FILENO, TCSAFLUSH, &with_echo);
}

void
rb_cli_exit (RbCli *cli, int code, const char *reason, const char *message, json_t *extra)
{
  set_echo ();
  int unused = rb_cli_end (cli, code, reason, message, extra);
  (void) unused;
  _exit (code);
}

static char *
ask_without_echo (const char *prompt)
{
  char line[1024];
  if (!isatty (STDIN_FILENO) || tcgetattr (STDIN_FILENO, &with_echo) != 0)
    return NULL;
  struct termios silent = with_echo;
  silent.c_lflag &= (tcflag_t) ~ECHO;
  rb_output_complain ("%s: ", prompt);
  g_atomic_int_set (&is_silent, TRUE);
  tcsetattr (STDIN_FILENO, TCSAFLUSH, &silent);
  gboolean read_one = fgets (line, sizeof line, stdin) != NULL;
  set_echo ();
  rb_output_complain ("\n");
  char *answer = read_one ? g_strdup (g_strchomp (line)) : NULL;
  explicit_bzero (line, sizeof line);
  return answer;
}

char *
rb_cli_passphrase (RbCli *cli, const char *path, const char *prompt, GError **error)
{
  if (path == NULL)
    return cli->json ? NULL : ask_without_echo (prompt);
  g_autoptr (GBytes) bytes = rb_files_read (path, 4096, error);
  if (bytes == NULL)
    return NULL;
  gsize size = 0;
  char *data = (char *) g_bytes_get_data (bytes, &size);
  char *text = g_strndup (data, size);
  explicit_bzero (data, size);
  char *end = strpbrk (text, "\r\n");
  if (end != NULL)
    explicit_bzero (end, strlen (end));
  return text;
}
