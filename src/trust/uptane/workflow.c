/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/workflow.h"

#include "core/files.h"

#include <string.h>

#define deny(error, reason, ...) rb_reason_deny (error, RB_UPTANE_ERROR, reason, __VA_ARGS__)

#define MAX_TARGET (G_GUINT64_CONSTANT (8) << 30)

gboolean
rb_workflow_init (const char *folder, GBytes *root, GError **error)
{
  const RbPolicy policy = rb_policy_tuf (0);
  g_autoptr (RbMetadata) parsed = rb_metadata_parse (root, RB_METADATA_ROOT, policy.max_root, error);
  g_autoptr (RbAccepted) accepted = rb_accepted_new (folder, FALSE);
  return parsed != NULL && rb_metadata_verify_by_root (parsed, parsed, "root", error)
         && rb_files_make_folder (folder, error) && rb_accepted_put (accepted, "root", root, error);
}

/* (transfer full) accepted */
static RbRepository *
begin (RbAccepted *accepted, RbSource *source, const RbPolicy *policy, RbRejection *verdict, GError **error)
{
  GError *failure = NULL;
  RbTrusted *trusted = rb_trusted_new_for_files (accepted, policy, &failure);
  if (trusted == NULL) {
    g_prefix_error (&failure, "root: ");
    rb_rejection_set (verdict, policy->repo, "root", failure);
    g_propagate_error (error, failure);
    return NULL;
  }
  return rb_repository_new (trusted, source, policy, verdict);
}

RbRepository *
rb_workflow_new (const char *folder, RbSource *source, const RbPolicy *policy, RbRejection *verdict, GError **error)
{
  return begin (rb_accepted_new (folder, FALSE), source, policy, verdict, error);
}

RbRepository *
rb_workflow_new_in_memory (const char *folder, GBytes *root, RbSource *source, const RbPolicy *policy,
                           RbRejection *verdict, GError **error)
{
  RbAccepted *accepted = rb_accepted_new (folder, TRUE);
  if (!rb_accepted_has (accepted, "root"))
    rb_accepted_hold (accepted, "root", root);
  return begin (accepted, source, policy, verdict, error);
}

gboolean
rb_workflow_refresh (RbRepository *self, GError **error)
{
  return rb_repository_update_root (self, error) && rb_repository_update_timestamp (self, error)
         && rb_repository_update_snapshot (self, error) && rb_repository_update_targets (self, error);
}

/* §5.7.3 */
char *
rb_workflow_file_of (RbRepository *self, const RbTarget *target)
{
  const char *slash = strrchr (target->path, '/');
  const char *base = slash == NULL ? target->path : &slash[1];
  g_autofree char *folder = slash == NULL ? g_strdup ("") : g_strndup (target->path, (gsize) (base - target->path));
  if (!rb_repository_is_consistent (self))
    return g_strdup (target->path);
  return g_strdup_printf ("%s%s.%s", folder, target->sha256 != NULL ? target->sha256 : target->sha512, base);
}

static gboolean
is_there (const RbTarget *target, const char *path)
{
  g_autoptr (GBytes) bytes = rb_files_exists (path) ? rb_files_map (path, MAX_TARGET, NULL) : NULL;
  return bytes != NULL && rb_target_check_image (target, bytes, NULL);
}

gboolean
rb_workflow_download (RbRepository *self, const RbTarget *target, RbSource *source, const char *folder,
                      gboolean *fetched, GError **error)
{
  g_autofree char *name = g_uri_escape_string (target->path, NULL, FALSE);
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *remote = rb_workflow_file_of (self, target);
  g_autofree char *escaped
    = rb_source_is_remote (source) ? g_uri_escape_string (remote, "/", FALSE) : g_strdup (remote);
  gboolean there = is_there (target, path);
  if (fetched != NULL)
    *fetched = !there;
  if (there)
    return TRUE;
  g_autoptr (GBytes) bytes = rb_source_fetch (source, escaped, (gsize) MIN (target->length, MAX_TARGET), error);
  return bytes != NULL && rb_target_check_image (target, bytes, error) && rb_files_make_folder (folder, error)
         && rb_files_write_output (path, bytes, 0644, error);
}

GBytes *
rb_workflow_read (RbRepository *self, const RbTarget *target, RbSource *source, gsize max, GError **error)
{
  g_autofree char *remote = rb_workflow_file_of (self, target);
  if (target->length > max) {
    deny (error, RB_REASON_TOO_LARGE, "%s: %" G_GUINT64_FORMAT " bytes, allowed are %" G_GSIZE_FORMAT, target->path,
          target->length, max);
    return NULL;
  }
  g_autoptr (GError) failure = NULL;
  g_autoptr (GBytes) bytes = rb_source_fetch (source, remote, (gsize) target->length, &failure);
  if (bytes == NULL && rb_reason_of (failure) == RB_REASON_TOO_LARGE) {
    deny (error, RB_REASON_LENGTH_MISMATCH, "%s: longer than the listed %" G_GUINT64_FORMAT " bytes", target->path,
          target->length);
    return NULL;
  }
  if (bytes == NULL)
    g_propagate_error (error, g_steal_pointer (&failure));
  return bytes != NULL && rb_target_check_image (target, bytes, error) ? g_steal_pointer (&bytes) : NULL;
}
