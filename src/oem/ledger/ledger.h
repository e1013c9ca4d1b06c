/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "crypto/key.h"
#include "ledger/error.h"
#include "log/checkpoint.h"
#include "log/entry.h"

/*
 * The OEM's log of records in a database: entries, tiles, envelopes as they were received, a receipt for each and the
 * newest checkpoint. A transaction appends a group of entries and signs one checkpoint; several processes may append to
 * one database. An object is used by one thread at a time.
 *
 * Tables: entries (idx, entry), records (envelope_sha256, digest, idx, envelope), receipts (idx, receipt), verdicts
 * (record, idx), tiles (level, number, hashes), head (size, note).
 *
 * Errors: database, no-space, in-use, log-signature (another key signed this log), log-proof (the log is damaged).
 */
typedef struct _RbLedger RbLedger;

/* key signs checkpoints under origin; NULL: nothing is appended. */
RbLedger *rb_ledger_open (const char *uri, const char *origin, RbPrivateKey *key, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
void rb_ledger_close (RbLedger *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbLedger, rb_ledger_close)

typedef struct {
  char *digest; /* of the record */
  GBytes *envelope;
  char *workstation; /* certificate of the signature that was verified */
  GBytes *receipt; /* out */
  gboolean is_new; /* out; FALSE: the same envelope was in the log before */
} RbLedgerUpload;
void rb_ledger_upload_free (RbLedgerUpload *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbLedgerUpload, rb_ledger_upload_free)

/* Appends those that are new, in one transaction, and sets the receipt of each: all or none. uploads of RbLedgerUpload;
 * moment: the time of receipt. */
gboolean rb_ledger_receive (RbLedger *self, GPtrArray *uploads, gint64 moment, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;

/* A record whose verdict is due. */
typedef struct {
  guint64 index;
  char *digest, *envelope_sha256;
  GBytes *envelope;
  gint64 received;
  char *reason; /* the verdict, set by the caller */
} RbLedgerDue;
/* The oldest records without verdict, at most max. (element-type RbLedgerDue) (transfer full) */
GPtrArray *rb_ledger_due (RbLedger *self, guint max, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Appends their verdicts; a record that has one meanwhile is left out. */
gboolean rb_ledger_add_verdicts (RbLedger *self, GPtrArray *due, gint64 moment, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;

/* NULL without error: there is none. (transfer full) */
char *rb_ledger_checkpoint (RbLedger *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Of the record's oldest envelope, and its receipt. NULL without error: there is none. (transfer full) */
GBytes *rb_ledger_envelope (RbLedger *self, const char *digest, GError **error) G_GNUC_WARN_UNUSED_RESULT;
GBytes *rb_ledger_receipt (RbLedger *self, const char *digest, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The first width hashes of a tile, or of level -1 the entries, each behind its length as u16 (C2SP tlog-tiles). NULL
 * without error: the tile does not have them. (transfer full) */
GBytes *rb_ledger_tile (RbLedger *self, int level, guint64 number, guint width, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
