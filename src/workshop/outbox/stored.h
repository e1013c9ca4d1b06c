/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "outbox/outbox.h"
#include "record/verify.h"

/*
 * The records of an outbox as their signed bytes tell them: whatever the columns of the database say is no evidence,
 * and nothing of it is given but the row's name. Certificates are verified by those who have the OEM's anchors, not
 * here.
 */
typedef struct {
  RbVerifyOutcome *outcome; /* reason NONE: authentic and consistent; else what is wrong with it */
  GBytes *envelope;
  char *stored_as; /* the row's name in the database: for finding it, no evidence */
  gint64 finished; /* 0 if the record cannot be read */
  gboolean acknowledged; /* a receipt is kept */
} RbStored;
void rb_stored_free (RbStored *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbStored, rb_stored_free)

/* Oldest first, with the faults of their chain; vin and campaign (may be NULL) select by the signed contents, and keep
 * those that cannot be read. gaps (may be NULL): texts of numbers that are missing. (element-type RbStored) (transfer
 * full) */
GPtrArray *rb_stored_list (RbOutbox *outbox, const char *vin, const char *campaign, GStrv *gaps, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;

/* Records that are not acknowledged, in the order in which they are sent: vehicles closed with exception first, then
 * the oldest. (element-type RbStored) (transfer full) */
GPtrArray *rb_stored_pending (RbOutbox *outbox, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* By the digest of the signed bytes, or an unambiguous beginning of at least 8 digits. Errors: not-found; where a
 * damaged row has that name, what is wrong with it. (transfer full) */
RbStored *rb_stored_find (RbOutbox *outbox, const char *digest, GError **error) G_GNUC_WARN_UNUSED_RESULT;
