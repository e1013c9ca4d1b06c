/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/cli.h"

/* recallctl inspect, recover */
extern const RbCliVerb rb_recover_verbs[];
