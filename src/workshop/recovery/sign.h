/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "record/statement.h"
#include "recovery/facts.h"
#include "recovery/signers.h"

/* The end of a recovery: what it knows becomes a record, signed and stored. Everything is borrowed. */
typedef struct {
  const char *data_dir;
  RbContents *contents;
  RbJournal *journal;
  gint64 recovery; /* number in the journal */
  gint64 row_before; /* newest step in the journal when this run began */
  RbStatementEnd end;
  RbIdentitySet *technician, *workstation, *second; /* may be NULL */
  RbFacts facts; /* but not_before and its source, and first_write where it is 0, which are found here */
} RbSign;

/* The signers of the record. Errors of rb_signers_new(). */
RbSigners *rb_sign_people (const RbSign *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* An ECU that the record does not show to be done is not done: it is parked for the record's reason. FALSE: it cannot
 * be made. */
gboolean rb_sign_park_unproven (const RbSign *self, const RbEcuJobContext *context, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Makes, signs and stores the record; a completed one closes the recovery in the journal. (transfer full) its digest.
 * *result: static. */
char *rb_sign_record (const RbSign *self, const char **result, GError **error) G_GNUC_WARN_UNUSED_RESULT;
