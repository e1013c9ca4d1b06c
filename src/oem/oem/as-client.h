/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "oem/error.h"
#include <jansson.h>

/*
 * A repository verified as its clients do: chain of roots, timestamp, snapshot, targets and, where images are (targets/
 * in the folder or, of a bundle, beside it), every image; of a Director or Image repository every delegated role.
 * Expiry is left to the policy.
 */
/* anchor: the root to begin with. A folder that holds roots only is verified as far. Adds findings {"rule": "client",
 * "role", "severity": "violation", "text"} to the array; the text begins with the reason word. */
void rb_as_client_check (const char *folder, const char *kind, GBytes *anchor, json_t *findings);
