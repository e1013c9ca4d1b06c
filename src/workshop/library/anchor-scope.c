/* SPDX-License-Identifier: Apache-2.0 */
#include "library/anchor-scope.h"

#include "core/files.h"
#include "core/json.h"
#include "model/member.h"
#include "model/wmi.h"

#define FORMAT "recallbay-anchor-scope-1"
#define MAX_FILE (1024 * 1024)
#define LIST_FILE "trust-list.json"
#define MAX_LIST (16 * 1024 * 1024)

gboolean
rb_anchor_scope_write (const char *folder, const char *const *wmis, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "scope.json", NULL);
  g_autoptr (json_t) json = json_object ();
  json_t *list = json_array ();
  for (guint i = 0; wmis[i] != NULL; i++)
    json_array_append_new (list, json_string (wmis[i]));
  rb_json_set_string (json, "format", FORMAT);
  rb_json_set (json, "wmis", list);
  g_autofree char *text = rb_json_to_pretty (json);
  return rb_files_write_private_text (path, text, error);
}

gboolean
rb_anchor_scope_read (const char *folder, GStrv *wmis, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "scope.json", NULL);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  *wmis = NULL;
  if (!rb_files_exists (path))
    return TRUE;
  g_autoptr (json_t) json = rb_json_load (path, MAX_FILE, error);
  const json_t *list = json == NULL || !rb_json_only (json, path, error, "format", "wmis", NULL)
                           || !rb_member_format (json, FORMAT, path, error)
                         ? NULL
                         : rb_json_array (json, "wmis", path, error);
  for (gsize i = 0; i < json_array_size (list); i++) {
    const char *prefix = json_string_value (json_array_get (list, i));
    if (!rb_wmi_is_valid (prefix))
      return rb_member_refuse (error, path, "member “wmis”: entry %" G_GSIZE_FORMAT " is not the beginning of a VIN",
                               i + 1);
    g_strv_builder_add (builder, prefix);
  }
  *wmis = list == NULL ? NULL : g_strv_builder_end (builder);
  return list != NULL;
}

gboolean
rb_anchor_scope_read_list (const char *folder, RbTrustList **list, GBytes **json, GError **error)
{
  g_autofree char *path = g_build_filename (folder, LIST_FILE, NULL);
  *list = NULL;
  *json = NULL;
  if (!rb_files_exists (path))
    return TRUE;
  g_autoptr (GBytes) bytes = rb_files_read (path, MAX_LIST, error);
  *list = bytes == NULL ? NULL : rb_trust_list_parse (bytes, error);
  *json = *list == NULL ? NULL : g_steal_pointer (&bytes);
  return *list != NULL;
}

gboolean
rb_anchor_scope_write_list (const char *folder, GBytes *json, GError **error)
{
  g_autofree char *path = g_build_filename (folder, LIST_FILE, NULL);
  return rb_files_write_private (path, json, error);
}

char *
rb_anchor_scope_text (const char *const *wmis)
{
  return wmis == NULL || wmis[0] == NULL ? g_strdup ("none") : g_strjoinv (", ", (char **) wmis);
}
