/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/cli.h"

/* recall-sim show, recall-sim offer: the vehicle from outside, only from its memory. */
extern const RbCliVerb rb_show_verbs[];
