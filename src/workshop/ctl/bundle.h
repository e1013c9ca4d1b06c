/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "campaign/contents.h"
#include "core/cli.h"

/* A campaign as JSON, its packs counted. (transfer full) */
json_t *rb_bundle_row (RbContents *contents);

/* recallctl bundle … */
extern const RbCliVerb rb_bundle_verbs[];
