/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/inspection.h"

#include "core/json.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#define MAX_WHOLE (1024 * 1024)

struct _RbInspection {
  const RbCampaign *campaign;
  GHashTable *answers; /* item id → json_t of the record's item */
  json_t *whole;
  char *person; /* who inspects, by pseudonym; NULL until known */
};

RbInspection *
rb_inspection_new (const RbCampaign *campaign)
{
  RbInspection *self = g_new0 (RbInspection, 1);
  self->campaign = campaign;
  self->answers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) json_decref);
  return self;
}

void
rb_inspection_free (RbInspection *self)
{
  g_hash_table_unref (self->answers);
  json_decref (self->whole);
  g_free (self->person);
  g_free (self);
}

void
rb_inspection_set_person (RbInspection *self, const char *person)
{
  g_free (self->person);
  self->person = g_strdup (person);
}

static const RbChecklistItem *
find_item (RbInspection *self, const char *id)
{
  for (guint i = 0; i < self->campaign->checklist->len; i++) {
    const RbChecklistItem *item = self->campaign->checklist->pdata[i];
    if (strcmp (item->id, id) == 0)
      return item;
  }
  return NULL;
}

static json_t *
entry (const RbInspection *self, const char *id, gboolean good, gint64 at, const char *by)
{
  json_t *object = json_pack ("{s:s,s:s,s:s}", "id", id, "result", good ? "pass" : "fail", "by", by);
  rb_json_set_moment (object, "at", at);
  if (self->person != NULL)
    rb_json_set_string (object, "performedBy", self->person);
  return object;
}

void
rb_inspection_answer (RbInspection *self, const char *id, gboolean passed, const char *note, gint64 at)
{
  const RbChecklistItem *item = find_item (self, id);
  if (item == NULL || item->kind != RB_ITEM_MANUAL)
    return; /* what is measured cannot be answered by hand */
  json_t *object = entry (self, id, passed, at, "technician");
  if (note != NULL && note[0] != '\0')
    rb_json_set_string (object, "note", note);
  g_hash_table_insert (self->answers, g_strdup (id), object);
}

static gboolean
is_of_this_checklist (const RbInspection *self, const json_t *whole)
{
  return strcmp (rb_json_string_or (whole, "checklistId", ""), self->campaign->checklist_id) == 0
         && rb_json_integer_or (whole, "checklistVersion", -1) == self->campaign->checklist_version;
}

void
rb_inspection_resume (RbInspection *self, const char *text)
{
  g_autoptr (GBytes) bytes = text == NULL ? NULL : g_bytes_new_static (text, strlen (text));
  g_autoptr (json_t) whole = bytes == NULL ? NULL : rb_json_parse (bytes, MAX_WHOLE, "inspection", NULL);
  size_t i;
  json_t *entry;
  if (!is_of_this_checklist (self, whole))
    return;
  json_array_foreach (json_object_get (whole, "items"), i, entry) {
    const RbChecklistItem *item = find_item (self, rb_json_string_or (entry, "id", ""));
    if (item != NULL && item->kind == RB_ITEM_MANUAL && item->lasting
        && strcmp (rb_json_string_or (entry, "result", ""), "pass") == 0)
      g_hash_table_insert (self->answers, g_strdup (item->id), json_deep_copy (entry));
  }
}

void
rb_inspection_share (RbInspection *self, const json_t *whole)
{
  size_t i;
  json_t *entry;
  if (!is_of_this_checklist (self, whole))
    return;
  json_array_foreach (json_object_get (whole, "items"), i, entry) {
    const RbChecklistItem *item = find_item (self, rb_json_string_or (entry, "id", ""));
    if (item != NULL && item->kind == RB_ITEM_MANUAL)
      g_hash_table_insert (self->answers, g_strdup (item->id), json_deep_copy (entry));
  }
}

gboolean
rb_inspection_is_answered (RbInspection *self, const char *id)
{
  return g_hash_table_contains (self->answers, id);
}

void
rb_inspection_measured (RbInspection *self, const char *id, gint64 value, gboolean good, gint64 at)
{
  const RbChecklistItem *item = find_item (self, id);
  json_t *object = entry (self, id, good, at, "measured");
  rb_json_set_integer (object, "value", value);
  rb_json_set_integer (object, "low", item->low);
  rb_json_set_integer (object, "high", item->high);
  if (item->unit != NULL)
    rb_json_set_string (object, "unit", item->unit);
  g_hash_table_insert (self->answers, g_strdup (id), object);
}

gboolean
rb_inspection_answers_pass (RbInspection *self, GError **error)
{
  for (guint i = 0; i < self->campaign->checklist->len; i++) {
    const RbChecklistItem *item = self->campaign->checklist->pdata[i];
    const json_t *answer = g_hash_table_lookup (self->answers, item->id);
    if (item->kind != RB_ITEM_MANUAL)
      continue;
    if (answer == NULL) {
      g_set_error (error, RB_RECOVERY_ERROR, RB_REASON_INSPECTION_MISSING, "inspection: “%s” is not answered",
                   item->text);
      return FALSE;
    }
    if (strcmp (rb_json_string_or (answer, "result", ""), "pass") != 0) {
      g_set_error (error, RB_RECOVERY_ERROR, RB_REASON_INSPECTION_FAILED, "inspection: “%s” is not OK", item->text);
      return FALSE;
    }
  }
  return TRUE;
}

void
rb_inspection_complete (RbInspection *self, gint64 at)
{
  json_t *items = json_array ();
  for (guint i = 0; i < self->campaign->checklist->len; i++) {
    const RbChecklistItem *item = self->campaign->checklist->pdata[i];
    json_t *answer = g_hash_table_lookup (self->answers, item->id);
    if (answer != NULL)
      json_array_append (items, answer);
  }
  json_decref (self->whole);
  self->whole = json_pack ("{s:s,s:I,s:o,s:s}", "checklistId", self->campaign->checklist_id, "checklistVersion",
                           (json_int_t) self->campaign->checklist_version, "items", items, "outcome", "pass");
  rb_json_set_moment (self->whole, "completedAt", at);
}

json_t *
rb_inspection_json (RbInspection *self)
{
  return self->whole;
}

guint16
rb_inspection_did (const RbProfile *profile, const char *measure)
{
  if (g_strcmp0 (measure, "voltage") == 0)
    return profile->did_voltage;
  if (g_strcmp0 (measure, "ignition") == 0)
    return profile->did_ignition;
  if (g_strcmp0 (measure, "speed") == 0)
    return profile->did_speed;
  return 0;
}

/* With so many digits that a value outside its limits never reads as the limit. */
char *
rb_inspection_value_text (const RbChecklistItem *item, gint64 value)
{
  static const char *const ignition[]
    = { NC_ ("ignition", "off"), NC_ ("ignition", "accessory"), NC_ ("ignition", "on") };
  if (g_strcmp0 (item->measure, "voltage") == 0)
    return g_strdup_printf (value % 10 == 0 ? _ ("%.2f V") : _ ("%.3f V"), (double) value / 1000);
  if (g_strcmp0 (item->measure, "speed") == 0)
    return g_strdup_printf (value % 10 == 0 ? _ ("%.1f km/h") : _ ("%.2f km/h"), (double) value / 100);
  if (g_strcmp0 (item->measure, "ignition") == 0 && value >= 0 && value < (gint64) G_N_ELEMENTS (ignition))
    return g_strdup (g_dpgettext2 (GETTEXT_PACKAGE, "ignition", ignition[value]));
  return g_strdup_printf ("%" G_GINT64_FORMAT "%s%s", value, item->unit == NULL ? "" : " ",
                          item->unit == NULL ? "" : item->unit);
}

gboolean
rb_inspection_refuse (const RbChecklistItem *item, gint64 value, GError **error)
{
  RbReason reason = RB_REASON_INSPECTION_FAILED;
  if (g_strcmp0 (item->measure, "voltage") == 0)
    reason = value < item->low ? RB_REASON_VOLTAGE_LOW : RB_REASON_VOLTAGE_HIGH;
  else if (g_strcmp0 (item->measure, "ignition") == 0)
    reason = RB_REASON_IGNITION;
  else if (g_strcmp0 (item->measure, "speed") == 0)
    reason = RB_REASON_MOVING;
  g_autofree char *seen = rb_inspection_value_text (item, value);
  g_autofree char *low = rb_inspection_value_text (item, item->low),
                  *high = rb_inspection_value_text (item, item->high);
  if (item->low == item->high)
    /* Translators: an item of the checklist, what was measured, and what it must be: Ignition: off, required: on */
    return rb_reason_deny (error, RB_RECOVERY_ERROR, reason, _ ("%s: %s, required: %s"), item->text, seen, low);
  /* Translators: an item of the checklist, what was measured, and its limits */
  return rb_reason_deny (error, RB_RECOVERY_ERROR, reason, _ ("%s: %s, allowed: %s to %s"), item->text, seen, low,
                         high);
}
