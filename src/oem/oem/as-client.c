/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/as-client.h"

#include "core/files.h"
#include "core/json.h"
#include "uptane/repository.h"
#include "uptane/vehicle.h"

#include <string.h>

#define MAX_TARGETS (64 * 1024 * 1024)

typedef struct {
  const char *folder;
  const char *kind;
  json_t *findings;
  RbSource *source;
  RbSource *images; /* NULL: there are none to verify */
  gboolean every_image; /* has to be there; a bundle has those of its campaign */
  RbStore *store;
  RbRepository *repository;
} Client;

static void
client_clear (Client *self)
{
  g_clear_pointer (&self->repository, rb_repository_free);
  g_clear_pointer (&self->store, rb_store_free);
  g_clear_pointer (&self->source, rb_source_free);
  g_clear_pointer (&self->images, rb_source_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Client, client_clear)

static gboolean
find (Client *self, const char *role, const GError *error)
{
  g_autofree char *text = g_strdup_printf ("%s: %s", rb_reason_word (rb_reason_of (error)), error->message);
  json_t *finding = json_object ();
  rb_json_set_string (finding, "rule", "client");
  rb_json_set_string (finding, "role", role);
  rb_json_set_string (finding, "severity", "violation");
  rb_json_set_string (finding, "text", text);
  json_array_append_new (self->findings, finding);
  return FALSE;
}

/* Does the folder hold more than roots? */
static gboolean
is_published (const Client *self)
{
  g_auto (GStrv) names = rb_files_list (self->folder, NULL);
  for (guint i = 0; names != NULL && names[i] != NULL; i++)
    if (g_str_has_suffix (names[i], "timestamp.json") || g_str_has_suffix (names[i], "targets.json"))
      return TRUE;
  return FALSE;
}

/* An entry of a targets file of the role: a client finds this very entry, and the image is the one that it lists. */
static gboolean
check_target (Client *self, const char *role, const char *path, const json_t *entry)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RbTarget) listed = rb_target_from_json (path, entry, &error);
  const char *hardware_id = listed == NULL || listed->hardware_ids == NULL ? NULL : listed->hardware_ids[0];
  g_autoptr (RbTarget) found = listed == NULL ? NULL : rb_repository_find (self->repository, path, hardware_id, &error);
  if (found == NULL)
    return find (self, role, error);
  g_autoptr (GBytes) image = self->images != NULL ? rb_vehicle_fetch_image (self->images, listed, &error) : NULL;
  if (self->every_image && image == NULL && error == NULL)
    rb_reason_deny (&error, RB_OEM_ERROR, RB_REASON_MISSING, "the image “%s” is not there", path);
  if (error != NULL || (image != NULL && !rb_target_check_image (listed, image, &error)))
    return find (self, role, error);
  return TRUE;
}

typedef struct {
  Client *client;
  const char *role;
} Entries;

static gboolean
check_entry (const char *path, const json_t *entry, gpointer data)
{
  const Entries *self = data;
  check_target (self->client, self->role, path, entry);
  return TRUE; /* every finding counts */
}

static void
check_entries (Client *self, const char *role, const RbMetadata *targets)
{
  Entries entries = { self, role };
  rb_metadata_each_entry (targets, check_entry, &entries);
}

static void
check_delegated (const char *role, const RbMetadata *targets, gpointer data)
{
  check_entries (data, role, targets);
}

static gboolean
update (Client *self, GError **error)
{
  gboolean online = rb_repository_has_role (self->repository, "timestamp");
  return (!online
          || (rb_repository_update_timestamp (self->repository, error)
              && rb_repository_update_snapshot (self->repository, error)))
         && rb_repository_update_targets (self->repository, error);
}

/* The policy of who reads the repository: a vehicle, or a workstation the Service repository. */
static RbPolicy
policy_for (const Client *self)
{
  gboolean service = strcmp (self->kind, "service") == 0;
  RbPolicy policy = service ? rb_policy_tuf (0) : rb_policy_uptane (self->kind, 0);
  policy.max_targets = MAX_TARGETS;
  policy.any_layout = !service;
  return policy;
}

static gboolean
verify_repository (Client *self, GBytes *anchor, RbRejection *verdict, GError **error)
{
  const RbPolicy policy = policy_for (self);
  self->store = rb_store_new_in_memory ();
  self->repository = rb_repository_new_for_store (self->store, self->source, &policy, verdict);
  if (!rb_store_anchor (self->store, anchor, error) || !rb_repository_walk_roots (self->repository, error))
    return FALSE;
  if (!is_published (self))
    return TRUE;
  if (!update (self, error) || !rb_repository_load_delegations (self->repository, error))
    return FALSE;
  check_entries (self, "targets", rb_repository_metadata (self->repository, "targets"));
  rb_repository_each_delegated (self->repository, check_delegated, self);
  return TRUE;
}

/* targets/ in the folder, or beside a folder metadata/ as a bundle has it. */
static void
open_images (Client *self)
{
  g_autofree char *path = g_canonicalize_filename (self->folder, NULL);
  g_autofree char *name = g_path_get_basename (path);
  g_autofree char *parent = g_path_get_dirname (path);
  g_autofree char *inside = g_build_filename (path, "targets", NULL),
                  *beside = g_build_filename (parent, "targets", NULL);
  if (strcmp (self->kind, "director") == 0)
    return;
  self->every_image = rb_files_is_folder (inside);
  if (self->every_image || (strcmp (name, "metadata") == 0 && rb_files_is_folder (beside)))
    self->images = rb_source_folder (self->every_image ? path : parent);
}

void
rb_as_client_check (const char *folder, const char *kind, GBytes *anchor, json_t *findings)
{
  g_auto (Client) self = { .folder = folder, .kind = g_intern_string (kind), .findings = findings };
  g_auto (RbRejection) verdict = { 0 };
  g_autoptr (GError) error = NULL;
  self.source = rb_source_folder (folder);
  open_images (&self);
  if (!verify_repository (&self, anchor, &verdict, &error))
    find (&self, verdict.role == NULL ? "root" : verdict.role, error);
}
