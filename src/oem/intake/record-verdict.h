/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ledger/ledger.h"

/*
 * A thread that verifies logged records and logs the verdict of each: certificates, result, proofs, campaign and the
 * trust list at the time of receipt. It resumes with the records that have no verdict.
 */
typedef struct _RbRecordVerdict RbRecordVerdict;
/* Takes ledger; lock, dealer_cas (of RbCertificate) and bundles (of RbReferenceValues) are borrowed. lock is held
 * during a writing transaction. */
RbRecordVerdict *rb_record_verdict_new (RbLedger *ledger, GMutex *lock, GPtrArray *dealer_cas, GPtrArray *bundles);
/* Records were logged. From any thread. */
void rb_record_verdict_wake (RbRecordVerdict *self);
/* Ends the thread; records may be left without verdict. */
void rb_record_verdict_free (RbRecordVerdict *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbRecordVerdict, rb_record_verdict_free)
