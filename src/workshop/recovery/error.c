/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/error.h"

RB_DEFINE_ERROR_DOMAIN (recovery)
