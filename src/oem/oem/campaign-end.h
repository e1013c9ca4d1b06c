/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/cli.h"

/* Verbs of recall-oem: a campaign is renewed before it expires, or withdrawn. */
extern const RbCliVerb rb_campaign_end_verbs[];
