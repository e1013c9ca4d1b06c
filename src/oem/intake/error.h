/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/reason.h"
RB_DECLARE_ERROR_DOMAIN (intake);
#define RB_INTAKE_ERROR (rb_intake_error_quark ())
