/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/cli.h"
#include "sim-ecu/host.h"

/*
 * Actions of a person on the running vehicle: fuses and ignition, as files in its state folder that the verbs below
 * write and the vehicle reads at each request.
 */

/* Has the ECU no supply? A fuse that was out since the last request was a loss of power. */
gboolean rb_fuses_is_out (RbEcu *self);
/* TRUE: a person has turned the ignition to *position. */
gboolean rb_fuses_ignition (RbSimVehicle *self, gint64 *position);

extern const RbCliVerb rb_fuses_verbs[];
