/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/reason.h"
RB_DECLARE_ERROR_DOMAIN (uptane);
#define RB_UPTANE_ERROR (rb_uptane_error_quark ())
