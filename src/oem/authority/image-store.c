/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/image-store.h"

#include "core/files.h"
#include "core/json.h"

#define FOLDER "targets"
#define MAX_IMAGE ((gsize) 4 * 1024 * 1024 * 1024)

static char *
content_path (const RbAuthoring *authoring, const char *sha256)
{
  return g_build_filename (authoring->oem, "authoring", authoring->kind, "content", sha256, NULL);
}

json_t *
rb_image_store_keep (const RbAuthoring *authoring, const char *file, GError **error)
{
  g_autoptr (GBytes) bytes = rb_files_map (file, MAX_IMAGE, error);
  if (bytes == NULL)
    return NULL;
  g_autoptr (json_t) entry = rb_author_target (bytes, NULL);
  g_autofree char *path = content_path (authoring, rb_json_string_or (json_object_get (entry, "hashes"), "sha256", ""));
  g_autofree char *parent = g_path_get_dirname (path);
  if (!rb_files_exists (path)
      && (!rb_files_make_folder (parent, error) || !rb_files_write_private (path, bytes, error)))
    return NULL;
  return g_steal_pointer (&entry);
}

gboolean
rb_image_store_publish (const RbAuthoring *authoring, RbPublication *publication, GHashTable *listed, GError **error)
{
  GHashTableIter iter;
  gpointer path, sha256;
  g_auto (GStrv) published = rb_publication_list (publication, FOLDER);
  for (guint i = 0; published[i] != NULL; i++)
    if (!g_hash_table_contains (listed, published[i])) {
      g_autofree char *name = g_build_filename (FOLDER, published[i], NULL);
      rb_publication_remove (publication, name);
    }
  g_hash_table_iter_init (&iter, listed);
  while (g_hash_table_iter_next (&iter, &path, &sha256)) {
    g_autofree char *name = g_build_filename (FOLDER, path, NULL);
    g_autofree char *source = content_path (authoring, sha256);
    if (!rb_publication_put_file (publication, name, source, error))
      return FALSE;
  }
  return TRUE;
}
