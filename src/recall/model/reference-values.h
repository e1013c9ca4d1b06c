/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "model/campaign.h"
#include "model/completeness.h"
#include "model/profile.h"
#include "model/trust-list.h"
#include "model/vehicle-model.h"

/* What an opened bundle states about one campaign, for a verifier of records. rb_reference_bundle_values() fills it;
 * record/ only reads it. */
typedef struct {
  const RbCampaign *campaign;
  const char *campaign_sha256; /* of campaign.json */
  const RbVehicleModel *model; /* which ECUs check fully */
  /* The image with that digest; NULL with error when the bundle has none. (transfer full) */
  GBytes *(*image) (gpointer data, const char *sha256, GError **error);
  /* What has to be done for that vehicle to be complete: (element-type RbCompletenessEcu); NULL without error when the
   * bundle does not say. May be NULL. (transfer full) */
  GPtrArray *(*completeness) (gpointer data, const char *vin, GError **error);
  /* The profile the campaign gives that hardware id; NULL: none. May be NULL. Borrowed. */
  const RbProfile *(*profile) (gpointer data, const char *hardware_id);
  gpointer data;
  /* The SHE key update that the OEM made for that ECU: {"slot", "counter", "answer_sha256"}, borrowed until the next
   * question; NULL: not known. May be NULL. */
  const json_t *(*she) (gpointer data, const char *vin, const char *serial);
  const RbTrustList *trust_list; /* the OEM's, as the bundle has it; NULL: not known */
  /* The same by Director targets that the record quotes, which have to be the OEM's for that vehicle; NULL with error
   * when they are not. May be NULL. (transfer full) */
  GPtrArray *(*directed) (gpointer data, const char *vin, GBytes *targets, GError **error);
} RbReferenceValues;
