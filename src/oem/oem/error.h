/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/reason.h"
RB_DECLARE_ERROR_DOMAIN (oem);
#define RB_OEM_ERROR (rb_oem_error_quark ())
