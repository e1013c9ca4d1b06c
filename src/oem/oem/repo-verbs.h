/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/cli.h"

/* repo init, publish and refresh. */
extern const RbCliVerb rb_repo_verbs[];
