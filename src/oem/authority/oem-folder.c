/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/oem-folder.h"

#include "core/files.h"
#include "core/json.h"
#include "model/member.h"

#include <string.h>

#define FORMAT "recallbay-oem-1"
#define MAX_CONFIG (16 * 1024 * 1024)
#define MAX_NAME 100

char *
rb_oem_folder_find (const char *folder)
{
  g_autofree char *inner = g_build_filename (folder, "oem", NULL);
  g_autofree char *there = g_build_filename (folder, "oem.json", NULL);
  g_autofree char *inside = g_build_filename (inner, "oem.json", NULL);
  return g_strdup (!rb_files_exists (there) && rb_files_exists (inside) ? inner : folder);
}

/* The first characters of VINs: three, or more of a small manufacturer; VINs have no I, O and Q. */
static gboolean
wmi_is_valid (const char *wmi)
{
  gsize length = strlen (wmi);
  return length >= 3 && length <= 17 && strspn (wmi, "0123456789ABCDEFGHJKLMNPRSTUVWXYZ") == length;
}

static gboolean
check_names (const char *name, const char *const *wmi, GError **error)
{
  if (name[0] == '\0' || g_utf8_strlen (name, -1) > MAX_NAME)
    return rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_MALFORMED, "name: 1 to %d characters are expected",
                           MAX_NAME);
  for (guint i = 0; wmi[i] != NULL; i++)
    if (!wmi_is_valid (wmi[i]))
      return rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_MALFORMED,
                             "WMI prefix “%s”: 3 to 17 characters of a VIN are expected", wmi[i]);
  return TRUE;
}

gboolean
rb_oem_folder_init (const char *folder, const char *name, const char *const *wmi, const json_t *policy, GError **error)
{
  static const char *const inner[] = { "keys", "authoring", "drafts", "repositories" };
  g_autofree char *path = g_build_filename (folder, "oem.json", NULL);
  if (!check_names (name, wmi, error) || !rb_files_make_folder (folder, error))
    return FALSE;
  g_autoptr (RbLock) lock = rb_lock_folder (folder, folder, error);
  if (lock == NULL)
    return FALSE;
  if (rb_files_exists (path))
    return rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_EXISTS, "%s: the folder is in use by an OEM", path);
  for (guint i = 0; i < G_N_ELEMENTS (inner); i++) {
    g_autofree char *below = g_build_filename (folder, inner[i], NULL);
    if (!rb_files_make_folder (below, error))
      return FALSE;
  }
  json_t *prefixes = json_array ();
  for (guint i = 0; wmi[i] != NULL; i++)
    json_array_append_new (prefixes, json_string (wmi[i]));
  g_autoptr (json_t) config
    = json_pack ("{s:s,s:s,s:o,s:[]}", "format", FORMAT, "name", name, "wmi", prefixes, "approvers");
  if (policy != NULL)
    rb_json_set (config, "policy", json_deep_copy (policy));
  g_autofree char *text = rb_json_to_pretty (config);
  return rb_files_write_private_text (path, text, error);
}

void
rb_oem_folder_free (RbOemFolder *self)
{
  if (self == NULL)
    return;
  g_clear_pointer (&self->lock, rb_lock_free);
  json_decref (self->config);
  g_free (self->path);
  g_free (self);
}

RbOemFolder *
rb_oem_folder_open (const char *folder, GError **error)
{
  g_autoptr (RbOemFolder) self = g_new0 (RbOemFolder, 1);
  self->path = rb_oem_folder_find (folder);
  g_autofree char *path = g_build_filename (self->path, "oem.json", NULL);
  if (!rb_files_exists (path)) {
    rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_NOT_FOUND, "%s: no OEM's folder, oem.json is missing",
                    self->path);
    return NULL;
  }
  self->lock = rb_lock_folder (self->path, self->path, error);
  self->config = self->lock == NULL ? NULL : rb_json_load (path, MAX_CONFIG, error);
  if (self->config == NULL || !rb_member_format (self->config, FORMAT, path, error))
    return NULL;
  return g_steal_pointer (&self);
}
