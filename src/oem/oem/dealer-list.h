/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "oem/error.h"
#include "oem/pki.h"

/* The trust list of a dealer network (model/trust-list.h) for vehicles of that WMI. No signer
 * is revoked and no campaign is withdrawn in it. (transfer full) */
json_t *rb_dealer_list_new (const RbPki *pki, const char *oem, const char *wmi, gint64 now);
