/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/cli.h"

/* recall-oem audit … */
extern const RbCliVerb rb_audit_verbs[];
