/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/error.h"

RB_DEFINE_ERROR_DOMAIN (sim)
