/* SPDX-License-Identifier: Apache-2.0 */
/* Campaigns, profiles, trust lists and vehicle models. */
#include "fuzz.h"
#include "model/campaign.h"
#include "model/profile.h"
#include "model/trust-list.h"
#include "model/vehicle-model.h"

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  g_autoptr (RbCampaign) campaign G_GNUC_UNUSED = rb_campaign_parse (bytes, NULL);
  g_autoptr (RbProfile) profile G_GNUC_UNUSED = rb_profile_parse (bytes, NULL);
  g_autoptr (RbTrustList) list G_GNUC_UNUSED = rb_trust_list_parse (bytes, NULL);
  g_autoptr (RbVehicleModel) model G_GNUC_UNUSED = rb_vehicle_model_parse (bytes, NULL);
  rb_campaign_container_is_valid (bytes);
  return 0;
}
