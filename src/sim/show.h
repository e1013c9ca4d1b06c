/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/cli.h"

/* recall-sim show, recall-sim offer: the vehicle from outside, from its memory alone. */
int rb_show_verb (RbCli *cli, int argc, char **argv);
int rb_show_verb_offer (RbCli *cli, int argc, char **argv);
