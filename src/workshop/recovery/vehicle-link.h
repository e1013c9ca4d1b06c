/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "keystore/identity.h"
#include "link/channel.h"
#include "model/vehicle-model.h"
#include "recovery/error.h"

/* The way into a vehicle: a link's URI with what doips:// needs besides. */
typedef struct {
  const char *uri;
  const char *data_dir;
  const char
    *vehicle_ca; /* file with the authorities of vehicles' certificates; NULL: vehicle-ca.pem in the data dir */
  RbIdentitySet *workstation; /* holds the key for vehicle links; NULL: there is none, error identity for doips:// */
  const char *vin; /* as on the plate; NULL: not verified */
  const RbVehicleModel *model; /* how the vehicle wants to be connected to; NULL: as usual */
  RbLinkWait wait; /* may be NULL */
  gpointer wait_data;
} RbVehicleLinkOptions;

/* Errors of rb_link_open_with(), identity, key-usage, not-found, those of rb_vehicle_link_check_vin(). (transfer full)
 */
RbLink *rb_vehicle_link_open (const RbVehicleLinkOptions *self, GCancellable *cancellable, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Over doips://: is the vehicle's certificate for that VIN? vin-mismatch where it is for another one;
 * vehicle-certificate where it is for none, unless the model allows that. model may be NULL. */
gboolean rb_vehicle_link_check_vin (RbLink *link, const char *vin, const RbVehicleModel *model, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
