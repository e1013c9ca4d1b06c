/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "authority/draft.h"
#include "authority/publishing.h"

/* Documents of a draft: the files that have to be signed. */

/* Adds to draft the first root, targets and delegated roles where what is to be published differs from what is, signed
 * with the online keys at hand. */
gboolean rb_drafting_changes (RbPublishing *self, RbDraft *draft, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same of targets and delegated roles alone, unsigned. A root in the draft says who signs them. */
gboolean rb_drafting_targets (RbPublishing *self, RbDraft *draft, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The published targets again where the draft's root gives that role other keys. */
gboolean rb_drafting_resign (RbPublishing *self, RbDraft *draft, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Adds the next root with these roles (of RbRolePlan). */
gboolean rb_drafting_root (RbPublishing *self, GPtrArray *roles, RbDraft *draft, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
