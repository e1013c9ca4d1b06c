/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "oem/campaign-folder.h"

/* Which vehicles' packs go into a bundle; both NULL: all. */
typedef struct {
  const char *region;
  const char *const *vins;
} RbCampaignBundleFilter;

/* Writes campaign.recall from the published repositories, and verifies it as a workstation does before it takes the
 * place of output. packs: how many vehicles have one in it. Errors: vin-pack-missing (the Director has not published a
 * vehicle's metadata), not-in-scope (filter names another vehicle), the words of a workstation. */
gboolean rb_campaign_bundle_write (const RbCampaignFolder *self, const RbCampaignBundleFilter *filter,
                                   const char *output, gint64 now, guint *packs, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
