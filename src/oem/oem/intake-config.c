/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/intake-config.h"

json_t *
rb_intake_config_new (const RbPki *pki, const char *oem, json_t *she_keys)
{
  json_t *config = json_pack ("{s:s,s:s,s:{s:s,s:s},s:s,s:s,s:s,s:s,s:{s:s,s:s,s:s},s:O}", "format",
                              "recallbay-intake-1", "oem", oem, "tls", "certificate", pki->server_pem, "key",
                              pki->server_key_pem, "client_ca", pki->dealer_ca_pem, "dealer_ca", pki->dealer_ca_pem,
                              "service_root", "service-root.json", "bundle", "campaign.recall", "log", "origin",
                              pki->log_origin, "key", pki->log_key_pem, "vkey", pki->log_vkey, "she_keys", she_keys);
  g_assert (config != NULL);
  return config;
}
