/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/vehicle-pack.h"

#include "authority/online.h"
#include "authority/target-list.h"
#include "core/files.h"
#include "core/json.h"
#include "oem/error.h"

#include <string.h>

gboolean
rb_vehicle_pack_is_authored (const RbOemFolder *folder)
{
  g_autofree char *path = g_build_filename (folder->path, "authoring", "director.json", NULL);
  return rb_files_exists (path);
}

void
rb_vehicle_pack_free (RbVehiclePack *self)
{
  g_clear_pointer (&self->campaign, rb_campaign_folder_free);
  g_clear_pointer (&self->image, rb_authoring_free);
  g_clear_pointer (&self->publishing, rb_publishing_free);
  g_free (self);
}

RbVehiclePack *
rb_vehicle_pack_open (const RbOemFolder *folder, const char *id, gint64 now, GError **error)
{
  g_autoptr (RbVehiclePack) self = g_new0 (RbVehiclePack, 1);
  self->campaign = rb_campaign_folder_load (folder, id, error);
  if (self->campaign == NULL || !rb_campaign_folder_check (self->campaign, now, error)
      || !rb_campaign_folder_check_published (self->campaign, error))
    return NULL;
  self->image = rb_authoring_load (folder->path, "image", error);
  self->publishing = self->image == NULL ? NULL : rb_publishing_open (folder, "director", NULL, now, error);
  return self->publishing == NULL ? NULL : g_steal_pointer (&self);
}

json_t *
rb_vehicle_pack_vehicle (const RbVehiclePack *self, const char *vin, GError **error)
{
  size_t i;
  json_t *vehicle;
  json_array_foreach (self->campaign->vehicles, i, vehicle)
    if (strcmp (rb_json_string_or (vehicle, "vin", ""), vin) == 0)
      return json_incref (vehicle);
  rb_reason_deny (error, RB_OEM_ERROR, RB_REASON_NOT_FOUND, "vehicle %s: campaign %s does not say how it was built",
                  vin, self->campaign->campaign->id);
  return NULL;
}

/* The path of the campaign's image for that hardware; NULL: none. */
static const char *
image_for (const RbVehiclePack *self, const char *hardware_id)
{
  const GPtrArray *ecus = self->campaign->campaign->ecus;
  for (guint i = 0; i < ecus->len; i++) {
    const RbCampaignEcu *ecu = ecus->pdata[i];
    if (strcmp (ecu->hardware_id, hardware_id) == 0)
      return ecu->image;
  }
  return NULL;
}

static GStrv
assignments (const RbVehiclePack *self, const char *vin, const json_t *ecus, GError **error)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  size_t i;
  json_t *ecu;
  json_array_foreach (ecus, i, ecu) {
    const char *serial = rb_json_string_or (ecu, "serial", ""),
               *hardware_id = rb_json_string_or (ecu, "hardware_id", "");
    const char *image = image_for (self, hardware_id);
    if (image == NULL) {
      rb_reason_deny (error, RB_OEM_ERROR, RB_REASON_ECU_NOT_DIRECTED,
                      "vehicle %s: ECU %s: the campaign directs nothing to its hardware", vin, serial);
      return NULL;
    }
    g_autofree char *text = g_strdup_printf ("%s:%s=%s", serial, hardware_id, image);
    g_strv_builder_add (builder, text);
  }
  return g_strv_builder_end (builder);
}

static gboolean
direct (RbVehiclePack *self, const char *vin, const json_t *ecus, json_t *custom, GError **error)
{
  RbAuthoring *director = self->publishing->authoring;
  g_auto (GStrv) texts = assignments (self, vin, ecus, error);
  if (texts == NULL || !rb_target_list_direct (director, self->image, vin, (const char *const *) texts, error))
    return FALSE;
  json_t *directed = json_object_get (director->vehicles, vin);
  json_object_set (directed, "custom", custom);
  rb_json_set_moment (directed, "expires", self->campaign->campaign->expires);
  return TRUE;
}

GHashTable *
rb_vehicle_pack_sign (RbVehiclePack *self, const char *vin, const json_t *ecus, json_t *custom, const char *secret,
                      gint64 *version, GError **error)
{
  static const char *const names[] = { "timestamp.json", "snapshot.json", "targets.json" };
  g_autoptr (GHashTable) files
    = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
  if (!direct (self, vin, ecus, custom, error))
    return NULL;
  self->publishing->secret = secret;
  gboolean done = rb_online_sign_vehicle (self->publishing, vin, error);
  self->publishing->secret = NULL;
  for (guint i = 0; done && i < G_N_ELEMENTS (names); i++) {
    g_autofree char *name = g_strdup_printf ("vins/%s/%s", vin, names[i]);
    GBytes *bytes = rb_publication_read (self->publishing->publication, name, error);
    done = bytes != NULL;
    if (done)
      g_hash_table_insert (files, g_strdup (names[i]), bytes);
  }
  *version = rb_json_integer_or (self->publishing->authoring->versions, vin, 0);
  return done ? g_steal_pointer (&files) : NULL;
}

gboolean
rb_vehicle_pack_commit (RbVehiclePack *self, GError **error)
{
  return rb_authoring_save (self->publishing->authoring, error)
         && rb_publication_commit (self->publishing->publication, error);
}
