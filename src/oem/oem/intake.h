/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/cli.h"

/* recall-oem intake … */
extern const RbCliVerb rb_intake_verbs[];
