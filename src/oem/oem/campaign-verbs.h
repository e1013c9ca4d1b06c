/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/cli.h"

/* Verbs of recall-oem: a campaign from its plan to its bundle. */
extern const RbCliVerb rb_campaign_verbs[];
