/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/dealer-list.h"

#include "core/bytes.h"
#include "core/json.h"

#define MAX_AGE_DAYS 30

json_t *
rb_dealer_list_new (const RbPki *pki, const char *oem, const char *wmi, gint64 now)
{
  g_autofree char *dealer_ca = rb_bytes_to_base64 (rb_certificate_der (pki->dealer_ca));
  json_t *list = json_pack ("{s:s,s:i,s:s,s:i,s:s,s:[s],s:[s],s:[],s:[],s:s}", "format", "recallbay-trust-list-1",
                            "version", 1, "oem", oem, "max_age_days", MAX_AGE_DAYS, "minimum_version", RB_VERSION,
                            "wmis", wmi, "dealer_cas", dealer_ca, "revoked", "withdrawn", "log_key", pki->log_vkey);
  g_assert (list != NULL);
  rb_json_set_moment (list, "issued", now);
  return list;
}
