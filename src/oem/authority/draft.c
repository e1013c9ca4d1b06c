/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/draft.h"

#include "core/bytes.h"
#include "core/files.h"
#include "core/json.h"
#include "crypto/digest.h"
#include "model/member.h"
#include "uptane/form.h"

#include <string.h>

#define FORMAT "recallbay-draft-1"
#define MAX_DRAFT (256 * 1024 * 1024)
#define MAX_PART (64 * 1024 * 1024)
#define MAX_DOCUMENTS 64
#define WHAT "draft"

static void
document_free (RbDraftDocument *self)
{
  g_free (self->kind);
  g_free (self->role);
  g_clear_pointer (&self->payload, g_bytes_unref);
  g_clear_pointer (&self->published, g_bytes_unref);
  g_clear_pointer (&self->authority, g_bytes_unref);
  json_decref (self->part);
  json_decref (self->signatures);
  g_free (self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbDraftDocument, document_free)

RbDraft *
rb_draft_new (void)
{
  RbDraft *self = g_new0 (RbDraft, 1);
  self->documents = g_ptr_array_new_with_free_func ((GDestroyNotify) document_free);
  self->cards = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_key_card_free);
  self->transcript = json_array ();
  return self;
}

void
rb_draft_free (RbDraft *self)
{
  if (self == NULL)
    return;
  g_ptr_array_unref (self->documents);
  g_ptr_array_unref (self->cards);
  json_decref (self->transcript);
  g_free (self);
}

static RbDialect
dialect_of (const char *kind)
{
  return strcmp (kind, "service") == 0 ? RB_DIALECT_TUF : RB_DIALECT_UPTANE;
}

RbDraftDocument *
rb_draft_add (RbDraft *self, const char *kind, const char *role, json_t *part, GBytes *published, GBytes *authority)
{
  RbDraftDocument *document = g_new0 (RbDraftDocument, 1);
  document->kind = g_strdup (kind);
  document->role = g_strdup (role);
  document->dialect = dialect_of (kind);
  document->part = json_incref (part);
  document->payload = rb_author_message (document->dialect, part);
  document->signatures = json_array ();
  document->published = published == NULL ? NULL : g_bytes_ref (published);
  document->authority = authority == NULL ? NULL : g_bytes_ref (authority);
  g_ptr_array_add (self->documents, document);
  return document;
}

void
rb_draft_name_key (RbDraft *self, RbKeyCard *card)
{
  if (rb_key_card_of (self->cards, card->public) == NULL)
    g_ptr_array_add (self->cards, card);
  else
    rb_key_card_free (card);
}

/* Bytes in base64, or null. */
static gboolean
read_bytes (const json_t *value, const char *member, GBytes **bytes, GError **error)
{
  const json_t *text = json_object_get (value, member);
  if (json_is_null (text))
    return TRUE;
  *bytes = json_is_string (text) ? rb_bytes_from_base64 (json_string_value (text)) : NULL;
  return *bytes != NULL || rb_member_refuse (error, WHAT, "%s is not base64", member);
}

static gboolean
read_payload (RbDraftDocument *self, GError **error)
{
  if (self->payload == NULL)
    return rb_member_refuse (error, WHAT, "a document has no payload");
  self->part = rb_json_parse (self->payload, MAX_PART, WHAT, error);
  if (self->part == NULL)
    return FALSE;
  g_autoptr (GBytes) message = rb_author_message (self->dialect, self->part);
  return g_bytes_equal (message, self->payload)
         || rb_member_refuse (error, WHAT, "the bytes to be signed are not in canonical form");
}

/* The signed bytes name their role. */
static gboolean
check_type (const RbDraftDocument *self, GError **error)
{
  const char *type = rb_json_string_or (self->part, "_type", "");
  gboolean top = rb_form_is_top_level (self->role);
  return g_ascii_strcasecmp (type, top ? self->role : "targets") == 0
         || rb_member_refuse (error, WHAT, "a document for role %s is of type %s", self->role, type);
}

static RbDraftDocument *
read_document (const json_t *value, GError **error)
{
  static const char *const kinds[] = { "director", "image", "service" };
  g_autoptr (RbDraftDocument) self = g_new0 (RbDraftDocument, 1);
  guint kind = 0;
  if (!rb_json_only (value, WHAT, error, "kind", "role", "payload", "signatures", "published", "authority", NULL)
      || !rb_member_choice (value, "kind", kinds, G_N_ELEMENTS (kinds), &kind, WHAT, error)
      || !rb_member_id (value, "role", &self->role, WHAT, error)
      || !read_bytes (value, "payload", &self->payload, error)
      || !read_bytes (value, "published", &self->published, error)
      || !read_bytes (value, "authority", &self->authority, error))
    return NULL;
  self->kind = g_strdup (kinds[kind]);
  self->dialect = dialect_of (self->kind);
  json_t *signatures = rb_json_array (value, "signatures", WHAT, error);
  self->signatures = signatures == NULL ? NULL : json_incref (signatures);
  return signatures != NULL && read_payload (self, error) && check_type (self, error) ? g_steal_pointer (&self) : NULL;
}

static gboolean
read_documents (RbDraft *self, const json_t *list, GError **error)
{
  if (json_array_size (list) < 1 || json_array_size (list) > MAX_DOCUMENTS)
    return rb_member_refuse (error, WHAT, "%zu documents, expected 1 to %d", json_array_size (list), MAX_DOCUMENTS);
  for (gsize i = 0; i < json_array_size (list); i++) {
    RbDraftDocument *document = read_document (json_array_get (list, i), error);
    if (document == NULL)
      return FALSE;
    g_ptr_array_add (self->documents, document);
  }
  return TRUE;
}

static gboolean
read_cards (RbDraft *self, const json_t *list, GError **error)
{
  for (gsize i = 0; i < json_array_size (list); i++) {
    RbKeyCard *card = rb_key_card_parse (json_array_get (list, i), WHAT, error);
    if (card == NULL)
      return FALSE;
    rb_draft_name_key (self, card);
  }
  return TRUE;
}

RbDraft *
rb_draft_parse (GBytes *bytes, GError **error)
{
  g_autoptr (RbDraft) self = rb_draft_new ();
  g_autoptr (json_t) value = rb_json_parse (bytes, MAX_DRAFT, WHAT, error);
  if (value == NULL || !rb_member_format (value, FORMAT, WHAT, error)
      || !rb_json_only (value, WHAT, error, "format", "documents", "keys", "transcript", NULL))
    return NULL;
  json_t *documents = rb_json_array (value, "documents", WHAT, error);
  json_t *cards = documents == NULL ? NULL : rb_json_array (value, "keys", WHAT, error);
  json_t *transcript = cards == NULL ? NULL : rb_json_array (value, "transcript", WHAT, error);
  if (transcript == NULL || !read_documents (self, documents, error) || !read_cards (self, cards, error))
    return NULL;
  json_array_extend (self->transcript, transcript);
  return g_steal_pointer (&self);
}

RbDraft *
rb_draft_load (const char *path, GError **error)
{
  g_autoptr (GBytes) bytes = rb_files_read (path, MAX_DRAFT, error);
  RbDraft *self = bytes == NULL ? NULL : rb_draft_parse (bytes, error);
  if (bytes != NULL && self == NULL)
    g_prefix_error (error, "%s: ", path);
  return self;
}

static void
set_bytes (json_t *value, const char *member, GBytes *bytes)
{
  g_autofree char *text = bytes == NULL ? NULL : rb_bytes_to_base64 (bytes);
  rb_json_set_string (value, member, text);
}

GBytes *
rb_draft_to_bytes (const RbDraft *self)
{
  json_t *documents = json_array (), *cards = json_array ();
  for (guint i = 0; i < self->documents->len; i++) {
    const RbDraftDocument *document = self->documents->pdata[i];
    json_t *value
      = json_pack ("{s:s,s:s,s:O}", "kind", document->kind, "role", document->role, "signatures", document->signatures);
    set_bytes (value, "payload", document->payload);
    set_bytes (value, "published", document->published);
    set_bytes (value, "authority", document->authority);
    json_array_append_new (documents, value);
  }
  for (guint i = 0; i < self->cards->len; i++)
    json_array_append_new (cards, rb_key_card_to_json (self->cards->pdata[i]));
  g_autoptr (json_t) value = json_pack ("{s:s,s:o,s:o,s:O}", "format", FORMAT, "documents", documents, "keys", cards,
                                        "transcript", self->transcript);
  g_autofree char *text = rb_json_to_pretty (value);
  return g_bytes_new (text, strlen (text));
}

char *
rb_draft_fingerprint (const RbDraft *self)
{
  g_autoptr (GString) text = g_string_new (FORMAT "\n");
  for (guint i = 0; i < self->documents->len; i++) {
    const RbDraftDocument *document = self->documents->pdata[i];
    g_autofree char *sha256 = rb_digest_sha256_hex_of (document->payload);
    g_string_append_printf (text, "%s %s %s\n", document->kind, document->role, sha256);
  }
  return rb_digest_sha256_hex (text->str, text->len);
}

GBytes *
rb_draft_envelope (const RbDraftDocument *document)
{
  return rb_author_envelope (document->part, document->signatures);
}

static void
requirement_free (RbDraftRequirement *self)
{
  g_clear_pointer (&self->keys, g_ptr_array_unref);
  g_clear_pointer (&self->signers, g_ptr_array_unref);
  g_free (self);
}

/* Takes role. FALSE: role is NULL, or the document cannot be parsed. */
static gboolean
add_requirement (GPtrArray *list, const RbDraftDocument *document, const char *side, RbMetadataRole *taken,
                 GError **error)
{
  g_autoptr (RbMetadataRole) role = taken;
  if (role == NULL)
    return *error != NULL
           || rb_member_refuse (error, WHAT, "nothing says who signs for %s %s", document->kind, document->role);
  g_autoptr (GBytes) bytes = rb_draft_envelope (document);
  RbMetadataType type = strcmp (document->role, "root") == 0 ? RB_METADATA_ROOT : RB_METADATA_TARGETS;
  g_autoptr (RbMetadata) metadata = rb_metadata_parse (bytes, type, MAX_DRAFT, error);
  if (metadata == NULL)
    return FALSE;
  RbDraftRequirement *self = g_new0 (RbDraftRequirement, 1);
  self->side = side;
  self->threshold = role->threshold;
  self->keys = rb_metadata_role_keys (role);
  self->signers = rb_metadata_signers (metadata, role);
  g_ptr_array_add (list, self);
  return TRUE;
}

static RbMetadataRole *
role_of_root (const json_t *part, const char *name, GError **error)
{
  const json_t *role = json_object_get (json_object_get (part, "roles"), name);
  return role == NULL ? NULL : rb_metadata_role_new (json_object_get (part, "keys"), role, error);
}

static RbMetadataRole *
role_of_delegation (const json_t *part, const char *name, GError **error)
{
  const json_t *delegations = json_object_get (part, "delegations");
  json_t *role;
  size_t i;
  json_array_foreach (json_object_get (delegations, "roles"), i, role)
    if (strcmp (rb_json_string_or (role, "name", ""), name) == 0)
      return rb_metadata_role_new (json_object_get (delegations, "keys"), role, error);
  return NULL;
}

/* The signed part of an envelope. (transfer full) */
static json_t *
part_of (GBytes *envelope, GError **error)
{
  g_autoptr (json_t) value = envelope == NULL ? NULL : rb_json_parse (envelope, MAX_PART, WHAT, error);
  json_t *part = value == NULL ? NULL : rb_json_object (value, "signed", WHAT, error);
  return part == NULL ? NULL : json_incref (part);
}

static const RbDraftDocument *
find_document (const RbDraft *self, const char *kind, const char *role)
{
  for (guint i = 0; i < self->documents->len; i++) {
    const RbDraftDocument *document = self->documents->pdata[i];
    if (strcmp (document->kind, kind) == 0 && strcmp (document->role, role) == 0)
      return document;
  }
  return NULL;
}

static RbMetadataRole *
role_of_targets (const RbDraft *self, const RbDraftDocument *document, GError **error)
{
  gboolean top = strcmp (document->role, "targets") == 0;
  const RbDraftDocument *above = find_document (self, document->kind, top ? "root" : "targets");
  g_autoptr (json_t) part = above != NULL ? json_incref (above->part) : part_of (document->authority, error);
  if (part == NULL)
    return NULL;
  return top ? role_of_root (part, "targets", error) : role_of_delegation (part, document->role, error);
}

GPtrArray *
rb_draft_requirements (const RbDraft *self, const RbDraftDocument *document, GError **error)
{
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func ((GDestroyNotify) requirement_free);
  g_autoptr (GError) problem = NULL;
  gboolean made;
  if (strcmp (document->role, "root") == 0) {
    g_autoptr (json_t) before = part_of (document->published, &problem);
    made = problem == NULL
           && add_requirement (list, document, "new", role_of_root (document->part, "root", &problem), &problem)
           && (before == NULL
               || add_requirement (list, document, "old", role_of_root (before, "root", &problem), &problem));
  } else
    made = add_requirement (list, document, "", role_of_targets (self, document, &problem), &problem);
  if (made && problem == NULL)
    return g_steal_pointer (&list);
  g_propagate_error (error, g_steal_pointer (&problem));
  return NULL;
}

gboolean
rb_draft_requirement_is_met (const RbDraftRequirement *self)
{
  return self->threshold > 0 && (gint64) self->signers->len >= self->threshold;
}

gboolean
rb_draft_is_complete (const RbDraft *self, GError **error)
{
  for (guint i = 0; i < self->documents->len; i++) {
    g_autoptr (GPtrArray) requirements = rb_draft_requirements (self, self->documents->pdata[i], error);
    if (requirements == NULL)
      return FALSE;
    for (guint j = 0; j < requirements->len; j++)
      if (!rb_draft_requirement_is_met (requirements->pdata[j]))
        return FALSE;
  }
  return TRUE;
}

static gboolean
lists (GPtrArray *keys, RbPublicKey *key)
{
  for (guint i = 0; i < keys->len; i++)
    if (rb_key_public_equal (keys->pdata[i], key))
      return TRUE;
  return FALSE;
}

typedef enum { FOREIGN, WANTED, SIGNED } Standing;

/* Is this key one that signs the document, and has it signed? */
static gboolean
standing_of (const RbDraft *self, const RbDraftDocument *document, RbPublicKey *key, Standing *standing, GError **error)
{
  g_autoptr (GPtrArray) requirements = rb_draft_requirements (self, document, error);
  if (requirements == NULL)
    return FALSE;
  *standing = FOREIGN;
  for (guint i = 0; i < requirements->len; i++) {
    const RbDraftRequirement *requirement = requirements->pdata[i];
    if (lists (requirement->signers, key))
      *standing = SIGNED;
    else if (*standing == FOREIGN && lists (requirement->keys, key))
      *standing = WANTED;
  }
  return TRUE;
}

/* In the place of an entry under the same key id, which does not verify. Takes entry. */
static void
put_signature (RbDraftDocument *document, json_t *entry)
{
  const char *id = rb_json_string_or (entry, "keyid", "");
  for (gsize i = json_array_size (document->signatures); i > 0; i--)
    if (strcmp (rb_json_string_or (json_array_get (document->signatures, i - 1), "keyid", ""), id) == 0)
      json_array_remove (document->signatures, i - 1);
  json_array_append_new (document->signatures, entry);
}

static gboolean
sign_document (RbDraftDocument *document, RbSigner *signer, GError **error)
{
  g_autoptr (GPtrArray) keys = g_ptr_array_new ();
  g_ptr_array_add (keys, rb_signer_public (signer));
  if (!rb_author_check (document->dialect, document->part, keys, error))
    return FALSE;
  g_autoptr (GBytes) signature = rb_signer_sign (signer, document->payload, error);
  if (signature != NULL)
    put_signature (document, rb_author_signature (document->dialect, rb_signer_public (signer), signature));
  return signature != NULL;
}

gboolean
rb_draft_sign (RbDraft *self, RbSigner *signer, guint *signed_now, guint *had, GError **error)
{
  *signed_now = *had = 0;
  for (guint i = 0; i < self->documents->len; i++) {
    RbDraftDocument *document = self->documents->pdata[i];
    Standing standing;
    if (!standing_of (self, document, rb_signer_public (signer), &standing, error)
        || (standing == WANTED && !sign_document (document, signer, error)))
      return FALSE;
    *signed_now += standing == WANTED;
    *had += standing == SIGNED;
  }
  return *signed_now + *had > 0
         || rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_DRAFT_SIGNER,
                            "%s: nothing in this draft is to be signed with its key %.16s", rb_signer_label (signer),
                            rb_key_public_id (rb_signer_public (signer)));
}

/* How many of the draft's keys have signed the document. */
static guint
count_signers (const RbDraft *self, const RbDraftDocument *document, GError **error)
{
  g_autoptr (GPtrArray) requirements = rb_draft_requirements (self, document, error);
  g_autoptr (GHashTable) ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; requirements != NULL && i < requirements->len; i++) {
    const RbDraftRequirement *requirement = requirements->pdata[i];
    for (guint j = 0; j < requirement->signers->len; j++)
      g_hash_table_add (ids, g_strdup (rb_key_public_id (requirement->signers->pdata[j])));
  }
  return g_hash_table_size (ids);
}

static gboolean
has_entry (const RbDraftDocument *document, const json_t *entry)
{
  size_t i;
  json_t *own;
  json_array_foreach (document->signatures, i, own)
    if (json_equal (own, entry))
      return TRUE;
  return FALSE;
}

/* Takes an entry of another copy when it makes one more signer. */
static gboolean
merge_entry (RbDraft *self, RbDraftDocument *document, json_t *entry, guint *added, guint *bad, GError **error)
{
  g_autoptr (GError) problem = NULL;
  guint before = count_signers (self, document, &problem);
  json_t *kept = json_copy (document->signatures);
  put_signature (document, json_incref (entry));
  guint after = problem == NULL ? count_signers (self, document, &problem) : 0;
  gboolean better = problem == NULL && after > before;
  *added += better;
  *bad += problem == NULL && !better;
  if (better)
    json_decref (kept);
  else {
    json_decref (document->signatures);
    document->signatures = kept;
  }
  if (problem != NULL)
    g_propagate_error (error, g_steal_pointer (&problem));
  return *error == NULL;
}

static void
merge_transcript (RbDraft *self, const RbDraft *other)
{
  size_t i, j;
  json_t *line, *own;
  json_array_foreach (other->transcript, i, line) {
    gboolean known = FALSE;
    json_array_foreach (self->transcript, j, own)
      known = known || json_equal (own, line);
    if (!known)
      json_array_append (self->transcript, line);
  }
}

gboolean
rb_draft_merge (RbDraft *self, const RbDraft *other, guint *added, guint *had, guint *bad, GError **error)
{
  g_autofree char *own = rb_draft_fingerprint (self), *its = rb_draft_fingerprint (other);
  g_autoptr (GError) problem = NULL;
  if (strcmp (own, its) != 0)
    return rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_DRAFT_MISMATCH,
                           "fingerprint of the copy is %.16s, expected %.16s", its, own);
  for (guint i = 0; i < self->documents->len && problem == NULL; i++) {
    RbDraftDocument *document = self->documents->pdata[i];
    size_t j;
    json_t *entry;
    json_array_foreach (((RbDraftDocument *) other->documents->pdata[i])->signatures, j, entry)
      if (has_entry (document, entry))
        (*had)++;
      else if (problem == NULL && !merge_entry (self, document, entry, added, bad, &problem))
        break;
  }
  if (problem != NULL) {
    g_propagate_error (error, g_steal_pointer (&problem));
    return FALSE;
  }
  merge_transcript (self, other);
  return TRUE;
}

gboolean
rb_draft_check_base (const RbDraft *self, GBytes *root, GError **error)
{
  for (guint i = 0; i < self->documents->len; i++) {
    const RbDraftDocument *document = self->documents->pdata[i];
    gboolean is_root = strcmp (document->role, "root") == 0;
    GBytes *base = is_root ? document->published : document->authority;
    if (!is_root && strcmp (document->role, "targets") != 0)
      continue;
    if (base == NULL || !g_bytes_equal (base, root))
      return rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_DRAFT_MISMATCH,
                             "%s %s: the draft is made on another root than the one given", document->kind,
                             document->role);
  }
  return TRUE;
}
