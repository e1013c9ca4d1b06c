/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/campaign-bundle.h"

#include "campaign/bundle.h"
#include "core/files.h"
#include "core/json.h"
#include "oem/error.h"
#include "oem/file-set.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#define MAX_ROOT (1024 * 1024)

typedef struct {
  const RbCampaignFolder *campaign;
  const RbCampaignBundleFilter *filter;
  RbFileSet *pack;
  guint packs;
} Bundle;

/* A published file, as inner in the bundle. */
static void
add_published (Bundle *self, const char *kind, const char *name, const char *inner)
{
  g_autofree char *path = rb_campaign_folder_published (self->campaign, kind, name);
  rb_file_set_add_file (self->pack, path, inner);
}

/* Metadata of a repository; of the Director the roots alone, the rest is in the packs. */
static gboolean
add_metadata (Bundle *self, const char *kind, GError **error)
{
  g_autofree char *folder = rb_campaign_folder_published (self->campaign, kind, "");
  g_auto (GStrv) names = rb_files_list (folder, error);
  gboolean roots_only = strcmp (kind, "director") == 0;
  for (guint i = 0; names != NULL && names[i] != NULL; i++) {
    g_autofree char *inner = g_strdup_printf ("%s/metadata/%s", kind, names[i]);
    gboolean numbered = g_str_has_suffix (names[i], ".root.json");
    gboolean wanted = g_str_has_suffix (names[i], ".json") && strcmp (names[i], "root.json") != 0
                      && strcmp (names[i], "keys.json") != 0;
    if (wanted && (numbered || !roots_only))
      add_published (self, kind, names[i], inner);
  }
  return names != NULL;
}

/* A target of the Service repository, where it is published. */
static void
add_document (Bundle *self, const char *target)
{
  g_autofree char *name = g_build_filename ("targets", target, NULL);
  g_autofree char *inner = g_build_filename ("service/targets", target, NULL);
  g_autofree char *path = rb_campaign_folder_published (self->campaign, "service", name);
  if (rb_files_exists (path))
    rb_file_set_add_file (self->pack, path, inner);
}

static void
add_documents (Bundle *self)
{
  const RbCampaign *campaign = self->campaign->campaign;
  g_autofree char *own = g_strdup_printf ("campaigns/%s.json", campaign->id);
  g_autoptr (GHashTable) profiles = g_hash_table_new (g_str_hash, g_str_equal);
  add_document (self, own);
  add_document (self, campaign->vehicle_model);
  for (guint i = 0; i < campaign->ecus->len; i++) {
    const RbCampaignEcu *ecu = campaign->ecus->pdata[i];
    if (g_hash_table_add (profiles, ecu->profile))
      add_document (self, ecu->profile);
  }
  add_document (self, "trust/trust-list.json");
}

static gboolean
is_wanted (const Bundle *self, const json_t *vehicle)
{
  const RbCampaignBundleFilter *filter = self->filter;
  return (filter->region == NULL || strcmp (rb_json_string_or (vehicle, "region", ""), filter->region) == 0)
         && (filter->vins == NULL || g_strv_contains (filter->vins, rb_json_string_or (vehicle, "vin", "")));
}

static gboolean
add_pack (Bundle *self, const json_t *vehicle, GError **error)
{
  static const char *const files[] = { "timestamp.json", "snapshot.json", "targets.json" };
  const char *vin = rb_json_string_or (vehicle, "vin", "");
  json_t *updates = json_object_get (vehicle, "she");
  for (guint i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autofree char *name = g_strdup_printf ("vins/%s/%s", vin, files[i]);
    g_autofree char *inner = g_strdup_printf ("vins/%s/director/%s", vin, files[i]);
    g_autofree char *path = rb_campaign_folder_published (self->campaign, "director", name);
    if (!rb_files_exists (path))
      return rb_reason_deny (error, RB_OEM_ERROR, RB_REASON_VIN_PACK_MISSING,
                             "vehicle %s: the Director has not published its metadata", vin);
    add_published (self, "director", name, inner);
  }
  if (json_array_size (updates) > 0) {
    g_autoptr (json_t) she = json_pack ("{s:s,s:O}", "format", "recallbay-she-2", "updates", updates);
    g_autoptr (GBytes) bytes = rb_json_to_bytes (she);
    rb_file_set_add (self->pack, bytes, "vins/%s/she.json", vin);
  }
  self->packs++;
  return TRUE;
}

static gboolean
add_packs (Bundle *self, GError **error)
{
  const char *const *vins = self->filter->vins;
  size_t i;
  json_t *vehicle;
  for (guint j = 0; vins != NULL && vins[j] != NULL; j++)
    if (!rb_campaign_check_vin (self->campaign->campaign, vins[j], error))
      return FALSE;
  json_array_foreach (self->campaign->vehicles, i, vehicle)
    if (is_wanted (self, vehicle) && !add_pack (self, vehicle, error))
      return FALSE;
  return TRUE;
}

static void
add_images (Bundle *self)
{
  const RbCampaign *campaign = self->campaign->campaign;
  g_autoptr (GHashTable) known = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < campaign->ecus->len; i++) {
    const RbCampaignEcu *ecu = campaign->ecus->pdata[i];
    g_autofree char *name = g_build_filename ("targets", ecu->image, NULL);
    g_autofree char *inner = g_build_filename ("image/targets", ecu->image, NULL);
    if (g_hash_table_add (known, ecu->image))
      add_published (self, "image", name, inner);
  }
}

/* As a workstation would that has the first root of the Service repository. */
static gboolean
verify (const Bundle *self, const char *path, gint64 now, GError **error)
{
  g_autofree char *anchor = rb_campaign_folder_published (self->campaign, "service", "1.root.json");
  g_autoptr (GBytes) root = rb_files_read (anchor, MAX_ROOT, error);
  g_autoptr (RbContents) contents = root == NULL ? NULL : rb_bundle_open (path, root, error);
  return contents != NULL && rb_contents_may_start (contents, now, error);
}

static gboolean
take_place (const char *from, const char *to, GError **error)
{
  return g_rename (from, to) == 0
         || rb_reason_deny (error, RB_OEM_ERROR, RB_REASON_IO, "%s: %s", to, g_strerror (errno));
}

gboolean
rb_campaign_bundle_write (const RbCampaignFolder *self, const RbCampaignBundleFilter *filter, const char *output,
                          gint64 now, guint *packs, GError **error)
{
  g_autoptr (RbFileSet) pack = rb_file_set_new ();
  g_autofree char *unverified = g_strconcat (output, ".unverified", NULL);
  Bundle bundle = { self, filter, pack, 0 };
  if (!add_metadata (&bundle, "service", error))
    return FALSE;
  add_documents (&bundle);
  if (!add_metadata (&bundle, "director", error) || !add_metadata (&bundle, "image", error)
      || !add_packs (&bundle, error))
    return FALSE;
  add_images (&bundle);
  gboolean written = rb_file_set_write_tar (pack, unverified, now, error) && verify (&bundle, unverified, now, error)
                     && take_place (unverified, output, error);
  if (!written)
    g_unlink (unverified);
  *packs = bundle.packs;
  return written;
}
