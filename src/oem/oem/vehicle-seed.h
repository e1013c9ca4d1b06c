/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "oem/she-plan.h"
#include "oem/demo-incident.h"

/*
 * Vehicle 1 before its recovery: every ECU receives all publications in order, and installs those that its own
 * verification accepts. Written as recall-sim's seed (vehicle/ beside the model file).
 */
gboolean rb_vehicle_seed_write (const RbDemoIncident *incident, const char *folder, GBytes *service_root,
                                const char *dealer_ca_pem, RbShePlan *she, GError **error) G_GNUC_WARN_UNUSED_RESULT;
