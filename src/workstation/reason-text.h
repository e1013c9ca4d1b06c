/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/reason.h"

/* What a reason means for the vehicle, and what to do next; never NULL. From data/reasons.json, which is embedded. */
const char *rb_reason_text_means (RbReason reason);
const char *rb_reason_text_next (RbReason reason);
