/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/cli.h"
#include "oem/error.h"
#include <jansson.h>

/*
 * Verifies a repository as a client (oem/as-client.h), then measures its newest metadata against the key-management
 * policy: thresholds, offline keys, a key in one role only, expiry. Findings:
 * [{"rule","role","severity":"violation|exception|note","text"}].
 */
/* folder holds metadata, and keys.json when who holds the keys is known. kind NULL: found out. (transfer full) */
json_t *rb_policy_check (const char *folder, const char *kind, gint64 now, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* recall-oem repo check */
extern const RbCliVerb rb_policy_verbs[];
