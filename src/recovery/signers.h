/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "crypto/identity.h"
#include "recovery/error.h"

/*
 * Who will sign the record of a recovery. They are found and judged before the vehicle is written to: a vehicle that is
 * complete but whose record nobody can sign would have to come in again.
 */
typedef struct {
  RbIdentity *technician, *workstation;
  RbIdentity *second; /* NULL when there is none */
} RbSigners;

/* The sets are borrowed; second may be NULL. Errors: identity (there is none), second-person-missing, key-usage, same-person,
 * certificate, certificate-expired, unsafe-algorithm. */
RbSigners *rb_signers_new (RbIdentitySet *technician, RbIdentitySet *workstation, RbIdentitySet *second, gboolean second_needed,
                           gint64 now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_signers_free (RbSigners *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbSigners, rb_signers_free)
