/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/error.h"

RB_DEFINE_ERROR_DOMAIN (crypto)
