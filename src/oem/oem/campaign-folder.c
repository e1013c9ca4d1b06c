/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/campaign-folder.h"

#include "authority/target-list.h"
#include "core/files.h"
#include "core/json.h"
#include "crypto/digest.h"
#include "model/member.h"
#include "oem/campaign-plan.h"
#include "oem/error.h"
#include "pki/people.h"

#include <string.h>

#define MAX_FILE (16 * 1024 * 1024)

static gboolean
campaign_folder_error (GError **error, RbReason reason, const char *what, const char *text)
{
  return rb_reason_deny (error, RB_OEM_ERROR, reason, "%s: %s", what, text);
}

void
rb_campaign_folder_free (RbCampaignFolder *self)
{
  g_clear_pointer (&self->campaign, rb_campaign_free);
  g_clear_pointer (&self->json, g_bytes_unref);
  json_decref (self->vehicles);
  g_free (self);
}

char *
rb_campaign_folder_file (const RbOemFolder *folder, const char *id, const char *suffix)
{
  g_autofree char *file = g_strconcat (id, suffix, NULL);
  return g_build_filename (folder->path, "campaigns", file, NULL);
}

RbCampaignFolder *
rb_campaign_folder_load (const RbOemFolder *folder, const char *id, GError **error)
{
  g_autoptr (RbCampaignFolder) self = g_new0 (RbCampaignFolder, 1);
  g_autofree char *path = rb_campaign_folder_file (folder, id, ".json");
  g_autofree char *vehicles = rb_campaign_folder_file (folder, id, ".vehicles.jsonl");
  if (!rb_member_id_is_valid (id) || !rb_files_exists (path)) {
    campaign_folder_error (error, RB_REASON_CAMPAIGN_UNKNOWN, id, "the OEM's folder does not have this campaign");
    return NULL;
  }
  self->folder = folder;
  self->json = rb_files_read (path, MAX_FILE, error);
  self->campaign = self->json == NULL ? NULL : rb_campaign_parse (self->json, error);
  self->vehicles = self->campaign == NULL ? NULL : rb_campaign_plan_vehicles (vehicles, error);
  return self->vehicles == NULL ? NULL : g_steal_pointer (&self);
}

char *
rb_campaign_folder_published (const RbCampaignFolder *self, const char *kind, const char *name)
{
  return g_build_filename (self->folder->path, "repositories", kind, name, NULL);
}

/* The newest root that is published is the one the campaign names. */
static gboolean
check_root (const RbCampaignFolder *self, const char *kind, const RbCampaignRoot *root, GError **error)
{
  g_autofree char *path = rb_campaign_folder_published (self, kind, "root.json");
  g_autoptr (GBytes) bytes = rb_files_read (path, MAX_FILE, error);
  g_autofree char *sha256 = bytes == NULL ? NULL : rb_digest_sha256_hex_of (bytes);
  if (sha256 == NULL)
    return FALSE;
  return strcmp (sha256, root->sha256) == 0
         || rb_reason_deny (error, RB_OEM_ERROR, RB_REASON_ROOT_VERSION,
                            "campaign %s: %s: published root differs from root %" G_GINT64_FORMAT " of the campaign",
                            self->campaign->id, kind, root->version);
}

/* The Image repository has the image with the campaign's digest. */
static gboolean
check_image (const RbCampaignFolder *self, const RbCampaignEcu *ecu, GError **error)
{
  g_autofree char *name = g_build_filename ("targets", ecu->image, NULL);
  g_autofree char *path = rb_campaign_folder_published (self, "image", name);
  if (!rb_files_exists (path))
    return campaign_folder_error (error, RB_REASON_TARGET_MISSING, ecu->image,
                                  "the Image repository does not publish it");
  g_autoptr (GBytes) bytes = rb_files_map (path, G_MAXSIZE, error);
  g_autofree char *sha256 = bytes == NULL ? NULL : rb_digest_sha256_hex_of (bytes);
  if (sha256 == NULL)
    return FALSE;
  return strcmp (sha256, ecu->image_sha256) == 0
         || campaign_folder_error (error, RB_REASON_TARGET_MISMATCH, ecu->image,
                                   "published digest differs from the campaign's");
}

static gboolean
check_not_withdrawn (const RbCampaignFolder *self, GError **error)
{
  return !rb_people_is_withdrawn (self->folder->path, self->campaign->id)
         || campaign_folder_error (error, RB_REASON_CAMPAIGN_WITHDRAWN, self->campaign->id,
                                   "the campaign is withdrawn");
}

gboolean
rb_campaign_folder_check (const RbCampaignFolder *self, gint64 now, GError **error)
{
  if (now >= self->campaign->expires)
    return campaign_folder_error (error, RB_REASON_CAMPAIGN_EXPIRED, self->campaign->id, "the campaign has expired");
  if (!check_not_withdrawn (self, error) || !check_root (self, "director", &self->campaign->director_root, error)
      || !check_root (self, "image", &self->campaign->image_root, error))
    return FALSE;
  for (guint i = 0; i < self->campaign->ecus->len; i++)
    if (!check_image (self, self->campaign->ecus->pdata[i], error))
      return FALSE;
  return TRUE;
}

gboolean
rb_campaign_folder_check_published (const RbCampaignFolder *self, GError **error)
{
  g_autofree char *name = g_strdup_printf ("targets/campaigns/%s.json", self->campaign->id);
  g_autofree char *path = rb_campaign_folder_published (self, "service", name);
  g_autoptr (GBytes) bytes = rb_files_exists (path) ? rb_files_read (path, MAX_FILE, error) : g_bytes_new (NULL, 0);
  if (bytes == NULL)
    return FALSE;
  return g_bytes_equal (bytes, self->json)
         || campaign_folder_error (error, RB_REASON_CAMPAIGN_UNKNOWN, self->campaign->id,
                                   "the Service repository has not published this campaign");
}

/* The Director's metadata of the campaign's vehicles expires with it. */
static gboolean
renew_vehicles (const RbCampaignFolder *self, gint64 expires, GError **error)
{
  g_autoptr (RbAuthoring) director = rb_authoring_load (self->folder->path, "director", error);
  size_t i;
  json_t *vehicle;
  if (director == NULL)
    return FALSE;
  json_array_foreach (self->vehicles, i, vehicle) {
    json_t *directed = json_object_get (director->vehicles, rb_json_string_or (vehicle, "vin", ""));
    if (directed != NULL)
      rb_json_set_moment (directed, "expires", expires);
  }
  return rb_authoring_save (director, error);
}

gboolean
rb_campaign_folder_renew (const RbCampaignFolder *self, gint64 now, gint64 expires, GError **error)
{
  g_autofree char *file = rb_campaign_folder_file (self->folder, self->campaign->id, ".json");
  g_autofree char *path = g_strdup_printf ("campaigns/%s.json", self->campaign->id);
  g_autoptr (json_t) next = rb_json_parse (self->json, MAX_FILE, file, error);
  g_autoptr (RbAuthoring) service = next == NULL ? NULL : rb_authoring_load (self->folder->path, "service", error);
  const RbTargetListImage target = { .path = path, .file = file, .release_counter = -1 };
  if (service == NULL || !check_not_withdrawn (self, error))
    return FALSE;
  rb_json_set_integer (next, "version", self->campaign->version + 1);
  rb_json_set_moment (next, "issued", now);
  rb_json_set_moment (next, "expires", expires);
  g_autofree char *text = rb_json_to_pretty (next);
  return renew_vehicles (self, expires, error) && rb_files_write_private_text (file, text, error)
         && rb_target_list_add (service, &target, error) && rb_authoring_save (service, error);
}
