/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/reason.h"
RB_DECLARE_ERROR_DOMAIN (recovery);
#define RB_RECOVERY_ERROR (rb_recovery_error_quark ())
