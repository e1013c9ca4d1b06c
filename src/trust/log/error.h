/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/reason.h"
RB_DECLARE_ERROR_DOMAIN (log);
#define RB_LOG_ERROR (rb_log_error_quark ())
