/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "authority/draft.h"
#include "authority/publishing.h"

/* Signing with online keys while publishing: snapshot and timestamp, and the Director's targets of every vehicle. */

/* Signs a draft's documents with the online keys at hand. */
gboolean rb_online_sign_draft (RbPublishing *self, RbDraft *draft, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Puts into the publication what the online roles sign over it: always, or where less than half of their time is left.
 * Nothing before a root is published. Error threshold-unmet where too few of a role's keys are at hand. */
gboolean rb_online_sign_all (RbPublishing *self, gboolean always, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same of one vehicle that the Director's authoring has, always. Errors: threshold-unmet, passphrase. */
gboolean rb_online_sign_vehicle (RbPublishing *self, const char *vin, GError **error) G_GNUC_WARN_UNUSED_RESULT;
