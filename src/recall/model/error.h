/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/reason.h"
RB_DECLARE_ERROR_DOMAIN (model);
#define RB_MODEL_ERROR (rb_model_error_quark ())
