/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "authority/error.h"
#include "authority/role-plan.h"

/*
 * The key-management policy: by default the tables of Uptane's deployment best practices, which an OEM's own policy
 * ({"rules": [{"kind", "role", "threshold", "keys", "days", "offline"}]}) replaces role by role.
 */
typedef struct {
  const char *kind; /* "director", "image", "service" */
  const char *role; /* "*": a delegated role */
  gint64 threshold, keys; /* at least */
  gint64 days; /* it may be valid for, from now */
  gboolean offline; /* its keys must be */
} RbPolicyRule;

/* Errors: malformed. policy may be NULL. */
gboolean rb_policy_rules_check_form (const json_t *policy, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* FALSE: the policy has no rule for such a role, and *rule is the least that is expected of any. */
gboolean rb_policy_rules_find (const json_t *policy, const char *kind, const char *role, RbPolicyRule *rule);
/* The plans of a repository, against the policy. Error policy, which names all that is below it. */
gboolean rb_policy_rules_check_plans (const json_t *policy, const char *kind, GPtrArray *plans, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
