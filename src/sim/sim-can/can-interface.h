/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "sim-can/can-host.h"

/*
 * The vehicle on a CAN interface of the kernel, by a raw socket: what others send there comes to the wire, and what the
 * wire carries goes out there. The interface keeps the time of its own bus, so the wire must take none; a full
 * transmit queue of the interface holds the wire until there is room, no frame is dropped.
 */
typedef struct _RbCanInterface RbCanInterface;

/* host and wire are borrowed. Errors: link-none (no such interface, or no CAN in this kernel), io. */
RbCanInterface *rb_can_interface_new (RbCanHost *host, RbCanBus *wire, const char *name, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* On a socket that is there already and that carries a frame a packet. Takes fd. */
void rb_can_interface_free (RbCanInterface *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbCanInterface, rb_can_interface_free)
