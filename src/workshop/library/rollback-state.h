/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "campaign/contents.h"

/*
 * DATA/pins.json: the highest version of each campaign ever imported, by trust anchor, those of each vehicle's Director
 * metadata, by trust anchor and Director root, every campaign.json imported, and the latest time an OEM has signed. It
 * outlives the campaigns.
 */
typedef struct _RbRollbackState RbRollbackState;
/* store-damaged when the file is there and cannot be read or believed; without a file nothing has been seen. */
RbRollbackState *rb_rollback_state_load (const char *data_dir, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_rollback_state_free (RbRollbackState *self);
/* campaign-rollback when a higher version was seen, or another campaign with that version */
gboolean rb_rollback_state_check (RbRollbackState *self, RbContents *contents, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* The same for the verified VIN packs in contents: rollback. */
gboolean rb_rollback_state_check_packs (RbRollbackState *self, RbContents *contents, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* The same for one vehicle's Director metadata, role → GBytes. */
gboolean rb_rollback_state_check_roles (RbRollbackState *self, RbContents *contents, const char *vin, GHashTable *roles,
                                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Of the newest campaign.json imported under that id, hex; NULL: none was. Borrowed. */
const char *rb_rollback_state_campaign_sha256 (RbRollbackState *self, const char *anchor, const char *id);
/* The anchor under which a campaign.json with that digest was imported; NULL: none, or several. Borrowed. */
const char *rb_rollback_state_owner (RbRollbackState *self, const char *campaign_sha256);
/* clock when now is before the floor */
gboolean rb_rollback_state_check_clock (RbRollbackState *self, gint64 now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gint64 rb_rollback_state_floor (RbRollbackState *self);
/* The same for the pack of one vehicle on which work begins. */
gboolean rb_rollback_state_remember_pack (RbRollbackState *self, RbContents *contents, const char *vin, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_rollback_state_remember (RbRollbackState *self, RbContents *contents, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbRollbackState, rb_rollback_state_free)
