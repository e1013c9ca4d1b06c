/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "authority/authoring.h"

/* What the OEM decides about a campaign, as one file (JSON: data/schemas/plan.json), and the campaign that it becomes.
 */
typedef struct {
  json_t *campaign; /* data/schemas/campaign.json */
  json_t *vehicles; /* [{"vin", "region", "ecus": [{"serial", "hardware_id"}], "she": [update]}] */
  GHashTable *documents; /* target path of the Service repository → file: the vehicle model and the profiles */
} RbCampaignPlan;

/* What a plan is judged by: the repositories of the OEM. All borrowed. */
typedef struct {
  const RbOemFolder *folder;
  const RbAuthoring *image, *service;
  gint64 now;
} RbCampaignPlanOem;

/* Errors name the member or the line: malformed, missing, target-missing (the Image repository does not list an image),
 * ecu-not-directed (a vehicle has hardware without a target), not-in-anchor-scope, exists (a VIN or document is there
 * twice), policy (an organisation holds no key of the Service repository's targets), too-large, those of rb_files. */
RbCampaignPlan *rb_campaign_plan_read (const char *file, const char *id, const RbCampaignPlanOem *oem, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
void rb_campaign_plan_free (RbCampaignPlan *self);
/* The Director's assignments of a vehicle, "SERIAL:HARDWARE-ID=PATH". (transfer full) */
GStrv rb_campaign_plan_assignments (const RbCampaignPlan *self, const json_t *vehicle);
/* Vehicles, one JSON object a line. Errors: malformed, too-large, exists. (transfer full) */
json_t *rb_campaign_plan_vehicles (const char *file, GError **error) G_GNUC_WARN_UNUSED_RESULT;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbCampaignPlan, rb_campaign_plan_free)
