/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/policy.h"

RbPolicy
rb_policy_tuf (gint64 now)
{
  return (RbPolicy){ .repo = "",
                     .now = now,
                     .max_root = 512000,
                     .max_timestamp = 16384,
                     .max_snapshot = 2000000,
                     .max_targets = 5000000,
                     .max_roots = 256,
                     .max_delegations = 32,
                     .succession = RB_SUCCESSION_LISTED,
                     .reuses_stored = TRUE,
                     .verifies_stored = TRUE,
                     .visits_role_once = TRUE };
}

RbPolicy
rb_policy_tuf_strict (gint64 now)
{
  RbPolicy policy = rb_policy_tuf (now);
  policy.succession = RB_SUCCESSION_BYTES;
  policy.reuses_stored = FALSE;
  return policy;
}

RbPolicy
rb_policy_uptane (const char *repo, gint64 now)
{
  return (RbPolicy){ .repo = repo,
                     .now = now,
                     .max_root = 512 * 1024,
                     .max_timestamp = 64 * 1024,
                     .max_snapshot = 8 * 1024 * 1024,
                     .max_targets = 64 * 1024 * 1024,
                     .max_delegations = 64,
                     .succession = RB_SUCCESSION_VERSION,
                     .any_form = TRUE,
                     .snapshot_hashes = TRUE,
                     .dropped_targets_unbound = TRUE,
                     .several_roles = TRUE,
                     .aktualizr_reasons = TRUE };
}

gsize
rb_policy_max (const RbPolicy *self, RbMetadataType type)
{
  const gsize max[] = {
    [RB_METADATA_ROOT] = self->max_root,
    [RB_METADATA_TIMESTAMP] = self->max_timestamp,
    [RB_METADATA_SNAPSHOT] = self->max_snapshot,
    [RB_METADATA_TARGETS] = self->max_targets,
  };
  return max[type];
}
