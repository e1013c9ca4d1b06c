/* SPDX-License-Identifier: Apache-2.0 */
#include "record/checklist.h"

#include "core/json.h"
#include "record/predicate.h"

#include <string.h>

#define deny(error, ...) rb_reason_deny (error, RB_RECORD_ERROR, RB_REASON_RECORD_INSPECTION, __VA_ARGS__)

static json_t *
quote_item (const RbChecklistItem *item)
{
  json_t *quote = json_object ();
  rb_json_set_string (quote, "id", item->id);
  rb_json_set_string (quote, "kind", item->kind == RB_ITEM_MEASURED ? "measured" : "manual");
  rb_json_set_boolean (quote, "mayBeNa", item->may_be_na);
  if (item->kind != RB_ITEM_MEASURED)
    return quote;
  rb_json_set_integer (quote, "low", item->low);
  rb_json_set_integer (quote, "high", item->high);
  return quote;
}

json_t *
rb_checklist_quote (const RbCampaign *campaign)
{
  json_t *quote = json_object (), *items = json_array ();
  for (guint i = 0; i < campaign->checklist->len; i++)
    json_array_append_new (items, quote_item (campaign->checklist->pdata[i]));
  rb_json_set_string (quote, "id", campaign->checklist_id);
  rb_json_set_integer (quote, "version", campaign->checklist_version);
  rb_json_set (quote, "items", items);
  return quote;
}

static gboolean
is_measured (const json_t *asked)
{
  return strcmp (rb_json_string_or (asked, "kind", ""), "measured") == 0;
}

static gboolean
item_is_well_formed (const json_t *item)
{
  const char *kind = rb_json_string_or (item, "kind", "");
  if (rb_json_string_or (item, "id", NULL) == NULL || !json_is_boolean (json_object_get (item, "mayBeNa")))
    return FALSE;
  if (!is_measured (item))
    return strcmp (kind, "manual") == 0;
  return json_is_integer (json_object_get (item, "low")) && json_is_integer (json_object_get (item, "high"));
}

gboolean
rb_checklist_is_well_formed (const json_t *checklist, GError **error)
{
  const json_t *items = json_object_get (checklist, "items");
  gboolean good = rb_json_string_or (checklist, "id", NULL) != NULL
                  && json_is_integer (json_object_get (checklist, "version")) && json_array_size (items) > 0;
  size_t i;
  json_t *item;
  json_array_foreach ((json_t *) items, i, item)
    good = good && item_is_well_formed (item);
  return good
         || rb_reason_deny (error, RB_RECORD_ERROR, RB_REASON_RECORD_MALFORMED,
                            "Record: campaign checklist: malformed");
}

static gboolean
check_value (const json_t *item, const json_t *asked, gboolean passed, const char *id, GError **error)
{
  const json_t *value = json_object_get (item, "value");
  gint64 low = rb_json_integer_or (asked, "low", 0), high = rb_json_integer_or (asked, "high", 0);
  if (!json_is_integer (value))
    return deny (error, "Inspection item %s: no measured value", id);
  if (rb_json_integer_or (item, "low", low) != low || rb_json_integer_or (item, "high", high) != high)
    return deny (error, "Inspection item %s: its limits are not the checklist's", id);
  gboolean within = json_integer_value (value) >= low && json_integer_value (value) <= high;
  if (within != passed)
    return deny (error, "Inspection item %s: result is %s, the value %s within the limits", id,
                 passed ? "pass" : "fail", within ? "is" : "is not");
  return TRUE;
}

static gboolean
check_item (const json_t *item, const json_t *asked, GError **error)
{
  const char *id = rb_json_string_or (item, "id", ""), *result = rb_json_string_or (item, "result", "");
  gboolean measured = is_measured (asked);
  if (strcmp (rb_json_string_or (item, "by", ""), measured ? "measured" : "technician") != 0)
    return deny (error, "Inspection item %s: the checklist says it is %s", id,
                 measured ? "measured" : "answered by the technician");
  if (strcmp (result, "na") == 0)
    return json_is_true (json_object_get (asked, "mayBeNa"))
           || deny (error, "Inspection item %s: result is na, which the checklist does not allow", id);
  gboolean passed = strcmp (result, "pass") == 0;
  if (!passed && strcmp (result, "fail") != 0)
    return deny (error, "Inspection item %s: unknown result “%s”", id, result);
  return !measured || check_value (item, asked, passed, id, error);
}

static gboolean
check_items (const json_t *items, const json_t *checklist, GError **error)
{
  size_t i;
  json_t *item;
  json_array_foreach ((json_t *) items, i, item) {
    const char *id = rb_json_string_or (item, "id", "");
    const json_t *asked = rb_predicate_entry (json_object_get (checklist, "items"), "id", id);
    if (asked == NULL)
      return deny (error, "Inspection item %s: the checklist has no such item", id);
    if (rb_predicate_entry (items, "id", id) != item)
      return deny (error, "Inspection item %s: it is answered twice", id);
    if (!check_item (item, asked, error))
      return FALSE;
  }
  return TRUE;
}

/* The inspection is passed when every item of the checklist has an answer and none is “fail”. */
static gboolean
check_outcome (const json_t *inspection, const json_t *checklist, GError **error)
{
  const json_t *items = json_object_get (inspection, "items");
  const char *outcome = rb_json_string_or (inspection, "outcome", "");
  const char *open = NULL;
  size_t i;
  json_t *asked;
  json_array_foreach (json_object_get (checklist, "items"), i, asked) {
    const char *id = rb_json_string_or (asked, "id", "");
    const json_t *item = rb_predicate_entry (items, "id", id);
    if (open == NULL && (item == NULL || strcmp (rb_json_string_or (item, "result", ""), "fail") == 0))
      open = id;
  }
  if (strcmp (outcome, open == NULL ? "pass" : "fail") == 0)
    return TRUE;
  return open == NULL ? deny (error, "Inspection: outcome is “%s”, every item is passed", outcome)
                      : deny (error, "Inspection: outcome is “%s”, item %s is not passed", outcome, open);
}

gboolean
rb_checklist_check (const json_t *predicate, GError **error)
{
  const json_t *checklist = json_object_get (json_object_get (predicate, "campaign"), "checklist");
  const json_t *inspection = json_object_get (predicate, "inspection");
  if (json_is_null (inspection))
    return TRUE;
  if (g_strcmp0 (rb_json_string_or (inspection, "checklistId", NULL), rb_json_string_or (checklist, "id", NULL)) != 0
      || rb_json_integer_or (inspection, "checklistVersion", -1) != rb_json_integer_or (checklist, "version", 0))
    return deny (error, "Inspection: its checklist is not the campaign's");
  return check_items (json_object_get (inspection, "items"), checklist, error)
         && check_outcome (inspection, checklist, error);
}
