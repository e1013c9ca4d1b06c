/* SPDX-License-Identifier: Apache-2.0 */
#include "record/error.h"

RB_DEFINE_ERROR_DOMAIN (record)
