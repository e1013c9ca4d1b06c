/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/error.h"

RB_DEFINE_ERROR_DOMAIN (pki)
