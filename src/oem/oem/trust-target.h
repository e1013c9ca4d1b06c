/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "authority/oem-folder.h"

#define RB_TRUST_TARGET_DAYS 30 /* at most */

/* The next trust list, as a target of the Service repository, which is published as any other. minimum_version: NULL
 * for that of the list before. (transfer full) */
json_t *rb_trust_target_make (const RbOemFolder *folder, gint64 days, const char *minimum_version, gint64 now,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;
