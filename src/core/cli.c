/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cli.h"

#include "core/advice.h"
#include "core/files.h"
#include "core/json.h"
#include "core/reason.h"

#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

typedef struct {
  const char *program;
  const char *summary;
  const RbCliVerb *verbs;
} Program;

static const RbCliVerb *running; /* the verb, for --help; set once before it runs */
static Program running_on;

enum { COLUMN = 44 }; /* where a verb's summary begins */

static void
print_verbs (const Program *self, FILE *out)
{
  for (const RbCliVerb *verb = self->verbs; verb->name != NULL; verb++) {
    if (verb->name[0] == '\0')
      continue;
    g_autofree char *line = g_strdup_printf ("%s %s", verb->name, verb->arguments);
    int width = (int) g_utf8_strlen (line, -1);
    if (width <= COLUMN)
      fprintf (out, "  %s%*s %s\n", line, COLUMN - width, "", verb->summary);
    else
      fprintf (out, "  %s\n  %*s %s\n", line, COLUMN, "", verb->summary);
  }
}

static void
print_overview (const Program *self, FILE *out)
{
  fprintf (out, "Usage: %s VERB [OPTION…]\n\n%s\n\n", self->program, self->summary);
  print_verbs (self, out);
  fprintf (out, "\nCommon options: --json  --data-dir DIR  --config FILE  --help\n"
                "Exit codes: 0 done and good, 1 refused or failed, 2 wrong usage, 3 a vehicle was touched and is "
                "not complete.\n");
}

/* Takes "--name VALUE", "--name=VALUE" out of argv; a flag when value is NULL. */
static gboolean
take_option (GPtrArray *arguments, const char *name, char **value)
{
  g_autofree char *prefix = g_strconcat (name, "=", NULL);
  for (guint i = 1; i < arguments->len; i++) {
    const char *argument = arguments->pdata[i];
    if (strcmp (argument, "--") == 0)
      return FALSE;
    if (value != NULL && g_str_has_prefix (argument, prefix)) {
      g_free (*value);
      *value = g_strdup (&argument[strlen (prefix)]);
      g_ptr_array_remove_index (arguments, i);
      return TRUE;
    }
    if (strcmp (argument, name) != 0 || (value != NULL && i + 1 >= arguments->len))
      continue;
    if (value != NULL) {
      g_free (*value);
      *value = g_strdup (arguments->pdata[i + 1]);
      g_ptr_array_remove_index (arguments, i + 1);
    }
    g_ptr_array_remove_index (arguments, i);
    return TRUE;
  }
  return FALSE;
}

/* How many words of argv (after the program) the verb's name takes; -1 when it is another. */
static int
matches (const RbCliVerb *verb, GPtrArray *arguments)
{
  if (verb->name[0] == '\0')
    return 0;
  g_auto (GStrv) words = g_strsplit (verb->name, " ", -1);
  guint n = g_strv_length (words);
  if (arguments->len < n + 1)
    return -1;
  for (guint i = 0; i < n; i++)
    if (strcmp (words[i], arguments->pdata[i + 1]) != 0)
      return -1;
  return (int) n;
}

static char *
program_folder (void)
{
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  return self == NULL ? g_strdup (".") : g_path_get_dirname (self);
}

static int
run_verb (RbCli *cli, const RbCliVerb *verb, guint words, GPtrArray *arguments)
{
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  g_ptr_array_add (argv, (gpointer) verb->name);
  for (guint i = words + 1; i < arguments->len; i++)
    g_ptr_array_add (argv, arguments->pdata[i]);
  int argc = (int) argv->len;
  g_ptr_array_add (argv, NULL);
  running = verb;
  return verb->run (cli, argc, (char **) argv->pdata);
}

static int
usage_error (RbCli *cli, const char *message)
{
  return rb_cli_end (cli, RB_CLI_USAGE, rb_reason_word (RB_REASON_USAGE), message, NULL);
}

/* Says what could stand there. */
static int
no_such_verb (RbCli *cli, const Program *self, const char *first)
{
  g_autoptr (GString) message = g_string_new (NULL);
  g_autofree char *group = g_strdup_printf ("%s ", first);
  for (const RbCliVerb *verb = self->verbs; verb->name != NULL; verb++)
    if (g_str_has_prefix (verb->name, group))
      g_string_append_printf (message, "%s%s", message->len == 0 ? "" : ", ", &verb->name[strlen (group)]);
  if (message->len > 0)
    g_string_prepend (message, " is followed by one of ");
  else
    g_string_append_printf (message, " is no verb; %s --help lists them", self->program);
  g_string_prepend (message, first);
  return usage_error (cli, message->str);
}

static int
run_program (RbCli *cli, const Program *self, GPtrArray *arguments)
{
  const char *first = arguments->len > 1 ? arguments->pdata[1] : "";
  if (strcmp (first, "--version") == 0)
    return printf ("%s %s\n", self->program, RB_VERSION) > 0 ? RB_CLI_OK : RB_CLI_FAILED;
  for (const RbCliVerb *verb = self->verbs; verb->name != NULL; verb++) {
    int words = matches (verb, arguments);
    if (words >= 0)
      return run_verb (cli, verb, (guint) words, arguments);
  }
  gboolean help = strcmp (first, "--help") == 0 || strcmp (first, "-h") == 0 || strcmp (first, "help") == 0;
  if (!help && arguments->len > 1)
    return no_such_verb (cli, self, first);
  print_overview (self, help ? stdout : stderr);
  return help ? RB_CLI_OK : RB_CLI_USAGE;
}

int
rb_cli_main (const char *program, const char *summary, const RbCliVerb *verbs, int argc, char **argv)
{
  g_autoptr (GPtrArray) arguments = g_ptr_array_new ();
  RbCli cli = { .program_path = program_folder () };
  rb_advice_set_language (cli.program_path);
  for (int i = 0; i < argc; i++)
    g_ptr_array_add (arguments, argv[i]);
  cli.json = take_option (arguments, "--json", NULL);
  while (take_option (arguments, "--data-dir", &cli.data_dir) || take_option (arguments, "--config", &cli.config)
         || take_option (arguments, "--json", NULL))
    ;
  if (cli.data_dir == NULL)
    cli.data_dir = g_build_filename (g_get_user_data_dir (), "recallbay", NULL);
  running_on = (Program){ program, summary, verbs };
  int code = run_program (&cli, &running_on, arguments);
  g_free (cli.data_dir);
  g_free (cli.config);
  g_free (cli.program_path);
  return code;
}

gboolean
rb_cli_parse (RbCli *cli, const GOptionEntry *entries, int low, int high, int *argc, char ***argv, int *exit_code)
{
  g_autoptr (GOptionContext) context = g_option_context_new (running->arguments);
  g_autoptr (GError) error = NULL;
  gboolean help = FALSE;
  const GOptionEntry help_entry[] = { { "help", 'h', 0, G_OPTION_ARG_NONE, &help, "Show this help", NULL }, { NULL } };
  g_autofree char *name = g_strdup_printf ("%s %s", running_on.program, running->name);
  g_set_prgname (g_strchomp (name));
  g_option_context_set_summary (context, running->summary);
  g_option_context_set_help_enabled (context, FALSE);
  g_option_context_add_main_entries (context, help_entry, NULL);
  if (entries != NULL)
    g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, argc, argv, &error)) {
    *exit_code = usage_error (cli, error->message);
    return FALSE;
  }
  if (help) {
    g_autofree char *text = g_option_context_get_help (context, TRUE, NULL);
    printf ("%s  --json, --data-dir DIR, --config FILE   as everywhere\n", text);
    if (running->name[0] == '\0') {
      puts ("\nVerbs besides:");
      print_verbs (&running_on, stdout);
    }
    *exit_code = RB_CLI_OK;
    return FALSE;
  }
  int given = *argc - 1;
  if (given > 0 && strcmp ((*argv)[1], "--") == 0) {
    (*argv)[1] = (*argv)[0];
    (*argv)++;
    (*argc)--;
    given--;
  }
  if (given >= low && (high < 0 || given <= high))
    return TRUE;
  g_autofree char *message = g_strdup_printf ("%s %s: %s", running->name, running->arguments,
                                              given < low ? "an argument is missing" : "too many arguments");
  *exit_code = usage_error (cli, message);
  return FALSE;
}

/* What comes from a vehicle or a file does not get to drive the terminal. */
static char *
printable (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  GString *out = g_string_new (NULL);
  for (const char *at = valid; *at != '\0'; at = g_utf8_next_char (at)) {
    gunichar c = g_utf8_get_char (at);
    g_string_append_unichar (out, g_unichar_iscntrl (c) && c != '\n' && c != '\t' ? 0xFFFD : c);
  }
  return g_string_free (out, FALSE);
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
  g_autofree char *shown = printable (text);
  printf ("%s\n", shown);
  fflush (stdout);
}

void
rb_cli_event (RbCli *cli, json_t *event)
{
  g_autoptr (json_t) owned = event;
  if (!cli->json)
    return;
  g_autofree char *text = rb_json_to_text (owned);
  printf ("%s\n", text);
  fflush (stdout);
}

/* What happened, what that means for the vehicle, and what to do next. */
static void
say_end (int code, const char *reason, const char *message)
{
  RbReason known = rb_reason_from_word (reason);
  g_autofree char *shown = printable (message);
  if (code == RB_CLI_OK && message[0] != '\0')
    printf ("%s\n", shown);
  if (code == RB_CLI_OK)
    return;
  fprintf (stderr, "%s [%s]\n", shown, reason);
  if (known != RB_REASON_NONE && known != RB_REASON_USAGE)
    fprintf (stderr, "%s\n%s\n", rb_advice_means (known), rb_advice_next (known));
}

int
rb_cli_end (RbCli *cli, int code, const char *reason, const char *message, json_t *extra)
{
  g_autoptr (json_t) verdict = extra == NULL ? json_object () : extra;
  if (!cli->json) {
    say_end (code, reason, message == NULL ? "" : message);
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
  if (total == 0)
    printf ("\r\033[K");
  else
    printf ("\r\033[K%s  %3u%%", label, (guint) (done * 100 / total));
  fflush (stdout);
}

static char *
ask_without_echo (const char *prompt)
{
  struct termios before, silent;
  char line[1024];
  if (!isatty (STDIN_FILENO) || tcgetattr (STDIN_FILENO, &before) != 0)
    return NULL;
  silent = before;
  silent.c_lflag &= (tcflag_t) ~ECHO;
  fprintf (stderr, "%s: ", prompt);
  tcsetattr (STDIN_FILENO, TCSAFLUSH, &silent);
  gboolean read_one = fgets (line, sizeof line, stdin) != NULL;
  tcsetattr (STDIN_FILENO, TCSAFLUSH, &before);
  fputc ('\n', stderr);
  return read_one ? g_strdup (g_strchomp (line)) : NULL;
}

char *
rb_cli_passphrase (RbCli *cli, const char *path, const char *prompt, GError **error)
{
  if (path == NULL)
    return cli->json ? NULL : ask_without_echo (prompt);
  g_autoptr (GBytes) bytes = rb_files_read (path, 4096, error);
  if (bytes == NULL)
    return NULL;
  g_autofree char *text = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  char *end = strpbrk (text, "\r\n");
  if (end != NULL)
    *end = '\0';
  return g_steal_pointer (&text);
}
