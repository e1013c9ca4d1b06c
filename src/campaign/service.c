/* SPDX-License-Identifier: Apache-2.0 */
#include "campaign/service.h"

#include "campaign/roots.h"
#include "campaign/service-client.h"
#include "core/files.h"
#include "core/moment.h"
#include "crypto/digest.h"

#include <string.h>

#define MAX_TARGET (16 * 1024 * 1024)

void
rb_service_free (RbService *self)
{
  if (self == NULL)
    return;
  g_free (self->anchor);
  g_clear_pointer (&self->targets_json, g_bytes_unref);
  g_clear_pointer (&self->campaign_json, g_bytes_unref);
  g_free (self->campaign_sha256);
  g_clear_pointer (&self->campaign, rb_campaign_free);
  g_clear_pointer (&self->model, rb_vehicle_model_free);
  g_clear_pointer (&self->profiles, g_hash_table_unref);
  g_clear_pointer (&self->trust_list_json, g_bytes_unref);
  g_clear_pointer (&self->trust_list, rb_trust_list_unref);
  g_free (self);
}

static gboolean
refuse (GError **error, RbReason reason, const char *text)
{
  g_set_error_literal (error, RB_CAMPAIGN_ERROR, (int) reason, text);
  return FALSE;
}

/* The newest of roots that the anchor has accepted. Borrowed. */
static GBytes *
newest_known (const RbTrustAnchor *anchor, GPtrArray *roots)
{
  for (guint i = roots->len; i > 0; i--)
    if (g_ptr_array_find_with_equal_func (anchor->roots, roots->pdata[i - 1], g_bytes_equal, NULL))
      return roots->pdata[i - 1];
  return NULL;
}

/* The root to begin with: the newest of the anchor that shares one with the bundle, or the bundle's first. What was started under
 * an older root goes on under that one. */
static GBytes *
find_anchor (RbService *self, const char *folder, GPtrArray *anchors, gboolean started, GError **error)
{
  g_autofree char *metadata = g_build_filename (folder, "service", "metadata", NULL);
  g_autoptr (GPtrArray) roots = rb_roots_read (metadata, error);
  if (roots == NULL)
    return NULL;
  if (anchors == NULL)
    return g_bytes_ref (roots->pdata[0]);
  for (guint i = 0; i < anchors->len; i++) {
    const RbTrustAnchor *anchor = anchors->pdata[i];
    if (!rb_trust_anchor_knows (anchor, roots))
      continue;
    self->anchor = g_strdup (anchor->name);
    return g_bytes_ref (started ? newest_known (anchor, roots) : anchor->roots->pdata[anchor->roots->len - 1]);
  }
  if (anchors->len == 0)
    refuse (error, RB_REASON_NO_TRUST_ANCHOR, "no OEM is trusted here yet; install its Service root with “trust add”");
  else
    refuse (error, RB_REASON_WRONG_OEM, "the bundle comes from an OEM that is not trusted here");
  return NULL;
}

static char *
campaign_file (const char *folder, GError **error)
{
  g_autofree char *campaigns = g_build_filename (folder, "service", "targets", "campaigns", NULL);
  g_auto (GStrv) names = rb_files_exists (campaigns) ? rb_files_list (campaigns, error) : g_new0 (char *, 1);
  if (names == NULL)
    return NULL;
  if (g_strv_length (names) != 1) {
    refuse (error, g_strv_length (names) == 0 ? RB_REASON_MISSING : RB_REASON_MALFORMED,
            "a bundle holds exactly one campaign (service/targets/campaigns/)");
    return NULL;
  }
  return g_strdup (names[0]);
}

GBytes *
rb_service_claimed (const char *folder, GError **error)
{
  g_autofree char *file = campaign_file (folder, error);
  g_autofree char *path = file == NULL ? NULL : g_build_filename (folder, "service", "targets", "campaigns", file, NULL);
  return path == NULL ? NULL : rb_files_read (path, MAX_TARGET, error);
}

static gboolean
id_agrees (const char *path, const char *id, GError **error)
{
  g_autofree char *name = g_path_get_basename (path);
  g_autofree char *expected = g_strconcat (id, ".json", NULL);
  if (strcmp (name, expected) == 0)
    return TRUE;
  g_set_error (error, RB_CAMPAIGN_ERROR, RB_REASON_MALFORMED, "%s: member “id” is “%s”, not the file’s name", path, id);
  return FALSE;
}

static gboolean
read_profile (RbService *self, RbServiceClient *client, const char *path, GError **error)
{
  if (g_hash_table_contains (self->profiles, path))
    return TRUE;
  g_autoptr (GBytes) bytes = rb_service_client_read (client, path, error);
  g_autoptr (RbProfile) profile = bytes == NULL ? NULL : rb_profile_parse (bytes, error);
  if (profile == NULL) {
    g_prefix_error (error, "%s: ", path);
    return FALSE;
  }
  if (!id_agrees (path, profile->id, error))
    return FALSE;
  g_hash_table_insert (self->profiles, g_strdup (path), g_steal_pointer (&profile));
  return TRUE;
}

static gboolean
read_profiles (RbService *self, RbServiceClient *client, GError **error)
{
  const GPtrArray *ecus = self->campaign->ecus;
  self->profiles = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) rb_profile_free);
  for (guint i = 0; i < ecus->len; i++) {
    const RbCampaignEcu *ecu = ecus->pdata[i];
    if (rb_vehicle_model_by_hardware_id (self->model, ecu->hardware_id) == NULL) {
      g_set_error (error, RB_CAMPAIGN_ERROR, RB_REASON_HARDWARE_MISMATCH,
                   "the campaign names the hardware id “%s”, which the vehicle model “%s” does not know",
                   ecu->hardware_id, self->model->id);
      return FALSE;
    }
    if (!read_profile (self, client, ecu->profile, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
read_campaign (RbService *self, RbServiceClient *client, const char *path, GError **error)
{
  if ((self->campaign_json = rb_service_client_read (client, path, error)) == NULL
      || (self->campaign = rb_campaign_parse (self->campaign_json, error)) == NULL
      || !id_agrees (path, self->campaign->id, error))
    return FALSE;
  self->campaign_sha256 = rb_digest_sha256_hex_of (self->campaign_json);
  const char *model = self->campaign->vehicle_model;
  g_autoptr (GBytes) model_json = rb_service_client_read (client, model, error);
  return model_json != NULL && (self->model = rb_vehicle_model_parse (model_json, error)) != NULL
         && id_agrees (model, self->model->id, error) && read_profiles (self, client, error);
}

/* A repository without a list can be read, but nothing starts by it (campaign/authority.h). */
static gboolean
read_trust_list (RbService *self, RbServiceClient *client, GError **error)
{
  if (!rb_service_client_lists (client, RB_TRUST_LIST_PATH))
    return TRUE;
  self->trust_list_json = rb_service_client_read (client, RB_TRUST_LIST_PATH, error);
  self->trust_list = self->trust_list_json == NULL ? NULL : rb_trust_list_parse (self->trust_list_json, error);
  return self->trust_list != NULL;
}

static gboolean
verify (RbService *self, const char *folder, GBytes *root, const char *file, GError **error)
{
  g_autoptr (RbServiceClient) client = rb_service_client_new (folder, root, self->moment, error);
  g_autofree char *path = client == NULL ? NULL : rb_service_client_target_path (client, "campaigns", file);
  if (client == NULL || !read_campaign (self, client, path, error) || !read_trust_list (self, client, error)
      || !rb_service_client_check_targets (client, error))
    return FALSE;
  self->timestamp_expires = rb_service_client_metadata (client, "timestamp")->expires;
  self->targets_json = g_bytes_ref (rb_service_client_metadata (client, "targets")->bytes);
  self->targets_version = rb_service_client_metadata (client, "targets")->version;
  return TRUE;
}

static gboolean
check_expiry (const RbCampaign *campaign, gint64 moment, GError **error)
{
  if (moment < campaign->expires)
    return TRUE;
  g_autofree char *at = rb_moment_to_text (campaign->expires);
  g_autofree char *here = rb_moment_to_text (moment);
  g_set_error (error, RB_CAMPAIGN_ERROR, RB_REASON_CAMPAIGN_EXPIRED, "campaign %s expired on %s; here it is %s", campaign->id, at, here);
  return FALSE;
}

RbService *
rb_service_open (const char *folder, GPtrArray *anchors, gint64 moment, gboolean started, GError **error)
{
  g_autoptr (RbService) self = g_new0 (RbService, 1);
  g_autoptr (GError) problem = NULL;
  g_autofree char *file = NULL;
  g_autoptr (RbCampaign) claimed = NULL;
  g_autoptr (GBytes) root = find_anchor (self, folder, anchors, started, error);
  g_autoptr (GBytes) json = root == NULL ? NULL : rb_service_claimed (folder, error);
  if (json == NULL || (file = campaign_file (folder, error)) == NULL || (claimed = rb_campaign_parse (json, error)) == NULL)
    return NULL;
  self->moment = MAX (moment, claimed->issued);
  if (verify (self, folder, root, file, &problem))
    return check_expiry (self->campaign, self->moment, error) ? g_steal_pointer (&self) : NULL;
  /* metadata dies with its campaign: then that is what a person needs to hear, and refused it is either way */
  if (rb_reason_of (problem) == RB_REASON_EXPIRED && !check_expiry (claimed, self->moment, error))
    return NULL;
  g_propagate_error (error, g_steal_pointer (&problem));
  return NULL;
}
