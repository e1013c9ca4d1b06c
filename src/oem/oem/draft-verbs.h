/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/cli.h"

/* root draft, and the threshold ceremony: draft show, sign, status, merge, publish. */
extern const RbCliVerb rb_draft_verbs[];
