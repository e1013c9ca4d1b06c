/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/reason.h"

RB_DECLARE_ERROR_DOMAIN (vehicle);
#define RB_VEHICLE_ERROR (rb_vehicle_error_quark ())
