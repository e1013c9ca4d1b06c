/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/cli.h"

/* recallctl uptane … */
int rb_uptane_verb_verify (RbCli *cli, int argc, char **argv);
