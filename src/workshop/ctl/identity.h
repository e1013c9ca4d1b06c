/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/cli.h"

/* recallctl identity …: the keys of a technician or of this workstation, and the OEM's certificates for them */
extern const RbCliVerb rb_identity_verbs[];
