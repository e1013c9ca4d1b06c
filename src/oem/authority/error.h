/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/reason.h"
RB_DECLARE_ERROR_DOMAIN (authority);
#define RB_AUTHORITY_ERROR (rb_authority_error_quark ())
