/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <glib.h>

/* The link process's own side: answers what link/process.c asks. Where it finds its sockets: */
enum { RB_SERVE_HEARTBEAT = 3, RB_SERVE_CALLS = 4 };

/* Serves one link until the program hangs up, and ends the process; comes back only when it could not begin. */
void rb_serve_run (void);
