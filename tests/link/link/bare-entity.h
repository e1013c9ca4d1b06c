/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <glib.h>

/*
 * A DoIP entity of nothing but sockets, on 127.0.0.1, one connection after the other: activates, acknowledges every
 * message and answers TransferData with its counter, 22 and 28 with the request's own bytes (62 …, 68 …) and all else
 * not at all. After 28 it does not read any more until the other end closes. A 29 it finds too large by its header,
 * without naming an address.
 */
int bare_entity_listen (guint16 *port);
/* Serves until the listening socket is shut down. image, when it is not NULL, is the flash that TransferData fills,
 * round and round. */
void bare_entity_serve (int listener, guint8 *image, gsize room);
