/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "authority/publishing.h"
#include "oem/campaign-folder.h"

/* The Director's metadata of one vehicle for a VIN pack, in a folder whose Director is authored there (repo init): the
 * online keys of its repository sign, and the repository publishes the same files. */
typedef struct {
  RbCampaignFolder *campaign;
  RbAuthoring *image;
  RbPublishing *publishing; /* of the Director */
} RbVehiclePack;

/* Does this folder author its Director? */
gboolean rb_vehicle_pack_is_authored (const RbOemFolder *folder);
/* folder: outlives it. Errors: campaign-unknown (also where it is not published), those of rb_campaign_folder_check().
 */
RbVehiclePack *rb_vehicle_pack_open (const RbOemFolder *folder, const char *id, gint64 now, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
void rb_vehicle_pack_free (RbVehiclePack *self);
/* As it was built. Error not-found. (transfer full) */
json_t *rb_vehicle_pack_vehicle (const RbVehiclePack *self, const char *vin, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Signs targets, snapshot and timestamp: ecus [{"serial", "hardware_id"}] get the campaign's images. custom: member of
 * the targets, borrowed. version: of the new targets. Published by rb_vehicle_pack_commit(). Errors: ecu-not-directed,
 * threshold-unmet, passphrase. (transfer full) name → GBytes */
GHashTable *rb_vehicle_pack_sign (RbVehiclePack *self, const char *vin, const json_t *ecus, json_t *custom,
                                  const char *secret, gint64 *version, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_vehicle_pack_commit (RbVehiclePack *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbVehiclePack, rb_vehicle_pack_free)
