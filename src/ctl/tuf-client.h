/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/cli.h"

/* recallctl tuf: a client of any TUF 1.0 repository. */
int rb_tuf_client_verb (RbCli *cli, int argc, char **argv);
