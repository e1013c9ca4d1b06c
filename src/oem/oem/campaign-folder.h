/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "authority/oem-folder.h"
#include "model/campaign.h"

/*
 * A campaign in the OEM's folder: campaigns/ID.json as it goes to the Service repository, and
 * campaigns/ID.vehicles.jsonl, its vehicles as built.
 */
typedef struct {
  const RbOemFolder *folder; /* borrowed */
  RbCampaign *campaign;
  GBytes *json;
  json_t *vehicles;
} RbCampaignFolder;

/* Errors: campaign-unknown, malformed. */
RbCampaignFolder *rb_campaign_folder_load (const RbOemFolder *folder, const char *id, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
void rb_campaign_folder_free (RbCampaignFolder *self);
/* The path of such a file. (transfer full) */
char *rb_campaign_folder_file (const RbOemFolder *folder, const char *id, const char *suffix);
/* Is the campaign what the published Director and Image repository have? Errors: campaign-expired, campaign-withdrawn,
 * root-version (another root is published), target-missing, target-mismatch (of an image). */
gboolean rb_campaign_folder_check (const RbCampaignFolder *self, gint64 now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The next version of the campaign, issued now: the Director's metadata of its vehicles gets the same expiry. Published
 * as a new one is. Errors: campaign-withdrawn, those of the repositories' authoring. */
gboolean rb_campaign_folder_renew (const RbCampaignFolder *self, gint64 now, gint64 expires, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Has the Service repository published exactly this campaign? Error campaign-unknown. */
gboolean rb_campaign_folder_check_published (const RbCampaignFolder *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A file of a published repository. (transfer full) */
char *rb_campaign_folder_published (const RbCampaignFolder *self, const char *kind, const char *name);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbCampaignFolder, rb_campaign_folder_free)
