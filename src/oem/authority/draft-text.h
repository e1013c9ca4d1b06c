/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "authority/draft.h"

/* The changes that a draft makes, in sentences made from the bytes to be signed and from what is published. */

/* Against what is published: who leaves, who comes, thresholds, expiry, targets. (transfer full) */
GStrv rb_draft_text_changes (const RbDraft *self, const RbDraftDocument *document, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* [{"kind","role","version","complete","thresholds":[{"side","threshold","have","signed":[name],"missing":[name]}]}] */
json_t *rb_draft_text_status (const RbDraft *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Holder and label of a key; "unknown holder (LABEL)" where the draft names none. (transfer full) */
char *rb_draft_text_key (const RbDraft *self, RbPublicKey *key);
