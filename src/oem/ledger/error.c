/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/error.h"

RB_DEFINE_ERROR_DOMAIN (ledger)
