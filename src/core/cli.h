/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <jansson.h>

/*
 * Command lines of recallctl, recall-oem and recall-sim: verbs in a table, options by GOption, one way to
 * print. Exit codes are a contract: 0 done and good, 1 refused or failed, 2 wrong usage, 3 a vehicle was
 * touched and is not complete.
 */
enum { RB_CLI_OK = 0, RB_CLI_FAILED = 1, RB_CLI_USAGE = 2, RB_CLI_NOT_COMPLETE = 3 };

typedef struct {
  gboolean json;       /* --json */
  char *data_dir;      /* --data-dir, default $XDG_DATA_HOME/recallbay */
  char *config;        /* --config, may be NULL */
  char *program_path;  /* folder of the running program, to find its siblings */
} RbCli;

typedef struct {
  const char *name;      /* "bundle verify"; one or two words, or "" when the program has one verb */
  const char *arguments; /* "FILE", for --help */
  const char *summary;
  /* argv[0] is the verb; options are still in argv. Returns an exit code. */
  int (*run) (RbCli *cli, int argc, char **argv);
} RbCliVerb;

/* Runs the verb that argv names. Common options are understood everywhere before "--". */
int rb_cli_main (const char *program, const char *summary, const RbCliVerb *verbs, int argc, char **argv);

/* Parses a verb's own options (entries may be NULL) and leaves argc and argv with the positional arguments, argv[0] the
 * verb. Checks that there are low..high of them (high < 0: no limit). FALSE: *exit_code says how to end (help printed: 0). */
gboolean rb_cli_parse (RbCli *cli, const GOptionEntry *entries, int low, int high, int *argc, char ***argv, int *exit_code)
  G_GNUC_WARN_UNUSED_RESULT;

/* Text for people on standard output; nothing with --json. */
void rb_cli_say (RbCli *cli, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* One JSON object a line; nothing without --json. Takes event. */
void rb_cli_event (RbCli *cli, json_t *event);
/* The last line: {"ok", "reason", "message", …extra}; without --json the message alone, on standard error when it is not ok.
 * Takes extra (may be NULL). Returns code. */
int rb_cli_end (RbCli *cli, int code, const char *reason, const char *message, json_t *extra);
/* Ends with an error: exit code 1 (2 for reason usage) and its reason word. */
int rb_cli_fail (RbCli *cli, const GError *error, json_t *extra);
/* A progress bar on a terminal: "label  41%"; nothing elsewhere. total 0 ends the line. */
void rb_cli_progress (RbCli *cli, const char *label, guint64 done, guint64 total);
/* Passphrase from a file (first line) or, when path is NULL and a terminal is there, asked without echo. NULL without error: none given. */
char *rb_cli_passphrase (RbCli *cli, const char *path, const char *prompt, GError **error);
