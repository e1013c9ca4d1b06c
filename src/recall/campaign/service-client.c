/* SPDX-License-Identifier: Apache-2.0 */
#include "campaign/service-client.h"

#include "campaign/shape.h"
#include "core/files.h"
#include "core/json.h"

#include <string.h>

#define MAX_TARGET (16 * 1024 * 1024)

struct _RbServiceClient {
  RbRepository *repository;
  RbSource *metadata;
  RbSource *targets;
  char *targets_folder;
  GHashTable *read; /* paths of targets whose file has been verified */
};

/* The repository's metadata; roots that are known already (may be NULL) stand before it. */
static RbSource *
metadata_source (const char *folder, RbSource *known)
{
  g_autofree char *path = g_build_filename (folder, "service", "metadata", NULL);
  return known == NULL ? rb_source_folder (path) : rb_source_first_of (known, rb_source_folder (path), NULL);
}

static RbServiceClient *
new_client (const char *folder, RbSource *known)
{
  RbServiceClient *self = g_new0 (RbServiceClient, 1);
  self->targets_folder = g_build_filename (folder, "service", "targets", NULL);
  self->targets = rb_source_folder (self->targets_folder);
  self->read = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->metadata = metadata_source (folder, known);
  return self;
}

void
rb_service_client_free (RbServiceClient *self)
{
  if (self == NULL)
    return;
  g_clear_pointer (&self->repository, rb_repository_free);
  rb_source_free (self->metadata);
  rb_source_free (self->targets);
  g_free (self->targets_folder);
  g_hash_table_unref (self->read);
  g_free (self);
}

static gboolean
refresh (RbServiceClient *self, GError **error)
{
  if (self->repository != NULL && rb_workflow_refresh (self->repository, error))
    return TRUE;
  g_prefix_error (error, "service repository, ");
  return FALSE;
}

RbServiceClient *
rb_service_client_new (const char *folder, GBytes *root, gint64 moment, GError **error)
{
  g_autoptr (RbServiceClient) self = new_client (folder, NULL);
  const RbPolicy policy = rb_policy_tuf (moment);
  self->repository = rb_workflow_new_in_memory (NULL, root, self->metadata, &policy, NULL, error);
  return refresh (self, error) ? g_steal_pointer (&self) : NULL;
}

GBytes *
rb_service_client_read (RbServiceClient *self, const char *path, GError **error)
{
  g_autoptr (RbTarget) target = rb_repository_find (self->repository, path, NULL, error);
  GBytes *bytes = target == NULL ? NULL : rb_workflow_read (self->repository, target, self->targets, MAX_TARGET, error);
  if (bytes == NULL)
    g_prefix_error (error, "service repository, ");
  else
    g_hash_table_add (self->read, g_strdup (path));
  return bytes;
}

gboolean
rb_service_client_lists (RbServiceClient *self, const char *path)
{
  g_autoptr (GError) absent = NULL;
  g_autoptr (RbTarget) target = rb_repository_find (self->repository, path, NULL, &absent);
  return rb_reason_of (absent) != RB_REASON_TARGET_MISSING;
}

const RbMetadata *
rb_service_client_metadata (RbServiceClient *self, const char *role)
{
  return rb_repository_metadata (self->repository, role);
}

char *
rb_service_client_target_path (RbServiceClient *self, const char *group, const char *name)
{
  const char *plain = rb_repository_is_consistent (self->repository) ? rb_shape_without_hash (name) : NULL;
  return g_strconcat (group, "/", plain == NULL ? name : plain, NULL);
}

/* One file, which must be the one that its target is read from. */
static gboolean
check_file (RbServiceClient *self, const char *group, const char *name, GError **error)
{
  g_autofree char *path = rb_service_client_target_path (self, group, name);
  g_autofree char *file = g_strconcat (group, "/", name, NULL);
  g_autoptr (RbTarget) target = rb_repository_find (self->repository, path, NULL, error);
  g_autofree char *expected = target == NULL ? NULL : rb_workflow_file_of (self->repository, target);
  if (target == NULL)
    return FALSE;
  if (strcmp (file, expected) != 0)
    return rb_reason_deny (error, RB_CAMPAIGN_ERROR, RB_REASON_TARGET_MISSING, "no role lists the file “%s”, but “%s”",
                           file, expected);
  g_autoptr (GBytes) bytes = g_hash_table_contains (self->read, path)
                               ? NULL
                               : rb_workflow_read (self->repository, target, self->targets, MAX_TARGET, error);
  return bytes != NULL || g_hash_table_contains (self->read, path);
}

static gboolean
check_group (RbServiceClient *self, const char *group, GError **error)
{
  g_autofree char *folder = g_build_filename (self->targets_folder, group, NULL);
  g_auto (GStrv) names = rb_files_list (folder, error);
  for (guint i = 0; names != NULL && names[i] != NULL; i++)
    if (!check_file (self, group, names[i], error))
      return FALSE;
  return names != NULL;
}

gboolean
rb_service_client_check_targets (RbServiceClient *self, GError **error)
{
  g_auto (GStrv) groups = rb_files_list (self->targets_folder, error);
  for (guint i = 0; groups != NULL && groups[i] != NULL; i++)
    if (!check_group (self, groups[i], error)) {
      g_prefix_error (error, "service repository, ");
      return FALSE;
    }
  return groups != NULL;
}

static char *
state_folder (const RbAnchor *anchor)
{
  g_autofree char *place = g_path_get_dirname (anchor->folder);
  return g_build_filename (place, "state", NULL);
}

/* Every root of the anchor under its name: the memory may lie before some of them. */
static RbSource *
known_roots (const RbAnchor *anchor)
{
  g_autoptr (GHashTable) files
    = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
  for (guint i = 0; i < anchor->roots->len; i++) {
    gint64 number = anchor->version - anchor->roots->len + 1 + i;
    g_hash_table_insert (files, g_strdup_printf ("%" G_GINT64_FORMAT ".root.json", number),
                         g_bytes_ref (anchor->roots->pdata[i]));
  }
  return rb_source_memory (files);
}

/* The memory before it has seen anything: the anchor's newest root. */
static gboolean
begin_state (const RbAnchor *anchor, const char *state, GError **error)
{
  g_autofree char *path = g_build_filename (state, "root.json", NULL);
  return rb_files_exists (path) || rb_workflow_init (state, anchor->roots->pdata[anchor->roots->len - 1], error);
}

static gboolean
accept_all (RbServiceClient *self, const RbAnchor *anchor, GError **error)
{
  if (refresh (self, error) && rb_service_client_check_targets (self, error))
    return TRUE;
  g_prefix_error (error, "trust anchor “%s”, what was accepted before: ", anchor->name);
  return FALSE;
}

gboolean
rb_service_client_check_state (const RbAnchor *anchor, const char *folder, gint64 moment, GError **error)
{
  g_autofree char *state = state_folder (anchor);
  g_autoptr (RbServiceClient) self = new_client (folder, known_roots (anchor));
  const RbPolicy policy = rb_policy_tuf_strict (moment);
  self->repository = rb_workflow_new_in_memory (state, anchor->roots->pdata[anchor->roots->len - 1], self->metadata,
                                                &policy, NULL, error);
  return accept_all (self, anchor, error);
}

gboolean
rb_service_client_keep_state (const RbAnchor *anchor, const char *folder, gint64 moment, GError **error)
{
  g_autofree char *state = state_folder (anchor);
  g_autoptr (RbServiceClient) self = new_client (folder, known_roots (anchor));
  const RbPolicy policy = rb_policy_tuf_strict (moment);
  if (!begin_state (anchor, state, error))
    return FALSE;
  self->repository = rb_workflow_new (state, self->metadata, &policy, NULL, error);
  return accept_all (self, anchor, error);
}

/* The accepted top-level targets file; NULL when there is none, or it cannot be believed. */
static RbMetadata *
accepted_targets (const RbAnchor *anchor)
{
  g_autofree char *state = state_folder (anchor);
  g_autoptr (RbSource) nothing = rb_source_folder (state);
  const RbPolicy policy = rb_policy_tuf_strict (0);
  g_autoptr (RbRepository) repository
    = rb_workflow_new_in_memory (state, anchor->roots->pdata[anchor->roots->len - 1], nothing, &policy, NULL, NULL);
  return repository == NULL ? NULL : rb_repository_stored_targets (repository, NULL);
}

gboolean
rb_service_client_has_ended (const RbAnchor *anchor, const char *campaign)
{
  g_autofree char *path = g_strdup_printf ("campaigns/%s.json", campaign);
  g_autoptr (RbMetadata) now = accepted_targets (anchor);
  /* a delegated role may name it */
  return now != NULL && json_object_get (now->signed_part, "delegations") == NULL
         && rb_metadata_entry (now, path) == NULL;
}
