/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/reason.h"
RB_DECLARE_ERROR_DOMAIN (campaign);
#define RB_CAMPAIGN_ERROR (rb_campaign_error_quark ())
