/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/cli.h"

/* recallctl uptane … */
extern const RbCliVerb rb_uptane_verbs[];
