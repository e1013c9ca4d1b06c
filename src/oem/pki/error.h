/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/reason.h"
RB_DECLARE_ERROR_DOMAIN (pki);
#define RB_PKI_ERROR (rb_pki_error_quark ())
