/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "log/merkle.h"
#include "log/note.h"

/* A log's signed state (C2SP tlog-checkpoint): origin, size, root. */
typedef struct {
  char *origin;
  guint64 size;
  RbMerkleHash root;
} RbCheckpoint;
/* key's name is the log's origin. Errors: malformed, log-signature. */
RbCheckpoint *rb_checkpoint_open (const char *note, const RbNoteKey *key, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_checkpoint_free (RbCheckpoint *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbCheckpoint, rb_checkpoint_free)
/* (transfer full) */
char *rb_checkpoint_sign (const char *origin, guint64 size, const RbMerkleHash *root, RbPrivateKey *key, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
