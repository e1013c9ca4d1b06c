/* SPDX-License-Identifier: Apache-2.0 */
#include "record/predicate.h"

#include "core/json.h"

#include <string.h>

json_t *
rb_predicate_entry (const json_t *array, const char *member, const char *value)
{
  size_t i;
  json_t *entry;
  json_array_foreach ((json_t *) array, i, entry)
    if (g_strcmp0 (rb_json_string_or (entry, member, NULL), value) == 0)
      return entry;
  return NULL;
}

gboolean
rb_predicate_claims_done (const json_t *ecu)
{
  static const char *const done[] = { "replaced", "already-good", "hardware-replaced", NULL };
  return g_strv_contains (done, rb_json_string_or (ecu, "outcome", ""));
}

gboolean
rb_predicate_is_not_fitted (const json_t *ecu)
{
  return strcmp (rb_json_string_or (ecu, "outcome", ""), "not-fitted") == 0;
}
