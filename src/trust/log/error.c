/* SPDX-License-Identifier: Apache-2.0 */
#include "log/error.h"

RB_DEFINE_ERROR_DOMAIN (log)
