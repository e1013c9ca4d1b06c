/* SPDX-License-Identifier: Apache-2.0 */
/* parse-model: reads lines "KIND PATH", says for each "ok" or what the parser says against it */
#include "core/files.h"
#include "model/campaign.h"
#include "model/profile.h"
#include "model/trust-list.h"
#include "model/vehicle-model.h"

#include <stdio.h>
#include <string.h>

static gboolean
parse (const char *kind, GBytes *bytes, GError **error)
{
  if (strcmp (kind, "campaign") == 0) {
    g_autoptr (RbCampaign) campaign = rb_campaign_parse (bytes, error);
    return campaign != NULL;
  }
  if (strcmp (kind, "profile") == 0) {
    g_autoptr (RbProfile) profile = rb_profile_parse (bytes, error);
    return profile != NULL;
  }
  if (strcmp (kind, "trust-list") == 0) {
    g_autoptr (RbTrustList) list = rb_trust_list_parse (bytes, error);
    return list != NULL;
  }
  g_autoptr (RbVehicleModel) model = rb_vehicle_model_parse (bytes, error);
  return model != NULL;
}

int
main (void)
{
  char line[4096];
  while (fgets (line, sizeof line, stdin) != NULL) {
    g_autoptr (GError) error = NULL;
    g_auto (GStrv) words = g_strsplit (g_strchomp (line), " ", 2);
    g_autoptr (GBytes) bytes = rb_files_read (words[1], 1 << 24, &error);
    if (bytes != NULL && parse (words[0], bytes, &error))
      printf ("ok\n");
    else
      printf ("%s %s\n", rb_reason_word (rb_reason_of (error)), error->message);
  }
  return 0;
}
