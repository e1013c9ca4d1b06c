/* SPDX-License-Identifier: Apache-2.0 */
#include "campaign/contents.h"

#include "campaign/archive.h"
#include "campaign/images.h"
#include "campaign/roles.h"
#include "campaign/roots.h"
#include "campaign/shape.h"
#include "campaign/vin-pack.h"
#include "core/files.h"
#include "core/json.h"
#include "core/moment.h"
#include "crypto/digest.h"
#include "model/member.h"

#include <string.h>

#define SHE_FILE "she.json"
#define SHE_FORMAT "recallbay-she-2"
#define MAX_METADATA_FILE (16 * 1024 * 1024)
#define MAX_KEPT (128 * 1024 * 1024)

struct _RbContents {
  gatomicrefcount references;
  char *folder;
  char *store;
  char *in_place;
  RbContentsCheckRoles check_roles;
  char *data_dir;
  RbScratch *owned;
  RbService *service;
  GStrv vins;
  RbImages *images; /* NULL: none are kept */
};

RbContents *
rb_contents_ref (RbContents *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

void
rb_contents_unref (RbContents *self)
{
  if (self == NULL || !g_atomic_ref_count_dec (&self->references))
    return;
  g_clear_pointer (&self->service, rb_service_free);
  g_clear_pointer (&self->owned, rb_scratch_free);
  g_clear_pointer (&self->images, rb_images_free);
  g_free (self->folder);
  g_free (self->store);
  g_free (self->in_place);
  g_free (self->data_dir);
  g_strfreev (self->vins);
  g_free (self);
}

void
rb_contents_file_free (RbContentsFile *self)
{
  if (self == NULL)
    return;
  g_free (self->path);
  g_free (self->role);
  g_free (self->sha256);
  g_clear_pointer (&self->bytes, g_bytes_unref);
  g_free (self);
}

static const char *
repo_name (RbContentsRepo repo)
{
  return repo == RB_CONTENTS_DIRECTOR ? "director" : "image";
}

static const RbCampaignRoot *
wanted_root (RbContents *self, RbContentsRepo repo)
{
  const RbCampaign *campaign = self->service->campaign;
  return repo == RB_CONTENTS_DIRECTOR ? &campaign->director_root : &campaign->image_root;
}

static char *
metadata_folder (RbContents *self, RbContentsRepo repo)
{
  return g_build_filename (self->folder, repo_name (repo), "metadata", NULL);
}

static gboolean
verify_roots (RbContents *self, GError **error)
{
  static const RbContentsRepo repos[] = { RB_CONTENTS_DIRECTOR, RB_CONTENTS_IMAGE };
  for (guint i = 0; i < G_N_ELEMENTS (repos); i++) {
    g_autofree char *folder = metadata_folder (self, repos[i]);
    if (!rb_roots_check (folder, wanted_root (self, repos[i]), repo_name (repos[i]), self->service->moment, error))
      return FALSE;
  }
  return TRUE;
}

/* No role of the Image repository under two names. */
static gboolean
check_roles (RbContents *self, GError **error)
{
  g_autofree char *folder = metadata_folder (self, RB_CONTENTS_IMAGE);
  g_autoptr (GHashTable) files = rb_roles_read_folder (folder, MAX_METADATA_FILE, error);
  g_autoptr (GHashTable) roles = files == NULL ? NULL : rb_roles_of (files, error);
  return roles != NULL;
}

gboolean
rb_contents_reread (RbContents *self, GError **error)
{
  g_strfreev (self->vins);
  self->vins = rb_vin_pack_list (self->folder, error);
  return self->vins != NULL;
}

RbContents *
rb_contents_of_service (const RbContentsSource *source, RbService *service, GError **error)
{
  g_autoptr (RbContents) self = g_new0 (RbContents, 1);
  g_atomic_ref_count_init (&self->references);
  self->folder = g_strdup (source->folder);
  self->store = g_strdup (source->store);
  self->in_place = g_strdup (source->in_place);
  self->check_roles = source->check_roles;
  self->data_dir = g_strdup (source->data_dir);
  self->service = service;
  if (verify_roots (self, error) && check_roles (self, error) && rb_contents_reread (self, error))
    return g_steal_pointer (&self);
  self->service = NULL;
  return NULL;
}

RbContents *
rb_contents_verify (const RbContentsSource *source, RbScratch *owned, GError **error)
{
  g_autoptr (RbService) service
    = rb_service_open (source->folder, source->anchors, source->moment, source->started, error);
  RbContents *self = service == NULL || !rb_service_check_pieces (service, source->folder, error)
                       ? NULL
                       : rb_contents_of_service (source, service, error);
  if (self == NULL)
    return NULL;
  g_steal_pointer (&service);
  self->owned = owned;
  return self;
}

void
rb_contents_own (RbContents *self, RbScratch *scratch)
{
  self->owned = scratch;
}

RbService *
rb_contents_service (RbContents *self)
{
  return self->service;
}

const RbCampaign *
rb_contents_campaign (RbContents *self)
{
  return self->service->campaign;
}

GBytes *
rb_contents_campaign_json (RbContents *self)
{
  return self->service->campaign_json;
}

const char *
rb_contents_campaign_sha256 (RbContents *self)
{
  return self->service->campaign_sha256;
}

const RbVehicleModel *
rb_contents_model (RbContents *self)
{
  return self->service->model;
}

const RbProfile *
rb_contents_profile (RbContents *self, const char *hardware_id)
{
  const RbCampaignEcu *ecu = rb_campaign_ecu (self->service->campaign, hardware_id);
  return ecu == NULL ? NULL : g_hash_table_lookup (self->service->profiles, ecu->profile);
}

RbTrustList *
rb_contents_trust_list (RbContents *self)
{
  return self->service->trust_list;
}

GBytes *
rb_contents_trust_list_json (RbContents *self)
{
  return self->service->trust_list_json;
}

const char *
rb_contents_anchor (RbContents *self)
{
  return self->service->anchor;
}

gint64
rb_contents_valid_until (RbContents *self)
{
  return MIN (self->service->timestamp_expires, self->service->campaign->expires);
}

static gboolean
may_not_start (RbContents *self, RbReason reason, const char *text, gint64 limit, GError **error)
{
  g_autofree char *at = rb_moment_to_text (limit);
  g_set_error (error, RB_CAMPAIGN_ERROR, (int) reason, "campaign %s: %s %s", self->service->campaign->id, text, at);
  return FALSE;
}

gboolean
rb_contents_may_start (RbContents *self, gint64 now, GError **error)
{
  const RbCampaign *campaign = self->service->campaign;
  if (now < campaign->issued)
    return may_not_start (self, RB_REASON_CLOCK, "the clock of this computer is before its issue on", campaign->issued,
                          error);
  if (now >= campaign->expires)
    return may_not_start (self, RB_REASON_CAMPAIGN_EXPIRED, "expired on", campaign->expires, error);
  if (now >= self->service->timestamp_expires)
    return may_not_start (self, RB_REASON_EXPIRED, "this bundle was good until", self->service->timestamp_expires,
                          error);
  return TRUE;
}

GStrv
rb_contents_vins (RbContents *self)
{
  return g_strdupv (self->vins);
}

guint64
rb_contents_packs (RbContents *self)
{
  guint64 packs = g_strv_length (self->vins);
  for (guint i = 0; i < self->service->regions->len; i++)
    packs += rb_vin_index_vins (self->service->regions->pdata[i]);
  return packs;
}

/* Packs of a VIN alone are verified when they are imported, those of a region at each use. */
static gboolean
check_region (RbContents *self, const RbVinPack *pack, const char *vin, GError **error)
{
  if (pack->region == NULL || self->check_roles == NULL || self->service->anchor == NULL)
    return TRUE;
  g_autoptr (GHashTable) roles = rb_roles_of (pack->director, error);
  return roles != NULL && self->check_roles (self, vin, roles, self->data_dir, error);
}

static RbVinPack *
read_pack (RbContents *self, const char *vin, GError **error)
{
  g_autoptr (RbVinPack) pack = rb_vin_pack_read (self->folder, self->service, vin, error);
  return pack != NULL && check_region (self, pack, vin, error) ? g_steal_pointer (&pack) : NULL;
}

GPtrArray *
rb_contents_assignments (RbContents *self, const char *vin, gint64 moment, const RbVehicleEcu *ecus, guint n_ecus,
                         GError **error)
{
  g_autoptr (RbVinPack) pack = read_pack (self, vin, error);
  moment = MAX (moment, self->service->campaign->issued);
  return pack == NULL ? NULL
                      : rb_vin_pack_assignments (pack, self->folder, self->service, vin, moment, ecus, n_ecus, error);
}

gboolean
rb_contents_verify_pack (RbContents *self, const char *vin, gint64 moment, GError **error)
{
  g_autoptr (RbVinPack) pack = rb_vin_pack_read_alone (self->folder, self->service, vin, error);
  moment = MAX (moment, self->service->campaign->issued);
  g_autoptr (GPtrArray) assignments
    = pack == NULL ? NULL : rb_vin_pack_assignments (pack, self->folder, self->service, vin, moment, NULL, 0, error);
  return assignments != NULL;
}

GPtrArray *
rb_contents_completeness (RbContents *self, const char *vin, gint64 moment, GError **error)
{
  g_autoptr (RbVinPack) pack = read_pack (self, vin, error);
  moment = MAX (moment, self->service->campaign->issued);
  return pack == NULL ? NULL : rb_vin_pack_completeness (pack, self->folder, self->service, vin, moment, error);
}

GPtrArray *
rb_contents_directed (RbContents *self, const char *vin, GBytes *targets, GError **error)
{
  return rb_vin_pack_directed (self->folder, self->service, vin, targets, error);
}

json_t *
rb_contents_she (RbContents *self, const char *vin, GError **error)
{
  g_autoptr (RbVinPack) pack = read_pack (self, vin, error);
  if (pack == NULL || pack->she == NULL)
    return NULL;
  g_autoptr (json_t) she = rb_json_parse (pack->she, g_bytes_get_size (pack->she), SHE_FILE, error);
  if (she == NULL || !rb_member_format (she, SHE_FORMAT, SHE_FILE, error)
      || rb_json_array (she, "updates", SHE_FILE, error) == NULL)
    return NULL;
  return g_steal_pointer (&she);
}

GHashTable *
rb_contents_images (RbContents *self)
{
  GHashTable *images = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  const GPtrArray *ecus = self->service->campaign->ecus;
  for (guint i = 0; i < ecus->len; i++) {
    const RbCampaignEcu *ecu = ecus->pdata[i];
    g_hash_table_insert (images, g_strdup (ecu->image), g_strdup (ecu->image_sha256));
  }
  return images;
}

static gboolean
image_fails (GError **error, RbReason reason, const char *sha256, const char *text)
{
  return rb_reason_deny (error, RB_CAMPAIGN_ERROR, reason, "image %s: %s", sha256, text);
}

static const char *
image_path (RbContents *self, const char *sha256)
{
  const GPtrArray *ecus = self->service->campaign->ecus;
  for (guint i = 0; i < ecus->len; i++) {
    const RbCampaignEcu *ecu = ecus->pdata[i];
    if (strcmp (ecu->image_sha256, sha256) == 0)
      return ecu->image;
  }
  return NULL;
}

static GBytes *
read_entry (RbArchive *archive, guint64 size, GError **error)
{
  if (size > G_MAXINT32) {
    g_set_error (error, RB_CAMPAIGN_ERROR, RB_REASON_TOO_LARGE, "the image is too large to be used in place");
    return NULL;
  }
  g_autofree guint8 *data = g_malloc (size + 1);
  gsize done = 0;
  gssize got = 1;
  while (done <= size && got > 0) {
    got = rb_archive_read (archive, &data[done], size + 1 - done, error);
    if (got < 0)
      return NULL;
    done += (gsize) got;
  }
  return g_bytes_new_take (g_steal_pointer (&data), MIN (done, size));
}

/* Is that file the image of that path, by its name or HASH.NAME of consistent snapshots? */
static gboolean
is_image (const char *file, const char *path)
{
  g_autofree char *plain = rb_shape_image (file, NULL);
  g_autofree char *exact = g_strconcat ("image/targets/", path, NULL);
  return strcmp (file, exact) == 0 || g_strcmp0 (plain, path) == 0;
}

/* NULL without error when it is not there. */
static GBytes *
image_in_archive (const char *bundle, const char *path, GError **error)
{
  RbArchiveEntry entry = { NULL };
  g_autoptr (RbArchive) archive = rb_archive_open (bundle, error);
  if (archive == NULL)
    return NULL;
  while (rb_archive_next (archive, &entry, error) && entry.path != NULL)
    if (is_image (entry.path, path))
      return read_entry (archive, entry.size, error);
  return NULL;
}

static GBytes *
image_in_place (RbContents *self, const char *sha256, GError **error)
{
  const char *path = image_path (self, sha256);
  if (self->in_place == NULL)
    return NULL;
  if (!rb_files_is_folder (self->in_place))
    return image_in_archive (self->in_place, path, error);
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *base = g_path_get_basename (path);
  g_autofree char *hashed = g_strdup_printf ("%s.%s", sha256, base);
  g_autofree char *file = g_build_filename (self->in_place, "image", "targets", path, NULL);
  g_autofree char *other = g_build_filename (self->in_place, "image", "targets", folder, hashed, NULL);
  const char *found = rb_files_exists (file) ? file : other;
  /* read, not mapped: a stick may be pulled at any time */
  return rb_files_exists (found) ? rb_files_read (found, G_MAXINT32, error) : NULL;
}

void
rb_contents_keep_images (RbContents *self)
{
  if (self->images == NULL)
    self->images = rb_images_new (MAX_KEPT);
}

/* Not yet verified. */
static GBytes *
open_image (RbContents *self, const char *sha256, GError **error)
{
  g_autoptr (GError) problem = NULL;
  if (image_path (self, sha256) == NULL) {
    image_fails (error, RB_REASON_IMAGE_MISSING, sha256, "the campaign does not name it");
    return NULL;
  }
  g_autofree char *stored = self->store == NULL ? NULL : g_build_filename (self->store, sha256, NULL);
  g_autoptr (GBytes) image = stored != NULL && rb_files_exists (stored) ? rb_files_map (stored, G_MAXSIZE, &problem)
                                                                        : image_in_place (self, sha256, &problem);
  if (image == NULL)
    image_fails (error, RB_REASON_IMAGE_MISSING, sha256,
                 problem == NULL ? "it is not in the library or bundle" : problem->message);
  return g_steal_pointer (&image);
}

GBytes *
rb_contents_image (RbContents *self, const char *sha256, GError **error)
{
  GBytes *kept = rb_images_get (self->images, sha256);
  if (kept != NULL)
    return kept;
  g_autoptr (GBytes) file = open_image (self, sha256, error);
  if (file == NULL)
    return NULL;
  g_autoptr (GBytes) image = rb_images_read (self->images, file);
  g_autofree char *digest = rb_digest_sha256_hex_of (image);
  if (strcmp (digest, sha256) == 0) {
    rb_images_keep (self->images, sha256, image, file);
    return g_steal_pointer (&image);
  }
  image_fails (error, RB_REASON_HASH_MISMATCH, sha256, "the stored bytes have changed; import the bundle again");
  return NULL;
}

static void
add_file (GPtrArray *files, char *path, const char *role, gint64 version, GBytes *bytes)
{
  RbContentsFile *file = g_new0 (RbContentsFile, 1);
  file->path = path;
  file->role = g_strdup (role);
  file->version = version;
  file->sha256 = rb_digest_sha256_hex_of (bytes);
  file->bytes = g_bytes_ref (bytes);
  g_ptr_array_add (files, file);
}

static gboolean
add_roots (GPtrArray *files, const char *folder, const char *repo, gint64 above, GError **error)
{
  gint64 first = 0;
  g_autoptr (GPtrArray) roots = rb_roots_read_from (folder, &first, error);
  for (guint i = 0; roots != NULL && i < roots->len; i++)
    if (first + i > above)
      add_file (files, g_strdup_printf ("%s/%" G_GINT64_FORMAT ".root.json", repo, first + i), "root", first + i,
                roots->pdata[i]);
  return roots != NULL;
}

static GPtrArray *
new_files (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) rb_contents_file_free);
}

GPtrArray *
rb_contents_roots (RbContents *self, RbContentsRepo repo, gint64 above, GError **error)
{
  g_autoptr (GPtrArray) files = new_files ();
  g_autofree char *folder = metadata_folder (self, repo);
  return add_roots (files, folder, repo_name (repo), above, error) ? g_steal_pointer (&files) : NULL;
}

/* The root the campaign wants, as file bytes. (transfer full) */
static GBytes *
root_of (RbContents *self, RbContentsRepo repo, GError **error)
{
  g_autofree char *folder = metadata_folder (self, repo);
  return rb_roots_wanted (folder, wanted_root (self, repo), repo_name (repo), error);
}

static void
add_role (GPtrArray *files, const char *repo, const char *role, GBytes *bytes)
{
  add_file (files, g_strdup_printf ("%s/%s.json", repo, role), role, rb_roles_version (bytes), bytes);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (a, b);
}

/* timestamp, snapshot, targets, then those that are delegated to, by name. */
static gboolean
add_roles (GPtrArray *files, const char *repo, GHashTable *roles, GError **error)
{
  static const char *const own[] = { "timestamp", "snapshot", "targets", NULL };
  g_autoptr (GList) names = g_list_sort (g_hash_table_get_keys (roles), compare_names);
  for (guint i = 0; own[i] != NULL; i++) {
    GBytes *bytes = g_hash_table_lookup (roles, own[i]);
    if (bytes == NULL)
      return rb_reason_deny (error, RB_CAMPAIGN_ERROR, RB_REASON_MISSING, "%s/%s.json: not in the bundle", repo,
                             own[i]);
    add_role (files, repo, own[i], bytes);
  }
  for (GList *i = names; i != NULL; i = i->next)
    if (!g_strv_contains (own, i->data))
      add_role (files, repo, i->data, g_hash_table_lookup (roles, i->data));
  return TRUE;
}

GPtrArray *
rb_contents_roles (RbContents *self, RbContentsRepo repo, const char *vin, GError **error)
{
  g_autoptr (GPtrArray) files = new_files ();
  g_autofree char *folder = metadata_folder (self, repo);
  g_autoptr (RbVinPack) pack = repo == RB_CONTENTS_DIRECTOR ? read_pack (self, vin, error) : NULL;
  if (repo == RB_CONTENTS_DIRECTOR && pack == NULL)
    return NULL;
  g_autoptr (GHashTable) named
    = pack != NULL ? g_hash_table_ref (pack->director) : rb_roles_read_folder (folder, MAX_METADATA_FILE, error);
  g_autoptr (GHashTable) roles = named == NULL ? NULL : rb_roles_of (named, error);
  return roles != NULL && add_roles (files, repo_name (repo), roles, error) ? g_steal_pointer (&files) : NULL;
}

GPtrArray *
rb_contents_anchor_files (RbContents *self, RbContentsRepo repo, GError **error)
{
  g_autoptr (GPtrArray) files = new_files ();
  const RbService *service = self->service;
  g_autofree char *folder = g_build_filename (self->folder, "service", "metadata", NULL);
  g_autoptr (GBytes) root = root_of (self, repo, error);
  if (root == NULL || !add_roots (files, folder, "service", 0, error))
    return NULL;
  add_file (files, g_strdup ("service/targets.json"), "targets", service->targets_version, service->targets_json);
  add_file (files, g_strdup ("campaign.json"), "campaign", service->campaign->version, service->campaign_json);
  add_file (files, g_strdup_printf ("anchor/%s.root.json", repo_name (repo)), "root", wanted_root (self, repo)->version,
            root);
  return g_steal_pointer (&files);
}
