/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/cli.h"

/* recall-oem demo */
int rb_demo_verb (RbCli *cli, int argc, char **argv);
