/* SPDX-License-Identifier: Apache-2.0 */
#include "campaign/service.h"

#include "campaign/roots.h"
#include "campaign/service-client.h"
#include "campaign/shape.h"
#include "core/files.h"
#include "core/json.h"
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
  g_clear_pointer (&self->regions, g_ptr_array_unref);
  g_clear_pointer (&self->model, rb_vehicle_model_free);
  g_clear_pointer (&self->profiles, g_hash_table_unref);
  g_clear_pointer (&self->trust_list_json, g_bytes_unref);
  g_clear_pointer (&self->trust_list, rb_trust_list_unref);
  g_free (self);
}

/* The newest of roots that the anchor has accepted. Borrowed. */
static GBytes *
newest_known (const RbAnchor *anchor, GPtrArray *roots)
{
  for (guint i = roots->len; i > 0; i--)
    if (g_ptr_array_find_with_equal_func (anchor->roots, roots->pdata[i - 1], g_bytes_equal, NULL))
      return roots->pdata[i - 1];
  return NULL;
}

/* The root to begin with: the newest of the anchor that shares one with the bundle, or the bundle's first. What was
 * started under an older root goes on under that one. */
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
    const RbAnchor *anchor = anchors->pdata[i];
    if (!rb_anchor_knows (anchor, roots))
      continue;
    self->anchor = g_strdup (anchor->name);
    return g_bytes_ref (started ? newest_known (anchor, roots) : anchor->roots->pdata[anchor->roots->len - 1]);
  }
  if (anchors->len == 0)
    rb_reason_deny (error, RB_CAMPAIGN_ERROR, RB_REASON_NO_TRUST_ANCHOR,
                    "no OEM is trusted here yet; install its Service root with “trust add”");
  else
    rb_reason_deny (error, RB_CAMPAIGN_ERROR, RB_REASON_WRONG_OEM,
                    "the bundle comes from an OEM that is not trusted here");
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
    rb_reason_deny (error, RB_CAMPAIGN_ERROR, g_strv_length (names) == 0 ? RB_REASON_MISSING : RB_REASON_MALFORMED,
                    "a bundle holds exactly one campaign (service/targets/campaigns/)");
    return NULL;
  }
  return g_strdup (names[0]);
}

GBytes *
rb_service_claimed (const char *folder, GError **error)
{
  g_autofree char *file = campaign_file (folder, error);
  g_autofree char *path
    = file == NULL ? NULL : g_build_filename (folder, "service", "targets", "campaigns", file, NULL);
  return path == NULL ? NULL : rb_files_read (path, MAX_TARGET, error);
}

/* Takes table, which may be NULL. */
static RbVinIndex *
index_of (const char *folder, const char *path, GBytes *table, GError **error)
{
  g_autoptr (GBytes) owned = table;
  g_autofree char *inner = rb_shape_pieces (path);
  g_autofree char *pieces = inner == NULL ? NULL : g_build_filename (folder, inner, NULL);
  return owned == NULL ? NULL : rb_vin_index_new (owned, path, pieces, error);
}

/* The bytes that the campaign names, under the name of the target or with its hash before it. */
static GBytes *
claimed_table (const char *folder, const RbCampaign *campaign, GError **error)
{
  const char *name = strrchr (campaign->scope_table, '/') + 1;
  g_autofree char *hashed = g_strdup_printf ("%s.%s", campaign->scope_sha256, name);
  g_autofree char *one = g_build_filename (folder, "service", "targets", "scopes", hashed, NULL);
  g_autofree char *other = g_build_filename (folder, "service", "targets", campaign->scope_table, NULL);
  return rb_files_read (rb_files_exists (one) ? one : other, MAX_TARGET, error);
}

RbCampaign *
rb_service_claimed_campaign (const char *folder, GError **error)
{
  g_autoptr (GBytes) json = rb_service_claimed (folder, error);
  g_autoptr (RbCampaign) campaign = json == NULL ? NULL : rb_campaign_parse (json, error);
  if (campaign == NULL || campaign->scope_table == NULL)
    return g_steal_pointer (&campaign);
  RbVinIndex *scope = index_of (folder, campaign->scope_table, claimed_table (folder, campaign, error), error);
  return scope != NULL && rb_campaign_take_scope (campaign, scope, error) ? g_steal_pointer (&campaign) : NULL;
}

gint64
rb_service_claimed_packs (const char *folder)
{
  gint64 packs = 0;
  g_autofree char *place = g_build_filename (folder, "service", "targets", "regions", NULL);
  g_auto (GStrv) names = rb_files_exists (place) ? rb_files_list (place, NULL) : NULL;
  for (guint i = 0; names != NULL && names[i] != NULL; i++) {
    g_autofree char *path = g_build_filename (place, names[i], NULL);
    g_autoptr (GBytes) table = rb_files_read (path, MAX_TARGET, NULL);
    g_autoptr (RbVinIndex) index = table == NULL ? NULL : rb_vin_index_new (table, names[i], NULL, NULL);
    packs += index == NULL ? 0 : (gint64) MIN (rb_vin_index_vins (index), G_MAXINT32);
  }
  return packs;
}

const RbVinIndex *
rb_service_index (const RbService *self, const char *table)
{
  if (self->campaign->scope != NULL && strcmp (self->campaign->scope_table, table) == 0)
    return self->campaign->scope;
  for (guint i = 0; i < self->regions->len; i++)
    if (strcmp (rb_vin_index_name (self->regions->pdata[i]), table) == 0)
      return self->regions->pdata[i];
  return NULL;
}

static gboolean
has_pieces (const RbVinIndex *index, const char *folder, GError **error)
{
  g_autofree char *inner = rb_shape_pieces (rb_vin_index_name (index));
  g_autofree char *path = g_build_filename (folder, inner, NULL);
  return rb_files_exists (path)
         || rb_reason_deny (error, RB_CAMPAIGN_ERROR, RB_REASON_MISSING,
                            "%s: the bundle has its table and not this file", inner);
}

gboolean
rb_service_check_pieces (const RbService *self, const char *folder, GError **error)
{
  if (self->campaign->scope != NULL && !has_pieces (self->campaign->scope, folder, error))
    return FALSE;
  for (guint i = 0; i < self->regions->len; i++)
    if (!has_pieces (self->regions->pdata[i], folder, error))
      return FALSE;
  return TRUE;
}

gboolean
rb_service_names (const RbService *self, const char *path, GBytes *bytes)
{
  g_autoptr (json_t) json = rb_json_parse (self->targets_json, MAX_TARGET, "targets", NULL);
  const json_t *entry = json_object_get (json_object_get (json_object_get (json, "signed"), "targets"), path);
  g_autofree char *sha256 = rb_digest_sha256_hex_of (bytes);
  return g_strcmp0 (rb_json_string_or (json_object_get (entry, "hashes"), "sha256", NULL), sha256) == 0;
}

static gboolean
read_scope (RbService *self, RbServiceClient *client, const char *folder, GError **error)
{
  const char *table = self->campaign->scope_table;
  if (table == NULL)
    return TRUE;
  RbVinIndex *scope = index_of (folder, table, rb_service_client_read (client, table, error), error);
  return scope != NULL && rb_campaign_take_scope (self->campaign, scope, error);
}

static gboolean
read_regions (RbService *self, RbServiceClient *client, const char *folder, GError **error)
{
  g_autofree char *place = g_build_filename (folder, "service", "targets", "regions", NULL);
  g_auto (GStrv) names = rb_files_exists (place) ? rb_files_list (place, error) : g_new0 (char *, 1);
  self->regions = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_vin_index_free);
  for (guint i = 0; names != NULL && names[i] != NULL; i++) {
    g_autofree char *path = rb_service_client_target_path (client, "regions", names[i]);
    RbVinIndex *region = index_of (folder, path, rb_service_client_read (client, path, error), error);
    if (region == NULL)
      return FALSE;
    g_ptr_array_add (self->regions, region);
  }
  return names != NULL;
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

/* A repository without a list can be read, but nothing starts by it (library/authority.h). */
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
  if (client == NULL || !read_campaign (self, client, path, error) || !read_scope (self, client, folder, error)
      || !read_regions (self, client, folder, error) || !read_trust_list (self, client, error)
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
  g_set_error (error, RB_CAMPAIGN_ERROR, RB_REASON_CAMPAIGN_EXPIRED, "campaign %s expired on %s; here it is %s",
               campaign->id, at, here);
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
  if (json == NULL || (file = campaign_file (folder, error)) == NULL
      || (claimed = rb_campaign_parse (json, error)) == NULL)
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

gboolean
rb_service_read_trust_list (const char *folder, const RbAnchor *anchor, gint64 moment, GBytes **json, GError **error)
{
  if (!rb_service_client_check_state (anchor, folder, moment, error))
    return FALSE;
  g_autoptr (RbServiceClient) client
    = rb_service_client_new (folder, anchor->roots->pdata[anchor->roots->len - 1], moment, error);
  if (client == NULL)
    return FALSE;
  *json = rb_service_client_lists (client, RB_TRUST_LIST_PATH)
            ? rb_service_client_read (client, RB_TRUST_LIST_PATH, error)
            : NULL;
  return *json != NULL || !rb_service_client_lists (client, RB_TRUST_LIST_PATH);
}
