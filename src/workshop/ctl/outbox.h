/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/cli.h"

/* recallctl outbox … */
extern const RbCliVerb rb_outbox_verbs[];
