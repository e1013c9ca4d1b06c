/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/swapped.h"

#include "core/json.h"
#include "recovery/findings.h"

#include <string.h>

#define DID_PART_NUMBER 0xf187

/* The assignment of the ECU in whose place that one responds; NULL: serial is assigned, or nothing is assigned to its
 * hardware. assignments: (element-type RbAssignment). Borrowed. */
static const RbAssignment *
place_of (GPtrArray *assignments, const char *serial, const char *hardware_id)
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
rb_swapped_part_number (RbEcuClient *unit, const RbProfile *profile, GCancellable *cancellable)
{
  g_autoptr (GError) untold = NULL;
  g_autofree char *number = rb_ecu_client_read_text (unit, profile == NULL ? DID_PART_NUMBER : profile->did_part_number,
                                                     cancellable, &untold);
  if (untold != NULL)
    g_debug ("no part number: %s", untold->message);
  return number == NULL || number[0] == '\0' ? NULL : g_steal_pointer (&number);
}

/* {"name", "old", "new", "hardware_id", "part_number" (null: not told)}. (transfer full) */
static json_t *
replaced_row (const char *name, const char *old_serial, const char *new_serial, const char *hardware_id,
              const char *part_number)
{
  json_t *row = json_object ();
  rb_json_set_string (row, "name", name);
  rb_json_set_string (row, "old", old_serial);
  rb_json_set_string (row, "new", new_serial);
  rb_json_set_string (row, "hardware_id", hardware_id);
  rb_json_set_string (row, "part_number", part_number);
  return row;
}

/* What was read of every ECU, for recovery/findings.h: {"name", "serial", "hardware_id", "part_number", "software",
 * "key_id", "boot"}, or null members and "reason" where it was not read. (transfer full) */
static json_t *
found_in (GPtrArray *jobs)
{
  json_t *list = json_array ();
  for (guint i = 0; i < jobs->len; i++) {
    const RbEcuJob *job = jobs->pdata[i];
    const RbEcuClaims *now = job->now;
    json_t *row = json_object ();
    rb_json_set_string (row, "name", job->model->label);
    rb_json_set_string (row, "serial", now == NULL ? NULL : now->serial);
    rb_json_set_string (row, "hardware_id", now == NULL ? NULL : now->hardware_id);
    rb_json_set_string (row, "part_number", job->part_number);
    rb_json_set_string (row, "software", now == NULL ? NULL : now->software);
    rb_json_set_string (row, "key_id", now == NULL ? NULL : now->key_id);
    rb_json_set_string (row, "boot", now == NULL ? NULL : now->application ? "application" : "bootloader");
    if (now == NULL)
      rb_json_set_string (row, "reason", rb_reason_word (job->reason));
    json_array_append_new (list, row);
  }
  return list;
}

void
rb_swapped_keep (GPtrArray *jobs, const char *data_dir, const char *vin, gint64 now)
{
  g_autoptr (GError) unsaved = NULL;
  g_autoptr (json_t) found = found_in (jobs);
  if (!rb_findings_save (data_dir, vin, found, now, &unsaved))
    g_debug ("what was read is not kept: %s", unsaved->message);
}

static RbEcuJob *
find_work (GPtrArray *jobs, const char *hardware_id)
{
  for (guint i = 0; i < jobs->len; i++)
    if (strcmp (((RbEcuJob *) jobs->pdata[i])->model->hardware_id, hardware_id) == 0)
      return jobs->pdata[i];
  return NULL;
}

gboolean
rb_swapped_take (GPtrArray *jobs, GPtrArray *complete, RbContents *contents, const char *vin, GBytes **targets,
                 GError **error)
{
  gboolean any = FALSE;
  for (guint i = 0; i < complete->len; i++) {
    const RbCompletenessEcu *ecu = complete->pdata[i];
    RbEcuJob *job = ecu->replaces == NULL ? NULL : find_work (jobs, ecu->hardware_id);
    if (job == NULL)
      continue;
    job->replaces = g_strdup (ecu->replaces);
    any = TRUE;
  }
  g_clear_pointer (targets, g_bytes_unref);
  g_autoptr (GPtrArray) files = any ? rb_contents_roles (contents, RB_CONTENTS_DIRECTOR, vin, error) : NULL;
  for (guint i = 0; files != NULL && i < files->len; i++)
    if (strcmp (((RbContentsFile *) files->pdata[i])->role, "targets") == 0)
      *targets = g_bytes_ref (((RbContentsFile *) files->pdata[i])->bytes);
  return !any || files != NULL;
}

void
rb_swapped_add (json_t *list, GPtrArray *assignments, const json_t *found)
{
  size_t i;
  json_t *row;
  json_array_foreach ((json_t *) found, i, row) {
    const char *serial = rb_json_string_or (row, "serial", NULL),
               *hardware_id = rb_json_string_or (row, "hardware_id", NULL);
    const RbAssignment *place
      = serial == NULL || hardware_id == NULL ? NULL : place_of (assignments, serial, hardware_id);
    if (place != NULL)
      json_array_append_new (list, replaced_row (rb_json_string_or (row, "name", hardware_id), place->serial, serial,
                                                 hardware_id, rb_json_string_or (row, "part_number", NULL)));
  }
}

json_t *
rb_swapped_list (GPtrArray *jobs)
{
  json_t *list = json_array ();
  for (guint i = 0; i < jobs->len; i++) {
    const RbEcuJob *job = jobs->pdata[i];
    if (job->state == RB_ECU_PARKED && job->reason == RB_REASON_ECU_REPLACED)
      json_array_append_new (list, replaced_row (job->model->label, job->assignment->serial, job->now->serial,
                                                 job->now->hardware_id, job->part_number));
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
                            rb_json_string_or (row, "name", ""), rb_json_string_or (row, "old", ""),
                            rb_json_string_or (row, "new", ""),
                            rb_json_string_or (row, "part_number", rb_json_string_or (row, "hardware_id", "")));
  return i == 0 || rb_reason_deny (error, RB_RECOVERY_ERROR, RB_REASON_ECU_REPLACED, "%s", text->str);
}
