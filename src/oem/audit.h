/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/cli.h"

/* recall-oem audit verify */
int rb_audit_verb_verify (RbCli *cli, int argc, char **argv);
