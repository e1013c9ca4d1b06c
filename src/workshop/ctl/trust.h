/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/cli.h"

/* recallctl trust … */
extern const RbCliVerb rb_trust_verbs[];
