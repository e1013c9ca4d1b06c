/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/rejection.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#define ARBITRARY "arbitrary software"

static const struct {
  const char *attack;
  const char *means;
} attacks[] = {
  { "rollback", N_ ("An attacker replays genuine old metadata, so that an old fault can be used again.") },
  { "freeze", N_ ("An attacker keeps offering genuine old metadata, so that the vehicle never receives newer ones.") },
  { "mix-and-match", N_ ("An attacker combines genuine files that were never published together.") },
  { "mixed bundles", N_ ("An attacker gives ECUs images that are not for them, or that do not belong together.") },
  { "endless data", N_ ("An attacker sends more than was announced, to fill the memory.") },
  { "drop request", N_ ("An attacker withholds files, so that the vehicle cannot be updated.") },
  { ARBITRARY, N_ ("An attacker without enough keys tries to have their own software installed.") },
};

/* Reasons that are not here are failures (of a server, a disk, a call), and no attack. */
static const struct {
  RbReason reason;
  const char *attack;
} stopped[] = {
  { RB_REASON_BAD_KEY_ID, ARBITRARY },
  { RB_REASON_BAD_SIGNATURE, ARBITRARY },
  { RB_REASON_THRESHOLD_UNMET, ARBITRARY },
  { RB_REASON_DUPLICATE_SIGNATURE, ARBITRARY },
  { RB_REASON_ILLEGAL_THRESHOLD, ARBITRARY },
  { RB_REASON_WRONG_TYPE, ARBITRARY },
  { RB_REASON_MALFORMED, ARBITRARY },
  { RB_REASON_PATH, ARBITRARY },
  { RB_REASON_DELEGATION_IN_DIRECTOR, ARBITRARY },
  { RB_REASON_TARGET_MISMATCH, ARBITRARY },
  { RB_REASON_TARGET_MISSING, ARBITRARY },
  { RB_REASON_PIN_MISMATCH, ARBITRARY },
  { RB_REASON_ROLLBACK, "rollback" },
  { RB_REASON_RELEASE_COUNTER, "rollback" },
  { RB_REASON_ROOT_VERSION, "rollback" },
  { RB_REASON_CLOCK, "freeze" },
  { RB_REASON_EXPIRED, "freeze" },
  { RB_REASON_HASH_MISMATCH, "mix-and-match" },
  { RB_REASON_VERSION_MISMATCH, "mix-and-match" },
  { RB_REASON_LENGTH_MISMATCH, "endless data" },
  { RB_REASON_TOO_LARGE, "endless data" },
  { RB_REASON_MISSING, "drop request" },
  { RB_REASON_ROOT_GAP, "drop request" },
  { RB_REASON_DELEGATION_MISSING, "drop request" },
  { RB_REASON_ECU_REPEATED, "mixed bundles" },
  { RB_REASON_ECU_UNKNOWN, "mixed bundles" },
  { RB_REASON_HARDWARE_MISMATCH, "mixed bundles" },
  { RB_REASON_VIN_MISMATCH, "mixed bundles" },
};

void
rb_rejection_clear (RbRejection *self)
{
  g_clear_pointer (&self->role, g_free);
  g_clear_pointer (&self->message, g_free);
  self->repo = NULL;
  self->reason = RB_REASON_NONE;
  self->attack = NULL;
}

const char *
rb_rejection_attack (RbReason reason)
{
  for (guint i = 0; i < G_N_ELEMENTS (stopped); i++)
    if (stopped[i].reason == reason)
      return stopped[i].attack;
  return NULL;
}

const char *
rb_rejection_attack_means (const char *attack)
{
  for (guint i = 0; attack != NULL && i < G_N_ELEMENTS (attacks); i++)
    if (strcmp (attacks[i].attack, attack) == 0)
      return attacks[i].means;
  return "";
}

void
rb_rejection_set (RbRejection *self, const char *repo, const char *role, const GError *error)
{
  if (self == NULL)
    return;
  rb_rejection_clear (self);
  self->repo = repo;
  self->role = g_strdup (role);
  self->reason = rb_reason_of (error);
  self->message = g_strdup (error->message);
  self->attack = rb_rejection_attack (self->reason);
}
