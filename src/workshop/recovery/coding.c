/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/coding.h"

#include "core/bytes.h"
#include "model/campaign-ecu.h"

static gboolean
holds (const RbCodingValue *value)
{
  return value->wanted != NULL && value->now != NULL && g_bytes_equal (value->wanted, value->now);
}

/* The value in the ECU is right where the campaign and the journal name no other and nothing was erased. */
static gboolean
find_wanted (RbCodingValue *value, const RbEcuJob *job, const RbEcuJobContext *context, GError **error)
{
  GBytes *campaign = rb_campaign_ecu_coding (job->wanted, value->profile->did);
  value->from_campaign = campaign != NULL;
  if (campaign != NULL)
    value->wanted = g_bytes_ref (campaign);
  else if (!rb_journal_coding (context->journal, context->vin, rb_contents_campaign (context->contents)->id,
                               job->assignment->serial, value->profile->did, &value->wanted, error))
    return FALSE;
  if (value->wanted == NULL && value->now != NULL)
    value->wanted = g_bytes_ref (value->now);
  return TRUE;
}

static gboolean
read_now (RbCodingValue *value, RbEcuJob *job, const RbEcuJobContext *context, GError **error)
{
  if (!job->now->application)
    return TRUE;
  if (!rb_ecu_client_read_coding (job->unit, value->profile->did, &value->now, context->cancellable, error))
    return FALSE;
  if (value->now != NULL && value->profile->empty != NULL && g_bytes_equal (value->now, value->profile->empty))
    g_clear_pointer (&value->now, g_bytes_unref);
  return TRUE;
}

gboolean
rb_coding_observe (RbEcuJob *job, const RbEcuJobContext *context, GError **error)
{
  g_ptr_array_set_size (job->coding, 0);
  job->need_coding = FALSE;
  for (guint i = 0; job->profile->coding != NULL && i < job->profile->coding->len; i++) {
    RbCodingValue *value = g_new0 (RbCodingValue, 1);
    g_ptr_array_add (job->coding, value);
    value->profile = job->profile->coding->pdata[i];
    if (!read_now (value, job, context, error) || !find_wanted (value, job, context, error))
      return FALSE;
    job->need_coding = job->need_coding || !holds (value);
  }
  return TRUE;
}

/* Stored only once a record has it, where one is needed. */
static gboolean
check_evidence (RbEcuJob *job, const RbEcuJobContext *context, guint16 did, GError **error)
{
  g_autoptr (GBytes) kept = NULL;
  if (!context->needs_evidence)
    return TRUE;
  if (!rb_journal_coding (context->journal, context->vin, rb_contents_campaign (context->contents)->id,
                          job->assignment->serial, did, &kept, error))
    return FALSE;
  job->wants_evidence = kept == NULL;
  return !job->wants_evidence
         || rb_reason_deny (error, RB_RECOVERY_ERROR, RB_REASON_NOT_STARTED, "%s: its coding is in no record yet",
                            job->model->label);
}

/* Stored values were read before the first erasure in this campaign, and stay. */
gboolean
rb_coding_keep (RbEcuJob *job, const RbEcuJobContext *context, GError **error)
{
  for (guint i = 0; i < job->coding->len; i++) {
    const RbCodingValue *value = job->coding->pdata[i];
    if (value->now != NULL
        && (!check_evidence (job, context, value->profile->did, error)
            || !rb_journal_keep_coding (context->journal, context->recovery, job->assignment->serial,
                                        value->profile->did, value->now, error)))
      return FALSE;
  }
  return TRUE;
}

gboolean
rb_coding_is_known (const RbEcuJob *job, GError **error)
{
  for (guint i = 0; i < job->coding->len; i++) {
    const RbCodingValue *value = job->coding->pdata[i];
    if (value->wanted == NULL)
      return rb_reason_deny (error, RB_RECOVERY_ERROR, RB_REASON_CODING_LOST,
                             "%s: %s (DID %04X): the ECU was erased and its value is not known", job->model->label,
                             value->profile->name, value->profile->did);
  }
  return TRUE;
}

gboolean
rb_coding_apply (RbEcuJob *job, const RbEcuJobContext *context, char **detail, GError **error)
{
  g_autoptr (GString) written = g_string_new (NULL);
  for (guint i = 0; i < job->coding->len; i++) {
    const RbCodingValue *value = job->coding->pdata[i];
    if (holds (value))
      continue;
    if (!rb_ecu_client_write_did (job->unit, value->profile->did, value->wanted, context->cancellable, error))
      return FALSE;
    g_string_append_printf (written, "%s%04X", written->len == 0 ? "" : " ", value->profile->did);
  }
  *detail = g_string_free (g_steal_pointer (&written), FALSE);
  return TRUE;
}
