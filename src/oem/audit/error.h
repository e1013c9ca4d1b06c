/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/reason.h"
RB_DECLARE_ERROR_DOMAIN (audit);
#define RB_AUDIT_ERROR (rb_audit_error_quark ())
