/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "campaign/anchor.h"
#include "campaign/error.h"
#include "model/campaign.h"
#include "model/profile.h"
#include "model/trust-list.h"
#include "model/vehicle-model.h"

/*
 * The Service repository's part of a bundle, from the trust anchor down to campaign, vehicle model and
 * profiles. Everything that is in service/targets/ must be vouched for.
 */
typedef struct {
  char *anchor; /* name; NULL: taken as given */
  GBytes *targets_json; /* the repository's top-level targets file */
  gint64 targets_version;
  GBytes *campaign_json;
  char *campaign_sha256;
  RbCampaign *campaign; /* with its scope */
  GPtrArray *regions; /* of RbVinIndex: packs of VINs by region */
  RbVehicleModel *model;
  GHashTable *profiles; /* target path → RbProfile */
  GBytes *trust_list_json; /* NULL: the repository has no trust list */
  RbTrustList *trust_list;
  gint64 timestamp_expires;
  gint64 moment; /* expiry was evaluated then */
} RbService;

/* folder has the shape of a bundle. anchors (of RbAnchor) NULL: the bundle's own first root is believed. Expiry is
 * verified at moment, or at the campaign's issue where that is later; started: by the newest root in it that the anchor
 * has accepted, instead of the anchor's newest. Errors: no-trust-anchor, wrong-oem, campaign-expired, words for
 * metadata. */
RbService *rb_service_open (const char *folder, GPtrArray *anchors, gint64 moment, gboolean started, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* The campaign in a folder of that shape, as it claims to be: nothing is verified. (transfer full) */
GBytes *rb_service_claimed (const char *folder, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same parsed, with the scope whose digest it names. Errors: malformed, missing, hash-mismatch. (transfer full) */
RbCampaign *rb_service_claimed_campaign (const char *folder, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* How many VIN packs the regions in a folder claim to hold. */
gint64 rb_service_claimed_packs (const char *folder);
/* The table of VINs of that target, NULL: the bundle has none. Borrowed. */
const RbVinIndex *rb_service_index (const RbService *self, const char *table);
/* missing unless every table of VINs has its file of pieces in folder. */
gboolean rb_service_check_pieces (const RbService *self, const char *folder, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Does the top-level targets file name these bytes under that path? */
gboolean rb_service_names (const RbService *self, const char *path, GBytes *bytes);
/* The trust list alone, from the anchor's newest root and not older than what was accepted under it; *json is NULL
 * where the repository has none. Errors: rollback, words for metadata. */
gboolean rb_service_read_trust_list (const char *folder, const RbAnchor *anchor, gint64 moment, GBytes **json,
                                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_service_free (RbService *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbService, rb_service_free)
