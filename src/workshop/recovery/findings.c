/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/findings.h"

#include "core/files.h"
#include "core/json.h"
#include "model/member.h"

#define FORMAT "recallbay-found-1"
#define MAX_FOUND (1024 * 1024)

static char *
path_of (const char *data_dir, const char *vin)
{
  g_autofree char *name = g_strconcat (vin, ".json", NULL);
  return rb_files_name_is_safe (name) ? g_build_filename (data_dir, "found", name, NULL) : NULL;
}

gboolean
rb_findings_save (const char *data_dir, const char *vin, json_t *ecus, gint64 now, GError **error)
{
  g_autofree char *path = path_of (data_dir, vin);
  g_autofree char *folder = g_build_filename (data_dir, "found", NULL);
  g_autoptr (json_t) found = json_pack ("{s:s,s:s,s:O}", "format", FORMAT, "vin", vin, "ecus", ecus);
  if (path == NULL)
    return rb_reason_deny (error, RB_RECOVERY_ERROR, RB_REASON_VIN_INVALID, "“%s” is not a VIN", vin);
  rb_json_set_moment (found, "at", now);
  g_autofree char *text = rb_json_to_pretty (found);
  return rb_files_make_folder (folder, error) && rb_files_write_private_text (path, text, error);
}

json_t *
rb_findings_load (const char *data_dir, const char *vin, GError **error)
{
  g_autofree char *path = path_of (data_dir, vin);
  g_autoptr (json_t) found = path == NULL || !rb_files_exists (path) ? NULL : rb_json_load (path, MAX_FOUND, error);
  if (found == NULL || !rb_member_format (found, FORMAT, path, error)
      || rb_json_array (found, "ecus", path, error) == NULL)
    return NULL;
  return g_steal_pointer (&found);
}
