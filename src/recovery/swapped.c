/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/swapped.h"

#include "core/json.h"

#include <string.h>

const RbAssignment *
rb_swapped_place (GPtrArray *assignments, const char *serial, const char *hardware_id)
{
  const RbAssignment *place = NULL;
  for (guint i = 0; i < assignments->len; i++) {
    const RbAssignment *assignment = assignments->pdata[i];
    if (strcmp (assignment->serial, serial) == 0)
      return NULL;
    if (strcmp (assignment->hardware_id, hardware_id) == 0)
      place = assignment;
  }
  return place;
}

char *
rb_swapped_part_number (RbUnit *unit, const RbProfile *profile, GCancellable *cancellable)
{
  g_autoptr (GError) untold = NULL;
  g_autofree char *number = rb_unit_read_text (unit, profile->did_part_number, cancellable, &untold);
  if (untold != NULL)
    g_debug ("no part number: %s", untold->message);
  return number == NULL || number[0] == '\0' ? NULL : g_steal_pointer (&number);
}

json_t *
rb_swapped_row (const char *name, const char *old_serial, const char *new_serial, const char *hardware_id, const char *part_number)
{
  json_t *row = json_object ();
  rb_json_set_string (row, "name", name);
  rb_json_set_string (row, "old", old_serial);
  rb_json_set_string (row, "new", new_serial);
  rb_json_set_string (row, "hardware_id", hardware_id);
  rb_json_set_string (row, "part_number", part_number);
  return row;
}

json_t *
rb_swapped_list (GPtrArray *works)
{
  json_t *list = json_array ();
  for (guint i = 0; i < works->len; i++) {
    const RbWork *work = works->pdata[i];
    if (work->state == RB_ECU_PARKED && work->reason == RB_REASON_ECU_REPLACED)
      json_array_append_new (list, rb_swapped_row (work->model->label, work->assignment->serial, work->now->serial, work->now->hardware_id,
                                                   work->part_number));
  }
  return list;
}

gboolean
rb_swapped_check (const json_t *list, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  size_t i;
  json_t *row;
  json_array_foreach ((json_t *) list, i, row)
    g_string_append_printf (text, "%s%s: expected serial number %s, actual %s (part %s)", i == 0 ? "" : "; ",
                            rb_json_string_or (row, "name", ""), rb_json_string_or (row, "old", ""), rb_json_string_or (row, "new", ""),
                            rb_json_string_or (row, "part_number", rb_json_string_or (row, "hardware_id", "")));
  return i == 0 || rb_reason_deny (error, RB_RECOVERY_ERROR, RB_REASON_ECU_REPLACED, "%s", text->str);
}
