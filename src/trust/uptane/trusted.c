/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/trusted.h"

#include "uptane/form.h"

#include <string.h>

#define deny(error, reason, ...) rb_reason_deny (error, RB_UPTANE_ERROR, reason, __VA_ARGS__)

RbTrusted *
rb_trusted_new_for_store (RbStore *store)
{
  RbTrusted *self = g_new0 (RbTrusted, 1);
  self->store = store;
  return self;
}

void
rb_trusted_free (RbTrusted *self)
{
  g_clear_pointer (&self->files, rb_accepted_free);
  g_clear_pointer (&self->root, rb_metadata_free);
  g_free (self);
}

/* A stored file that cannot be used is fetched again, unless it is to be remembered. */
static gboolean
check_damage (const RbPolicy *policy, const char *role, const GError *problem, GError **error)
{
  if (problem == NULL)
    return TRUE;
  g_debug ("stored %s: %s", role, problem->message);
  return policy->succession == RB_SUCCESSION_LISTED
         || deny (error, RB_REASON_STORE_DAMAGED, "the stored file: %s", problem->message);
}

/* NULL without error: there is none. What a store has was within the bounds when it was accepted. */
static RbMetadata *
read_file (RbTrusted *self, const char *role, RbMetadataType type, gsize max, GError **error)
{
  GBytes *known = self->store == NULL ? NULL : rb_store_file (self->store, role);
  if (self->store != NULL)
    return known == NULL ? NULL : rb_metadata_parse (known, type, G_MAXSIZE, error);
  g_autoptr (GBytes) bytes = rb_accepted_get (self->files, role, max, error);
  return bytes == NULL ? NULL : rb_metadata_parse (bytes, type, max, error);
}

RbTrusted *
rb_trusted_new_for_files (RbAccepted *files, const RbPolicy *policy, GError **error)
{
  g_autoptr (RbTrusted) self = g_new0 (RbTrusted, 1);
  g_autoptr (GError) problem = NULL;
  self->files = files;
  self->root = read_file (self, "root", RB_METADATA_ROOT, policy->max_root, &problem);
  if (!check_damage (policy, "root", problem, error))
    return NULL;
  if (self->root == NULL)
    deny (error, RB_REASON_NO_TRUST_ANCHOR, "the metadata folder holds no usable root.json; begin with init");
  else if (rb_metadata_verify_by_root (self->root, self->root, "root", error))
    return g_steal_pointer (&self);
  return NULL;
}

const RbMetadata *
rb_trusted_root (RbTrusted *self)
{
  return self->store != NULL ? rb_store_root_metadata (self->store) : self->root;
}

static gboolean
add_root_file (RbTrusted *self, RbMetadata *root, const char *const *dropped, GError **error)
{
  for (guint i = 0; dropped[i] != NULL; i++)
    if (!rb_accepted_drop (self->files, dropped[i], error))
      return FALSE;
  if (!rb_accepted_put (self->files, "root", root->bytes, error))
    return FALSE;
  rb_metadata_free (self->root);
  self->root = root;
  return TRUE;
}

gboolean
rb_trusted_add_root (RbTrusted *self, RbMetadata *root, const char *const *dropped, GError **error)
{
  if (self->store == NULL)
    return add_root_file (self, root, dropped, error);
  if (!rb_store_add_root (self->store, root->bytes, dropped, error))
    return FALSE;
  rb_metadata_free (root);
  return TRUE;
}

void
rb_trusted_before_clear (RbTrustedBefore *self)
{
  g_clear_pointer (&self->file, rb_metadata_free);
}

/* FALSE: it does not count. problem: it is not what its keys signed; of a delegated role other keys may have signed. */
static gboolean
stored_counts (const RbPolicy *policy, const char *role, const RbMetadataRole *keys, RbMetadata *file, GError **problem)
{
  g_autoptr (GError) failure = NULL;
  if (!policy->verifies_stored || rb_metadata_verify (file, keys, &failure))
    return TRUE;
  if (rb_form_is_top_level (role) || rb_reason_of (failure) == RB_REASON_BAD_SIGNATURE)
    g_propagate_error (problem, g_steal_pointer (&failure));
  return FALSE;
}

gboolean
rb_trusted_load (RbTrusted *self, const RbPolicy *policy, const char *role, RbMetadataType type,
                 const RbMetadataRole *keys, RbTrustedBefore *before, GError **error)
{
  g_autoptr (GError) problem = NULL;
  before->version = rb_trusted_version (self, role);
  before->file = read_file (self, role, type, rb_policy_max (policy, type), &problem);
  if (before->file != NULL && !stored_counts (policy, role, keys, before->file, &problem))
    rb_trusted_before_clear (before);
  if (before->file != NULL)
    before->version = before->file->version;
  return check_damage (policy, role, problem, error);
}

gint64
rb_trusted_version (RbTrusted *self, const char *role)
{
  return self->store == NULL ? 0 : rb_store_version (self->store, role, NULL);
}

gint64
rb_trusted_delegated_version (RbTrusted *self, const char *parent, const char *role, const char *keys)
{
  const char *before = NULL;
  gint64 version = self->store == NULL ? 0 : rb_store_delegated (self->store, parent, role, &before);
  return before != NULL && strcmp (before, keys) != 0 ? 0 : version;
}

GStrv
rb_trusted_roles (RbTrusted *self)
{
  return self->store == NULL ? g_new0 (char *, 1) : rb_store_roles (self->store);
}

gboolean
rb_trusted_accept (RbTrusted *self, const char *role, const RbMetadata *metadata, GError **error)
{
  return self->store != NULL || rb_accepted_put (self->files, role, metadata->bytes, error);
}

gboolean
rb_trusted_save (RbTrusted *self, GError **error)
{
  return self->store == NULL || rb_store_save (self->store, error);
}
