/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "model/error.h"
#include <jansson.h>

/* Which ECUs a vehicle has, on which buses, behind which gateway. JSON: data/schemas/vehicle-model.json. Immutable. */
typedef struct {
  char *name; /* "brake": unique in the model */
  char *label; /* for people: "Brake control" */
  char *hardware_id;
  char *supplier; /* "" for the OEM */
  char *profile; /* profile id */
  gboolean primary;
  gboolean full_verification;
  gboolean optional; /* not every vehicle of the model has it */
  char *bus; /* bus name; "ethernet" for DoIP only */
  char *gateway; /* ECU name whose route this one is behind, NULL */
  guint16 logical; /* DoIP logical address */
  guint32 can_request, can_response; /* 0 when not on CAN; bit 31: 29 bit */
  int can_extension; /* -1 none; first byte of requests: target address or address extension */
  int can_response_extension; /* first byte of answers; that of requests unless the model says otherwise */
  gboolean can_fd;
  json_t *simulation; /* recall-sim's own parameters, may be NULL */
} RbModelEcu;

typedef struct {
  char *name; /* "can-drive" */
  char *kind; /* "can", "canfd", "ethernet" */
  gint64 bitrate, data_bitrate;
} RbModelBus;

typedef struct {
  char *id;
  char *name;
  GPtrArray *buses; /* of RbModelBus */
  GPtrArray *ecus; /* of RbModelEcu, in the file's order */
  guint16 functional; /* DoIP functional group address, 0xE400 by default */
  guint32 can_functional; /* 0x7DF by default */
  guint16 tester; /* DoIP logical address that the vehicle expects of a client, 0: any (0x0E80 is used) */
  guint8 activation_type; /* of the DoIP routing activation */
  gboolean certificate_without_vin; /* the vehicle's certificate for doips:// need not name its VIN */
} RbVehicleModel;

RbVehicleModel *rb_vehicle_model_parse (GBytes *json, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_vehicle_model_free (RbVehicleModel *self);
const RbModelEcu *rb_vehicle_model_primary (const RbVehicleModel *self);
const RbModelEcu *rb_vehicle_model_by_hardware_id (const RbVehicleModel *self, const char *hardware_id);
const RbModelEcu *rb_vehicle_model_by_name (const RbVehicleModel *self, const char *name);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbVehicleModel, rb_vehicle_model_free)
