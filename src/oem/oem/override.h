/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "authority/authoring.h"

/* Below the policy, because two people say so: --below-policy TEXT --approved-by KEY --approved-by KEY. */
typedef struct {
  const char *text; /* why; NULL: no override */
  GStrv approved_by; /* names of keys in the OEM's folder, of two people */
} RbOverride;

/* Roles against the policy; an override is noted in authoring. Errors: policy, same-person, usage, not-found. */
gboolean rb_override_check (const RbOverride *self, RbAuthoring *authoring, GPtrArray *roles, const json_t *policy,
                            gint64 now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
