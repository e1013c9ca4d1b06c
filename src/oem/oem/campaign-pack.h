/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/cli.h"

/* Verb of recall-oem: a VIN pack for one vehicle, also with parts in the place of ECUs. */
extern const RbCliVerb rb_campaign_pack_verbs[];
