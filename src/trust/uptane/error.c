/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/error.h"

RB_DEFINE_ERROR_DOMAIN (uptane)
