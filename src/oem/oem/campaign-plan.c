/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/campaign-plan.h"

#include "authority/target-list.h"
#include "core/bytes.h"
#include "core/files.h"
#include "core/json.h"
#include "core/moment.h"
#include "crypto/digest.h"
#include "model/campaign.h"
#include "model/member.h"
#include "model/profile.h"
#include "model/vehicle-model.h"
#include "model/wmi.h"
#include "oem/error.h"

#include <string.h>

#define FORMAT "recallbay-plan-1"
#define MAX_PLAN (16 * 1024 * 1024)
#define MAX_VEHICLES 10000
#define MAX_DAYS 60

/* Members that the campaign has as the plan has them. */
static const char *const same[]
  = { "title",         "oem_number", "nhtsa_number",     "scenario", "market",     "checklist",
      "organisations", "remedy",     "labour_operation", "after",    "supersedes", "second_person" };

typedef struct {
  const char *file;
  const json_t *plan;
  const RbCampaignPlanOem *oem;
  RbCampaignPlan *out;
} Reading;

static gboolean
campaign_plan_error (GError **error, RbReason reason, const char *what, const char *text)
{
  return rb_reason_deny (error, RB_OEM_ERROR, reason, "%s: %s", what, text);
}

void
rb_campaign_plan_free (RbCampaignPlan *self)
{
  json_decref (self->campaign);
  json_decref (self->vehicles);
  g_clear_pointer (&self->documents, g_hash_table_unref);
  g_free (self);
}

static gboolean
check_members (const json_t *plan, GError **error)
{
  return rb_member_format (plan, FORMAT, "plan", error)
         && rb_json_only (plan, "plan", error, "format", "title", "oem_number", "nhtsa_number", "scenario", "market",
                          "days", "model", "vehicles", "ecus", "pinned", "organisations", "checklist", "second_person",
                          "remedy", "labour_operation", "after", "supersedes", NULL);
}

/* The file that a member names, which may be relative to the plan. (transfer full) */
static char *
file_of (const Reading *self, const json_t *object, const char *member, const char *what, GError **error)
{
  const char *name = rb_json_string (object, member, what, error);
  g_autofree char *folder = g_path_get_dirname (self->file);
  return name == NULL ? NULL : g_path_is_absolute (name) ? g_strdup (name) : g_build_filename (folder, name, NULL);
}

/* The file becomes a target: none of that path with other bytes is there. Takes path and file. */
static gboolean
take_document (Reading *self, char *path, char *file, GBytes *bytes, GError **error)
{
  const json_t *listed = rb_target_list_find (self->oem->service, path);
  const char *known = g_hash_table_lookup (self->out->documents, path);
  g_autofree char *sha256 = rb_digest_sha256_hex_of (bytes);
  gboolean other
    = listed != NULL && strcmp (rb_json_string_or (json_object_get (listed, "hashes"), "sha256", ""), sha256) != 0;
  if (other || (known != NULL && strcmp (known, file) != 0)) {
    campaign_plan_error (error, RB_REASON_EXISTS, path, "another document has this id");
    g_free (path);
    g_free (file);
    return FALSE;
  }
  g_hash_table_replace (self->out->documents, path, file);
  return TRUE;
}

/* The target path that the member's document gets, "FOLDER/ID.json". (transfer full) */
static char *
read_document (Reading *self, const json_t *object, const char *member, const char *what, GError **error)
{
  gboolean model = strcmp (member, "model") == 0;
  g_autofree char *file = file_of (self, object, member, what, error);
  g_autoptr (GBytes) bytes = file == NULL ? NULL : rb_files_read (file, MAX_PLAN, error);
  g_autoptr (RbVehicleModel) vehicle = bytes == NULL || !model ? NULL : rb_vehicle_model_parse (bytes, error);
  g_autoptr (RbProfile) profile = bytes == NULL || model ? NULL : rb_profile_parse (bytes, error);
  if (vehicle == NULL && profile == NULL) {
    g_prefix_error (error, "%s: member “%s”: ", what, member);
    return NULL;
  }
  g_autofree char *path
    = g_strdup_printf ("%s/%s.json", model ? "models" : "profiles", model ? vehicle->id : profile->id);
  return take_document (self, g_strdup (path), g_steal_pointer (&file), bytes, error) ? g_steal_pointer (&path) : NULL;
}

/* An ECU of the campaign: its profile by target path, its image as the Image repository lists it. (transfer full) */
static json_t *
read_ecu (Reading *self, json_t *ecu, const char *what, GError **error)
{
  if (!rb_json_only (ecu, what, error, "hardware_id", "profile", "image", "new_key", "coding", "conditions", NULL))
    return NULL;
  const char *image = rb_json_string (ecu, "image", what, error);
  g_autofree char *profile = image == NULL ? NULL : read_document (self, ecu, "profile", what, error);
  if (profile == NULL)
    return NULL;
  const json_t *listed = rb_target_list_find (self->oem->image, image);
  const char *sha256 = rb_json_string_or (json_object_get (listed, "hashes"), "sha256", NULL);
  if (sha256 == NULL) {
    rb_reason_deny (error, RB_OEM_ERROR, RB_REASON_TARGET_MISSING,
                    "%s: member “image”: the Image repository does not list %s", what, image);
    return NULL;
  }
  json_t *entry = json_copy (ecu);
  rb_json_set_string (entry, "profile", profile);
  rb_json_set_string (entry, "image_sha256", sha256);
  return entry;
}

static json_t *
read_ecus (Reading *self, GError **error)
{
  const json_t *list = rb_json_array (self->plan, "ecus", "plan", error);
  g_autoptr (json_t) ecus = json_array ();
  size_t i;
  json_t *ecu;
  json_array_foreach (list, i, ecu) {
    g_autofree char *what = g_strdup_printf ("plan: member “ecus” %zu", i + 1);
    json_t *entry = read_ecu (self, ecu, what, error);
    if (entry == NULL)
      return NULL;
    json_array_append_new (ecus, entry);
  }
  return list == NULL ? NULL : g_steal_pointer (&ecus);
}

/* The newest published root. (transfer full) */
static json_t *
root_of (const Reading *self, const char *kind, gboolean pinned, GError **error)
{
  g_autofree char *path = g_build_filename (self->oem->folder->path, "repositories", kind, "root.json", NULL);
  g_autoptr (GBytes) bytes = rb_files_read (path, MAX_PLAN, error);
  g_autoptr (json_t) envelope = bytes == NULL ? NULL : rb_json_parse (bytes, MAX_PLAN, path, error);
  gint64 version;
  if (envelope == NULL
      || !rb_json_integer (json_object_get (envelope, "signed"), "version", 1, G_MAXINT32 - 1, &version, path, error))
    return NULL;
  g_autofree char *sha256 = rb_digest_sha256_hex_of (bytes);
  return json_pack ("{s:I,s:s,s:b}", "version", (json_int_t) version, "sha256", sha256, "pinned", (int) pinned);
}

/* The organisations that stand for a new anchor hold keys that sign the campaign. */
static gboolean
check_organisations (const Reading *self, GError **error)
{
  const RbRolePlan *targets = rb_role_plan_find (self->oem->service->roles, "targets");
  size_t i;
  json_t *name;
  json_array_foreach (json_object_get (self->plan, "organisations"), i, name) {
    gboolean found = FALSE;
    for (guint j = 0; j < targets->cards->len; j++)
      found
        = found
          || g_strcmp0 (((const RbKeyCard *) targets->cards->pdata[j])->organisation, json_string_value (name)) == 0;
    if (!found)
      return rb_reason_deny (error, RB_OEM_ERROR, RB_REASON_POLICY,
                             "plan: member “organisations” %zu: holds no key of the Service repository's targets role",
                             i + 1);
  }
  return TRUE;
}

static gboolean
read_roots (Reading *self, GError **error)
{
  gboolean pinned = FALSE;
  if (json_object_get (self->plan, "pinned") != NULL && !rb_json_boolean (self->plan, "pinned", &pinned, "plan", error))
    return FALSE;
  if (pinned && strcmp (rb_json_string_or (self->plan, "scenario", ""), "image-oem") != 0)
    return campaign_plan_error (error, RB_REASON_MALFORMED, "plan", "member “pinned”: scenario image-oem is expected");
  json_t *director = check_organisations (self, error) ? root_of (self, "director", FALSE, error) : NULL;
  json_t *image = director == NULL ? NULL : root_of (self, "image", pinned, error);
  if (image == NULL) {
    json_decref (director);
    return FALSE;
  }
  rb_json_set (self->out->campaign, "roots", json_pack ("{s:o,s:o}", "director", director, "image", image));
  return TRUE;
}

static json_t *
read_vehicle (GBytes *line, const char *what, GError **error)
{
  g_autoptr (json_t) vehicle = rb_json_parse (line, MAX_PLAN, what, error);
  if (vehicle == NULL || !rb_json_only (vehicle, what, error, "vin", "region", "ecus", "she", NULL))
    return NULL;
  const char *vin = rb_json_string (vehicle, "vin", what, error);
  const json_t *ecus = vin == NULL ? NULL : rb_json_array (vehicle, "ecus", what, error);
  size_t i;
  json_t *ecu;
  json_array_foreach (ecus, i, ecu)
    if (!rb_json_only (ecu, what, error, "serial", "hardware_id", NULL)
        || rb_json_string (ecu, "serial", what, error) == NULL
        || rb_json_string (ecu, "hardware_id", what, error) == NULL)
      return NULL;
  if (ecus == NULL || (json_object_get (vehicle, "she") != NULL && rb_json_array (vehicle, "she", what, error) == NULL)
      || (json_object_get (vehicle, "region") != NULL && rb_json_string (vehicle, "region", what, error) == NULL))
    return NULL;
  if (rb_campaign_vin_is_valid (vin))
    return g_steal_pointer (&vehicle);
  campaign_plan_error (error, RB_REASON_VIN_INVALID, what, "member “vin” is not a VIN");
  return NULL;
}

json_t *
rb_campaign_plan_vehicles (const char *file, GError **error)
{
  g_autoptr (GBytes) bytes = rb_files_read (file, MAX_PLAN, error);
  g_autofree char *text = bytes == NULL ? NULL : g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  g_auto (GStrv) lines = text == NULL ? NULL : g_strsplit (text, "\n", -1);
  g_autoptr (json_t) vehicles = json_array (), known = json_object ();
  for (guint i = 0; lines != NULL && lines[i] != NULL; i++) {
    g_autofree char *what = g_strdup_printf ("%s line %u", file, i + 1);
    g_autoptr (GBytes) line = g_bytes_new (lines[i], strlen (lines[i]));
    json_t *vehicle = lines[i][0] == '\0' ? NULL : read_vehicle (line, what, error);
    if (lines[i][0] == '\0')
      continue;
    if (vehicle == NULL)
      return NULL;
    json_array_append_new (vehicles, vehicle);
    const char *vin = rb_json_string_or (vehicle, "vin", "");
    if (json_object_get (known, vin) != NULL || i >= MAX_VEHICLES) {
      campaign_plan_error (error, i >= MAX_VEHICLES ? RB_REASON_TOO_LARGE : RB_REASON_EXISTS, what,
                           i >= MAX_VEHICLES ? "more than 10000 vehicles" : "the VIN is there twice");
      return NULL;
    }
    rb_json_set_boolean (known, vin, TRUE);
  }
  return lines == NULL ? NULL : g_steal_pointer (&vehicles);
}

/* The path of the image that the campaign has for that hardware; NULL: none. */
static const char *
image_for (const RbCampaignPlan *self, const char *hardware_id)
{
  size_t i;
  json_t *ecu;
  json_array_foreach (json_object_get (self->campaign, "ecus"), i, ecu)
    if (strcmp (rb_json_string_or (ecu, "hardware_id", ""), hardware_id) == 0)
      return rb_json_string_or (ecu, "image", NULL);
  return NULL;
}

/* A vehicle of this OEM, with an image for each of its ECUs. */
static gboolean
check_vehicle (const Reading *self, const json_t *vehicle, const char *const *wmi, GError **error)
{
  const char *vin = rb_json_string_or (vehicle, "vin", "");
  size_t i;
  json_t *ecu;
  if (!rb_wmi_holds (wmi, vin))
    return campaign_plan_error (error, RB_REASON_NOT_IN_ANCHOR_SCOPE, vin,
                                "begins with none of the OEM's WMI prefixes");
  json_array_foreach (json_object_get (vehicle, "ecus"), i, ecu)
    if (image_for (self->out, rb_json_string_or (ecu, "hardware_id", "")) == NULL)
      return rb_reason_deny (error, RB_OEM_ERROR, RB_REASON_ECU_NOT_DIRECTED,
                             "%s: ECU %s: the plan has no image for hardware %s", vin,
                             rb_json_string_or (ecu, "serial", ""), rb_json_string_or (ecu, "hardware_id", ""));
  return TRUE;
}

static gboolean
read_scope (Reading *self, GError **error)
{
  g_autofree char *file = file_of (self, self->plan, "vehicles", "plan", error);
  g_autoptr (GPtrArray) wmi = g_ptr_array_new ();
  size_t i;
  json_t *one;
  self->out->vehicles = file == NULL ? NULL : rb_campaign_plan_vehicles (file, error);
  json_array_foreach (json_object_get (self->oem->folder->config, "wmi"), i, one)
    g_ptr_array_add (wmi, (gpointer) json_string_value (one));
  g_ptr_array_add (wmi, NULL);
  json_t *vins = json_array ();
  rb_json_set (self->out->campaign, "scope", json_pack ("{s:o}", "vins", vins));
  json_array_foreach (self->out->vehicles, i, one) {
    if (!check_vehicle (self, one, (const char *const *) wmi->pdata, error))
      return FALSE;
    json_array_append (vins, json_object_get (one, "vin"));
  }
  return self->out->vehicles != NULL;
}

static gboolean
read_all (Reading *self, GError **error)
{
  json_t *campaign = self->out->campaign;
  gint64 days;
  if (!check_members (self->plan, error) || !rb_json_integer (self->plan, "days", 1, MAX_DAYS, &days, "plan", error))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (same); i++)
    if (json_object_get (self->plan, same[i]) != NULL)
      json_object_set (campaign, same[i], json_object_get (self->plan, same[i]));
  rb_json_set_moment (campaign, "issued", self->oem->now);
  rb_json_set_moment (campaign, "expires", self->oem->now + days * RB_MOMENT_DAY);
  g_autofree char *model = read_document (self, self->plan, "model", "plan", error);
  json_t *ecus = model == NULL ? NULL : read_ecus (self, error);
  if (ecus == NULL)
    return FALSE;
  rb_json_set_string (campaign, "vehicle_model", model);
  rb_json_set (campaign, "ecus", ecus);
  if (!read_roots (self, error) || !read_scope (self, error))
    return FALSE;
  g_autoptr (GBytes) bytes = rb_json_to_bytes (campaign);
  g_autoptr (RbCampaign) parsed = rb_campaign_parse (bytes, error);
  return parsed != NULL;
}

RbCampaignPlan *
rb_campaign_plan_read (const char *file, const char *id, const RbCampaignPlanOem *oem, GError **error)
{
  g_autoptr (RbCampaignPlan) self = g_new0 (RbCampaignPlan, 1);
  g_autoptr (json_t) plan = rb_json_load (file, MAX_PLAN, error);
  g_autoptr (GBytes) nonce = rb_digest_random (32);
  g_autofree char *nonce_hex = rb_bytes_hex (nonce);
  self->documents = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->campaign = json_pack ("{s:s,s:s,s:i,s:s,s:O}", "format", "recallbay-campaign-1", "id", id, "version", 1,
                              "nonce", nonce_hex, "oem", json_object_get (oem->folder->config, "name"));
  Reading reading = { file, plan, oem, self };
  return plan != NULL && read_all (&reading, error) ? g_steal_pointer (&self) : NULL;
}

GStrv
rb_campaign_plan_assignments (const RbCampaignPlan *self, const json_t *vehicle)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  size_t i;
  json_t *ecu;
  json_array_foreach (json_object_get (vehicle, "ecus"), i, ecu) {
    const char *hardware_id = rb_json_string_or (ecu, "hardware_id", "");
    g_autofree char *text
      = g_strdup_printf ("%s:%s=%s", rb_json_string_or (ecu, "serial", ""), hardware_id, image_for (self, hardware_id));
    g_strv_builder_add (builder, text);
  }
  return g_strv_builder_end (builder);
}
