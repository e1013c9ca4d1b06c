/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/cli.h"
#include "record/outbox.h"

/* recallctl record … */
int rb_record_verb_list (RbCli *cli, int argc, char **argv);
int rb_record_verb_show (RbCli *cli, int argc, char **argv);
int rb_record_verb_export (RbCli *cli, int argc, char **argv);
int rb_record_verb_print (RbCli *cli, int argc, char **argv);
int rb_record_verb_verify (RbCli *cli, int argc, char **argv);

/* For the outbox verbs: one row as JSON (transfer full), and SEQ-DIGEST.json files in a folder. */
json_t *rb_record_row (const RbOutboxRecord *record);
void rb_record_say_rows (RbCli *cli, GPtrArray *records);
gboolean rb_record_write_files (GPtrArray *records, const char *folder, GError **error) G_GNUC_WARN_UNUSED_RESULT;
