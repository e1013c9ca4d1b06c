/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "recovery/case.h"

/*
 * A vehicle that cannot be finished today leaves: two people sign a record of type exception (record/ending.h). The
 * vehicle counts as open and hazardous until a later record completes it; the same recovery may be resumed.
 */
typedef struct {
  const char *as; /* of rb_ending_words */
  const char *note; /* may be NULL */
  const char *const
    *photos; /* paths; may be NULL. The record has only digests; copies are kept in DATA/photos/DIGEST */
} RbException;

/* Gives the record's envelope. Errors: second-person-missing, no-work-needed (a record completes it), usage (no such
 * word, note or number of photos too long), those of rb_case_open() and rb_case_sign(), of reading a photo. (transfer
 * full) */
GBytes *rb_exception_close (const RbCaseOptions *options, const RbException *exception, char **digest, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
