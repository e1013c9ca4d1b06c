/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "authority/draft.h"
#include "authority/publishing.h"

/* Publishing a draft that enough people have signed. */

/* Publishes the draft's documents of this repository, and what online keys sign over them, in one step. Errors:
 * threshold-unmet, draft-mismatch, same-person, expired. */
gboolean rb_install_draft (RbPublishing *self, const RbDraft *draft, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Signs the online roles again where less than half of their time is left, or always. Publishes nothing where there is
 * nothing to do. */
gboolean rb_install_refresh (RbPublishing *self, gboolean always, GError **error) G_GNUC_WARN_UNUSED_RESULT;
