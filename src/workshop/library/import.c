/* SPDX-License-Identifier: Apache-2.0 */
#include "library/import.h"

#include "campaign/bundle.h"
#include "campaign/pack-file.h"
#include "campaign/service-client.h"
#include "campaign/shape.h"
#include "campaign/unpack.h"
#include "campaign/vin-pack.h"
#include "core/files.h"
#include "core/json.h"
#include "library/authority.h"
#include "library/pack-import.h"
#include "library/rollback-state.h"
#include "library/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define FORMAT "recallbay-import-1"
#define MAX_TARGETS (16 * 1024 * 1024)

typedef struct {
  RbImportProgress tell;
  gpointer data;
  RbArchive *archive; /* borrowed */
} Progress;

typedef struct {
  RbLibrary *library; /* borrowed */
  const char *path;
  gboolean in_place;
  gint64 now;
  Progress progress;
  GPtrArray *anchors;
  RbScratch *scratch;
  char *folder; /* scratch/bundle */
  char *images; /* scratch/images */
  RbContents *contents;
} Import;

static void
import_clear (Import *self)
{
  g_clear_pointer (&self->contents, rb_contents_unref);
  g_clear_pointer (&self->anchors, g_ptr_array_unref);
  g_clear_pointer (&self->scratch, rb_scratch_free);
  g_clear_pointer (&self->folder, g_free);
  g_clear_pointer (&self->images, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Import, import_clear)

static void
tell_progress (RbUnpack *unpack, gpointer data)
{
  const Progress *self = data;
  if (self->tell != NULL)
    self->tell (rb_archive_position (self->archive), rb_archive_size (self->archive), self->data);
}

/* Every image that the campaign names has been seen, or is in the store already. */
static gboolean
check_images (RbContents *contents, GHashTable *wanted, GHashTable *seen, GError **error)
{
  GHashTableIter iter;
  gpointer path, digest;
  g_hash_table_iter_init (&iter, wanted);
  while (g_hash_table_iter_next (&iter, &path, &digest)) {
    if (g_hash_table_contains (seen, digest))
      continue;
    g_autoptr (GBytes) image = rb_contents_image (contents, digest, error);
    if (image == NULL) {
      g_prefix_error (error, "%s: ", (char *) path);
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
read_images (RbContents *contents, RbUnpack *unpack, const char *folder, GError **error)
{
  g_autoptr (GHashTable) wanted = rb_contents_images (contents);
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  if (folder != NULL && !rb_files_make_folder (folder, error))
    return FALSE;
  return rb_unpack_images (unpack, wanted, folder, seen, error) && check_images (contents, wanted, seen, error);
}

static const RbAnchor *
anchor_of (const Import *self)
{
  for (guint i = 0; i < self->anchors->len; i++) {
    const RbAnchor *anchor = self->anchors->pdata[i];
    if (strcmp (anchor->name, rb_contents_anchor (self->contents)) == 0)
      return anchor;
  }
  g_assert_not_reached ();
}

static gint64
moment_of (const Import *self)
{
  return MAX (self->now, rb_contents_campaign (self->contents)->issued);
}

static gboolean
is_same_campaign (Import *self, const char *folder)
{
  g_autoptr (GBytes) campaign
    = rb_service_claimed (folder, NULL); /* a file that cannot be read is replaced as a whole */
  return campaign != NULL && g_bytes_equal (campaign, rb_contents_campaign_json (self->contents));
}

/* The version of the Director targets in a VIN's folder; 0: none that can be read. */
static gint64
pack_version (const char *vin_folder)
{
  g_autofree char *path = g_build_filename (vin_folder, "director", "targets.json", NULL);
  g_autoptr (json_t) targets = rb_json_load (path, MAX_TARGETS, NULL);
  return rb_json_integer_or (json_object_get (targets, "signed"), "version", 0);
}

/* A newer pack that came on its own stands, for the bundle was made before it. Of bundles an older one is refused
 * later. */
static gboolean
prefer_newer_pack (const char *before, const char *folder, const char *vin, GError **error)
{
  g_autofree char *old = g_build_filename (before, "vins", vin, NULL);
  g_autofree char *new = g_build_filename (folder, "vins", vin, NULL);
  return !rb_pack_file_was (old) || pack_version (old) <= pack_version (new)
         || (rb_files_remove_tree (new, error) && rb_files_copy_tree (old, new, error));
}

static gboolean
prefer_newer_packs (Import *self, GError **error)
{
  g_autofree char *before = NULL;
  const char *anchor = rb_contents_anchor (self->contents), *id = rb_contents_campaign (self->contents)->id;
  if (!rb_library_present (self->library, anchor, id, &before, error))
    return FALSE;
  if (before == NULL || !is_same_campaign (self, before))
    return TRUE;
  g_auto (GStrv) vins = rb_contents_vins (self->contents);
  for (guint i = 0; vins[i] != NULL; i++)
    if (!prefer_newer_pack (before, self->folder, vins[i], error))
      return FALSE;
  return TRUE;
}

/* Nothing in it is older than what was imported before. */
static gboolean
check_memory (Import *self, GError **error)
{
  g_autoptr (RbRollbackState) pins = rb_rollback_state_load (rb_library_data_dir (self->library), error);
  return pins != NULL && rb_rollback_state_check_clock (pins, self->now, error)
         && rb_rollback_state_check (pins, self->contents, error)
         && rb_service_client_check_state (anchor_of (self), self->folder, moment_of (self), error);
}

static gboolean
check_packs (Import *self, GError **error)
{
  g_autoptr (RbRollbackState) pins = rb_rollback_state_load (rb_library_data_dir (self->library), error);
  return pins != NULL && prefer_newer_packs (self, error)
         && rb_rollback_state_check_packs (pins, self->contents, error);
}

static gboolean
check_authority (Import *self, GError **error)
{
  g_autoptr (RbAuthority) authority = rb_authority_of (rb_library_data_dir (self->library), self->contents, error);
  return authority != NULL;
}

static gboolean
verify_metadata (Import *self, RbUnpack *unpack, GError **error)
{
  self->anchors = rb_trust_list (rb_library_data_dir (self->library), error);
  if (self->anchors == NULL)
    return FALSE;
  const RbContentsSource source = { .folder = self->folder,
                                    .anchors = self->anchors,
                                    .store = self->in_place ? NULL : rb_library_store (self->library),
                                    .in_place = self->in_place ? self->path : NULL,
                                    .moment = self->now };
  self->contents = rb_bundle_read_metadata (unpack, &source, error);
  return self->contents != NULL && rb_contents_may_start (self->contents, self->now, error)
         && check_memory (self, error) && check_authority (self, error);
}

static gboolean
unpack (Import *self, gboolean keep_images, GError **error)
{
  g_autoptr (RbArchive) archive = rb_archive_open (self->path, error);
  if (archive == NULL)
    return FALSE;
  g_autoptr (RbUnpack) files = rb_unpack_new (archive);
  self->progress.archive = archive;
  self->folder = rb_scratch_file (self->scratch, "bundle");
  self->images = rb_scratch_file (self->scratch, "images");
  rb_unpack_set_progress (files, tell_progress, &self->progress);
  return verify_metadata (self, files, error)
         && rb_bundle_read_vins (files, self->contents, self->folder, self->now, error) && check_packs (self, error)
         && read_images (self->contents, files, keep_images ? self->images : NULL, error);
}

static gboolean
keep_pack (Import *self, const char *before, const char *vin, GError **error)
{
  g_autofree char *old = g_build_filename (before, "vins", vin, NULL);
  g_autofree char *new = g_build_filename (self->folder, "vins", vin, NULL);
  return rb_files_exists (new) || !rb_campaign_check_vin (rb_contents_campaign (self->contents), vin, NULL)
         || rb_files_copy_tree (old, new, error);
}

/* A link to what is not changed any more, or a copy where the file system has none. */
static gboolean
keep_file (const char *before, const char *now, const char *inner, GError **error)
{
  g_autofree char *old = g_build_filename (before, inner, NULL);
  g_autofree char *new = g_build_filename (now, inner, NULL);
  g_autofree char *parent = g_path_get_dirname (new);
  return rb_files_make_folder (parent, error) && (link (old, new) == 0 || rb_files_copy_tree (old, new, error));
}

/* Do the OEM's newest targets name that table of the library, and is its file of pieces there? */
static gboolean
may_keep_region (Import *self, const char *before, const char *table, const char *path, const char *pieces)
{
  g_autofree char *file = g_build_filename (before, pieces, NULL);
  g_autoptr (GBytes) bytes = rb_files_read (path, RB_VIN_INDEX_TABLE, NULL);
  const RbService *service = rb_contents_service (self->contents);
  return bytes != NULL && rb_files_exists (file) && rb_service_index (service, table) == NULL
         && rb_service_names (service, table, bytes);
}

static gboolean
keep_region (Import *self, const char *before, const char *name, GError **error)
{
  const char *plain = rb_shape_without_hash (name);
  g_autofree char *table = g_strconcat ("regions/", plain == NULL ? name : plain, NULL);
  g_autofree char *inner = g_build_filename ("service", "targets", "regions", name, NULL);
  g_autofree char *path = g_build_filename (before, inner, NULL);
  g_autofree char *pieces = rb_shape_pieces (table);
  return pieces == NULL || !may_keep_region (self, before, table, path, pieces)
         || (keep_file (before, self->folder, inner, error) && keep_file (before, self->folder, pieces, error));
}

static gboolean
keep_regions (Import *self, const char *before, GError **error)
{
  g_autofree char *folder = g_build_filename (before, "service", "targets", "regions", NULL);
  g_auto (GStrv) names = rb_files_exists (folder) ? rb_files_list (folder, error) : g_new0 (char *, 1);
  for (guint i = 0; names != NULL && names[i] != NULL; i++)
    if (!keep_region (self, before, names[i], error))
      return FALSE;
  return names != NULL;
}

/* Packs of vehicles that this bundle does not bring again stay usable while the campaign stays the same. */
static gboolean
keep_packs (Import *self, const char *id, GError **error)
{
  g_autofree char *before = NULL;
  if (!rb_library_present (self->library, rb_contents_anchor (self->contents), id, &before, error))
    return FALSE;
  if (before == NULL || !is_same_campaign (self, before))
    return TRUE;
  g_auto (GStrv) vins = rb_vin_pack_list (before, error);
  for (guint i = 0; vins != NULL && vins[i] != NULL; i++)
    if (!keep_pack (self, before, vins[i], error))
      return FALSE;
  return vins != NULL && keep_regions (self, before, error);
}

static gboolean
write_import (Import *self, GError **error)
{
  g_autofree char *path = g_build_filename (self->folder, "import.json", NULL);
  g_autoptr (json_t) json = json_object ();
  rb_json_set_string (json, "format", FORMAT);
  rb_json_set_string (json, "anchor", rb_contents_anchor (self->contents));
  rb_json_set_moment (json, "imported", self->now);
  rb_json_set_moment (json, "valid_until", rb_contents_valid_until (self->contents));
  rb_json_set_string (json, "in_place", self->in_place ? self->path : NULL);
  g_autofree char *text = rb_json_to_pretty (json);
  return rb_files_write_private_text (path, text, error);
}

static gboolean
sync_all (const char *folder, GError **error)
{
  int fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  gboolean ok = fd >= 0 && syncfs (fd) == 0;
  if (!ok)
    g_set_error (error, RB_CAMPAIGN_ERROR, RB_REASON_IO, "%s: %s", folder, g_strerror (errno));
  if (fd >= 0)
    close (fd);
  return ok;
}

static gboolean
move_images (Import *self, GError **error)
{
  const char *store = rb_library_store (self->library);
  g_auto (GStrv) names = rb_files_exists (self->images) ? rb_files_list (self->images, error) : g_new0 (char *, 1);
  if (names == NULL || !rb_files_make_folder (store, error))
    return FALSE;
  for (guint i = 0; names[i] != NULL; i++) {
    g_autofree char *from = g_build_filename (self->images, names[i], NULL);
    g_autofree char *to = g_build_filename (store, names[i], NULL);
    if (g_rename (from, to) == 0)
      continue;
    g_set_error (error, RB_CAMPAIGN_ERROR, RB_REASON_IO, "%s: %s", to, g_strerror (errno));
    return FALSE;
  }
  return sync_all (store, error);
}

/* The store may have lost an image since it was looked for. */
static gboolean
check_store (Import *self, GError **error)
{
  GHashTableIter iter;
  gpointer path, digest;
  g_autoptr (GHashTable) wanted = rb_contents_images (self->contents);
  g_hash_table_iter_init (&iter, wanted);
  while (!self->in_place && g_hash_table_iter_next (&iter, &path, &digest)) {
    g_autofree char *file = g_build_filename (rb_library_store (self->library), digest, NULL);
    if (!rb_files_exists (file)) {
      g_set_error (error, RB_CAMPAIGN_ERROR, RB_REASON_IMAGE_MISSING, "%s: the image has gone from the library",
                   (char *) path);
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
advance_trust (Import *self, GError **error)
{
  g_autofree char *metadata = g_build_filename (self->folder, "service", "metadata", NULL);
  g_autoptr (GPtrArray) advanced
    = rb_trust_update_held (rb_library_data_dir (self->library), metadata, self->now, error);
  return advanced != NULL && rb_service_client_keep_state (anchor_of (self), self->folder, moment_of (self), error);
}

/* Everything has been verified. Each step leaves a library that is whole, and the last one makes the campaign appear.
 */
static gboolean
commit (Import *self, GError **error)
{
  const char *id = rb_contents_campaign (self->contents)->id;
  g_autoptr (RbLock) lock = rb_library_lock (self->library, error);
  g_autoptr (RbLock) trust = lock == NULL ? NULL : rb_trust_lock (rb_library_data_dir (self->library), error);
  g_autoptr (RbRollbackState) pins
    = trust == NULL ? NULL : rb_rollback_state_load (rb_library_data_dir (self->library), error);
  if (pins == NULL || !rb_rollback_state_check (pins, self->contents, error)
      || !rb_rollback_state_check_packs (pins, self->contents, error) || !keep_packs (self, id, error)
      || !write_import (self, error) || !sync_all (self->folder, error) || !move_images (self, error)
      || !check_store (self, error) || !advance_trust (self, error)
      || !rb_authority_remember (rb_library_data_dir (self->library), self->contents, error)
      || !rb_rollback_state_remember (pins, self->contents, error)
      || !rb_library_place (self->library, rb_contents_anchor (self->contents), id, self->folder, error))
    return FALSE;
  rb_library_collect (self->library);
  return TRUE;
}

RbContents *
rb_import_bundle (RbLibrary *library, const char *path, gboolean in_place, gint64 now, RbImportProgress progress,
                  gpointer data, GError **error)
{
  g_autofree char *absolute = g_canonicalize_filename (path, NULL);
  g_auto (Import) self = { .library = library,
                           .path = absolute,
                           .in_place = in_place,
                           .now = now,
                           .progress = { .tell = progress, .data = data } };
  if (rb_pack_file_is (path))
    return rb_pack_import_file (library, path, now, error);
  rb_scratch_sweep (rb_library_folder (library));
  self.scratch = rb_scratch_new (rb_library_folder (library), error);
  if (self.scratch == NULL || !unpack (&self, !in_place, error) || !commit (&self, error)) {
    g_prefix_error (error, "%s: ", path);
    return NULL;
  }
  g_autofree char *name
    = g_strdup_printf ("%s/%s", rb_contents_anchor (self.contents), rb_contents_campaign (self.contents)->id);
  return rb_library_open (library, name, now, error);
}

RbContents *
rb_import_verify (RbLibrary *library, const char *path, gint64 now, RbImportProgress progress, gpointer data,
                  GError **error)
{
  g_auto (Import) self = {
    .library = library, .path = path, .in_place = TRUE, .now = now, .progress = { .tell = progress, .data = data }
  };
  self.scratch = rb_scratch_new_temporary (error);
  if (self.scratch == NULL || !unpack (&self, FALSE, error)) {
    g_prefix_error (error, "%s: ", path);
    return NULL;
  }
  rb_contents_own (self.contents, g_steal_pointer (&self.scratch));
  return g_steal_pointer (&self.contents);
}

/* The trust list of the Service repository in folder, where it verifies now: what has expired brings none. */
static gboolean
take_trust_list (const char *data_dir, const RbAnchor *anchor, const char *folder, gint64 now, GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autoptr (GBytes) json = NULL;
  if (rb_service_read_trust_list (folder, anchor, now, &json, &problem))
    return json == NULL
           || (rb_authority_remember_list (data_dir, anchor->name, json, error)
               && rb_service_client_keep_state (anchor, folder, now, error));
  if (rb_reason_of (problem) == RB_REASON_EXPIRED)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&problem));
  return FALSE;
}

static GPtrArray *
update_trust (const char *data_dir, const char *folder, gint64 now, GError **error)
{
  g_autofree char *metadata = g_build_filename (folder, "service", "metadata", NULL);
  g_autofree char *targets = g_build_filename (folder, "service", "targets", NULL);
  g_autoptr (RbLibrary) library = rb_library_new (data_dir);
  g_autoptr (RbLock) lock = rb_library_lock (library, error);
  g_autoptr (RbLock) trust = lock == NULL ? NULL : rb_trust_lock (data_dir, error);
  g_autoptr (GPtrArray) advanced = trust == NULL ? NULL : rb_trust_update_held (data_dir, metadata, now, error);
  for (guint i = 0; advanced != NULL && i < advanced->len && rb_files_is_folder (targets); i++)
    if (!take_trust_list (data_dir, advanced->pdata[i], folder, now, error))
      return NULL;
  return g_steal_pointer (&advanced);
}

gboolean
rb_import_trust (const char *data_dir, const char *path, gint64 now, GPtrArray **advanced, GError **error)
{
  g_autoptr (RbArchive) archive = rb_archive_open (path, error);
  g_autoptr (RbScratch) scratch = archive == NULL ? NULL : rb_scratch_new_temporary (error);
  if (scratch == NULL)
    return FALSE;
  g_autofree char *folder = rb_scratch_file (scratch, "bundle");
  g_autoptr (RbUnpack) files = rb_unpack_new (archive);
  return rb_unpack_service (files, folder, error) && (*advanced = update_trust (data_dir, folder, now, error)) != NULL;
}
