/* SPDX-License-Identifier: Apache-2.0 */
#include "campaign/bundle.h"

/* The Service repository, and by it the metadata that follows: source->folder receives both. */
RbContents *
rb_bundle_read_metadata (RbUnpack *unpack, const RbContentsSource *source, GError **error)
{
  g_autoptr (RbService) service = NULL;
  if (!rb_unpack_service (unpack, source->folder, error)
      || (service = rb_service_open (source->folder, source->anchors, source->moment, source->started, error)) == NULL
      || !rb_unpack_metadata (unpack, source->folder, error))
    return NULL;
  RbContents *contents = rb_contents_of_service (source, service, error);
  if (contents != NULL)
    service = NULL;
  return contents;
}

typedef struct {
  RbContents *contents; /* borrowed */
  gint64 moment;
} Vins;

static const RbVinIndex *
index_of (const char *table, gpointer data)
{
  const Vins *self = data;
  return rb_service_index (rb_contents_service (self->contents), table);
}

static gboolean
verify_pack (const char *vin, gpointer data, GError **error)
{
  const Vins *self = data;
  return rb_contents_verify_pack (self->contents, vin, self->moment, error);
}

/* Packs of single vehicles. A pack is verified before the next one is read. */
gboolean
rb_bundle_read_vins (RbUnpack *unpack, RbContents *contents, const char *folder, gint64 moment, GError **error)
{
  Vins self = { contents, moment };
  const RbUnpackVins vins = { index_of, verify_pack, &self };
  return rb_unpack_vins (unpack, folder, &vins, error)
         && rb_service_check_pieces (rb_contents_service (contents), folder, error)
         && rb_contents_reread (contents, error);
}

static GPtrArray *
anchors_of (GBytes *service_root)
{
  if (service_root == NULL)
    return NULL;
  GPtrArray *anchors = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_anchor_free);
  RbAnchor *anchor = g_new0 (RbAnchor, 1);
  anchor->name = g_strdup ("service root");
  anchor->roots = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_ptr_array_add (anchor->roots, g_bytes_ref (service_root));
  g_ptr_array_add (anchors, anchor);
  return anchors;
}

static RbContents *
open_unpacked (RbUnpack *files, const char *path, const char *folder, GPtrArray *anchors, GError **error)
{
  const RbContentsSource source = { .folder = folder, .in_place = path, .anchors = anchors, .moment = -1 };
  g_autoptr (RbContents) contents = rb_bundle_read_metadata (files, &source, error);
  return contents != NULL && rb_bundle_read_vins (files, contents, folder, -1, error) ? g_steal_pointer (&contents)
                                                                                      : NULL;
}

RbContents *
rb_bundle_open (const char *path, GBytes *service_root, GError **error)
{
  g_autoptr (RbArchive) archive = rb_archive_open (path, error);
  g_autoptr (RbScratch) scratch = archive == NULL ? NULL : rb_scratch_new_temporary (error);
  g_autoptr (GPtrArray) anchors = anchors_of (service_root);
  RbContents *contents = NULL;
  if (scratch != NULL) {
    g_autofree char *folder = rb_scratch_file (scratch, "bundle");
    g_autoptr (RbUnpack) files = rb_unpack_new (archive);
    contents = open_unpacked (files, path, folder, anchors, error);
  }
  if (contents == NULL)
    g_prefix_error (error, "%s: ", path);
  else
    rb_contents_own (contents, g_steal_pointer (&scratch));
  return contents;
}
