/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "outbox/stored.h"

/*
 * For which OEM a record is: the trust anchor under which its campaign was imported; where that is not known, the OEM
 * that its signed bytes name. What one OEM gets holds nothing of another's vehicles.
 */
typedef struct _RbOwners RbOwners;
RbOwners *rb_owner_load (const char *data_dir, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_owner_free (RbOwners *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbOwners, rb_owner_free)
/* Takes the records of others out of records (element-type RbStored). oem NULL is usage where there are several OEMs,
 * and not-found is an OEM without a record and without a trust anchor. Records that cannot be read stay: they are
 * named, not exported. */
gboolean rb_owner_select (RbOwners *self, GPtrArray *records, const char *oem, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
