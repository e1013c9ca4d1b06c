/* SPDX-License-Identifier: Apache-2.0 */
#include "campaign/contents.h"

#include "campaign/archive.h"
#include "campaign/roots.h"
#include "campaign/vin-pack.h"
#include "core/files.h"
#include "core/json.h"
#include "core/moment.h"
#include "crypto/digest.h"

#include <string.h>

#define MAX_METADATA_FILE (16 * 1024 * 1024)

struct _RbContents {
  gatomicrefcount references;
  char *folder;
  char *store;
  char *in_place;
  RbScratch *owned;
  RbService *service;
  GStrv vins;
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
  g_free (self->folder);
  g_free (self->store);
  g_free (self->in_place);
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

RbContents *
rb_contents_verify (const RbContentsSource *source, RbScratch *owned, GError **error)
{
  g_autoptr (RbContents) self = g_new0 (RbContents, 1);
  g_atomic_ref_count_init (&self->references);
  self->folder = g_strdup (source->folder);
  self->store = g_strdup (source->store);
  self->in_place = g_strdup (source->in_place);
  self->service = rb_service_open (source->folder, source->anchors, source->moment, source->started, error);
  if (self->service == NULL || !verify_roots (self, error) || (self->vins = rb_vin_pack_list (source->folder, error)) == NULL)
    return NULL;
  self->owned = owned;
  return g_steal_pointer (&self);
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
    return may_not_start (self, RB_REASON_CLOCK, "the clock of this computer is before its issue on", campaign->issued, error);
  if (now >= campaign->expires)
    return may_not_start (self, RB_REASON_CAMPAIGN_EXPIRED, "expired on", campaign->expires, error);
  if (now >= self->service->timestamp_expires)
    return may_not_start (self, RB_REASON_EXPIRED, "this bundle was good until", self->service->timestamp_expires, error);
  return TRUE;
}

GStrv
rb_contents_vins (RbContents *self)
{
  return g_strdupv (self->vins);
}

GPtrArray *
rb_contents_assignments (RbContents *self, const char *vin, gint64 moment, const RbVehicleEcu *ecus, guint n_ecus,
                         GError **error)
{
  return rb_vin_pack_assignments (self->folder, self->service, vin, MAX (moment, self->service->campaign->issued), ecus, n_ecus, error);
}

GPtrArray *
rb_contents_completeness (RbContents *self, const char *vin, gint64 moment, GError **error)
{
  return rb_vin_pack_completeness (self->folder, self->service, vin, MAX (moment, self->service->campaign->issued), error);
}

GPtrArray *
rb_contents_directed (RbContents *self, const char *vin, GBytes *targets, GError **error)
{
  return rb_vin_pack_directed (self->folder, self->service, vin, targets, error);
}

gboolean
rb_contents_verify_packs (RbContents *self, gint64 moment, GError **error)
{
  g_auto (GStrv) vins = rb_contents_vins (self);
  for (guint i = 0; vins[i] != NULL; i++) {
    g_autoptr (GPtrArray) assignments = rb_contents_assignments (self, vins[i], moment, NULL, 0, error);
    if (assignments == NULL)
      return FALSE;
  }
  return TRUE;
}

GBytes *
rb_contents_she (RbContents *self, const char *vin, GError **error)
{
  return rb_vin_pack_check (self->folder, self->service->campaign, vin, error) ? rb_vin_pack_she (self->folder, vin, error)
                                                                              : NULL;
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
  g_set_error (error, RB_CAMPAIGN_ERROR, (int) reason, "image %s: %s", sha256, text);
  return FALSE;
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

/* NULL without error when it is not there. */
static GBytes *
image_in_archive (const char *bundle, const char *path, GError **error)
{
  RbArchiveEntry entry = { NULL };
  g_autofree char *wanted = g_strconcat ("image/targets/", path, NULL);
  g_autoptr (RbArchive) archive = rb_archive_open (bundle, error);
  if (archive == NULL)
    return NULL;
  while (rb_archive_next (archive, &entry, error) && entry.path != NULL)
    if (strcmp (entry.path, wanted) == 0)
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
  g_autofree char *file = g_build_filename (self->in_place, "image", "targets", path, NULL);
  /* read, not mapped: a stick may be pulled at any time */
  return rb_files_exists (file) ? rb_files_read (file, G_MAXINT32, error) : NULL;
}

GBytes *
rb_contents_image (RbContents *self, const char *sha256, GError **error)
{
  g_autoptr (GError) problem = NULL;
  if (image_path (self, sha256) == NULL) {
    image_fails (error, RB_REASON_IMAGE_MISSING, sha256, "the campaign does not name it");
    return NULL;
  }
  g_autofree char *stored = self->store == NULL ? NULL : g_build_filename (self->store, sha256, NULL);
  g_autoptr (GBytes) image = stored != NULL && rb_files_exists (stored) ? rb_files_map (stored, G_MAXSIZE, &problem)
                                                                        : image_in_place (self, sha256, &problem);
  if (image == NULL) {
    image_fails (error, RB_REASON_IMAGE_MISSING, sha256, problem == NULL ? "it is not in the library or bundle" : problem->message);
    return NULL;
  }
  g_autofree char *digest = rb_digest_sha256_hex_of (image);
  if (strcmp (digest, sha256) == 0)
    return g_steal_pointer (&image);
  image_fails (error, RB_REASON_HASH_MISMATCH, sha256, "the stored bytes have changed; import the bundle again");
  return NULL;
}

static gint64
version_of (GBytes *bytes)
{
  g_autoptr (json_t) json = rb_json_parse (bytes, MAX_METADATA_FILE, "metadata", NULL);
  return rb_json_integer_or (json_object_get (json, "signed"), "version", 0);
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
      add_file (files, g_strdup_printf ("%s/%" G_GINT64_FORMAT ".root.json", repo, first + i), "root", first + i, roots->pdata[i]);
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

GBytes *
rb_contents_root (RbContents *self, RbContentsRepo repo, GError **error)
{
  g_autofree char *folder = metadata_folder (self, repo);
  return rb_roots_wanted (folder, wanted_root (self, repo), repo_name (repo), error);
}

static gboolean
add_role (GPtrArray *files, const char *folder, const char *repo, const char *role, GError **error)
{
  g_autofree char *name = g_strconcat (role, ".json", NULL);
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autoptr (GBytes) bytes = rb_files_read (path, MAX_METADATA_FILE, error);
  if (bytes == NULL)
    return FALSE;
  add_file (files, g_strconcat (repo, "/", name, NULL), role, version_of (bytes), bytes);
  return TRUE;
}

static gboolean
is_delegation (const char *name)
{
  static const char *const own[] = { "root.json", "timestamp.json", "snapshot.json", "targets.json", NULL };
  return g_str_has_suffix (name, ".json") && rb_roots_number (name) == 0 && !g_strv_contains (own, name);
}

static gboolean
add_delegations (GPtrArray *files, const char *folder, const char *repo, GError **error)
{
  g_auto (GStrv) names = rb_files_list (folder, error);
  for (guint i = 0; names != NULL && names[i] != NULL; i++) {
    if (!is_delegation (names[i]))
      continue;
    g_autofree char *role = g_strndup (names[i], strlen (names[i]) - strlen (".json"));
    if (!add_role (files, folder, repo, role, error))
      return FALSE;
  }
  return names != NULL;
}

GPtrArray *
rb_contents_roles (RbContents *self, RbContentsRepo repo, const char *vin, GError **error)
{
  static const char *const roles[] = { "timestamp", "snapshot", "targets" };
  g_autoptr (GPtrArray) files = new_files ();
  gboolean director = repo == RB_CONTENTS_DIRECTOR;
  if (director && !rb_vin_pack_check (self->folder, self->service->campaign, vin, error))
    return NULL;
  g_autofree char *folder = director ? g_build_filename (self->folder, "vins", vin, "director", NULL)
                                     : metadata_folder (self, repo);
  for (guint i = 0; i < G_N_ELEMENTS (roles); i++)
    if (!add_role (files, folder, repo_name (repo), roles[i], error))
      return NULL;
  if (!director && !add_delegations (files, folder, repo_name (repo), error))
    return NULL;
  return g_steal_pointer (&files);
}

GPtrArray *
rb_contents_anchor_files (RbContents *self, RbContentsRepo repo, GError **error)
{
  g_autoptr (GPtrArray) files = new_files ();
  const RbService *service = self->service;
  g_autofree char *folder = g_build_filename (self->folder, "service", "metadata", NULL);
  g_autoptr (GBytes) root = rb_contents_root (self, repo, error);
  if (root == NULL || !add_roots (files, folder, "service", 0, error))
    return NULL;
  add_file (files, g_strdup ("service/targets.json"), "targets", service->targets_version, service->targets_json);
  add_file (files, g_strdup ("campaign.json"), "campaign", service->campaign->version, service->campaign_json);
  add_file (files, g_strdup_printf ("anchor/%s.root.json", repo_name (repo)), "root", wanted_root (self, repo)->version, root);
  return g_steal_pointer (&files);
}
