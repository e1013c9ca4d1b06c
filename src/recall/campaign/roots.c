/* SPDX-License-Identifier: Apache-2.0 */
#include "campaign/roots.h"

#include "core/files.h"
#include "crypto/digest.h"
#include "uptane/vehicle.h"

#include <string.h>

#define MAX_ROOT (1024 * 1024)
#define MAX_ROOTS 1024

gint64
rb_roots_number (const char *name)
{
  gsize digits = strspn (name, "0123456789");
  if (digits < 1 || digits > 10 || name[0] == '0' || strcmp (&name[digits], ".root.json") != 0)
    return 0;
  return g_ascii_strtoll (name, NULL, 10);
}

static char *
root_path (const char *folder, gint64 number)
{
  g_autofree char *name = g_strdup_printf ("%" G_GINT64_FORMAT ".root.json", number);
  return g_build_filename (folder, name, NULL);
}

static gint64
first_number (const char *folder, GError **error)
{
  gint64 first = 0;
  g_auto (GStrv) names = rb_files_exists (folder) ? rb_files_list (folder, error) : g_new0 (char *, 1);
  if (names == NULL)
    return 0;
  for (guint i = 0; names[i] != NULL; i++) {
    gint64 number = rb_roots_number (names[i]);
    if (number > 0 && (first == 0 || number < first))
      first = number;
  }
  if (first == 0)
    g_set_error (error, RB_CAMPAIGN_ERROR, RB_REASON_MISSING, "%s: no root metadata", folder);
  return first;
}

GPtrArray *
rb_roots_read_from (const char *folder, gint64 *first, GError **error)
{
  g_autoptr (GPtrArray) roots = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  gint64 start = first_number (folder, error);
  if (start == 0)
    return NULL;
  if (first != NULL)
    *first = start;
  for (gint64 number = start; number < start + MAX_ROOTS; number++) {
    g_autofree char *path = root_path (folder, number);
    if (!rb_files_exists (path))
      break;
    GBytes *bytes = rb_files_read (path, MAX_ROOT, error);
    if (bytes == NULL)
      return NULL;
    g_ptr_array_add (roots, bytes);
  }
  return g_steal_pointer (&roots);
}

GPtrArray *
rb_roots_read (const char *folder, GError **error)
{
  return rb_roots_read_from (folder, NULL, error);
}

static gboolean
agrees (const char *sha256, gint64 version, const RbCampaignRoot *wanted, const char *repo, GError **error)
{
  if (version == wanted->version && g_strcmp0 (sha256, wanted->sha256) == 0)
    return TRUE;
  g_set_error (error, RB_CAMPAIGN_ERROR, RB_REASON_PIN_MISMATCH,
               "%s root: version %" G_GINT64_FORMAT " in the bundle is not version %" G_GINT64_FORMAT
               " that the campaign names",
               repo, version, wanted->version);
  return FALSE;
}

GBytes *
rb_roots_wanted (const char *folder, const RbCampaignRoot *wanted, const char *repo, GError **error)
{
  g_autofree char *path = root_path (folder, wanted->version);
  if (!rb_files_exists (path)) {
    g_set_error (error, RB_CAMPAIGN_ERROR, RB_REASON_MISSING,
                 "%s root: version %" G_GINT64_FORMAT " is not in the bundle", repo, wanted->version);
    return NULL;
  }
  g_autoptr (GBytes) bytes = rb_files_read (path, MAX_ROOT, error);
  g_autofree char *sha256 = bytes == NULL ? NULL : rb_digest_sha256_hex_of (bytes);
  if (bytes == NULL || !agrees (sha256, wanted->version, wanted, repo, error))
    return NULL;
  return g_steal_pointer (&bytes);
}

RbStore *
rb_roots_store (GBytes *root, GError **error)
{
  g_autoptr (RbStore) store = rb_store_new_in_memory ();
  return rb_store_anchor (store, root, error) ? g_steal_pointer (&store) : NULL;
}

static GBytes *
beginning (const char *folder, const RbCampaignRoot *wanted, const char *repo, GError **error)
{
  if (wanted->pinned)
    return rb_roots_wanted (folder, wanted, repo, error);
  gint64 first = 0;
  g_autoptr (GPtrArray) roots = rb_roots_read_from (folder, &first, error);
  if (roots == NULL)
    return NULL;
  if (first == 1)
    return g_bytes_ref (roots->pdata[0]);
  g_set_error (error, RB_CAMPAIGN_ERROR, RB_REASON_MISSING,
               "the chain in the bundle begins with version %" G_GINT64_FORMAT ", not 1", first);
  return NULL;
}

gboolean
rb_roots_check (const char *folder, const RbCampaignRoot *wanted, const char *repo, gint64 moment, GError **error)
{
  g_autoptr (GBytes) first = beginning (folder, wanted, repo, error);
  g_autoptr (RbStore) store = first == NULL ? NULL : rb_roots_store (first, error);
  g_autoptr (RbSource) source = rb_source_folder (folder);
  if (store == NULL || !rb_vehicle_update_root (store, source, moment, repo, NULL, error)) {
    g_prefix_error (error, "%s root: ", repo);
    return FALSE;
  }
  return agrees (rb_store_root_sha256 (store), rb_store_root_version (store), wanted, repo, error);
}
