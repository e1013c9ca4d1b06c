/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/cli.h"

/* recallctl links, identify; journal */
extern const RbCliVerb rb_identify_verbs[];
extern const RbCliVerb rb_identify_journal_verbs[];
