/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/cli.h"

int rb_identify_verb (RbCli *cli, int argc, char **argv);
int rb_identify_verb_links_set (RbCli *cli, int argc, char **argv);
int rb_identify_verb_links_restart (RbCli *cli, int argc, char **argv);
int rb_identify_verb_links (RbCli *cli, int argc, char **argv);
int rb_identify_verb_journal (RbCli *cli, int argc, char **argv);
