/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "sim-can/can-ecu.h"
#include "sim-ecu/sim-vehicle.h"

/*
 * The CAN buses of a vehicle: the diagnostic connector's, the inner ones behind the gateway, and who is on them. The
 * connector's bus is the model's bus named "diagnostic", else its first CAN bus; ECUs on no CAN bus are on it with the
 * identifiers they have. The gateway passes on, frame by frame and after gateway_us of its simulation, requests and
 * functional requests inwards and answers outwards. Without clocks: it runs up to the time it is told (nanoseconds).
 */
typedef struct _RbCanNetwork RbCanNetwork;

typedef struct {
  gboolean paced; /* bit times are kept; else frames take no time */
  guint load; /* percent of each bus's time that other traffic takes; only when paced */
  guint32 seed;
} RbCanNetworkConfig;

/* vehicle is borrowed. */
RbCanNetwork *rb_can_network_new (RbSimVehicle *vehicle, const RbCanNetworkConfig *config);
/* One bus without any node. */
RbCanNetwork *rb_can_network_new_bare (const RbCanBusConfig *config);
void rb_can_network_free (RbCanNetwork *self);
RbCanBus *rb_can_network_connector (RbCanNetwork *self);
/* Of an inner bus too; NULL when there is none of that name. */
RbCanBus *rb_can_network_wire (RbCanNetwork *self, const char *bus);
void rb_can_network_add (RbCanNetwork *self, RbCanBus *wire, const RbCanEcuConfig *config, const RbCanServer *server);
/* When rb_can_network_run() has something to do; G_MAXINT64: never. */
gint64 rb_can_network_due (const RbCanNetwork *self);
/* Does what is due by now, in the order of its time; some of it when that is much. */
void rb_can_network_run (RbCanNetwork *self, gint64 now);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbCanNetwork, rb_can_network_free)
