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

/* Signed by the keys that the root (authority) lists now? A root that changes them makes the file worthless. */
static gboolean
is_signed (const RbDraft *draft, const char *kind, const char *role, GBytes *published, GBytes *authority)
{
  g_autoptr (RbDraft) probe = rb_draft_new ();
  g_autoptr (json_t) envelope = published == NULL ? NULL : rb_json_parse (published, MAX_FILE, "published", NULL);
  if (envelope == NULL || authority == NULL)
    return FALSE;
  RbDraftDocument *document = rb_draft_add (probe, kind, role, json_object_get (envelope, "signed"), NULL, authority);
  json_array_extend (document->signatures, json_object_get (envelope, "signatures"));
  return rb_draft_is_complete (probe, NULL);
}

static gboolean
draft_targets (RbPublishing *self, RbDraft *draft, const char *role, GBytes *authority, GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autoptr (GBytes) published = rb_publishing_read (self, role, &problem);
  g_autoptr (json_t) probe
    = problem != NULL ? NULL : rb_authoring_targets_part (self->authoring, role, 1, self->now, &problem);
  if (problem != NULL) {
    g_propagate_error (error, g_steal_pointer (&problem));
    return FALSE;
  }
  if (self->expires == 0 && !differs (probe, published)
      && is_signed (draft, self->authoring->kind, role, published, authority))
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
draft_all_targets (RbPublishing *self, RbDraft *draft, GBytes *root, GError **error)
{
  guint before = draft->documents->len;
  if (!draft_targets (self, draft, "targets", root, error))
    return FALSE;
  g_autoptr (GBytes) published = draft->documents->len > before ? NULL : rb_publishing_read (self, "targets", error);
  for (gsize i = 0; i < json_array_size (self->authoring->delegations); i++) {
    const char *name = rb_json_string_or (json_array_get (self->authoring->delegations, i), "name", "");
    if (!draft_targets (self, draft, name, published, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
rb_drafting_changes (RbPublishing *self, RbDraft *draft, GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autoptr (GBytes) root = rb_publishing_read (self, "root", &problem);
  gboolean drafted
    = problem == NULL && (root != NULL || rb_drafting_root (self, self->authoring->roles, draft, &problem))
      && (strcmp (self->authoring->kind, "director") == 0 || draft_all_targets (self, draft, root, &problem))
      && rb_online_sign_draft (self, draft, &problem) && rb_authoring_save (self->authoring, &problem);
  if (!drafted)
    g_propagate_error (error, g_steal_pointer (&problem));
  return drafted;
}
