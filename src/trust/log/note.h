/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "crypto/key.h"
#include "log/error.h"

/*
 * Signed notes (C2SP signed-note): text, an empty line, and lines "— NAME BASE64(key hash ‖ signature)". Only Ed25519
 * (type 1); signatures of other keys and kinds are passed over. Errors: malformed, log-signature.
 */
typedef struct _RbNoteKey RbNoteKey;
/* "NAME+HASH+BASE64", as published by a log or witness. */
RbNoteKey *rb_note_key_parse (const char *vkey, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_note_key_free (RbNoteKey *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbNoteKey, rb_note_key_free)
const char *rb_note_key_name (const RbNoteKey *self);
/* The verifier key of a signer. (transfer full) */
char *rb_note_key_text (const char *name, RbPublicKey *key);

/* The text (with its last newline) when key signed it. (transfer full) */
char *rb_note_open (const char *note, const RbNoteKey *key, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* text ends with a newline and holds no empty line at its end. (transfer full) */
char *rb_note_sign (const char *text, const char *name, RbPrivateKey *key, GError **error) G_GNUC_WARN_UNUSED_RESULT;
