/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/publishing.h"

#include "authority/policy-rules.h"
#include "core/json.h"
#include "core/moment.h"

void
rb_publishing_free (RbPublishing *self)
{
  if (self == NULL)
    return;
  g_clear_pointer (&self->authoring, rb_authoring_free);
  g_clear_pointer (&self->publication, rb_publication_free);
  g_clear_pointer (&self->cards, g_ptr_array_unref);
  g_clear_pointer (&self->signers, g_hash_table_unref);
  json_decref (self->done);
  g_free (self);
}

RbPublishing *
rb_publishing_open (const RbOemFolder *folder, const char *kind, const char *secret, gint64 now, GError **error)
{
  g_autoptr (RbPublishing) self = g_new0 (RbPublishing, 1);
  self->authoring = rb_authoring_load (folder->path, kind, error);
  self->cards = self->authoring == NULL ? NULL : rb_key_card_list (folder->path, error);
  self->publication = self->cards == NULL ? NULL : rb_publication_open (folder->path, kind, error);
  if (self->publication == NULL)
    return NULL;
  self->policy = json_object_get (folder->config, "policy");
  self->secret = secret;
  self->now = now;
  self->signers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) rb_signer_unref);
  self->done = json_array ();
  return g_steal_pointer (&self);
}

gint64
rb_publishing_expiry (const RbPublishing *self, const char *role)
{
  RbPolicyRule rule;
  rb_policy_rules_find (self->policy, self->authoring->kind, role, &rule);
  return self->expires != 0 ? self->expires : self->now + MIN (rule.days, 365) * RB_MOMENT_DAY;
}

GBytes *
rb_publishing_read (RbPublishing *self, const char *role, GError **error)
{
  g_autofree char *file = g_strconcat (role, ".json", NULL);
  return rb_publication_read (self->publication, file, error);
}
