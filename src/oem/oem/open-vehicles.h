/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "record/verify.h"

/*
 * Vehicles that records leave open: none completes them after the last one that wrote to them, handed them over or
 * closed them with exception. A vehicle that was written to, or closed with exception, is hazardous as well. Records
 * are taken in the order of the times they claim; those that are denied do not count.
 */
typedef struct {
  const char *vin, *campaign; /* borrowed of an outcome */
  const char *result; /* of the newest record that counts */
  gboolean open, hazardous;
} RbOpenVehicle;
/* Every vehicle and campaign of the outcomes (of RbVerifyOutcome). (element-type RbOpenVehicle) (transfer full) */
GPtrArray *rb_open_vehicles_list (GPtrArray *outcomes);
