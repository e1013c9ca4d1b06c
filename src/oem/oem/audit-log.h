/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "audit/log-audit.h"
#include "core/cli.h"

/*
 * The log's part of an audit: the key it is verified with, receipts and a checkpoint from outside, and the faults. The
 * first fault decides the verdict.
 */
typedef struct {
  RbCli *cli;
  RbNoteKey *key; /* NULL: none was given */
  GPtrArray *receipts; /* of RbLogAuditFile; NULL: none were given */
  char *checkpoint; /* NULL: none was given */
  RbLogAuditResult *result; /* of a database */
  guint faults;
  RbReason reason; /* of the first fault */
  char *message;
} RbAuditLog;
void rb_audit_log_clear (RbAuditLog *self);

/* receipts (a folder of .tlog-proof files) and checkpoint (a file) may be NULL; they need the key. Errors: malformed,
 * not-found, no-trust-anchor. */
gboolean rb_audit_log_load (RbAuditLog *self, const char *vkey, const char *receipts, const char *checkpoint,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The receipts of a folder. */
gboolean rb_audit_log_load_receipts (RbAuditLog *self, const char *folder, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Reports a fault of a row. */
void rb_audit_log_fault (RbAuditLog *self, const char *row, RbReason reason, const char *message);
/* Verifies receipts without their log: is each of a record among records (digest → SHA-256 of its envelope)? */
void rb_audit_log_check_receipts (RbAuditLog *self, GHashTable *records);
/* Adds "log" to the verdict: {"anchor", "size", "faults", "rewrite_excluded", "receipts_after_checkpoint"}. */
void rb_audit_log_describe (const RbAuditLog *self, json_t *extra);
