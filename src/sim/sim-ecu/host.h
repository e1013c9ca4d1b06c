/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/lock.h"
#include "sim-ecu/ecu-state.h"
#include "sim-ecu/fault.h"

/* Interface of an ECU to its vehicle: faults, event log, supply, the other ECUs. One thread. */
typedef enum { RB_EFFECT_NONE, RB_EFFECT_DROP_LINK } RbEffect;

struct _RbSimVehicle {
  RbLock *lock; /* of the state, while the vehicle runs */
  RbVehicleModel *model;
  char *state_dir;
  char *vin;
  gint64 voltage_mv;
  gboolean real_timing;
  GPtrArray *ecus; /* of RbEcu, order of the model */
  GPtrArray *faults; /* of RbFault */
  char *log_path; /* NULL: no log */
  RbEffect effect; /* what a fault asks of the transport, after the current request */
  guint requests;
  gint64 unlocked_at; /* first unlocking of an ECU, monotonic ms; 0: none yet */
};

/* One line in the event log. detail (taken, may be NULL) is merged in. */
void rb_host_log (RbSimVehicle *self, const char *event, const RbEcu *ecu, json_t *detail);
const RbFault *rb_host_fault (RbSimVehicle *self, const char *kind, const RbEcu *ecu, gint64 count);
/* The same of one service. */
const RbFault *rb_host_fault_of (RbSimVehicle *self, const char *kind, const RbEcu *ecu, guint8 service, gint64 count);
/* The supply as that ECU measures it at its last request, millivolt. */
gint64 rb_host_supply (RbSimVehicle *self, const RbEcu *ecu);
/* An ECU whose flash is erased sends nothing more: the others of its bus miss its messages and store a DTC, but for
 * those that were told not to (85 02). Error: a memory cannot be stored. */
gboolean rb_host_miss (RbSimVehicle *self, const RbEcu *silent, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* An ECU is unlocked by its last request. */
void rb_host_unlock (RbSimVehicle *self, RbEcu *ecu);
