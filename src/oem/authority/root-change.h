/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "authority/authoring.h"

/* The roles of the next root. */
typedef struct {
  const char *const *revoke, *const *add, *const *roles; /* names; names; ROLE=THRESHOLD:KEY,…; each may be NULL */
} RbRootChange;

/* Keys leave every role, come to the root role, and roles are replaced. Refused: timestamp keys change without snapshot
 * keys or the other way round (policy), and fewer holders of the published root are left than its threshold
 * (threshold-unmet). Errors also as rb_role_plan_check_all(). (element-type RbRolePlan) (transfer full) */
GPtrArray *rb_root_change_apply (const RbAuthoring *authoring, const RbRootChange *change, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
