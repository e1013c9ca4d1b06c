/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/error.h"

RB_DEFINE_ERROR_DOMAIN (audit)
