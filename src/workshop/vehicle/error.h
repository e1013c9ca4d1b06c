/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/reason.h"

RB_DECLARE_ERROR_DOMAIN (unit);
#define RB_UNIT_ERROR (rb_unit_error_quark ())
