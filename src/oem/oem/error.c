/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/error.h"

RB_DEFINE_ERROR_DOMAIN (oem)
