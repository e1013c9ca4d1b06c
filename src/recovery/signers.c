/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/signers.h"

void
rb_signers_free (RbSigners *self)
{
  g_clear_pointer (&self->technician, rb_identity_unref);
  g_clear_pointer (&self->workstation, rb_identity_unref);
  g_clear_pointer (&self->second, rb_identity_unref);
  g_free (self);
}

/* Which authorities the OEM trusts is judged where records are; here a chain only has to hold together and be valid now. */
static gboolean
is_valid (RbIdentity *identity, RbPurpose purpose, gint64 now, GError **error)
{
  GPtrArray *chain = rb_identity_chain (identity);
  g_autoptr (GPtrArray) authority = g_ptr_array_new ();
  g_ptr_array_add (authority, chain->pdata[chain->len - 1]);
  if (rb_certificate_verify (chain, authority, (int) purpose, now, error))
    return TRUE;
  g_prefix_error (error, "%s: ", rb_certificate_common_name (rb_identity_certificate (identity)));
  return FALSE;
}

static RbIdentity *
find (RbIdentitySet *set, RbPurpose purpose, gint64 now, GError **error)
{
  g_autoptr (RbIdentity) identity = rb_identity_set_find (set, purpose, error);
  return identity != NULL && is_valid (identity, purpose, now, error) ? g_steal_pointer (&identity) : NULL;
}

static gboolean
are_apart (RbIdentity *one, RbIdentity *two, GError **error)
{
  RbCertificate *certificate = rb_identity_certificate (one);
  if (!rb_certificate_same_holder (certificate, rb_identity_certificate (two)))
    return TRUE;
  g_set_error (error, RB_RECOVERY_ERROR, RB_REASON_SAME_PERSON, "%s cannot sign twice: the signatures must be by different people",
               rb_certificate_common_name (certificate));
  return FALSE;
}

static gboolean
add_second (RbSigners *self, RbIdentitySet *second, gint64 now, GError **error)
{
  self->second = find (second, RB_PURPOSE_TECHNICIAN, now, error);
  return self->second != NULL && are_apart (self->technician, self->second, error)
         && are_apart (self->workstation, self->second, error);
}

RbSigners *
rb_signers_new (RbIdentitySet *technician, RbIdentitySet *workstation, RbIdentitySet *second, gboolean second_needed, gint64 now,
                GError **error)
{
  g_autoptr (RbSigners) self = g_new0 (RbSigners, 1);
  if (technician == NULL || workstation == NULL) {
    g_set_error_literal (error, RB_RECOVERY_ERROR, RB_REASON_IDENTITY, "technician and workstation must be known before anything is written");
    return NULL;
  }
  if (second_needed && second == NULL) {
    g_set_error_literal (error, RB_RECOVERY_ERROR, RB_REASON_SECOND_PERSON_MISSING, "this campaign needs a second person");
    return NULL;
  }
  self->technician = find (technician, RB_PURPOSE_TECHNICIAN, now, error);
  self->workstation = self->technician == NULL ? NULL : find (workstation, RB_PURPOSE_WORKSTATION, now, error);
  if (self->workstation == NULL || !are_apart (self->technician, self->workstation, error))
    return NULL;
  return second == NULL || add_second (self, second, now, error) ? g_steal_pointer (&self) : NULL;
}
