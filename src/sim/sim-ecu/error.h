/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/reason.h"
RB_DECLARE_ERROR_DOMAIN (sim);
#define RB_SIM_ERROR (rb_sim_error_quark ())
