/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/cli.h"

/* recallctl tuf: a client of any TUF 1.0 repository. */
extern const RbCliVerb rb_tuf_client_verbs[];
