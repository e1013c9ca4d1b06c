/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "oem/pki.h"

/*
 * intake.json: what `intake serve` and `audit` need, files named relative to it:
 * {"format":"recallbay-intake-1","oem","tls":{"certificate","key"},"client_ca","dealer_ca" (PEM
 * texts),"service_root","bundle" (file names),"log":{"origin","key" (PEM),"vkey" (signed
 * note)},"she_keys":[{"vin","serial","slot","counter","key"}]} (transfer full)
 */
json_t *rb_intake_config_new (const RbPki *pki, const char *oem, json_t *she_keys);
