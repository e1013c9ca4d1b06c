/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "campaign/service.h"
#include "uptane/vehicle.h"

/* The part of a bundle that is for one vehicle: vins/VIN/director/ and vins/VIN/she.json, or its entry in a region's
 * file of packs. */

typedef struct {
  GHashTable *director; /* file name → GBytes */
  GBytes *she; /* NULL: it has none */
  const char
    *region; /* the table of the region it is out of; NULL: it is of this VIN alone. Borrowed from the service */
} RbVinPack;
void rb_vin_pack_free (RbVinPack *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbVinPack, rb_vin_pack_free)

/* Sorted VINs with a pack of their own in folder; none where it has none. (transfer full) */
GStrv rb_vin_pack_list (const char *folder, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The newest pack of that VIN, not verified yet. Errors: vin-missing, vin-invalid, not-in-scope, vin-pack-missing,
 * those of rb_vin_index_find(). (transfer full) */
RbVinPack *rb_vin_pack_read (const char *folder, const RbService *service, const char *vin, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* The one that is of that VIN alone. Errors: the same. (transfer full) */
RbVinPack *rb_vin_pack_read_alone (const char *folder, const RbService *service, const char *vin, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Contents of a VIN's entry in a region's file, big endian: the lengths (u32) of timestamp.json, snapshot.json,
 * targets.json and she.json (0: there is none), then their bytes. (transfer full) */
GBytes *rb_vin_pack_to_entry (GBytes *timestamp, GBytes *snapshot, GBytes *targets, GBytes *she);
/* As rb_contents_assignments. */
GPtrArray *rb_vin_pack_assignments (RbVinPack *pack, const char *folder, const RbService *service, const char *vin,
                                    gint64 moment, const RbVehicleEcu *ecus, guint n_ecus, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* As rb_contents_completeness. */
GPtrArray *rb_vin_pack_completeness (RbVinPack *pack, const char *folder, const RbService *service, const char *vin,
                                     gint64 moment, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same by Director targets from elsewhere, which the keys of the campaign's Director root have signed for that
 * vehicle, whenever that was. vin-mismatch, malformed, the words for metadata. */
GPtrArray *rb_vin_pack_directed (const char *folder, const RbService *service, const char *vin, GBytes *targets,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
