/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/trust-target.h"

#include "authority/target-list.h"
#include "core/files.h"
#include "core/json.h"
#include "model/trust-list.h"
#include "pki/people.h"

json_t *
rb_trust_target_make (const RbOemFolder *folder, gint64 days, const char *minimum_version, gint64 now, GError **error)
{
  g_autoptr (RbAuthoring) service = rb_authoring_load (folder->path, "service", error);
  g_autofree char *path = g_build_filename (folder->path, "pki", "trust-list.json", NULL);
  g_autoptr (json_t) value
    = service == NULL ? NULL : rb_people_trust_list (folder->path, folder->config, days, minimum_version, now, error);
  g_autoptr (GBytes) bytes = value == NULL ? NULL : rb_json_to_bytes (value);
  g_autoptr (RbTrustList) parsed = bytes == NULL ? NULL : rb_trust_list_parse (bytes, error);
  const RbTargetListImage target = { .path = RB_TRUST_LIST_PATH, .file = path, .release_counter = -1 };
  return parsed != NULL && rb_files_write_private (path, bytes, error) && rb_target_list_add (service, &target, error)
             && rb_authoring_save (service, error)
           ? g_steal_pointer (&value)
           : NULL;
}
