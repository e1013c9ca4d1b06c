/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/install.h"

#include "authority/online.h"
#include "core/json.h"
#include "crypto/digest.h"

#include <string.h>

/* One person counts once, whatever the number of keys. */
static gboolean
check_people (RbPublishing *self, const RbDraftDocument *document, const RbDraftRequirement *requirement,
              GError **error)
{
  g_autoptr (GHashTable) people = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < requirement->signers->len; i++) {
    const RbKeyCard *card = rb_key_card_of (self->cards, requirement->signers->pdata[i]);
    g_hash_table_add (people,
                      card == NULL ? (gpointer) rb_key_public_id (requirement->signers->pdata[i]) : card->holder);
  }
  return (gint64) g_hash_table_size (people) >= requirement->threshold
         || rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_SAME_PERSON,
                            "%s %s: %u people have signed, threshold is %" G_GINT64_FORMAT, document->kind,
                            document->role, g_hash_table_size (people), requirement->threshold);
}

static gboolean
check_signatures (RbPublishing *self, const RbDraft *draft, const RbDraftDocument *document, GError **error)
{
  g_autoptr (GPtrArray) requirements = rb_draft_requirements (draft, document, error);
  for (guint i = 0; requirements != NULL && i < requirements->len; i++) {
    const RbDraftRequirement *one = requirements->pdata[i];
    if (!rb_draft_requirement_is_met (one))
      return rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_THRESHOLD_UNMET,
                             "%s %s%s%s%s: %u valid signatures, threshold is %" G_GINT64_FORMAT, document->kind,
                             document->role, one->side[0] == '\0' ? "" : ", keys of the ", one->side,
                             one->side[0] == '\0' ? "" : " root", one->signers->len, one->threshold);
    if (!check_people (self, document, one, error))
      return FALSE;
  }
  return requirements != NULL;
}

static gboolean
same_or_none (GBytes *a, GBytes *b)
{
  return a == NULL || b == NULL ? a == b : g_bytes_equal (a, b);
}

/* Made on what is published, the newest of its role, and not expired. */
static gboolean
check_current (RbPublishing *self, const RbDraftDocument *document, GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autoptr (GBytes) published = rb_publishing_read (self, document->role, &problem);
  g_autofree char *sha256 = rb_digest_sha256_hex_of (document->payload);
  gint64 expires = 0;
  if (problem != NULL) {
    g_propagate_error (error, g_steal_pointer (&problem));
    return FALSE;
  }
  if (!same_or_none (published, document->published))
    return rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_DRAFT_MISMATCH,
                           "%s %s: made on another version than the published one", document->kind, document->role);
  if (strcmp (rb_json_string_or (self->authoring->drafts, document->role, ""), sha256) != 0)
    return rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_DRAFT_MISMATCH,
                           "%s %s: not the newest draft of this folder", document->kind, document->role);
  if (!rb_json_moment (document->part, "expires", &expires, document->role, error))
    return FALSE;
  return expires > self->now
         || rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_EXPIRED, "%s %s: the draft itself has expired",
                            document->kind, document->role);
}

/* The roles of a published root, by the cards of their keys. */
static gboolean
take_roles (RbPublishing *self, const json_t *part, GError **error)
{
  g_autoptr (json_t) roles = json_object ();
  const char *name;
  json_t *role;
  json_object_foreach (json_object_get (part, "roles"), name, role) {
    g_autoptr (RbMetadataRole) listed = rb_metadata_role_new (json_object_get (part, "keys"), role, error);
    g_autoptr (GPtrArray) keys = listed == NULL ? NULL : rb_metadata_role_keys (listed);
    json_t *names = json_array ();
    rb_json_set (roles, name, names);
    if (keys == NULL)
      return FALSE;
    for (guint i = 0; i < keys->len; i++) {
      const RbKeyCard *card = rb_key_card_of (self->cards, keys->pdata[i]);
      if (card == NULL)
        return rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_NOT_FOUND, "role %s: key %.16s is not in keys/",
                               name, rb_key_public_id (keys->pdata[i]));
      json_array_append_new (names, json_string (card->name));
    }
    g_autoptr (json_t) value = json_pack ("{s:I,s:O}", "threshold", (json_int_t) listed->threshold, "keys", names);
    RbRolePlan *plan = rb_role_plan_load (name, value, self->authoring->oem, error);
    RbRolePlan *before = plan == NULL ? NULL : rb_role_plan_find (self->authoring->roles, name);
    if (plan == NULL)
      return FALSE;
    if (before != NULL)
      g_ptr_array_remove (self->authoring->roles, before);
    g_ptr_array_add (self->authoring->roles, plan);
  }
  return TRUE;
}

static gboolean
put_document (RbPublishing *self, const RbDraftDocument *document, GError **error)
{
  g_autoptr (GBytes) envelope = rb_draft_envelope (document);
  g_autofree char *file = g_strconcat (document->role, ".json", NULL);
  gint64 version = rb_json_integer_or (document->part, "version", 0);
  g_autofree char *numbered = g_strdup_printf ("%" G_GINT64_FORMAT ".root.json", version);
  gboolean root = strcmp (document->role, "root") == 0;
  if (root) {
    rb_json_set_integer (self->authoring->versions, "root", version);
    if (!take_roles (self, document->part, error))
      return FALSE;
  }
  json_array_append_new (self->done, json_sprintf ("%s %" G_GINT64_FORMAT, document->role, version));
  json_object_del (self->authoring->drafts, document->role);
  return rb_publication_put (self->publication, file, envelope, error)
         && (!root || rb_publication_put (self->publication, numbered, envelope, error));
}

static gboolean
install_documents (RbPublishing *self, const RbDraft *draft, GError **error)
{
  for (guint i = 0; i < draft->documents->len; i++) {
    const RbDraftDocument *document = draft->documents->pdata[i];
    if (strcmp (document->kind, self->authoring->kind) != 0)
      continue;
    if (!check_current (self, document, error) || !check_signatures (self, draft, document, error)
        || !put_document (self, document, error))
      return FALSE;
  }
  return TRUE;
}

static void
describe_role (RbPublishing *self, const RbRolePlan *plan, json_t *list)
{
  for (guint i = 0; i < plan->cards->len; i++) {
    const RbKeyCard *card = plan->cards->pdata[i];
    g_autofree char *id = rb_author_key_id (self->authoring->dialect, card->public);
    json_array_append_new (
      list, json_pack ("{s:s,s:s,s:s,s:s,s:b}", "id", id, "role", plan->name, "holder", card->holder, "organisation",
                       card->organisation == NULL ? "" : card->organisation, "online", (int) card->online));
  }
}

/* keys.json: who holds which key, for repo check. */
static gboolean
put_key_list (RbPublishing *self, GError **error)
{
  json_t *list = json_array ();
  g_autoptr (json_t) value
    = json_pack ("{s:s,s:s,s:o}", "format", "recallbay-keys-1", "kind", self->authoring->kind, "keys", list);
  for (guint i = 0; i < self->authoring->roles->len; i++)
    describe_role (self, self->authoring->roles->pdata[i], list);
  for (gsize i = 0; i < json_array_size (self->authoring->delegations); i++) {
    g_autoptr (RbRolePlan) plan
      = rb_authoring_delegation_plan (self->authoring, json_array_get (self->authoring->delegations, i), error);
    if (plan == NULL)
      return FALSE;
    describe_role (self, plan, list);
  }
  g_autofree char *text = rb_json_to_pretty (value);
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
  return rb_publication_put (self->publication, "keys.json", bytes, error);
}

gboolean
rb_install_draft (RbPublishing *self, const RbDraft *draft, GError **error)
{
  return install_documents (self, draft, error) && put_key_list (self, error) && rb_online_sign_all (self, TRUE, error)
         && rb_authoring_save (self->authoring, error) && rb_publication_commit (self->publication, error);
}

gboolean
rb_install_refresh (RbPublishing *self, gboolean always, GError **error)
{
  if (!rb_online_sign_all (self, always, error))
    return FALSE;
  return json_array_size (self->done) == 0
         || (rb_authoring_save (self->authoring, error) && rb_publication_commit (self->publication, error));
}
