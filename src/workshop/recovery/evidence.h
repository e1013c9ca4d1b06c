/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "recovery/sign.h"

/*
 * Coding that an erasure loses cannot be observed again. A partial record that has it is signed before the first
 * erasure of a run, and written to a folder outside this workstation: another one takes the recovery over with it when
 * this one is lost.
 */

/* Signs the record if an ECU will be erased, writes it to folder as SEQ-DIGEST.json, and only then keeps the coding in
 * the journal. Errors: of rb_sign_record(), io, no-space. */
gboolean rb_evidence_leave (const RbSign *sign, const RbEcuJobContext *context, const char *folder, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
