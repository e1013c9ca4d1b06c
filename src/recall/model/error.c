/* SPDX-License-Identifier: Apache-2.0 */
#include "model/error.h"

RB_DEFINE_ERROR_DOMAIN (model)
