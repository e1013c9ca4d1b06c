/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "sim-can/can-host.h"

/*
 * The virtual bus: a Unix SOCK_SEQPACKET socket at PATH whose clients are nodes of a bus. A packet is one struct
 * can_frame (16 bytes) or struct canfd_frame (72 bytes) of linux/can.h, host byte order. A frame comes to every other
 * client when it is on the wire whole, and back to its sender with byte 6 of the packet 1 (frame/can.h), which is the
 * sender's proof that it was sent; a client that does not want it drops packets with that byte set.
 *
 * A client may write ahead: frames wait in its socket, so that a blocking client is slowed down to the bus. Who does
 * not read loses frames after some thousands when the bus keeps time; else the bus waits for it for a second and hangs
 * up. What is neither of the two sizes, and error frames, are ignored. An FD frame on a classic bus is destroyed:
 * every node, also its sender, gets an error frame (CAN_ERR_FLAG | CAN_ERR_PROT).
 */
typedef struct _RbBusHub RbBusHub;

/* Makes PATH; a socket without a listener is replaced. host and wire are borrowed. Errors: usage (path too
 * long), exists, io. */
RbBusHub *rb_bus_hub_new (RbCanHost *host, RbCanBus *wire, const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Removes PATH. */
void rb_bus_hub_free (RbBusHub *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbBusHub, rb_bus_hub_free)
