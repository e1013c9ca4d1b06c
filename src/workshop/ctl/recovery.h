/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/cli.h"

extern const RbCliVerb rb_recovery_verbs[];
