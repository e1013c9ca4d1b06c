/* SPDX-License-Identifier: Apache-2.0 */
#include "campaign/vin-pack.h"

#include "campaign/roles.h"
#include "campaign/roots.h"
#include "core/bytes.h"
#include "core/files.h"
#include "core/json.h"
#include "model/completeness.h"

#include <string.h>

#define MAX_SHE (1024 * 1024)
#define MAX_TARGETS (16 * 1024 * 1024)
#define MAX_METADATA_FILE (16 * 1024 * 1024)

static const char *const director_files[] = { "timestamp.json", "snapshot.json", "targets.json" };

void
rb_vin_pack_free (RbVinPack *self)
{
  if (self == NULL)
    return;
  g_clear_pointer (&self->director, g_hash_table_unref);
  g_clear_pointer (&self->she, g_bytes_unref);
  g_free (self);
}

GStrv
rb_vin_pack_list (const char *folder, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "vins", NULL);
  g_autoptr (GError) failure = NULL;
  GStrv names = rb_files_list (path, &failure);
  if (names == NULL && rb_reason_of (failure) == RB_REASON_NOT_FOUND)
    return g_new0 (char *, 1);
  if (names == NULL) {
    g_propagate_error (error, g_steal_pointer (&failure));
    return NULL;
  }
  g_autoptr (GStrvBuilder) vins = g_strv_builder_new ();
  for (guint i = 0; names[i] != NULL; i++)
    if (strcmp (names[i], "regions") != 0)
      g_strv_builder_add (vins, names[i]);
  g_strfreev (names);
  return g_strv_builder_end (vins);
}

static gboolean
vin_pack_error (GError **error, RbReason reason, const char *vin, const char *text, const char *more)
{
  return rb_reason_deny (error, RB_CAMPAIGN_ERROR, reason, "VIN %s: %s%s", vin, text, more);
}

static gboolean
check_vin (const RbCampaign *campaign, const char *vin, GError **error)
{
  if (vin == NULL || vin[0] == '\0') {
    g_set_error (error, RB_CAMPAIGN_ERROR, RB_REASON_VIN_MISSING, "no VIN is given");
    return FALSE;
  }
  if (!rb_campaign_vin_is_valid (vin))
    return vin_pack_error (error, RB_REASON_VIN_INVALID, vin, "not a VIN (17 letters and digits, without I, O and Q)",
                           "");
  return rb_campaign_check_vin (campaign, vin, error);
}

/* *pack is NULL where folder has none of that VIN alone. */
static gboolean
read_own (RbVinPack **pack, const char *folder, const char *vin, GError **error)
{
  g_autofree char *director = g_build_filename (folder, "vins", vin, "director", NULL);
  g_autofree char *she = g_build_filename (folder, "vins", vin, "she.json", NULL);
  g_autoptr (RbVinPack) self = g_new0 (RbVinPack, 1);
  if (!rb_files_is_folder (director))
    return TRUE;
  if ((self->director = rb_roles_read_folder (director, MAX_METADATA_FILE, error)) == NULL
      || (rb_files_exists (she) && (self->she = rb_files_read (she, MAX_SHE, error)) == NULL))
    return FALSE;
  *pack = g_steal_pointer (&self);
  return TRUE;
}

GBytes *
rb_vin_pack_to_entry (GBytes *timestamp, GBytes *snapshot, GBytes *targets, GBytes *she)
{
  GBytes *const files[] = { timestamp, snapshot, targets, she };
  g_autoptr (GByteArray) out = g_byte_array_new ();
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    rb_writer_u32be (out, files[i] == NULL ? 0 : (guint32) g_bytes_get_size (files[i]));
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    if (files[i] != NULL)
      rb_writer_bytes (out, files[i]);
  return g_byte_array_free_to_bytes (g_steal_pointer (&out));
}

static RbVinPack *
from_entry (GBytes *entry, const char *region, GError **error)
{
  guint32 lengths[G_N_ELEMENTS (director_files) + 1];
  RbReader reader = rb_reader_from_bytes (entry);
  g_autoptr (RbVinPack) self = g_new0 (RbVinPack, 1);
  self->region = region;
  self->director = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
    lengths[i] = rb_reader_u32be (&reader);
  for (guint i = 0; i < G_N_ELEMENTS (director_files) && rb_reader_ok (&reader); i++) {
    GBytes *file = rb_reader_take_bytes (&reader, lengths[i]);
    if (file != NULL)
      g_hash_table_insert (self->director, g_strdup (director_files[i]), file);
  }
  if (lengths[G_N_ELEMENTS (director_files)] > 0)
    self->she = rb_reader_take_bytes (&reader, lengths[G_N_ELEMENTS (director_files)]);
  if (rb_reader_done (&reader))
    return g_steal_pointer (&self);
  g_set_error (error, RB_CAMPAIGN_ERROR, RB_REASON_MALFORMED, "%s: the entry of a VIN has not the length of its files",
               region);
  return NULL;
}

static gint64
version_of (const RbVinPack *pack)
{
  g_autoptr (GHashTable) roles = pack == NULL ? NULL : rb_roles_of (pack->director, NULL);
  GBytes *targets = roles == NULL ? NULL : g_hash_table_lookup (roles, "targets");
  return targets == NULL ? -1 : rb_roles_version (targets);
}

/* Newer Director metadata found under the same root stands. */
static gboolean
take_from_region (RbVinPack **pack, const RbVinIndex *region, const char *vin, GError **error)
{
  g_autoptr (GBytes) entry = NULL;
  if (!rb_vin_index_find (region, vin, &entry, error))
    return FALSE;
  if (entry == NULL)
    return TRUE;
  g_autoptr (RbVinPack) other = from_entry (entry, rb_vin_index_name (region), error);
  if (other == NULL)
    return FALSE;
  if (*pack != NULL && version_of (other) <= version_of (*pack))
    return TRUE;
  rb_vin_pack_free (*pack);
  *pack = g_steal_pointer (&other);
  return TRUE;
}

static RbVinPack *
or_missing (RbVinPack *pack, const RbService *service, const char *vin, GError **error)
{
  if (pack == NULL)
    vin_pack_error (error, RB_REASON_VIN_PACK_MISSING, vin, "the bundle has nothing for this vehicle, campaign ",
                    service->campaign->id);
  return pack;
}

RbVinPack *
rb_vin_pack_read_alone (const char *folder, const RbService *service, const char *vin, GError **error)
{
  RbVinPack *pack = NULL;
  return check_vin (service->campaign, vin, error) && read_own (&pack, folder, vin, error)
           ? or_missing (pack, service, vin, error)
           : NULL;
}

RbVinPack *
rb_vin_pack_read (const char *folder, const RbService *service, const char *vin, GError **error)
{
  g_autoptr (RbVinPack) pack = NULL;
  if (!check_vin (service->campaign, vin, error) || !read_own (&pack, folder, vin, error))
    return NULL;
  for (guint i = 0; i < service->regions->len; i++)
    if (!take_from_region (&pack, service->regions->pdata[i], vin, error))
      return NULL;
  return or_missing (g_steal_pointer (&pack), service, vin, error);
}

static gboolean
mismatch (GError **error, RbReason reason, const RbAssignment *assignment, const char *text)
{
  return rb_reason_deny (error, RB_CAMPAIGN_ERROR, reason, "ECU %s (%s): %s", assignment->serial,
                         assignment->hardware_id, text);
}

static gboolean
agrees (const RbAssignment *assignment, const RbService *service, GError **error)
{
  const RbCampaignEcu *ecu = rb_campaign_ecu (service->campaign, assignment->hardware_id);
  if (ecu == NULL)
    return mismatch (error, RB_REASON_HARDWARE_MISMATCH, assignment, "the campaign does not name this hardware id");
  if (strcmp (assignment->target->path, ecu->image) != 0
      || g_strcmp0 (assignment->target->sha256, ecu->image_sha256) != 0)
    return mismatch (error, RB_REASON_TARGET_MISMATCH, assignment,
                     "the Director assigns another image than the campaign");
  return TRUE;
}

/* Every assignment is the campaign's, and the Primary has one. */
static gboolean
check_assignments (GPtrArray *assignments, const RbService *service, GError **error)
{
  const RbModelEcu *primary = rb_vehicle_model_primary (service->model);
  gboolean has_primary = rb_campaign_ecu (service->campaign, primary->hardware_id) == NULL;
  for (guint i = 0; i < assignments->len; i++) {
    const RbAssignment *assignment = assignments->pdata[i];
    if (!agrees (assignment, service, error))
      return FALSE;
    has_primary = has_primary || strcmp (assignment->hardware_id, primary->hardware_id) == 0;
  }
  if (has_primary && assignments->len > 0)
    return TRUE;
  return rb_reason_deny (error, RB_CAMPAIGN_ERROR, RB_REASON_TARGET_MISSING,
                         "the Director assigns nothing to the Primary");
}

/* (transfer full) serial → hardware id */
static GHashTable *
table_of (GPtrArray *assignments)
{
  GHashTable *table = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  for (guint i = 0; i < assignments->len; i++) {
    const RbAssignment *assignment = assignments->pdata[i];
    g_hash_table_insert (table, g_strdup (assignment->serial), g_strdup (assignment->hardware_id));
  }
  return table;
}

/* What is directed is part of the vehicle as built, where the pack says how it is built. */
static gboolean
check_built (GPtrArray *assignments, GHashTable *as_built, GError **error)
{
  for (guint i = 0; as_built != NULL && i < assignments->len; i++) {
    const RbAssignment *assignment = assignments->pdata[i];
    const char *hardware_id = g_hash_table_lookup (as_built, assignment->serial);
    if (hardware_id == NULL)
      return mismatch (error, RB_REASON_ECU_UNKNOWN, assignment, "it is not in the list of the vehicle as built");
    if (strcmp (hardware_id, assignment->hardware_id) != 0)
      return mismatch (error, RB_REASON_HARDWARE_MISMATCH, assignment,
                       "the list of the vehicle as built gives it other hardware");
  }
  return TRUE;
}

typedef struct {
  RbStore *director, *image;
  RbSource *director_source, *image_source;
} Repositories;

static void
repositories_clear (Repositories *self)
{
  g_clear_pointer (&self->director, rb_store_free);
  g_clear_pointer (&self->image, rb_store_free);
  g_clear_pointer (&self->director_source, rb_source_free);
  g_clear_pointer (&self->image_source, rb_source_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Repositories, repositories_clear)

static RbStore *
fresh_store (const char *folder, const RbCampaignRoot *wanted, const char *repo, GError **error)
{
  g_autofree char *metadata = g_build_filename (folder, repo, "metadata", NULL);
  g_autoptr (GBytes) root = rb_roots_wanted (metadata, wanted, repo, error);
  return root == NULL ? NULL : rb_roots_store (root, error);
}

static gboolean
open_repositories (Repositories *self, RbVinPack *pack, const char *folder, const RbCampaign *campaign, GError **error)
{
  g_autofree char *director = g_build_filename (folder, "director", "metadata", NULL);
  g_autofree char *image = g_build_filename (folder, "image", "metadata", NULL);
  self->director_source = rb_source_first_of (rb_source_memory (pack->director), rb_source_folder (director), NULL);
  self->image_source = rb_source_folder (image);
  return (self->director = fresh_store (folder, &campaign->director_root, "director", error)) != NULL
         && (self->image = fresh_store (folder, &campaign->image_root, "image", error)) != NULL;
}

typedef struct {
  GPtrArray *assignments; /* of RbAssignment */
  GHashTable *as_built; /* serial → hardware id; NULL: the pack does not say */
  GHashTable *replaced; /* serial → serial of the ECU whose place it took */
} Verified;

static void
verified_clear (Verified *self)
{
  g_clear_pointer (&self->assignments, g_ptr_array_unref);
  g_clear_pointer (&self->as_built, g_hash_table_unref);
  g_clear_pointer (&self->replaced, g_hash_table_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Verified, verified_clear)

static gboolean
read_as_built (Verified *self, const json_t *director, GError **error)
{
  g_autoptr (GError) malformed = NULL;
  self->as_built = rb_completeness_as_built (director, &malformed);
  if (malformed == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&malformed));
  return FALSE;
}

static gboolean
read_replaced (Verified *self, const json_t *director, GError **error)
{
  g_autoptr (GHashTable) assigned = table_of (self->assignments);
  self->replaced = rb_completeness_replaced (director, assigned, error);
  return self->replaced != NULL;
}

static gboolean
verify (Verified *self, RbVinPack *pack, const char *folder, const RbService *service, RbVehicleRequest request,
        GError **error)
{
  g_auto (Repositories) all = { NULL };
  g_autoptr (json_t) director = NULL;
  request.vin_needed = TRUE;
  request.any_layout = TRUE;
  request.director_signed = &director;
  if (open_repositories (&all, pack, folder, service->campaign, error)
      && rb_vehicle_verify_full (all.director, all.director_source, all.image, all.image_source, &request,
                                 &self->assignments, NULL, error)
      && check_assignments (self->assignments, service, error) && read_as_built (self, director, error)
      && check_built (self->assignments, self->as_built, error) && read_replaced (self, director, error))
    return TRUE;
  g_prefix_error (error, "VIN pack %s: ", request.vin);
  return FALSE;
}

GPtrArray *
rb_vin_pack_assignments (RbVinPack *pack, const char *folder, const RbService *service, const char *vin, gint64 moment,
                         const RbVehicleEcu *ecus, guint n_ecus, GError **error)
{
  g_auto (Verified) found = { NULL };
  const RbVehicleRequest request = { .now = moment, .vin = vin, .ecus = ecus, .n_ecus = n_ecus };
  return verify (&found, pack, folder, service, request, error) ? g_steal_pointer (&found.assignments) : NULL;
}

GPtrArray *
rb_vin_pack_completeness (RbVinPack *pack, const char *folder, const RbService *service, const char *vin, gint64 moment,
                          GError **error)
{
  g_auto (Verified) found = { NULL };
  const RbVehicleRequest request = { .now = moment, .vin = vin };
  if (!verify (&found, pack, folder, service, request, error))
    return NULL;
  g_autoptr (GHashTable) assigned = table_of (found.assignments);
  return rb_completeness_list (service->campaign, service->model, assigned, found.as_built, found.replaced);
}

/* Director targets signed by the keys of the campaign's Director root. */
static RbMetadata *
read_signed_targets (const char *folder, const RbCampaign *campaign, GBytes *targets, GError **error)
{
  g_autoptr (RbStore) store = fresh_store (folder, &campaign->director_root, "director", error);
  g_autoptr (RbMetadata) read
    = store == NULL ? NULL : rb_metadata_parse (targets, RB_METADATA_TARGETS, MAX_TARGETS, error);
  gboolean good = read != NULL && rb_metadata_verify_by_root (read, rb_store_root_metadata (store), "targets", error);
  return good ? g_steal_pointer (&read) : NULL;
}

typedef struct {
  GHashTable *assigned;
  GError **error;
} Assigned;

/* (RbMetadataEntryFunc) */
static gboolean
add_assigned (const char *name, const json_t *entry, gpointer data)
{
  Assigned *self = data;
  GHashTableIter iter;
  gpointer serial, hardware_id;
  g_autoptr (RbTarget) target = rb_target_from_json (name, entry, self->error);
  if (target == NULL)
    return FALSE;
  if (target->ecus == NULL)
    return TRUE;
  g_hash_table_iter_init (&iter, target->ecus);
  while (g_hash_table_iter_next (&iter, &serial, &hardware_id))
    g_hash_table_insert (self->assigned, g_strdup (serial), g_strdup (hardware_id));
  return TRUE;
}

GPtrArray *
rb_vin_pack_directed (const char *folder, const RbService *service, const char *vin, GBytes *targets, GError **error)
{
  g_autoptr (GHashTable) assigned = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  Assigned adding = { assigned, error };
  g_autoptr (RbMetadata) read = read_signed_targets (folder, service->campaign, targets, error);
  if (read == NULL)
    return NULL;
  if (strcmp (rb_json_string_or (read->signed_part, "vin", ""), vin) != 0) {
    g_set_error (error, RB_CAMPAIGN_ERROR, RB_REASON_VIN_MISMATCH, "Director targets: expected vehicle %s", vin);
    return NULL;
  }
  g_autoptr (GError) malformed = NULL;
  g_autoptr (GHashTable) as_built = rb_completeness_as_built (read->signed_part, &malformed);
  g_autoptr (GHashTable) replaced = NULL;
  if (malformed == NULL && rb_metadata_each_entry (read, add_assigned, &adding)
      && (replaced = rb_completeness_replaced (read->signed_part, assigned, error)) != NULL)
    return rb_completeness_list (service->campaign, service->model, assigned, as_built, replaced);
  if (malformed != NULL)
    g_propagate_error (error, g_steal_pointer (&malformed));
  return NULL;
}
