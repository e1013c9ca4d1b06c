/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "sim-ecu/error.h"
#include <gio/gio.h>

/* Listens at HOST:PORT, HOST numeric or localhost, port 0 picks one. Returns what is bound (transfer full), and in text
 * the same for people and URIs. Errors: usage, those of the socket. */
GSocketAddress *rb_doip_listen_at (GSocketListener *listener, const char *where, char **text, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
