/* SPDX-License-Identifier: Apache-2.0 */
#include "campaign/roles.h"

#include "campaign/roots.h"
#include "core/files.h"
#include "core/json.h"

#include <string.h>

#define MAX_METADATA_FILE (16 * 1024 * 1024)

GHashTable *
rb_roles_read_folder (const char *folder, gsize max_file, GError **error)
{
  g_autoptr (GHashTable) files
    = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
  g_auto (GStrv) names = rb_files_list (folder, error);
  for (guint i = 0; names != NULL && names[i] != NULL; i++) {
    if (!g_str_has_suffix (names[i], ".json") || strcmp (names[i], "root.json") == 0 || rb_roots_number (names[i]) > 0)
      continue;
    g_autofree char *path = g_build_filename (folder, names[i], NULL);
    GBytes *bytes = rb_files_read (path, max_file, error);
    if (bytes == NULL)
      return NULL;
    g_hash_table_insert (files, g_strdup (names[i]), bytes);
  }
  return names == NULL ? NULL : g_steal_pointer (&files);
}

gint64
rb_roles_version (GBytes *bytes)
{
  g_autoptr (json_t) json = rb_json_parse (bytes, MAX_METADATA_FILE, "metadata", NULL);
  return rb_json_integer_or (json_object_get (json, "signed"), "version", 0);
}

/* A number before the name counts only where it is the file's own version. (transfer full) */
static char *
role_of (const char *name, GBytes *bytes)
{
  gsize digits = strspn (name, "0123456789");
  gboolean versioned = digits >= 1 && digits <= 10 && name[digits] == '.' && strcmp (&name[digits], ".json") != 0
                       && g_ascii_strtoll (name, NULL, 10) == rb_roles_version (bytes);
  const char *plain = versioned ? &name[digits + 1] : name;
  return g_strndup (plain, strlen (plain) - strlen (".json"));
}

GHashTable *
rb_roles_of (GHashTable *files, GError **error)
{
  g_autoptr (GHashTable) roles
    = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
  GHashTableIter iter;
  gpointer name, bytes;
  g_hash_table_iter_init (&iter, files);
  while (g_hash_table_iter_next (&iter, &name, &bytes)) {
    g_autofree char *role = role_of (name, bytes);
    if (g_hash_table_contains (roles, role)) {
      g_set_error (error, RB_CAMPAIGN_ERROR, RB_REASON_MALFORMED, "role %s has two files", role);
      return NULL;
    }
    g_hash_table_insert (roles, g_steal_pointer (&role), g_bytes_ref (bytes));
  }
  return g_steal_pointer (&roles);
}
