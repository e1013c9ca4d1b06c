/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "log/error.h"

/*
 * An entry of the OEM's log: compact JSON with sorted members, the bytes of one leaf. It commits to a record and holds
 * nothing of the vehicle.
 *   {"at", "envelope", "kind": "record", "record", "v": 1, "workstation"}
 *   {"about", "at", "envelope", "kind": "verdict", "reason", "record", "v": 1}
 */
typedef enum { RB_ENTRY_RECORD, RB_ENTRY_VERDICT } RbEntryKind;

typedef struct {
  RbEntryKind kind;
  char *record; /* digest of the record: SHA-256 of its PAE */
  char *envelope; /* SHA-256 of the envelope as received */
  char *workstation; /* of a record: certificate whose signature was verified at receipt */
  gint64 at; /* time of receipt, or of the verdict */
  guint64 about; /* of a verdict: index of the record's entry */
  char *reason; /* of a verdict: "ok", or what is wrong with the record */
} RbEntry;

/* (transfer full) */
GBytes *rb_entry_write (const RbEntry *self);
/* Errors: malformed, too-large. (transfer full) */
RbEntry *rb_entry_parse (GBytes *bytes, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_entry_free (RbEntry *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbEntry, rb_entry_free)
