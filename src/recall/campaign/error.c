/* SPDX-License-Identifier: Apache-2.0 */
#include "campaign/error.h"

RB_DEFINE_ERROR_DOMAIN (campaign)
