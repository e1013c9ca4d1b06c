/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/cli.h"

/* recallctl trust … */
int rb_trust_verb_add (RbCli *cli, int argc, char **argv);
int rb_trust_verb_list (RbCli *cli, int argc, char **argv);
int rb_trust_verb_update (RbCli *cli, int argc, char **argv);
int rb_trust_verb_replace (RbCli *cli, int argc, char **argv);
