/* SPDX-License-Identifier: Apache-2.0 */
#include "vehicle/error.h"

RB_DEFINE_ERROR_DOMAIN (vehicle)
