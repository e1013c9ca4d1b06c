/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "campaign/contents.h"
#include "recovery/journal.h"
#include "recovery/sign.h"

/*
 * The recovery of one vehicle as this workstation's journal knows it, without a link: for handing it over and for
 * closing it with exception. Holds the vehicle (recovery/hold.h) until it is freed, so that no run is in progress.
 */
typedef struct _RbCase RbCase;

typedef struct {
  const char *data_dir, *vin;
  const char *campaign; /* NULL: the one whose recovery is open, else the only one whose scope has the vehicle */
  gboolean must_be_open; /* a recovery of the vehicle has to be open: not-started */
  RbIdentitySet *technician, *workstation, *second; /* borrowed; NULL: identity, second may be NULL */
  gint64 now; /* 0: the wall clock */
} RbCaseOptions;

/* Errors: vin-missing, vin-invalid, in-use, not-started, campaign-ambiguous, those of rb_library_open_started() and
 * rb_authority_check(). */
RbCase *rb_case_open (const RbCaseOptions *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_case_free (RbCase *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbCase, rb_case_free)
/* (element-type RbJournalEvidence) (transfer full) */
GPtrArray *rb_case_evidence (RbCase *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_case_has_ecu (RbCase *self, const char *serial);
/* A vehicle without an open recovery that a record of this data dir completes leaves as it should: no-work-needed. */
gboolean rb_case_needs_work (RbCase *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef struct {
  RbStatementEnd end;
  json_t *hand_over, *exception; /* borrowed; one of them */
  RbReason reason; /* of its ECUs, none of which is done */
  const char *text;
} RbCaseRecord;
/* Makes, signs and stores the record, and notes it in the journal. (transfer full) its envelope; *digest (transfer
 * full). */
GBytes *rb_case_sign (RbCase *self, const RbCaseRecord *record, char **digest, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
