/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/reason.h"
RB_DECLARE_ERROR_DOMAIN (net);
#define RB_NET_ERROR (rb_net_error_quark ())
