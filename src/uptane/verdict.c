/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/verdict.h"

void
rb_verdict_clear (RbVerdict *self)
{
  g_clear_pointer (&self->role, g_free);
  g_clear_pointer (&self->message, g_free);
  self->repo = NULL;
  self->reason = RB_REASON_NONE;
  self->attack = NULL;
}

static const char *
attack_of (RbReason reason)
{
  switch (reason) {
  case RB_REASON_ROLLBACK:
  case RB_REASON_RELEASE_COUNTER:
  case RB_REASON_ROOT_VERSION: return "rollback";
  case RB_REASON_EXPIRED: return "freeze";
  case RB_REASON_HASH_MISMATCH:
  case RB_REASON_VERSION_MISMATCH:
  case RB_REASON_LENGTH_MISMATCH: return "mix-and-match";
  case RB_REASON_TOO_LARGE: return "endless data";
  case RB_REASON_MISSING:
  case RB_REASON_TIMEOUT: return "drop request";
  case RB_REASON_ECU_REPEATED:
  case RB_REASON_ECU_UNKNOWN:
  case RB_REASON_HARDWARE_MISMATCH:
  case RB_REASON_VIN_MISMATCH: return "mixed bundles";
  default: return "arbitrary software";
  }
}

void
rb_verdict_set (RbVerdict *self, const char *repo, const char *role, const GError *error)
{
  if (self == NULL)
    return;
  rb_verdict_clear (self);
  self->repo = repo;
  self->role = g_strdup (role);
  self->reason = rb_reason_of (error);
  self->message = g_strdup (error->message);
  self->attack = attack_of (self->reason);
}
