/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "sim-ecu/ecu-state.h"
#include "uptane/vehicle.h"

/* The ECU as an Uptane client: what is staged is verified against what is stored, by the ECU itself. RbService each. */
guint8 rb_install_metadata (RbEcu *self, RbReader *request, GByteArray *out);
guint8 rb_install_anchor (RbEcu *self, RbReader *request, GByteArray *out);
guint8 rb_install_drop (RbEcu *self, RbReader *request, GByteArray *out);
/* Effect of the fault lose-metadata at a reset; none without it. */
void rb_install_lose (RbEcu *self);
/* Would this ECU take that metadata from an over-the-air update now? What is taken is stored. Errors say why not. */
gboolean rb_install_offer (RbMemory *memory, const char *vin, const RbVehicleEcu *ecus, guint n_ecus,
                           RbSource *director, RbSource *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;
