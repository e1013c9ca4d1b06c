/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <glib.h>

/* The link process's own side: answers what the program asks, on the sockets that packet.h numbers. Serves one link
 * until the program hangs up, and ends the process; comes back only when it could not begin. */
void rb_serve_run (void);
