/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/conditions.h"

#include "core/bytes.h"
#include "core/json.h"
#include "model/campaign-ecu.h"

/* Has this campaign written to it, in this or an earlier run of this workstation, or does it hold the campaign's image
 * already? */
static gboolean
find_changed (const RbWork *work, const RbWorkContext *context, gboolean *changed, GError **error)
{
  g_autofree char *performer = NULL;
  if (context->recovery != 0
      && !rb_journal_performer (context->journal, context->recovery, work->assignment->serial, &performer, error))
    return FALSE;
  *changed = performer != NULL || !work->need_image;
  return TRUE;
}

static gboolean
is_judged (const RbCampaignCondition *condition, const RbWork *work, gboolean changed)
{
  return condition->kind == RB_CONDITION_HARDWARE_VERSION || (work->now->application && !changed);
}

/* NULL with error. */
static char *
read_value (const RbCampaignCondition *condition, RbWork *work, GCancellable *cancellable, GError **error)
{
  if (condition->kind != RB_CONDITION_CODING_CLASS)
    return rb_ecu_client_read_text (work->unit, condition->did, cancellable, error);
  g_autoptr (GBytes) bytes = NULL;
  if (!rb_ecu_client_read_coding (work->unit, condition->did, &bytes, cancellable, error))
    return NULL;
  return bytes == NULL ? g_strdup ("") : rb_bytes_hex (bytes);
}

static gboolean
check_one (const RbCampaignCondition *condition, RbWork *work, const RbWorkContext *context, GError **error)
{
  const char *word = rb_campaign_ecu_condition_word (condition->kind);
  g_autoptr (GError) rejected = NULL;
  gboolean changed;
  if (!find_changed (work, context, &changed, error))
    return FALSE;
  if (!is_judged (condition, work, changed))
    return TRUE;
  g_autofree char *value = read_value (condition, work, context->cancellable, &rejected);
  if (value == NULL && rb_ecu_client_last_nrc (work->unit) == 0) {
    g_propagate_error (error, g_steal_pointer (&rejected));
    return FALSE;
  }
  if (value != NULL && rb_campaign_ecu_condition_holds (condition, value)) {
    json_array_append_new (work->conditions, json_pack ("{s:s,s:o,s:s}", "kind", word, "did",
                                                        json_sprintf ("%04X", condition->did), "value", value));
    return TRUE;
  }
  g_autofree char *expected = g_strjoinv (", ", condition->values);
  return rb_reason_deny (error, RB_RECOVERY_ERROR, RB_REASON_NOT_COMPATIBLE,
                         "%s: %s (DID %04X): expected %s, actual %s", work->model->label, word, condition->did,
                         expected, value == NULL ? rejected->message : value);
}

gboolean
rb_conditions_check (RbWork *work, const RbWorkContext *context, GError **error)
{
  json_array_clear (work->conditions);
  for (guint i = 0; work->wanted->conditions != NULL && i < work->wanted->conditions->len; i++)
    if (!check_one (work->wanted->conditions->pdata[i], work, context, error))
      return FALSE;
  return TRUE;
}

gboolean
rb_conditions_check_all (GPtrArray *works, const RbWorkContext *context, GError **error)
{
  for (guint i = 0; i < works->len; i++) {
    RbWork *work = works->pdata[i];
    if (work->state == RB_ECU_CHECKED && !rb_conditions_check (work, context, error))
      return FALSE;
  }
  return TRUE;
}
