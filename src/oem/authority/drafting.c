/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/drafting.h"

#include "authority/online.h"
#include "core/json.h"
#include "crypto/digest.h"

#include <string.h>

#define MAX_FILE (256 * 1024 * 1024)

/* Names the keys that sign, so that the draft can tell them. */
static void
name_keys (RbPublishing *self, RbDraft *draft, GPtrArray *cards)
{
  for (guint i = 0; i < cards->len; i++) {
    g_autoptr (json_t) value = rb_key_card_to_json (cards->pdata[i]);
    RbKeyCard *copy = rb_key_card_parse (value, "key", NULL);
    if (copy != NULL)
      rb_draft_name_key (draft, copy);
  }
}

static void
remember_draft (RbPublishing *self, const RbDraftDocument *document)
{
  g_autofree char *sha256 = rb_digest_sha256_hex_of (document->payload);
  rb_json_set_string (self->authoring->drafts, document->role, sha256);
}

gboolean
rb_drafting_root (RbPublishing *self, GPtrArray *roles, RbDraft *draft, GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autoptr (GBytes) published = rb_publishing_read (self, "root", &problem);
  if (problem != NULL) {
    g_propagate_error (error, g_steal_pointer (&problem));
    return FALSE;
  }
  gint64 version = rb_json_integer_or (self->authoring->versions, "root", 0) + 1;
  g_autoptr (json_t) part
    = rb_authoring_root_part (self->authoring, roles, version, rb_publishing_expiry (self, "root"));
  for (guint i = 0; i < roles->len; i++) {
    g_autoptr (GPtrArray) keys = rb_role_plan_keys (roles->pdata[i]);
    if (!rb_author_check (self->authoring->dialect, part, keys, error))
      return FALSE;
  }
  remember_draft (self, rb_draft_add (draft, self->authoring->kind, "root", part, published, NULL));
  name_keys (self, draft, self->cards);
  return TRUE;
}

/* Do two signed parts differ in more than version and expiry? */
static gboolean
differs (const json_t *part, GBytes *published)
{
  g_autoptr (json_t) envelope = published == NULL ? NULL : rb_json_parse (published, MAX_FILE, "published", NULL);
  if (envelope == NULL)
    return TRUE;
  g_autoptr (json_t) before = json_copy (json_object_get (envelope, "signed"));
  g_autoptr (json_t) after = json_copy ((json_t *) part);
  static const char *const members[] = { "version", "expires" };
  for (guint i = 0; i < G_N_ELEMENTS (members); i++) {
    json_object_del (before, members[i]);
    json_object_del (after, members[i]);
  }
  return !json_equal (before, after);
}

/* Signed by the keys that the draft, or what is published (authority), lists for the role? */
static gboolean
is_signed (RbPublishing *self, const RbDraft *draft, const char *role, GBytes *published, GBytes *authority)
{
  g_autoptr (RbDraft) probe = rb_draft_new ();
  g_autoptr (json_t) envelope = published == NULL ? NULL : rb_json_parse (published, MAX_FILE, "published", NULL);
  if (envelope == NULL)
    return FALSE;
  RbDraftDocument *document
    = rb_draft_add (probe, self->authoring->kind, role, json_object_get (envelope, "signed"), NULL, authority);
  json_array_extend (document->signatures, json_object_get (envelope, "signatures"));
  g_autoptr (GPtrArray) requirements = rb_draft_requirements (draft, document, NULL);
  for (guint i = 0; requirements != NULL && i < requirements->len; i++)
    if (!rb_draft_requirement_is_met (requirements->pdata[i]))
      return FALSE;
  return requirements != NULL;
}

static gboolean
has_document (const RbDraft *draft, const char *kind, const char *role)
{
  for (guint i = 0; i < draft->documents->len; i++) {
    const RbDraftDocument *document = draft->documents->pdata[i];
    if (strcmp (document->kind, kind) == 0 && strcmp (document->role, role) == 0)
      return TRUE;
  }
  return FALSE;
}

static gboolean
draft_targets (RbPublishing *self, RbDraft *draft, const char *role, GBytes *authority, gboolean anew, GError **error)
{
  if (has_document (draft, self->authoring->kind, role))
    return TRUE;
  g_autoptr (GError) problem = NULL;
  g_autoptr (GBytes) published = rb_publishing_read (self, role, &problem);
  g_autoptr (json_t) probe
    = problem != NULL ? NULL : rb_authoring_targets_part (self->authoring, role, 1, self->now, &problem);
  if (problem != NULL) {
    g_propagate_error (error, g_steal_pointer (&problem));
    return FALSE;
  }
  if (!anew && !differs (probe, published) && is_signed (self, draft, role, published, authority))
    return TRUE;
  gint64 version = rb_authoring_next_version (self->authoring, role);
  g_autoptr (json_t) part
    = rb_authoring_targets_part (self->authoring, role, version, rb_publishing_expiry (self, role), error);
  if (part == NULL)
    return FALSE;
  remember_draft (self, rb_draft_add (draft, self->authoring->kind, role, part, published, authority));
  name_keys (self, draft, self->cards);
  return TRUE;
}

static gboolean
draft_all_targets (RbPublishing *self, RbDraft *draft, GBytes *root, gboolean anew, GError **error)
{
  if (!draft_targets (self, draft, "targets", root, anew, error))
    return FALSE;
  g_autoptr (GError) problem = NULL;
  g_autoptr (GBytes) published = rb_publishing_read (self, "targets", &problem);
  for (gsize i = 0; problem == NULL && i < json_array_size (self->authoring->delegations); i++)
    if (!draft_targets (self, draft, rb_json_string_or (json_array_get (self->authoring->delegations, i), "name", ""),
                        published, FALSE, &problem))
      break;
  if (problem != NULL)
    g_propagate_error (error, g_steal_pointer (&problem));
  return problem == NULL;
}

gboolean
rb_drafting_targets (RbPublishing *self, RbDraft *draft, GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autoptr (GBytes) root = rb_publishing_read (self, "root", &problem);
  if (problem == NULL && strcmp (self->authoring->kind, "director") != 0)
    draft_all_targets (self, draft, root, self->expires != 0, &problem);
  if (problem != NULL)
    g_propagate_error (error, g_steal_pointer (&problem));
  return problem == NULL;
}

gboolean
rb_drafting_resign (RbPublishing *self, RbDraft *draft, GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autoptr (GBytes) published = rb_publishing_read (self, "targets", &problem);
  if (published != NULL && !is_signed (self, draft, "targets", published, NULL))
    return draft_targets (self, draft, "targets", NULL, FALSE, error);
  if (problem != NULL)
    g_propagate_error (error, g_steal_pointer (&problem));
  return problem == NULL;
}

gboolean
rb_drafting_changes (RbPublishing *self, RbDraft *draft, GError **error)
{
  gboolean first = !rb_publication_has (self->publication, "root.json");
  return (!first || rb_drafting_root (self, self->authoring->roles, draft, error))
         && rb_drafting_targets (self, draft, error) && rb_online_sign_draft (self, draft, error)
         && rb_authoring_save (self->authoring, error);
}
