/* SPDX-License-Identifier: Apache-2.0 */
#include "campaign/service.h"

#include "campaign/roots.h"
#include "core/files.h"
#include "core/moment.h"
#include "crypto/digest.h"
#include "uptane/tuf.h"

#include <string.h>

#define MAX_TARGET (16 * 1024 * 1024)

void
rb_service_free (RbService *self)
{
  if (self == NULL)
    return;
  g_free (self->anchor);
  g_clear_pointer (&self->campaign_json, g_bytes_unref);
  g_free (self->campaign_sha256);
  g_clear_pointer (&self->campaign, rb_campaign_free);
  g_clear_pointer (&self->model, rb_vehicle_model_free);
  g_clear_pointer (&self->profiles, g_hash_table_unref);
  g_free (self);
}

static gboolean
refuse (GError **error, RbReason reason, const char *text)
{
  g_set_error_literal (error, RB_CAMPAIGN_ERROR, (int) reason, text);
  return FALSE;
}

/* The root to begin with: the newest of the anchor that shares one with the bundle, or the bundle's first. */
static GBytes *
find_anchor (RbService *self, const char *folder, GPtrArray *anchors, GError **error)
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
    return g_bytes_ref (anchor->roots->pdata[anchor->roots->len - 1]);
  }
  if (anchors->len == 0)
    refuse (error, RB_REASON_NO_TRUST_ANCHOR, "no OEM is trusted here yet; install its Service root with “trust add”");
  else
    refuse (error, RB_REASON_WRONG_OEM, "the bundle comes from an OEM that is not trusted here");
  return NULL;
}

/* The one file in service/targets/campaigns/. */
static char *
campaign_path (const char *folder, GError **error)
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
  return g_strconcat ("campaigns/", names[0], NULL);
}

static RbCampaign *
peek_campaign (const char *folder, const char *path, GError **error)
{
  g_autofree char *file = g_build_filename (folder, "service", "targets", path, NULL);
  g_autoptr (GBytes) bytes = rb_files_read (file, MAX_TARGET, error);
  return bytes == NULL ? NULL : rb_campaign_parse (bytes, error);
}

static GBytes *
read_target (RbTuf *tuf, const char *path, GError **error)
{
  g_autoptr (RbTarget) target = rb_tuf_target (tuf, path, error);
  return target == NULL ? NULL : rb_tuf_read_target (tuf, target, error);
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
read_profile (RbService *self, RbTuf *tuf, const char *path, GError **error)
{
  if (g_hash_table_contains (self->profiles, path))
    return TRUE;
  g_autoptr (GBytes) bytes = read_target (tuf, path, error);
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
read_profiles (RbService *self, RbTuf *tuf, GError **error)
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
    if (!read_profile (self, tuf, ecu->profile, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
read_campaign (RbService *self, RbTuf *tuf, const char *path, GError **error)
{
  if ((self->campaign_json = read_target (tuf, path, error)) == NULL
      || (self->campaign = rb_campaign_parse (self->campaign_json, error)) == NULL
      || !id_agrees (path, self->campaign->id, error))
    return FALSE;
  self->campaign_sha256 = rb_digest_sha256_hex_of (self->campaign_json);
  const char *model = self->campaign->vehicle_model;
  g_autoptr (GBytes) model_json = read_target (tuf, model, error);
  return model_json != NULL && (self->model = rb_vehicle_model_parse (model_json, error)) != NULL
         && id_agrees (model, self->model->id, error) && read_profiles (self, tuf, error);
}

/* Nothing lies in service/targets/ that no role vouches for. */
static gboolean
check_all_targets (RbTuf *tuf, const char *folder, GError **error)
{
  g_autofree char *targets = g_build_filename (folder, "service", "targets", NULL);
  g_auto (GStrv) groups = rb_files_list (targets, error);
  for (guint i = 0; groups != NULL && groups[i] != NULL; i++) {
    g_autofree char *group = g_build_filename (targets, groups[i], NULL);
    g_auto (GStrv) names = rb_files_list (group, error);
    for (guint j = 0; names != NULL && names[j] != NULL; j++) {
      g_autofree char *path = g_strconcat (groups[i], "/", names[j], NULL);
      g_autoptr (GBytes) bytes = read_target (tuf, path, error);
      if (bytes == NULL)
        return FALSE;
    }
    if (names == NULL)
      return FALSE;
  }
  return groups != NULL;
}

static gboolean
verify (RbService *self, const char *folder, GBytes *root, const char *path, GError **error)
{
  g_autofree char *metadata = g_build_filename (folder, "service", "metadata", NULL);
  g_autofree char *targets = g_build_filename (folder, "service", "targets", NULL);
  g_autoptr (RbStore) store = rb_roots_store (root, error);
  if (store == NULL)
    return FALSE;
  const RbTufOptions options = { .now = self->moment, .repo = "service" };
  g_autoptr (RbSource) source = rb_source_first_of (rb_source_folder (metadata), rb_source_folder (targets), NULL);
  g_autoptr (RbTuf) tuf = rb_tuf_new (store, source, &options);
  if (!rb_tuf_refresh (tuf, NULL, error) || !read_campaign (self, tuf, path, error)
      || !check_all_targets (tuf, folder, error))
    return FALSE;
  self->timestamp_expires = rb_tuf_expires (tuf, "timestamp");
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
rb_service_open (const char *folder, GPtrArray *anchors, gint64 moment, GError **error)
{
  g_autoptr (RbService) self = g_new0 (RbService, 1);
  g_autoptr (GError) problem = NULL;
  g_autofree char *path = NULL;
  g_autoptr (RbCampaign) claimed = NULL;
  g_autoptr (GBytes) root = find_anchor (self, folder, anchors, error);
  if (root == NULL || (path = campaign_path (folder, error)) == NULL
      || (claimed = peek_campaign (folder, path, error)) == NULL)
    return NULL;
  self->moment = MAX (moment, claimed->issued);
  if (verify (self, folder, root, path, &problem))
    return check_expiry (self->campaign, self->moment, error) ? g_steal_pointer (&self) : NULL;
  /* metadata dies with its campaign: then that is what a person needs to hear, and refused it is either way */
  if (rb_reason_of (problem) == RB_REASON_EXPIRED && !check_expiry (claimed, self->moment, error))
    return NULL;
  g_propagate_error (error, g_steal_pointer (&problem));
  return NULL;
}
