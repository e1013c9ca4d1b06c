/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/error.h"

RB_DEFINE_ERROR_DOMAIN (authority)
