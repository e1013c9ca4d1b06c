/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/cli.h"

/* recallctl outbox … */
int rb_outbox_verb_list (RbCli *cli, int argc, char **argv);
int rb_outbox_verb_export (RbCli *cli, int argc, char **argv);
