/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "log/checkpoint.h"

/* A receipt: that an entry is in a log, to be checked offline (C2SP tlog-proof). */
typedef struct {
  guint64 index;
  guint64 size; /* of the checkpoint */
  char *origin;
  RbMerkleHash root; /* of the checkpoint */
  char *checkpoint; /* the signed note */
  GBytes *entry; /* the bytes of the leaf */
} RbReceipt;
/* A receipt that holds its entry in the line “extra”. Errors: malformed, too-large, log-signature, log-proof. */
RbReceipt *rb_receipt_open (GBytes *receipt, const RbNoteKey *key, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Checks that entry is in the log of key. Errors: malformed, too-large, log-signature, log-proof. */
RbReceipt *rb_receipt_check (GBytes *receipt, gconstpointer entry, gsize length, const RbNoteKey *key, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
void rb_receipt_free (RbReceipt *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbReceipt, rb_receipt_free)
/* entry becomes the line “extra”; NULL: there is none. (transfer full) */
GBytes *rb_receipt_write (GBytes *entry, guint64 index, GArray *proof, const char *checkpoint);
