/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/cli.h"

/* repo add, remove and direct, and delegations. */
extern const RbCliVerb rb_target_verbs[];
