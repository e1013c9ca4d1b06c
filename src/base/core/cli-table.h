/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/option.h"

/* The tables of a program's command line, and what is known of one that runs: core/cli.h. */

typedef struct RbCli RbCli;

typedef struct {
  const char *name; /* "bundle verify"; one or two words, "" for the verb that needs no word; NULL ends a table */
  const char *arguments; /* positional arguments, for --help and completion: "FILE…" */
  const char *summary; /* one line */
  int (*run) (RbCli *cli, int argc,
              char **argv); /* argv[0] is the verb; calls rb_cli_parse() first; returns an exit code */
  const RbOption *options; /* NULL: only the common ones */
  int low, high; /* number of positional arguments; high < 0: no limit */
  gboolean own_config; /* --config names a document that the verb reads itself, not defaults of options */
  gboolean ignores_output; /* a broken standard output changes neither the work nor the exit code */
} RbCliVerb;

/* The common options of a program. */
typedef enum {
  RB_CLI_ALL, /* --json, --data-dir, --config, --help, --version */
  RB_CLI_NO_JSON, /* without --json */
  RB_CLI_PLAIN, /* --help, --version */
} RbCliCommon;

typedef struct {
  const char *name, *summary;
  const RbCliVerb *const *groups; /* tables of verbs, in the order of --help; ends with NULL */
  RbCliCommon common;
} RbCliProgram;

struct RbCli {
  gboolean json; /* --json */
  char *data_dir; /* --data-dir, default $XDG_DATA_HOME/recallbay */
  char *config; /* --config, may be NULL */
  char *program_path; /* folder of the running program, to find its siblings */
  gboolean help, version;
  const RbCliProgram *program;
  const RbCliVerb *verb;
  GHashTable *given; /* set of the RbOption on the command line */
  int output_errno; /* first error of standard output */
  gint ended; /* atomic: the verdict was begun */
};
