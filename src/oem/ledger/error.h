/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/reason.h"
RB_DECLARE_ERROR_DOMAIN (ledger);
#define RB_LEDGER_ERROR (rb_ledger_error_quark ())
