/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "uptane/error.h"

/* Why metadata was refused: the same facts as the GError, as data. */
typedef struct {
  const char *repo; /* "director", "image", "service", "" ; static */
  char *role; /* "root", "timestamp", "targets", or a delegated role; NULL when it is none */
  RbReason reason;
  char *message;
  const char *attack; /* the attack it stops: "rollback", "freeze", "arbitrary software", "mix-and-match", ...; NULL:
                         the reason is a failure and no attack; static */
} RbRejection;
void rb_rejection_clear (RbRejection *self);
/* The attack of the Uptane Standard 3.2 that a rejection for this reason stops; NULL: none. Static. */
const char *rb_rejection_attack (RbReason reason);
/* Description of the attack, in a sentence; "" for no attack. Static. */
const char *rb_rejection_attack_means (const char *attack);
/* Fills self (may be NULL) from an error. repo is static. */
void rb_rejection_set (RbRejection *self, const char *repo, const char *role, const GError *error);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (RbRejection, rb_rejection_clear)
