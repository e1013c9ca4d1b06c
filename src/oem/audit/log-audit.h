/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "audit/error.h"
#include "log/checkpoint.h"
#include "log/entry.h"

/*
 * Verifies the log in an intake's database: every row of every table against the tree, the tree against its checkpoint,
 * and both against what is given from outside. Faults are reported one by one, with the row that they are in.
 *
 * Reasons of faults: log-proof (a row is not what the tree commits to), log-signature (the checkpoint), missing
 * (an entry or a receipt is there and its record is not), log-fork (the log is not the one that a receipt or checkpoint
 * from outside shows), malformed.
 */
typedef struct {
  char *name;
  GBytes *bytes;
} RbLogAuditFile;
void rb_log_audit_file_free (RbLogAuditFile *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbLogAuditFile, rb_log_audit_file_free)

typedef struct {
  const char *uri;
  const RbNoteKey *key; /* of the log; NULL: no signature is verified, and receipts and checkpoint cannot be given */
  GPtrArray *receipts; /* of RbLogAuditFile; may be NULL */
  const char *checkpoint; /* signed note from outside; may be NULL */
  void (*fault) (const char *row, RbReason reason, const char *message, gpointer data);
  /* Each record whose row is what the tree commits to; verdict: the reason word logged for it, NULL: none yet. */
  void (*record) (const RbEntry *entry, guint64 index, GBytes *envelope, const char *verdict, gpointer data);
  gpointer data;
} RbLogAuditRequest;

typedef struct {
  guint64 size; /* entries */
  guint64 records;
  guint faults;
  GPtrArray *after_checkpoint; /* names of receipts whose entry the checkpoint from outside does not cover */
} RbLogAuditResult;
void rb_log_audit_result_free (RbLogAuditResult *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbLogAuditResult, rb_log_audit_result_free)

/* Errors: those of the database; what is wrong in it is a fault. (transfer full) */
RbLogAuditResult *rb_log_audit_run (const RbLogAuditRequest *request, GError **error) G_GNUC_WARN_UNUSED_RESULT;
