/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/cli.h"

/* recallctl campaign … */
int rb_campaign_verb_check (RbCli *cli, int argc, char **argv);
