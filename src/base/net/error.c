/* SPDX-License-Identifier: Apache-2.0 */
#include "net/error.h"

RB_DEFINE_ERROR_DOMAIN (net)
