/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "sim-ecu/ecu.h"

/* The simulated vehicle: its ECUs and the folder of its state. One thread. */

/* Loads model and state; makes the state from the seed in vehicle/ beside the model when there is none yet. vin may be
 * NULL. */
RbSimVehicle *rb_sim_vehicle_open (const char *model, const char *state_dir, const char *vin, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
void rb_sim_vehicle_free (RbSimVehicle *self);
/* NULL when no ECU has the address. */
RbEcu *rb_sim_vehicle_by_logical (RbSimVehicle *self, guint16 logical);
/* Keeps every other writer of a state dir out. Error in-use: the vehicle runs, or metadata is offered to it. */
RbLock *rb_sim_vehicle_lock (const char *state_dir, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Opened memories of a state dir, without a model: for show and offer. (element-type RbMemory) */
GPtrArray *rb_sim_vehicle_memories (const char *state_dir, char **vin, GError **error) G_GNUC_WARN_UNUSED_RESULT;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbSimVehicle, rb_sim_vehicle_free)
