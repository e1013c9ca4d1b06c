/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/cli.h"

/* recall-oem demo */
extern const RbCliVerb rb_demo_verbs[];
