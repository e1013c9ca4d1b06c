/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "authority/publishing.h"

/* New timestamp and snapshot keys, together. */
typedef struct {
  const char *timestamp, *snapshot; /* "THRESHOLD:KEY,KEY"; NULL: made in files, one for each of the old */
  const char *secret; /* passphrase of those */
} RbOnlineKeys;

/* The repository's roles with these keys. Errors: usage where keys on tokens would have to be made, passphrase, and
 * those of rb_role_plan_check_all(). (element-type RbRolePlan) (transfer full) */
GPtrArray *rb_online_keys_rotate (const RbOnlineKeys *self, RbPublishing *publishing, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
