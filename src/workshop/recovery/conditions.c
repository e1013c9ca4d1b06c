/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/conditions.h"

#include "core/bytes.h"
#include "core/json.h"
#include "model/campaign-ecu.h"

/* Has this campaign written to it, in this or an earlier run of this workstation, or does it hold the campaign's image
 * already? */
static gboolean
find_changed (const RbEcuJob *job, const RbEcuJobContext *context, gboolean *changed, GError **error)
{
  g_autofree char *performer = NULL;
  if (context->recovery != 0
      && !rb_journal_performer (context->journal, context->recovery, job->assignment->serial, &performer, error))
    return FALSE;
  *changed = performer != NULL || !job->need_image;
  return TRUE;
}

static gboolean
is_judged (const RbCampaignCondition *condition, const RbEcuJob *job, gboolean changed)
{
  return condition->kind == RB_CONDITION_HARDWARE_VERSION || (job->now->application && !changed);
}

/* NULL with error. */
static char *
read_value (const RbCampaignCondition *condition, RbEcuJob *job, GCancellable *cancellable, GError **error)
{
  if (condition->kind != RB_CONDITION_CODING_CLASS)
    return rb_ecu_client_read_text (job->unit, condition->did, cancellable, error);
  g_autoptr (GBytes) bytes = NULL;
  if (!rb_ecu_client_read_coding (job->unit, condition->did, &bytes, cancellable, error))
    return NULL;
  return bytes == NULL ? g_strdup ("") : rb_bytes_hex (bytes);
}

static gboolean
check_one (const RbCampaignCondition *condition, RbEcuJob *job, const RbEcuJobContext *context, GError **error)
{
  const char *word = rb_campaign_ecu_condition_word (condition->kind);
  g_autoptr (GError) rejected = NULL;
  gboolean changed;
  if (!find_changed (job, context, &changed, error))
    return FALSE;
  if (!is_judged (condition, job, changed))
    return TRUE;
  g_autofree char *value = read_value (condition, job, context->cancellable, &rejected);
  if (value == NULL && rb_ecu_client_last_nrc (job->unit) == 0) {
    g_propagate_error (error, g_steal_pointer (&rejected));
    return FALSE;
  }
  if (value != NULL && rb_campaign_ecu_condition_holds (condition, value)) {
    json_array_append_new (job->conditions, json_pack ("{s:s,s:o,s:s}", "kind", word, "did",
                                                       json_sprintf ("%04X", condition->did), "value", value));
    return TRUE;
  }
  g_autofree char *expected = g_strjoinv (", ", condition->values);
  return rb_reason_deny (error, RB_RECOVERY_ERROR, RB_REASON_NOT_COMPATIBLE,
                         "%s: %s (DID %04X): expected %s, actual %s", job->model->label, word, condition->did, expected,
                         value == NULL ? rejected->message : value);
}

gboolean
rb_conditions_check (RbEcuJob *job, const RbEcuJobContext *context, GError **error)
{
  json_array_clear (job->conditions);
  for (guint i = 0; job->wanted->conditions != NULL && i < job->wanted->conditions->len; i++)
    if (!check_one (job->wanted->conditions->pdata[i], job, context, error))
      return FALSE;
  return TRUE;
}

gboolean
rb_conditions_check_all (GPtrArray *jobs, const RbEcuJobContext *context, GError **error)
{
  for (guint i = 0; i < jobs->len; i++) {
    RbEcuJob *job = jobs->pdata[i];
    if (job->state == RB_ECU_CHECKED && !rb_conditions_check (job, context, error))
      return FALSE;
  }
  return TRUE;
}
