/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/error.h"

RB_DEFINE_ERROR_DOMAIN (intake)
