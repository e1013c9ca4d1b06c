/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/cli-table.h"

#include <jansson.h>

/*
 * Command lines: the verbs of a program and their options in tables, one way to print. --help and --version of every
 * verb and group, parsing, the completion of the shells and the check of the man pages are made from the tables. Exit
 * codes are a contract: 0 done and good, 1 refused or failed, 2 wrong usage, 3 a vehicle was touched and is not
 * complete.
 */
enum { RB_CLI_OK = 0, RB_CLI_FAILED = 1, RB_CLI_USAGE = 2, RB_CLI_NOT_COMPLETE = 3 };

/* Runs the verb that argv names. */
int rb_cli_main (const RbCliProgram *program, int argc, char **argv);

/* Stores the verb's options in settings, which its table refers to (NULL: it has none), and leaves argc and argv with
 * the positional arguments, argv[0] the verb. FALSE: *exit_code says how to end (help printed: 0). */
gboolean rb_cli_parse (RbCli *cli, gpointer settings, int *argc, char ***argv, int *exit_code)
  G_GNUC_WARN_UNUSED_RESULT;
/* Ends with wrong usage. Returns RB_CLI_USAGE. */
int rb_cli_usage (RbCli *cli, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* Text for people on standard output; nothing with --json. */
void rb_cli_say (RbCli *cli, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* UTF-8 text on standard output as it is, in the encoding of the locale; an error is kept for the end. */
void rb_cli_put (RbCli *cli, const char *text);
/* One JSON object a line; nothing without --json. Takes event. */
void rb_cli_event (RbCli *cli, json_t *event);
/* The last line: {"ok", "reason", "message", …extra}; without --json the message alone, on standard error when it is
 * not ok. Takes extra (may be NULL). Returns code. */
int rb_cli_end (RbCli *cli, int code, const char *reason, const char *message, json_t *extra);
/* Ends with an error: exit code 1 (2 for reason usage) and its reason word. */
int rb_cli_fail (RbCli *cli, const GError *error, json_t *extra);
/* Ends the process from another thread while the program waits for a person: the terminal gets its echo back, then as
 * rb_cli_end(). */
void rb_cli_exit (RbCli *cli, int code, const char *reason, const char *message, json_t *extra) G_GNUC_NORETURN;
/* A progress bar on a terminal: "label  41%"; nothing elsewhere. total 0 ends the line. */
void rb_cli_progress (RbCli *cli, const char *label, guint64 done, guint64 total);
/* Passphrase from a file (first line) or, when path is NULL and a terminal is there, asked without echo. NULL without
 * error: none given. */
char *rb_cli_passphrase (RbCli *cli, const char *path, const char *prompt, GError **error);
