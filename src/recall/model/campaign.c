/* SPDX-License-Identifier: Apache-2.0 */
#include "model/campaign.h"

#include "core/bytes.h"
#include "crypto/digest.h"
#include "crypto/dsse.h"
#include "model/campaign-ecu.h"
#include "model/member.h"

#include <string.h>

#define MAX_FILE (16 * 1024 * 1024)
#define MAX_VERSION G_GINT64_CONSTANT (2147483646)
#define MAX_ECUS 200
#define MAX_ITEMS 200
#define MAX_OTHERS 16
#define MAX_ORGANISATIONS 16
#define MAX_VINS 10000 /* more are in a table */
#define POP_TYPE "recallbay-pop-v1"

static const char *const scenario_names[] = {
  [RB_SCENARIO_DIRECTOR] = "director",
  [RB_SCENARIO_IMAGE_SUPPLIER] = "image-supplier",
  [RB_SCENARIO_IMAGE_OEM] = "image-oem",
  [RB_SCENARIO_ECU_KEYS] = "ecu-keys",
};

const char *
rb_campaign_scenario_name (RbScenario scenario)
{
  return scenario_names[scenario];
}

gboolean
rb_campaign_scenario_from_name (const char *name, RbScenario *scenario)
{
  for (guint i = 0; i < G_N_ELEMENTS (scenario_names); i++)
    if (g_strcmp0 (scenario_names[i], name) == 0) {
      *scenario = (RbScenario) i;
      return TRUE;
    }
  return FALSE;
}

gboolean
rb_campaign_vin_is_valid (const char *vin)
{
  return vin != NULL && strlen (vin) == 17 && strspn (vin, "ABCDEFGHJKLMNPRSTUVWXYZ0123456789") == 17;
}

static void
ecu_free (gpointer data)
{
  RbCampaignEcu *self = data;
  g_free (self->hardware_id);
  g_free (self->profile);
  g_free (self->image);
  g_free (self->image_sha256);
  g_clear_pointer (&self->coding, g_ptr_array_unref);
  g_clear_pointer (&self->conditions, g_ptr_array_unref);
  g_free (self);
}

static void
item_free (gpointer data)
{
  RbChecklistItem *self = data;
  g_free (self->id);
  g_free (self->text);
  g_free (self->help);
  g_free (self->measure);
  g_free (self->unit);
  g_free (self);
}

void
rb_campaign_free (RbCampaign *self)
{
  if (self == NULL)
    return;
  g_free (self->id);
  g_free (self->title);
  g_free (self->oem);
  g_free (self->oem_number);
  g_free (self->nhtsa_number);
  g_free (self->market);
  g_strfreev (self->vins);
  g_free (self->scope_table);
  g_free (self->scope_sha256);
  g_clear_pointer (&self->scope, rb_vin_index_free);
  g_free (self->vehicle_model);
  g_free (self->director_root.sha256);
  g_free (self->image_root.sha256);
  g_ptr_array_unref (self->ecus);
  g_free (self->checklist_id);
  g_ptr_array_unref (self->checklist);
  g_strfreev (self->organisations);
  g_strfreev (self->after);
  g_strfreev (self->supersedes);
  g_free (self->remedy);
  g_free (self->labour_operation);
  g_free (self);
}

static gboolean
read_digest (const json_t *json, const char *member, char **value, const char *what, GError **error)
{
  *value = g_strdup (rb_json_sha256 (json, member, what, error));
  return *value != NULL;
}

static gboolean
read_identity (RbCampaign *self, const json_t *json, GError **error)
{
  const char *what = "campaign";
  guint scenario = 0;
  if (!rb_member_id (json, "id", &self->id, what, error)
      || !rb_json_integer (json, "version", 1, MAX_VERSION, &self->version, what, error)
      || !rb_member_text (json, "title", 200, &self->title, what, error)
      || !rb_member_text (json, "oem", 100, &self->oem, what, error)
      || !rb_member_text (json, "oem_number", 64, &self->oem_number, what, error)
      || !rb_member_text_or_none (json, "nhtsa_number", 64, &self->nhtsa_number, what, error)
      || !rb_member_choice (json, "scenario", scenario_names, G_N_ELEMENTS (scenario_names), &scenario, what, error)
      || !rb_json_moment (json, "issued", &self->issued, what, error)
      || !rb_json_moment (json, "expires", &self->expires, what, error)
      || !rb_member_text (json, "market", 64, &self->market, what, error)
      || !rb_member_text_or_none (json, "remedy", 1000, &self->remedy, what, error)
      || !rb_member_text_or_none (json, "labour_operation", 64, &self->labour_operation, what, error))
    return FALSE;
  self->scenario = (RbScenario) scenario;
  if (self->expires <= self->issued)
    return rb_member_refuse (error, what, "member “expires” is not after “issued”");
  return TRUE;
}

static gboolean
read_nonce (RbCampaign *self, const json_t *json, GError **error)
{
  const char *hex = rb_json_sha256 (json, "nonce", "campaign", error);
  return hex != NULL && rb_bytes_from_hex_exact (hex, self->nonce, sizeof self->nonce);
}

static int
compare_strings (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

static gboolean
read_vins (RbCampaign *self, const json_t *list, GError **error)
{
  const char *what = "campaign, scope";
  if (json_array_size (list) > MAX_VINS)
    return rb_member_refuse (error, what, "member “vins” has more than %d entries", MAX_VINS);
  g_autoptr (GPtrArray) vins = g_ptr_array_new_with_free_func (g_free);
  for (gsize i = 0; i < json_array_size (list); i++) {
    const char *vin = json_string_value (json_array_get (list, i));
    if (!rb_campaign_vin_is_valid (vin))
      return rb_member_refuse (error, what, "member “vins”: entry %" G_GSIZE_FORMAT " is not a VIN", i + 1);
    g_ptr_array_add (vins, g_strdup (vin));
  }
  if (vins->len == 0)
    return rb_member_refuse (error, what, "member “vins” is empty");
  g_ptr_array_sort (vins, compare_strings);
  for (guint i = 1; i < vins->len; i++)
    if (g_str_equal (vins->pdata[i - 1], vins->pdata[i]))
      return rb_member_refuse (error, what, "member “vins”: “%s” is there twice", (char *) vins->pdata[i]);
  g_ptr_array_add (vins, NULL);
  self->vins = (GStrv) g_ptr_array_free (g_steal_pointer (&vins), FALSE);
  return TRUE;
}

/* {"table": "scopes/ID.table", "sha256": digest of the table} */
static gboolean
read_scope_table (RbCampaign *self, const json_t *scope, GError **error)
{
  const char *what = "campaign, scope";
  g_autofree char *path = NULL;
  if (!rb_json_only (scope, what, error, "table", "sha256", NULL)
      || !rb_member_path (scope, "table", &path, what, error)
      || !read_digest (scope, "sha256", &self->scope_sha256, what, error))
    return FALSE;
  g_autofree char *id = !g_str_has_prefix (path, "scopes/") || !g_str_has_suffix (path, ".table")
                          ? NULL
                          : g_strndup (&path[strlen ("scopes/")], strlen (path) - strlen ("scopes/.table"));
  if (id == NULL || !rb_member_id_is_valid (id))
    return rb_member_refuse (error, what, "member “table” is not “scopes/ID.table”");
  self->scope_table = g_steal_pointer (&path);
  return TRUE;
}

static gboolean
read_scope (RbCampaign *self, const json_t *json, GError **error)
{
  const char *what = "campaign, scope";
  gboolean all = FALSE;
  const json_t *scope = rb_json_object (json, "scope", "campaign", error);
  if (scope == NULL)
    return FALSE;
  if (json_object_get (scope, "table") != NULL)
    return read_scope_table (self, scope, error);
  if (!rb_json_only (scope, what, error, "vins", "all", NULL))
    return FALSE;
  if (json_object_size (scope) != 1)
    return rb_member_refuse (error, what, "exactly one of the members “vins”, “all” and “table” is needed");
  if (json_object_get (scope, "all") == NULL) {
    const json_t *list = rb_json_array (scope, "vins", what, error);
    return list != NULL && read_vins (self, list, error);
  }
  if (!rb_json_boolean (scope, "all", &all, what, error))
    return FALSE;
  return all || rb_member_refuse (error, what, "member “all” can only be true");
}

static gboolean
read_root (RbCampaignRoot *root, const json_t *roots, const char *name, GError **error)
{
  g_autofree char *what = g_strdup_printf ("campaign, roots, %s", name);
  const json_t *json = rb_json_object (roots, name, "campaign, roots", error);
  return json != NULL && rb_json_only (json, what, error, "version", "sha256", "pinned", NULL)
         && rb_json_integer (json, "version", 1, MAX_VERSION, &root->version, what, error)
         && read_digest (json, "sha256", &root->sha256, what, error)
         && rb_json_boolean (json, "pinned", &root->pinned, what, error);
}

static gboolean
read_organisations (RbCampaign *self, const json_t *json, GError **error)
{
  const char *what = "campaign";
  const json_t *list = NULL;
  if (json_object_get (json, "organisations") == NULL)
    return TRUE;
  if ((list = rb_json_array (json, "organisations", what, error)) == NULL)
    return FALSE;
  gsize n = json_array_size (list);
  if (n < 1 || n > MAX_ORGANISATIONS)
    return rb_member_refuse (error, what, "member “organisations” has not 1…%d entries", MAX_ORGANISATIONS);
  self->organisations = g_new0 (char *, n + 1);
  for (gsize i = 0; i < n; i++) {
    const char *name = json_string_value (json_array_get (list, i));
    if (name == NULL || name[0] == '\0' || g_utf8_strlen (name, -1) > 100)
      return rb_member_refuse (error, what, "member “organisations”: entry %" G_GSIZE_FORMAT " is not a name", i + 1);
    if (g_strv_contains ((const char *const *) self->organisations, name))
      return rb_member_refuse (error, what, "member “organisations”: “%s” is there twice", name);
    self->organisations[i] = g_strdup (name);
  }
  return TRUE;
}

static gboolean
read_roots (RbCampaign *self, const json_t *json, GError **error)
{
  const json_t *roots = rb_json_object (json, "roots", "campaign", error);
  if (roots == NULL || !rb_json_only (roots, "campaign, roots", error, "director", "image", NULL)
      || !read_root (&self->director_root, roots, "director", error)
      || !read_root (&self->image_root, roots, "image", error) || !read_organisations (self, json, error))
    return FALSE;
  gboolean pinned = self->director_root.pinned || self->image_root.pinned;
  if (pinned && (self->organisations == NULL || g_strv_length (self->organisations) < 2))
    return rb_member_refuse (error, "campaign", "member “organisations”: a pinned root needs two of them");
  return TRUE;
}

static gboolean
read_ecu (RbCampaign *self, const json_t *json, guint index, GError **error)
{
  const char *name = rb_json_string_or (json, "hardware_id", NULL);
  g_autofree char *what
    = name != NULL ? g_strdup_printf ("campaign, ECU “%.64s”", name) : g_strdup_printf ("campaign, ECU %u", index + 1);
  RbCampaignEcu *ecu = g_new0 (RbCampaignEcu, 1);
  g_ptr_array_add (self->ecus, ecu);
  if (!rb_json_only (json, what, error, "hardware_id", "profile", "image", "image_sha256", "new_key", "coding",
                     "conditions", NULL)
      || !rb_member_id (json, "hardware_id", &ecu->hardware_id, what, error)
      || !rb_member_document (json, "profile", "profiles", &ecu->profile, what, error)
      || !rb_member_path (json, "image", &ecu->image, what, error)
      || !read_digest (json, "image_sha256", &ecu->image_sha256, what, error)
      || !rb_json_boolean (json, "new_key", &ecu->new_key, what, error)
      || !rb_campaign_ecu_read (ecu, json, what, error))
    return FALSE;
  if (rb_campaign_ecu (self, ecu->hardware_id) != ecu)
    return rb_member_refuse (error, what, "member “hardware_id” is there twice");
  return TRUE;
}

static gboolean
read_ecus (RbCampaign *self, const json_t *json, GError **error)
{
  const json_t *list = rb_json_array (json, "ecus", "campaign", error);
  if (list == NULL)
    return FALSE;
  if (json_array_size (list) < 1 || json_array_size (list) > MAX_ECUS)
    return rb_member_refuse (error, "campaign", "member “ecus” has not 1…%d entries", MAX_ECUS);
  for (guint i = 0; i < json_array_size (list); i++)
    if (!read_ecu (self, json_array_get (list, i), i, error))
      return FALSE;
  return TRUE;
}

static gboolean
read_measure (RbChecklistItem *item, const json_t *json, const char *what, GError **error)
{
  static const char *const measures[] = { "voltage", "ignition", "speed" };
  guint measure = 0;
  if (!rb_member_choice (json, "measure", measures, G_N_ELEMENTS (measures), &measure, what, error)
      || !rb_json_integer (json, "low", 0, 1000000, &item->low, what, error)
      || !rb_json_integer (json, "high", 0, 1000000, &item->high, what, error)
      || !rb_member_text (json, "unit", 16, &item->unit, what, error))
    return FALSE;
  if (json_object_get (json, "wait_s") != NULL
      && !rb_json_integer (json, "wait_s", 0, 3600, &item->wait_s, what, error))
    return FALSE;
  item->measure = g_strdup (measures[measure]);
  return item->low <= item->high || rb_member_refuse (error, what, "member “low” is above “high”");
}

static gboolean
item_is_first (const RbCampaign *self, const RbChecklistItem *item)
{
  for (guint i = 0; i < self->checklist->len; i++) {
    const RbChecklistItem *other = self->checklist->pdata[i];
    if (strcmp (other->id, item->id) == 0)
      return other == item;
  }
  return FALSE;
}

static gboolean
read_manual (RbChecklistItem *item, const json_t *json, const char *what, GError **error)
{
  return rb_json_only (json, what, error, "id", "text", "help", "kind", "may_be_na", "lasting", NULL)
         && (json_object_get (json, "may_be_na") == NULL
             || rb_json_boolean (json, "may_be_na", &item->may_be_na, what, error))
         && (json_object_get (json, "lasting") == NULL
             || rb_json_boolean (json, "lasting", &item->lasting, what, error));
}

static gboolean
read_item (RbCampaign *self, const json_t *json, guint index, GError **error)
{
  static const char *const kinds[] = { [RB_ITEM_MANUAL] = "manual", [RB_ITEM_MEASURED] = "measured" };
  const char *name = rb_json_string_or (json, "id", NULL);
  g_autofree char *what = name != NULL ? g_strdup_printf ("campaign, checklist item “%.64s”", name)
                                       : g_strdup_printf ("campaign, checklist item %u", index + 1);
  RbChecklistItem *item = g_new0 (RbChecklistItem, 1);
  guint kind = 0;
  g_ptr_array_add (self->checklist, item);
  if (!rb_member_id (json, "id", &item->id, what, error)
      || !rb_member_text (json, "text", 500, &item->text, what, error)
      || !rb_member_text_or_none (json, "help", 1000, &item->help, what, error)
      || !rb_member_choice (json, "kind", kinds, G_N_ELEMENTS (kinds), &kind, what, error))
    return FALSE;
  item->kind = (RbItemKind) kind;
  if (!item_is_first (self, item))
    return rb_member_refuse (error, what, "member “id” is there twice");
  if (item->kind == RB_ITEM_MANUAL)
    return read_manual (item, json, what, error);
  return rb_json_only (json, what, error, "id", "text", "help", "kind", "measure", "low", "high", "unit", "wait_s",
                       NULL)
         && read_measure (item, json, what, error);
}

static gboolean
read_checklist (RbCampaign *self, const json_t *json, GError **error)
{
  const char *what = "campaign, checklist";
  const json_t *checklist = rb_json_object (json, "checklist", "campaign", error);
  if (checklist == NULL || !rb_json_only (checklist, what, error, "id", "version", "items", NULL)
      || !rb_member_id (checklist, "id", &self->checklist_id, what, error)
      || !rb_json_integer (checklist, "version", 1, MAX_VERSION, &self->checklist_version, what, error))
    return FALSE;
  const json_t *items = rb_json_array (checklist, "items", what, error);
  if (items == NULL)
    return FALSE;
  if (json_array_size (items) < 1 || json_array_size (items) > MAX_ITEMS)
    return rb_member_refuse (error, what, "member “items” has not 1…%d entries", MAX_ITEMS);
  for (guint i = 0; i < json_array_size (items); i++)
    if (!read_item (self, json_array_get (items, i), i, error))
      return FALSE;
  return TRUE;
}

/* Ids of other campaigns; absent: none. */
static gboolean
read_others (RbCampaign *self, const json_t *json, const char *member, GStrv *ids, GError **error)
{
  const char *what = "campaign";
  const json_t *list = json_object_get (json, member) == NULL ? NULL : rb_json_array (json, member, what, error);
  if (list == NULL)
    return json_object_get (json, member) == NULL;
  gsize n = json_array_size (list);
  if (n < 1 || n > MAX_OTHERS)
    return rb_member_refuse (error, what, "member “%s” has not 1…%d entries", member, MAX_OTHERS);
  *ids = g_new0 (char *, n + 1);
  for (gsize i = 0; i < n; i++) {
    const char *id = json_string_value (json_array_get (list, i));
    if (id == NULL || !rb_member_id_is_valid (id) || strcmp (id, self->id) == 0)
      return rb_member_refuse (error, what, "member “%s”: entry %" G_GSIZE_FORMAT " is not the id of another campaign",
                               member, i + 1);
    if (g_strv_contains ((const char *const *) *ids, id))
      return rb_member_refuse (error, what, "member “%s”: “%s” is there twice", member, id);
    (*ids)[i] = g_strdup (id);
  }
  return TRUE;
}

RbCampaign *
rb_campaign_parse (GBytes *bytes, GError **error)
{
  const char *what = "campaign";
  g_autoptr (json_t) json = rb_json_parse (bytes, MAX_FILE, what, error);
  g_autoptr (RbCampaign) self = g_new0 (RbCampaign, 1);
  self->ecus = g_ptr_array_new_with_free_func (ecu_free);
  self->checklist = g_ptr_array_new_with_free_func (item_free);
  if (json == NULL
      || !rb_json_only (json, what, error, "format", "id", "version", "title", "oem", "oem_number", "nhtsa_number",
                        "scenario", "issued", "expires", "market", "nonce", "scope", "vehicle_model", "roots", "ecus",
                        "checklist", "second_person", "organisations", "remedy", "labour_operation", "after",
                        "supersedes", NULL)
      || !rb_member_format (json, "recallbay-campaign-1", what, error) || !read_identity (self, json, error)
      || !read_nonce (self, json, error) || !read_scope (self, json, error)
      || !rb_member_document (json, "vehicle_model", "models", &self->vehicle_model, what, error)
      || !read_roots (self, json, error) || !read_ecus (self, json, error) || !read_checklist (self, json, error)
      || !rb_json_boolean (json, "second_person", &self->second_person, what, error)
      || !read_others (self, json, "after", &self->after, error)
      || !read_others (self, json, "supersedes", &self->supersedes, error))
    return NULL;
  return g_steal_pointer (&self);
}

gboolean
rb_campaign_take_scope (RbCampaign *self, RbVinIndex *scope, GError **error)
{
  g_autoptr (RbVinIndex) owned = scope;
  g_autofree char *sha256 = rb_digest_sha256_hex_of (rb_vin_index_table (scope));
  if (g_strcmp0 (sha256, self->scope_sha256) != 0)
    return rb_reason_deny (error, RB_MODEL_ERROR, RB_REASON_HASH_MISMATCH, "%s: not the scope that campaign %s names",
                           self->scope_table, self->id);
  g_clear_pointer (&self->scope, rb_vin_index_free);
  self->scope = g_steal_pointer (&owned);
  return TRUE;
}

static gboolean
find_in_table (const RbCampaign *self, const char *vin, gboolean *found, GError **error)
{
  g_autoptr (GBytes) entry = NULL;
  if (self->scope == NULL)
    return rb_reason_deny (error, RB_MODEL_ERROR, RB_REASON_MISSING, "campaign %s: its scope %s is not at hand",
                           self->id, self->scope_table);
  if (!rb_vin_index_find (self->scope, vin, &entry, error))
    return FALSE;
  *found = entry != NULL;
  return TRUE;
}

gboolean
rb_campaign_check_vin (const RbCampaign *self, const char *vin, GError **error)
{
  gboolean found = rb_campaign_vin_is_valid (vin);
  if (found && self->scope_table != NULL && !find_in_table (self, vin, &found, error))
    return FALSE;
  if (found && self->vins != NULL)
    found = g_strv_contains ((const char *const *) self->vins, vin);
  return found
         || rb_reason_deny (error, RB_MODEL_ERROR, RB_REASON_NOT_IN_SCOPE,
                            "VIN %s: this vehicle is not in the scope of campaign %s", vin == NULL ? "" : vin,
                            self->id);
}

const RbCampaignEcu *
rb_campaign_ecu (const RbCampaign *self, const char *hardware_id)
{
  for (guint i = 0; i < self->ecus->len; i++) {
    const RbCampaignEcu *ecu = self->ecus->pdata[i];
    if (g_strcmp0 (ecu->hardware_id, hardware_id) == 0)
      return ecu;
  }
  return NULL;
}

GBytes *
rb_campaign_ecu_nonce (const RbCampaign *self, const char *vin, const char *serial)
{
  g_autofree char *text = g_strconcat (vin, serial, NULL);
  g_autoptr (GBytes) ikm = g_bytes_new (self->nonce, sizeof self->nonce);
  g_autoptr (GBytes) info = g_bytes_new (text, strlen (text));
  return rb_digest_hkdf (ikm, NULL, info, 32);
}

GBytes *
rb_campaign_pop_message (const RbCampaign *self, const char *vin, const char *serial, GBytes *spki, GBytes *challenge)
{
  guint8 key_digest[RB_SHA256_LENGTH];
  g_autoptr (GBytes) nonce = rb_campaign_ecu_nonce (self, vin, serial);
  g_autoptr (GByteArray) fields = g_byte_array_new ();
  rb_digest_sha256 (g_bytes_get_data (spki, NULL), g_bytes_get_size (spki), key_digest);
  rb_writer_field16 (fields, vin, strlen (vin));
  rb_writer_field16 (fields, serial, strlen (serial));
  rb_writer_field16 (fields, key_digest, sizeof key_digest);
  rb_writer_field16 (fields, self->id, strlen (self->id));
  rb_writer_field16 (fields, g_bytes_get_data (nonce, NULL), g_bytes_get_size (nonce));
  rb_writer_field16 (fields, g_bytes_get_data (challenge, NULL), g_bytes_get_size (challenge));
  g_autoptr (GBytes) payload = g_byte_array_free_to_bytes (g_steal_pointer (&fields));
  return rb_dsse_pae (POP_TYPE, payload);
}

gboolean
rb_campaign_container_is_valid (GBytes *image)
{
  RbReader reader = rb_reader_from_bytes (image);
  guint64 end = 0;
  if (rb_reader_left (&reader) == 0)
    return FALSE;
  while (rb_reader_left (&reader) > 0) {
    guint64 address = rb_reader_u32be (&reader);
    guint64 length = rb_reader_u32be (&reader);
    if (rb_reader_take (&reader, (gsize) length) == NULL || length == 0 || address < end
        || address + length > G_GUINT64_CONSTANT (0x100000000))
      return FALSE;
    end = address + length;
  }
  return rb_reader_done (&reader);
}
