/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/cli.h"

/* oem init, and the verbs of signing keys. */
extern const RbCliVerb rb_key_verbs[];
