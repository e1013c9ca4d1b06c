/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/cli.h"

/* recallctl campaign request: asks the OEM for a VIN pack. */
extern const RbCliVerb rb_request_verbs[];
