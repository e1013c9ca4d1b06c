/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/reason.h"
RB_DECLARE_ERROR_DOMAIN (crypto);
#define RB_CRYPTO_ERROR (rb_crypto_error_quark ())
