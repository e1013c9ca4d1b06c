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

static RbIdentity *
find (RbIdentitySet *set, RbPurpose purpose, const RbTrustList *list, gint64 now, GError **error)
{
  g_autoptr (RbIdentity) identity = rb_identity_set_find (set, purpose, error);
  if (identity == NULL || !rb_trust_list_check_signer (list, rb_identity_chain (identity), purpose, now, error))
    return NULL;
  return g_steal_pointer (&identity);
}

static gboolean
check (RbIdentitySet *set, RbPurpose purpose, const RbTrustList *list, gint64 now, GError **error)
{
  g_autoptr (RbIdentity) identity = find (set, purpose, list, now, error);
  return identity != NULL;
}

/* A workstation that is revoked in one of its keys neither signs nor writes with the others. */
static gboolean
check_workstation (RbIdentitySet *set, const RbTrustList *list, gint64 now, GError **error)
{
  static const RbPurpose purposes[]
    = { RB_PURPOSE_WORKSTATION, RB_PURPOSE_ECU_AUTHENTICATION, RB_PURPOSE_KEY_AGREEMENT, RB_PURPOSE_DOIP_TLS };
  for (guint i = 0; i < G_N_ELEMENTS (purposes); i++)
    if (rb_identity_set_has (set, purposes[i]) && !check (set, purposes[i], list, now, error))
      return FALSE;
  return TRUE;
}

gboolean
rb_signers_check (const RbSignerSets *sets, const RbTrustList *list, gint64 now, GError **error)
{
  return (sets->technician == NULL || check (sets->technician, RB_PURPOSE_TECHNICIAN, list, now, error))
         && (sets->workstation == NULL || check_workstation (sets->workstation, list, now, error))
         && (sets->second == NULL || check (sets->second, RB_PURPOSE_TECHNICIAN, list, now, error));
}

static gboolean
are_apart (RbIdentity *one, RbIdentity *two, GError **error)
{
  RbCertificate *certificate = rb_identity_certificate (one);
  if (!rb_certificate_same_holder (certificate, rb_identity_certificate (two)))
    return TRUE;
  g_set_error (error, RB_RECOVERY_ERROR, RB_REASON_SAME_PERSON,
               "%s cannot sign twice: the signatures must be by different people",
               rb_certificate_common_name (certificate));
  return FALSE;
}

static gboolean
add_second (RbSigners *self, RbIdentitySet *second, const RbTrustList *list, gint64 now, GError **error)
{
  self->second = find (second, RB_PURPOSE_TECHNICIAN, list, now, error);
  return self->second != NULL && are_apart (self->technician, self->second, error)
         && are_apart (self->workstation, self->second, error);
}

RbSigners *
rb_signers_new (const RbSignerSets *sets, gboolean second_needed, const RbTrustList *list, gint64 now, GError **error)
{
  g_autoptr (RbSigners) self = g_new0 (RbSigners, 1);
  if (sets->technician == NULL || sets->workstation == NULL) {
    g_set_error_literal (error, RB_RECOVERY_ERROR, RB_REASON_IDENTITY,
                         "technician and workstation must be known before anything is written");
    return NULL;
  }
  if (second_needed && sets->second == NULL) {
    g_set_error_literal (error, RB_RECOVERY_ERROR, RB_REASON_SECOND_PERSON_MISSING,
                         "this campaign needs a second person");
    return NULL;
  }
  self->technician = find (sets->technician, RB_PURPOSE_TECHNICIAN, list, now, error);
  self->workstation
    = self->technician == NULL ? NULL : find (sets->workstation, RB_PURPOSE_WORKSTATION, list, now, error);
  if (self->workstation == NULL || !check_workstation (sets->workstation, list, now, error)
      || !are_apart (self->technician, self->workstation, error))
    return NULL;
  return sets->second == NULL || add_second (self, sets->second, list, now, error) ? g_steal_pointer (&self) : NULL;
}
