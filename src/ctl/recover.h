/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/cli.h"

/* recallctl recover, inspect, identify, links, journal */
int rb_recover_verb (RbCli *cli, int argc, char **argv);
int rb_recover_verb_inspect (RbCli *cli, int argc, char **argv);
