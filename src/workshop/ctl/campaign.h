/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/cli.h"

/* recallctl campaign … */
extern const RbCliVerb rb_campaign_verbs[];
