/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/cli.h"
#include "outbox/stored.h"

/* recallctl record … */
extern const RbCliVerb rb_record_verbs[];

/* For the outbox verbs: records of RbStored, told and as JSON (transfer full); SEQ-DIGEST.json files in a folder,
 * those of one OEM (NULL: there is no other), what naming the records in the message ("pending "); and the verdict,
 * which is not good when something is wrong with one of them. Takes extra. */
json_t *rb_record_rows (RbCli *cli, GPtrArray *records);
int rb_record_export (RbCli *cli, GPtrArray *records, const char *oem, const char *what, const char *folder);
int rb_record_end (RbCli *cli, GPtrArray *records, const char *message, json_t *extra);
