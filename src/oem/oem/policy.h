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

/* recall-oem repo check */
extern const RbCliVerb rb_policy_verbs[];
