/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "author/author.h"
#include "authority/key-card.h"
#include "uptane/metadata.h"

/*
 * A draft is one file that travels to the holders of offline keys, who sign it: {"format": "recallbay-draft-1",
 * "documents", "keys", "transcript"}. A document holds the very bytes to be signed, what is published of that role, and
 * the metadata that says who signs. Names in "keys" are told beside fingerprints of the keys; nothing else in the file
 * is believed.
 */
typedef struct {
  char *kind, *role;
  RbDialect dialect;
  GBytes *payload; /* what is signed */
  json_t *part; /* the same, parsed */
  json_t *signatures;
  GBytes *published; /* envelope of that role in force; NULL: none */
  GBytes *authority; /* envelope of the root, or of the delegating targets; NULL: in this draft, or for a root */
} RbDraftDocument;

typedef struct {
  GPtrArray *documents; /* of RbDraftDocument */
  GPtrArray *cards; /* of RbKeyCard */
  json_t *transcript; /* [{"at","holder","key_id","where","fingerprint"}] */
} RbDraft;

/* A threshold that a document has to meet. */
typedef struct {
  const char *side; /* "new", "old" of a root; "" elsewhere */
  gint64 threshold;
  GPtrArray *keys; /* of RbPublicKey */
  GPtrArray *signers; /* of RbPublicKey: those whose signatures verify */
} RbDraftRequirement;

RbDraft *rb_draft_new (void);
void rb_draft_free (RbDraft *self);
/* Errors: malformed, too-large. */
RbDraft *rb_draft_parse (GBytes *bytes, GError **error) G_GNUC_WARN_UNUSED_RESULT;
RbDraft *rb_draft_load (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
GBytes *rb_draft_to_bytes (const RbDraft *self);
/* part is borrowed; published and authority may be NULL and are referenced. (transfer none) */
RbDraftDocument *rb_draft_add (RbDraft *self, const char *kind, const char *role, json_t *part, GBytes *published,
                               GBytes *authority);
/* Takes card. */
void rb_draft_name_key (RbDraft *self, RbKeyCard *card);
/* SHA-256 over kind, role and payload of every document, in hex: what the holders compare. (transfer full) */
char *rb_draft_fingerprint (const RbDraft *self);
/* The envelope as it stands. (transfer full) */
GBytes *rb_draft_envelope (const RbDraftDocument *document);
/* The thresholds of a document: of a root its own and that of the published one. (element-type RbDraftRequirement)
 * (transfer full) */
GPtrArray *rb_draft_requirements (const RbDraft *self, const RbDraftDocument *document, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_draft_requirement_is_met (const RbDraftRequirement *self);
/* All documents? */
gboolean rb_draft_is_complete (const RbDraft *self, GError **error);
/* Signs each document that lists the key; signed_now counts the new signatures, had those that were there. Errors:
 * draft-signer, identity. */
gboolean rb_draft_sign (RbDraft *self, RbSigner *signer, guint *signed_now, guint *had, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Takes the signatures and transcript of another copy; added counts them, had those met twice, bad those that do not
 * verify and are left out. Error draft-mismatch. */
gboolean rb_draft_merge (RbDraft *self, const RbDraft *other, guint *added, guint *had, guint *bad, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* That root is what every document was made on: published of a root, authority of targets. Error draft-mismatch. */
gboolean rb_draft_check_base (const RbDraft *self, GBytes *root, GError **error) G_GNUC_WARN_UNUSED_RESULT;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbDraft, rb_draft_free)
