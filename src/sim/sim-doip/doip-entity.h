/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "sim-ecu/sim-vehicle.h"
#include <gio/gio.h>

/*
 * The vehicle's DoIP edge node (ISO 13400-2): announcement, routing activation, diagnostic messages, alive check,
 * entity status, power mode. Lives on the default main context; several testers at a time.
 */
typedef struct _RbDoipEntity RbDoipEntity;
/* HOST:PORT, port 0 picks one; UDP discovery listens on the same number as plain. secured is the same with TLS
 * (doip-tls-server.h). Either may be NULL; where both are, plain answers every activation that TLS is required. Borrows
 * vehicle. */
RbDoipEntity *rb_doip_entity_new (RbSimVehicle *vehicle, const char *plain, const char *secured, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
void rb_doip_entity_free (RbDoipEntity *self);
/* "127.0.0.1:41234", borrowed; NULL: the port is not open */
const char *rb_doip_entity_address (RbDoipEntity *self);
const char *rb_doip_entity_secured (RbDoipEntity *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbDoipEntity, rb_doip_entity_free)
