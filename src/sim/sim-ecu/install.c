/* SPDX-License-Identifier: Apache-2.0 */
#include "sim-ecu/install.h"

#include "core/files.h"
#include "core/json.h"
#include "core/moment.h"
#include "crypto/digest.h"
#include "model/campaign.h"
#include "sim-ecu/carried-root.h"
#include "sim-ecu/host.h"

#include <string.h>
#include <unistd.h>

#define MAX_ROOT (1024 * 1024)
#define MAX_METADATA (16 * 1024 * 1024)

enum { WHAT_ALL = 0, WHAT_DIRECTOR_ROOT = 1, WHAT_IMAGE_ROOT = 2 };

/* The staged files below "director/", as a source of their own. */
static RbSource *
staged (RbEcu *self, const char *prefix)
{
  g_autoptr (GHashTable) files
    = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
  GHashTableIter iter;
  gpointer path, bytes;
  g_hash_table_iter_init (&iter, self->staging);
  while (g_hash_table_iter_next (&iter, &path, &bytes))
    if (g_str_has_prefix (path, prefix))
      g_hash_table_insert (files, g_strdup (&((char *) path)[strlen (prefix)]), g_bytes_ref (bytes));
  return rb_source_memory (files);
}

/* Its version where the metadata tells it, else what its name says: "oem/gateway-2.0.bin" is 2.0. */
static char *
version_of (const RbTarget *target)
{
  const char *told = rb_json_string_or (target->custom, "version", NULL);
  g_autofree char *base = g_path_get_basename (target->path);
  const char *dash = strrchr (base, '-');
  if (told != NULL || dash == NULL)
    return g_strdup (told == NULL ? "" : told);
  char *version = g_strdup (&dash[1]);
  if (g_str_has_suffix (version, ".bin"))
    version[strlen (version) - strlen (".bin")] = '\0';
  return version;
}

/* The image that the newest Director targets assign to this ECU: its bootloader accepts no other. */
static void
remember_assignment (RbMemory *memory, GPtrArray *assignments)
{
  for (guint i = 0; i < assignments->len; i++) {
    const RbAssignment *assignment = assignments->pdata[i];
    if (strcmp (assignment->serial, memory->serial) != 0)
      continue;
    g_free (memory->assigned_sha256);
    g_free (memory->assigned_path);
    g_free (memory->assigned_version);
    memory->assigned_sha256 = g_strdup (assignment->target->sha256);
    memory->assigned_path = g_strdup (assignment->target->path);
    memory->assigned_version = version_of (assignment->target);
  }
}

/* Verifies; what the stores hold afterwards, also where it was rejected, is kept. assignments NULL: rejected. */
static gboolean
judge (RbMemory *memory, const RbVehicleRequest *request, RbSource *director, RbSource *image, GPtrArray **assignments,
       GError **error)
{
  g_autoptr (RbStore) director_store = rb_memory_store (memory, "director", error);
  g_autoptr (RbStore) image_store = director_store == NULL ? NULL : rb_memory_store (memory, "image", error);
  if (image_store == NULL)
    return FALSE;
  gboolean good
    = memory->full
        ? rb_vehicle_verify_full (director_store, director, image_store, image, request, assignments, NULL, error)
        : rb_vehicle_verify_partial (director_store, director, request, assignments, NULL, error);
  rb_memory_keep (memory, "director", director_store);
  if (memory->full)
    rb_memory_keep (memory, "image", image_store);
  return good;
}

/* Verified or rejected, it is stored at once. */
static gboolean
store (RbMemory *memory, gboolean good, GError **error)
{
  g_autoptr (GError) unsaved = NULL;
  if (rb_memory_save (memory, &unsaved))
    return good;
  if (good)
    g_propagate_error (error, g_steal_pointer (&unsaved));
  return FALSE;
}

gboolean
rb_install_offer (RbMemory *memory, const char *vin, const RbVehicleEcu *ecus, guint n_ecus, RbSource *director,
                  RbSource *image, GError **error)
{
  const RbVehicleRequest request = { .now = rb_moment_now (),
                                     .any_layout = TRUE,
                                     .vin = vin,
                                     .ecus = ecus,
                                     .n_ecus = n_ecus,
                                     .own_serial = n_ecus > 0 ? NULL : memory->serial };
  g_autoptr (GPtrArray) assignments = NULL;
  gboolean good = judge (memory, &request, director, image, &assignments, error);
  if (good)
    remember_assignment (memory, assignments);
  return store (memory, good, error);
}

/* Fault: an ECU without one commit point loses its power between the new metadata and what they assign to it. */
static void
tear (RbEcu *self, RbSource *director, RbSource *image, const RbVehicleEcu *ecus, guint n_ecus)
{
  const RbVehicleRequest request = { .now = rb_moment_now (),
                                     .any_layout = TRUE,
                                     .vin = self->vehicle->vin,
                                     .ecus = ecus,
                                     .n_ecus = n_ecus,
                                     .own_serial = n_ecus > 0 ? NULL : self->memory->serial };
  g_autoptr (GPtrArray) assignments = NULL;
  g_autoptr (GError) error = NULL;
  if (judge (self->memory, &request, director, image, &assignments, &error) && store (self->memory, TRUE, &error))
    _exit (0); /* no clean-up on purpose: this is a loss of power */
}

static gboolean
install_all (RbEcu *self, GError **error)
{
  GPtrArray *all = self->vehicle->ecus;
  g_autofree RbVehicleEcu *ecus = g_new0 (RbVehicleEcu, all->len);
  g_autoptr (RbSource) director = staged (self, "director/");
  g_autoptr (RbSource) image = staged (self, "image/");
  for (guint i = 0; i < all->len; i++) {
    const RbMemory *memory = ((RbEcu *) all->pdata[i])->memory;
    ecus[i] = (RbVehicleEcu){ memory->serial, memory->hardware_id };
  }
  if (rb_host_fault (self->vehicle, "torn-install", self, ++self->installs) != NULL)
    tear (self, director, image, ecus, self->model->primary ? all->len : 0);
  return rb_install_offer (self->memory, self->vehicle->vin, ecus, self->model->primary ? all->len : 0, director, image,
                           error)
         && rb_carried_root_name_image (self, error);
}

static gboolean
install_root (RbEcu *self, const char *repo, GError **error)
{
  g_autofree char *prefix = g_strconcat (repo, "/", NULL);
  g_autoptr (RbStore) roots = rb_memory_store (self->memory, repo, error);
  g_autoptr (RbSource) source = staged (self, prefix);
  if (roots == NULL || rb_host_fault (self->vehicle, "keep-root", self, 0) != NULL)
    return roots != NULL;
  gboolean good = rb_vehicle_update_root (roots, source, rb_moment_now (), repo, NULL, error);
  rb_memory_keep (self->memory, repo, roots);
  return store (self->memory, good, error);
}

/* 00, or 01 and the reason word. */
static guint8
answer (RbEcu *self, const char *event, gboolean good, const GError *error, GByteArray *out)
{
  const char *word = good ? "" : rb_reason_word (rb_reason_of (error));
  rb_writer_u8 (out, good ? 0 : 1);
  rb_writer_data (out, word, strlen (word));
  if (!good)
    g_debug ("%s: %s", self->memory->serial, error->message);
  rb_host_log (self->vehicle, good ? event : "refusal", self, good ? NULL : json_pack ("{s:s}", "reason", word));
  return 0;
}

guint8
rb_install_metadata (RbEcu *self, RbReader *request, GByteArray *out)
{
  guint8 what = rb_reader_u8 (request);
  g_autoptr (GError) error = NULL;
  if (!rb_reader_done (request))
    return RB_NRC_LENGTH;
  if (what > WHAT_IMAGE_ROOT || (what == WHAT_IMAGE_ROOT && !self->memory->full)
      || (what != WHAT_ALL && rb_carried_root_is (self)))
    return RB_NRC_RANGE;
  gboolean good = what == WHAT_ALL ? install_all (self, &error)
                                   : install_root (self, what == WHAT_DIRECTOR_ROOT ? "director" : "image", &error);
  g_hash_table_remove_all (self->staging);
  return answer (self, what == WHAT_ALL ? "metadata" : "root", good, error, out);
}

/* The Service repository's store of this ECU, walked to the newest staged root. */
static RbStore *
service_store (RbEcu *self, GError **error)
{
  g_autofree char *path = rb_memory_path (self->memory, "service-root.json");
  g_autoptr (GBytes) factory = rb_files_read (path, MAX_ROOT, error);
  g_autoptr (RbStore) roots = factory == NULL ? NULL : rb_memory_store (self->memory, "service", error);
  g_autoptr (RbSource) source = staged (self, "service/");
  if (roots == NULL || !rb_store_anchor (roots, factory, error)
      || !rb_vehicle_update_root (roots, source, rb_moment_now (), "service", NULL, error))
    return NULL;
  rb_memory_keep (self->memory, "service", roots); /* stored with the anchor that it serves */
  return g_steal_pointer (&roots);
}

static RbMetadata *
verified_service_targets (RbEcu *self, GError **error)
{
  GBytes *bytes = g_hash_table_lookup (self->staging, "service/targets.json");
  g_autoptr (RbStore) store = service_store (self, error);
  if (store == NULL)
    return NULL;
  if (bytes == NULL) {
    rb_reason_deny (error, RB_SIM_ERROR, RB_REASON_MISSING, "service/targets.json is not staged");
    return NULL;
  }
  g_autoptr (RbMetadata) targets = rb_metadata_parse (bytes, RB_METADATA_TARGETS, MAX_METADATA, error);
  if (targets == NULL || !rb_metadata_verify_by_root (targets, rb_store_root_metadata (store), "targets", error))
    return NULL;
  if (targets->expires <= rb_moment_now ()) {
    rb_reason_deny (error, RB_SIM_ERROR, RB_REASON_EXPIRED, "the Service targets have expired");
    return NULL;
  }
  return g_steal_pointer (&targets);
}

/* The staged campaign, if the Recall Authority's targets name exactly its bytes. */
static RbCampaign *
verified_campaign (RbEcu *self, GError **error)
{
  GBytes *bytes = g_hash_table_lookup (self->staging, "campaign.json");
  g_autoptr (RbMetadata) targets = verified_service_targets (self, error);
  if (targets == NULL)
    return NULL;
  g_autoptr (RbCampaign) campaign = bytes == NULL ? NULL : rb_campaign_parse (bytes, error);
  if (campaign == NULL) {
    if (bytes == NULL)
      rb_reason_deny (error, RB_SIM_ERROR, RB_REASON_MISSING, "campaign.json is not staged");
    return NULL;
  }
  g_autofree char *path = g_strdup_printf ("campaigns/%s.json", campaign->id);
  const json_t *entry = rb_metadata_entry (targets, path);
  g_autoptr (RbTarget) target = entry == NULL ? NULL : rb_target_from_json (path, entry, error);
  if (target == NULL || !rb_target_check_image (target, bytes, error)) {
    if (entry == NULL)
      rb_reason_deny (error, RB_SIM_ERROR, RB_REASON_TARGET_MISSING,
                      "the Recall Authority does not name this campaign");
    return NULL;
  }
  return g_steal_pointer (&campaign);
}

static gboolean
anchor (RbEcu *self, gboolean director, GError **error)
{
  GBytes *root = g_hash_table_lookup (self->staging, director ? "anchor/director.root.json" : "anchor/image.root.json");
  g_autoptr (RbCampaign) campaign = verified_campaign (self, error);
  if (campaign == NULL)
    return FALSE;
  if (root == NULL)
    return rb_reason_deny (error, RB_SIM_ERROR, RB_REASON_MISSING, "the anchor is not staged");
  g_autofree char *sha256 = rb_digest_sha256_hex_of (root);
  const RbCampaignRoot *wanted = director ? &campaign->director_root : &campaign->image_root;
  if (strcmp (sha256, wanted->sha256) != 0)
    return rb_reason_deny (error, RB_SIM_ERROR, RB_REASON_PIN_MISMATCH, "the campaign pins another root");
  if (rb_host_fault (self->vehicle, "keep-root", self, 0) != NULL)
    return TRUE;
  const char *repo = director ? "director" : "image";
  g_autoptr (RbStore) roots = rb_memory_store (self->memory, repo, error);
  if (roots == NULL || !rb_store_reanchor (roots, root, error))
    return FALSE;
  rb_memory_keep (self->memory, repo, roots);
  return store (self->memory, TRUE, error);
}

guint8
rb_install_anchor (RbEcu *self, RbReader *request, GByteArray *out)
{
  guint8 repo = rb_reader_u8 (request);
  g_autoptr (GError) error = NULL;
  if (!rb_reader_done (request))
    return RB_NRC_LENGTH;
  if (rb_carried_root_is (self) || repo > 1 || (repo == 1 && !self->memory->full))
    return RB_NRC_RANGE;
  gboolean good = anchor (self, repo == 0, &error);
  g_hash_table_remove_all (self->staging);
  return answer (self, "root", good, error, out);
}

static gboolean
drop (RbEcu *self, const char *repo, const char *role, GError **error)
{
  g_autoptr (RbStore) stored = rb_memory_store (self->memory, repo, error);
  if (stored == NULL || !rb_store_drop (stored, role, error))
    return FALSE;
  rb_memory_keep (self->memory, repo, stored);
  return store (self->memory, TRUE, error);
}

guint8
rb_install_drop (RbEcu *self, RbReader *request, GByteArray *out)
{
  guint8 repo = rb_reader_u8 (request);
  gsize length = rb_reader_left (request);
  const guint8 *name = rb_reader_take (request, length);
  g_autoptr (GError) error = NULL;
  if (name == NULL || length == 0 || length > 64)
    return RB_NRC_LENGTH;
  if (repo > 1 || (repo == 1 && !self->memory->full))
    return RB_NRC_RANGE;
  g_autofree char *role = g_strndup ((const char *) name, length);
  if (!rb_files_name_is_safe (role))
    return RB_NRC_RANGE;
  gboolean good = drop (self, repo == 0 ? "director" : "image", role, &error);
  return answer (self, "metadata", good, error, out);
}

void
rb_install_lose (RbEcu *self)
{
  g_autoptr (GError) error = NULL;
  if (rb_host_fault (self->vehicle, "lose-metadata", self, 0) != NULL && !drop (self, "director", "targets", &error))
    g_warning ("lose-metadata: %s", error->message);
}
