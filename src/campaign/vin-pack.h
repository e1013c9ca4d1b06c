/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "campaign/service.h"
#include "uptane/vehicle.h"

/* The part of a bundle that is for one vehicle: vins/VIN/director/ and vins/VIN/she.json. */

/* Sorted VINs in folder; none where it has no packs. (transfer full) */
GStrv rb_vin_pack_list (const char *folder, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* vin-missing, vin-invalid, not-in-scope, vin-pack-missing */
gboolean rb_vin_pack_check (const char *folder, const RbCampaign *campaign, const char *vin, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* As rb_contents_assignments. */
GPtrArray *rb_vin_pack_assignments (const char *folder, const RbService *service, const char *vin, gint64 moment,
                                    const RbVehicleEcu *ecus, guint n_ecus, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* As rb_contents_completeness. */
GPtrArray *rb_vin_pack_completeness (const char *folder, const RbService *service, const char *vin, gint64 moment, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* The same by Director targets from elsewhere, which the keys of the campaign's Director root have signed for that vehicle, whenever that
 * was. vin-mismatch, malformed, the words for metadata. */
GPtrArray *rb_vin_pack_directed (const char *folder, const RbService *service, const char *vin, GBytes *targets, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* NULL without error: none. (transfer full) */
GBytes *rb_vin_pack_she (const char *folder, const char *vin, GError **error) G_GNUC_WARN_UNUSED_RESULT;
