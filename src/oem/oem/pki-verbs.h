/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/cli.h"

/* Certificates of dealerships and vehicles, and the trust list. */
extern const RbCliVerb rb_pki_verbs[];
