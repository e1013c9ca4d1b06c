/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "campaign/contents.h"
#include "core/cli.h"

/* recallctl bundle … */
int rb_bundle_verb_verify (RbCli *cli, int argc, char **argv);
int rb_bundle_verb_import (RbCli *cli, int argc, char **argv);
int rb_bundle_verb_list (RbCli *cli, int argc, char **argv);
int rb_bundle_verb_show (RbCli *cli, int argc, char **argv);
int rb_bundle_verb_remove (RbCli *cli, int argc, char **argv);

/* A campaign as JSON, its packs counted. (transfer full) */
json_t *rb_bundle_row (RbContents *contents);
