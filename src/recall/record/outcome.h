/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "record/error.h"

#include <jansson.h>

/* Findings of the verifier on one record (record/verify.h). */
typedef struct {
  RbReason reason; /* RB_REASON_NONE: authentic and consistent */
  char *message;
  char *digest; /* NULL when there is no envelope to take it of */
  /* Told only when the signatures hold; else NULL, 0. */
  char *type, *result, *vin, *campaign, *workstation, *stream, *previous;
  gint64 sequence;
  gboolean signatures_checked, certificates_checked, result_checked, sequence_checked, campaign_checked,
    creation_checked;
  gint64 revoked_since; /* a signer was revoked after the time that the record claims, which no witness confirms; 0:
                           none was */
  json_t *predicate;
} RbVerifyOutcome;
void rb_outcome_free (RbVerifyOutcome *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbVerifyOutcome, rb_outcome_free)
/* A later finding (chain, --require): kept only when nothing was wrong before. */
void rb_outcome_deny (RbVerifyOutcome *self, RbReason reason, const char *message);
/* {"digest", "type", "result", "vin", "checked"}, and "revoked_since" where it is not 0. (transfer full) */
json_t *rb_outcome_to_json (const RbVerifyOutcome *self);
