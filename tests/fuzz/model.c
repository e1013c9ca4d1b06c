/* SPDX-License-Identifier: Apache-2.0 */
/* Campaigns, profiles, trust lists and vehicle models. While it is fuzzed, an input goes to the reader that a member of
 * it calls for, so that it is parsed once; the replay of the corpus gives it to all. */
#include "fuzz.h"
#include "model/campaign.h"
#include "model/profile.h"
#include "model/trust-list.h"
#include "model/vehicle-model.h"

static gboolean
calls_for (GBytes *bytes, const char *member)
{
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
  gsize length = 0;
  const char *text = g_bytes_get_data (bytes, &length);
  return g_strstr_len (text, (gssize) length, member) != NULL;
#else
  return TRUE;
#endif
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  gboolean is_campaign = calls_for (bytes, "\"checklist\""), is_profile = calls_for (bytes, "\"flash\""),
           is_model = calls_for (bytes, "\"buses\"");
  g_autoptr (RbCampaign) campaign G_GNUC_UNUSED = is_campaign ? rb_campaign_parse (bytes, NULL) : NULL;
  g_autoptr (RbProfile) profile G_GNUC_UNUSED = is_profile ? rb_profile_parse (bytes, NULL) : NULL;
  g_autoptr (RbVehicleModel) model G_GNUC_UNUSED = is_model ? rb_vehicle_model_parse (bytes, NULL) : NULL;
  gboolean is_list = calls_for (bytes, "\"dealer_cas\"") || !(is_campaign || is_profile || is_model);
  g_autoptr (RbTrustList) list G_GNUC_UNUSED = is_list ? rb_trust_list_parse (bytes, NULL) : NULL;
  rb_campaign_container_is_valid (bytes);
  return 0;
}
