/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/reason.h"
RB_DECLARE_ERROR_DOMAIN (record);
#define RB_RECORD_ERROR (rb_record_error_quark ())
