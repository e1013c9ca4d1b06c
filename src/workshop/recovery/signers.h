/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "keystore/identity.h"
#include "model/trust-list.h"
#include "recovery/error.h"

/*
 * Who will sign the record of a recovery. They are found and verified before the vehicle is written to: a vehicle that
 * is complete but whose record cannot be signed would have to come in again.
 */
typedef struct {
  RbIdentity *technician, *workstation;
  RbIdentity *second; /* NULL when there is none */
} RbSigners;

typedef struct {
  RbIdentitySet *technician, *workstation, *second; /* each may be NULL */
} RbSignerSets;

/* The sets are borrowed; list is the trust list by which they are verified. Errors: identity (there is none),
 * second-person-missing, same-person and those of rb_trust_list_check_signer(). */
RbSigners *rb_signers_new (const RbSignerSets *sets, gboolean second_needed, const RbTrustList *list, gint64 now,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The sets that are there, before all are: every key of the workstation that a recovery uses, and the people. Errors as
 * above. */
gboolean rb_signers_check (const RbSignerSets *sets, const RbTrustList *list, gint64 now, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
void rb_signers_free (RbSigners *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbSigners, rb_signers_free)
