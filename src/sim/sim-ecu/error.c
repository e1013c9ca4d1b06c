/* SPDX-License-Identifier: Apache-2.0 */
#include "sim-ecu/error.h"

RB_DEFINE_ERROR_DOMAIN (sim)
