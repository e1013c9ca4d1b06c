/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "campaign/trust.h"
#include "model/campaign.h"
#include "model/profile.h"
#include "model/trust-list.h"
#include "model/vehicle-model.h"

/*
 * The Service repository's part of a bundle, from the trust anchor down to campaign, vehicle model and
 * profiles. Everything that is in service/targets/ must be vouched for.
 */
typedef struct {
  char *anchor;            /* name; NULL: taken as given */
  GBytes *targets_json;    /* the repository's top-level targets file */
  gint64 targets_version;
  GBytes *campaign_json;
  char *campaign_sha256;
  RbCampaign *campaign;
  RbVehicleModel *model;
  GHashTable *profiles;    /* target path → RbProfile */
  GBytes *trust_list_json; /* NULL: the repository has no trust list */
  RbTrustList *trust_list;
  gint64 timestamp_expires;
  gint64 moment;           /* expiry was judged then */
} RbService;

/* folder has the shape of a bundle. anchors (of RbTrustAnchor) NULL: the bundle's own first root is believed. Expiry is
 * judged at moment, or at the campaign's issue where that is later; started: by the newest root in it that the anchor has accepted,
 * instead of the anchor's newest. Errors: no-trust-anchor, wrong-oem, campaign-expired, words for metadata. */
RbService *rb_service_open (const char *folder, GPtrArray *anchors, gint64 moment, gboolean started, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* The campaign in a folder of that shape, as it claims to be: nothing is verified. (transfer full) */
GBytes *rb_service_claimed (const char *folder, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_service_free (RbService *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbService, rb_service_free)
