/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ledger/ledger.h"

/*
 * A thread that logs uploads: those that wait share one transaction and one checkpoint. The answer comes after the
 * commit, on the main context of the thread that made the object.
 */
typedef struct _RbGroupCommit RbGroupCommit;
/* error NULL: upload has its receipt. upload and error are borrowed. */
typedef void (*RbGroupCommitDone) (const RbLedgerUpload *upload, const GError *error, gpointer data);

/* Takes ledger. lock is held during a transaction and borrowed; after_commit is called from the thread behind each
 * group that was stored. */
RbGroupCommit *rb_group_commit_new (RbLedger *ledger, GMutex *lock, GFunc after_commit, gpointer data);
/* Takes upload; done is called once. */
void rb_group_commit_submit (RbGroupCommit *self, RbLedgerUpload *upload, RbGroupCommitDone done, gpointer data);
/* Waits until all uploads are answered, or their answers are queued for the main context. */
void rb_group_commit_free (RbGroupCommit *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbGroupCommit, rb_group_commit_free)
