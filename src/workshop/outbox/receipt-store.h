/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "log/tiles.h"
#include "record/error.h"

/*
 * Receipts of the records of a data dir, and the checkpoints of the OEM's log that came with them. Each receipt is
 * verified before it is kept; a log that shows two histories is an alarm: log-fork. An object is used by one thread.
 */
typedef struct _RbReceiptStore RbReceiptStore;
/* vkey: the log's verifier key, from the OEM's trust list. Errors: no-trust-anchor (NULL: there is none), malformed,
 * database. */
RbReceiptStore *rb_receipt_store_open (const char *data_dir, const char *vkey, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
void rb_receipt_store_free (RbReceiptStore *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbReceiptStore, rb_receipt_store_free)

/*
 * Verifies a receipt and keeps it: the signature of its checkpoint, the inclusion of its entry, that the entry commits
 * to the bytes of a record here, and that its checkpoint and those seen before are of one history. tiles: the log, for
 * the proofs between checkpoints; NULL where it cannot be reached: then they are proved by the next call that has them.
 * A receipt that is kept already stays as it is. digest: of the record. Errors: those of rb_receipt_open(), not-found
 * (of no record here), log-proof, log-fork, those of tiles. (transfer full)
 */
char *rb_receipt_store_accept (RbReceiptStore *self, GBytes *receipt, const RbTiles *tiles, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;

/* The receipt kept for a record, without verifying it again; NULL without error: there is none. (transfer full) */
GBytes *rb_receipt_store_read (const char *data_dir, const char *digest, GError **error) G_GNUC_WARN_UNUSED_RESULT;
