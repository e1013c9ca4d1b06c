/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "authority/authoring.h"

/* The delegations of an Image repository, before they are published. */

/* role: "THRESHOLD:KEY,KEY". Errors: usage, exists, policy, and those of rb_role_plan_parse(). */
gboolean rb_delegation_change_add (RbAuthoring *self, const char *name, const char *role, const char *const *paths,
                                   const char *const *hardware_ids, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Its targets vanish with it. Error not-found. */
gboolean rb_delegation_change_revoke (RbAuthoring *self, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Other keys; paths and hardware_ids where they are not NULL. */
gboolean rb_delegation_change_replace (RbAuthoring *self, const char *name, const char *role, const char *const *paths,
                                       const char *const *hardware_ids, GError **error) G_GNUC_WARN_UNUSED_RESULT;
