/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/dtc.h"

#include "core/bytes.h"
#include "core/json.h"
#include "record/around.h"

#include <string.h>

enum { ALL = 0xff, COUNTS = 0xaf }; /* all but testNotCompletedSinceLastClear and testNotCompletedThisOperationCycle */
#define MAX_DTCS 256 /* of one ECU in a record */

gboolean
rb_dtc_read_before (RbEcuJob *job, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) failure = NULL;
  if (job->dtcs_before != NULL || rb_ecu_client_read_dtcs (job->unit, ALL, &job->dtcs_before, cancellable, &failure)
      || rb_reason_of (failure) == RB_REASON_WRONG_ANSWER)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/* Into work->dtcs_after; nothing where it cannot be read. */
static void
read_after (RbEcuJob *job, GCancellable *cancellable)
{
  g_autoptr (GError) error = NULL;
  g_clear_pointer (&job->dtcs_after, g_bytes_unref);
  if (job->unit != NULL && !rb_ecu_client_read_dtcs (job->unit, ALL, &job->dtcs_after, cancellable, &error))
    g_debug ("%s", error->message);
}

static gint
compare_entries (gconstpointer a, gconstpointer b)
{
  return strcmp (rb_json_string_or (*(json_t *const *) a, "code", ""),
                 rb_json_string_or (*(json_t *const *) b, "code", ""));
}

/* Sorted, each code once. (element-type json_t, owned) */
static GPtrArray *
entries_of (GBytes *dtcs)
{
  GPtrArray *entries = g_ptr_array_new_with_free_func ((GDestroyNotify) json_decref);
  RbReader reader = rb_reader_from_bytes (dtcs);
  while (rb_reader_left (&reader) >= 4) {
    g_autofree char *code = g_strdup_printf ("%06X", (guint) rb_reader_ube (&reader, 3));
    guint8 status = rb_reader_u8 (&reader);
    if ((status & COUNTS) != 0)
      g_ptr_array_add (entries, json_pack ("{s:s,s:i}", "code", code, "status", status));
  }
  g_ptr_array_sort (entries, compare_entries);
  for (guint i = entries->len; i > 1; i--)
    if (compare_entries (&entries->pdata[i - 1], &entries->pdata[i - 2]) == 0)
      g_ptr_array_remove_index (entries, i - 1);
  return entries;
}

json_t *
rb_dtc_list (GBytes *dtcs)
{
  if (dtcs == NULL)
    return json_null ();
  g_autoptr (GPtrArray) entries = entries_of (dtcs);
  json_t *list = json_array ();
  for (guint i = 0; i < MIN (entries->len, MAX_DTCS); i++)
    json_array_append (list, entries->pdata[i]);
  return list;
}

/* NULL where they do not differ, or one is not known. (transfer full) */
static char *
difference_text (const RbEcuJob *job)
{
  g_autoptr (json_t) before = rb_dtc_list (job->dtcs_before);
  g_autoptr (json_t) after = rb_dtc_list (job->dtcs_after);
  return rb_around_dtc_difference (before, after);
}

void
rb_dtc_read_all_after (GPtrArray *jobs, RbLink *link, RbRecoveryWatch watch, gpointer user_data)
{
  for (guint i = 0; i < jobs->len && link != NULL && rb_link_is_alive (link); i++) {
    RbEcuJob *job = jobs->pdata[i];
    if (job->reason != RB_REASON_NO_ANSWER)
      read_after (job, NULL);
    g_autofree char *difference = difference_text (job);
    const RbRecoveryEvent event = { .kind = RB_EVENT_DTCS,
                                    .serial = rb_ecu_job_serial (job),
                                    .name = job->model->label,
                                    .state = job->state,
                                    .text = difference };
    if (difference != NULL)
      watch (&event, user_data);
  }
}
