/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/ecu-job.h"

#include "core/json.h"
#include "uds/uds-client.h"

#include <string.h>

static void
coding_value_free (gpointer value)
{
  RbCodingValue *self = value;
  g_clear_pointer (&self->wanted, g_bytes_unref);
  g_clear_pointer (&self->now, g_bytes_unref);
  g_free (self);
}

RbEcuJob *
rb_ecu_job_new (const RbModelEcu *model, const RbProfile *profile, const RbCampaignEcu *wanted)
{
  RbEcuJob *self = g_new0 (RbEcuJob, 1);
  self->model = model;
  self->profile = profile;
  self->wanted = wanted;
  self->stage = RB_ECU_JOB_LOOK;
  self->coding = g_ptr_array_new_with_free_func (coding_value_free);
  self->conditions = json_array ();
  return self;
}

void
rb_ecu_job_free (RbEcuJob *self)
{
  g_clear_pointer (&self->unit, rb_ecu_client_free);
  g_clear_pointer (&self->before, rb_ecu_claims_free);
  g_clear_pointer (&self->now, rb_ecu_claims_free);
  g_clear_pointer (&self->assignment, rb_vehicle_assignment_free);
  g_clear_pointer (&self->image_nonce, g_bytes_unref);
  g_clear_pointer (&self->key_challenge, g_bytes_unref);
  g_clear_pointer (&self->key_spki, g_bytes_unref);
  g_clear_pointer (&self->key_proof, g_bytes_unref);
  g_clear_pointer (&self->she_proof, g_bytes_unref);
  g_clear_pointer (&self->report_challenge, g_bytes_unref);
  g_clear_pointer (&self->report, g_bytes_unref);
  g_clear_pointer (&self->dtcs_before, g_bytes_unref);
  g_clear_pointer (&self->dtcs_after, g_bytes_unref);
  g_clear_pointer (&self->fingerprint, g_bytes_unref);
  g_ptr_array_unref (self->coding);
  json_decref (self->conditions);
  g_free (self->image_digest);
  g_free (self->image_record);
  g_free (self->key_id);
  g_free (self->key_record);
  g_free (self->text);
  g_free (self->part_number);
  g_free (self->replaces);
  g_free (self->performed_by);
  g_clear_pointer (&self->recipe_steps, g_ptr_array_unref);
  g_free (self);
}

const char *
rb_ecu_job_serial (const RbEcuJob *self)
{
  return self->assignment != NULL ? self->assignment->serial : self->now != NULL ? self->now->serial : "";
}

void
rb_ecu_job_emit (const RbEcuJob *self, const RbEcuJobContext *context, RbRecoveryEvent event)
{
  if (context->watch == NULL)
    return;
  event.serial = rb_ecu_job_serial (self);
  event.name = self->model->label;
  event.state = self->state;
  context->watch (&event, context->user_data);
}

void
rb_ecu_job_set_state (RbEcuJob *self, const RbEcuJobContext *context, RbEcuState state, RbReason reason,
                      const char *text)
{
  g_autofree char *copy = g_strdup (text);
  self->state = state;
  self->reason = reason;
  self->nrc = 0;
  g_free (self->text);
  self->text = g_steal_pointer (&copy);
  rb_ecu_job_emit (self, context, (RbRecoveryEvent){ .kind = RB_EVENT_ECU, .reason = reason, .text = self->text });
}

void
rb_ecu_job_fail (RbEcuJob *self, const RbEcuJobContext *context, RbEcuState state, const GError *failure)
{
  /* a failure of the workstation's own, as of a proof, is no rejection, whatever was rejected before */
  gboolean rejected = failure->domain == RB_UDS_ERROR && self->unit != NULL;
  rb_ecu_job_set_state (self, context, state, rb_reason_of (failure), failure->message);
  self->nrc = rejected ? rb_ecu_client_last_nrc (self->unit) : 0;
}

gboolean
rb_ecu_job_error (const RbEcuJob *self, GError **error, RbReason reason, const char *text)
{
  g_set_error (error, RB_RECOVERY_ERROR, (int) reason, "%s: %s", self->model->label, text);
  return FALSE;
}

const json_t *
rb_ecu_job_she_update (const RbEcuJob *self, const RbEcuJobContext *context)
{
  const json_t *list = json_object_get (context->she, "updates");
  for (gsize i = 0; i < json_array_size (list); i++)
    if (strcmp (rb_json_string_or (json_array_get (list, i), "serial", ""), self->assignment->serial) == 0)
      return json_array_get (list, i);
  return NULL;
}

static gboolean
has_needs (const RbEcuJob *self)
{
  return self->need_director_root || self->need_image_root || self->need_metadata || self->need_image
         || self->need_coding || self->need_key;
}

gboolean
rb_ecu_job_any_has_needs (GPtrArray *jobs)
{
  for (guint i = 0; i < jobs->len; i++) {
    const RbEcuJob *job = jobs->pdata[i];
    if (job->state != RB_ECU_PARKED && has_needs (job))
      return TRUE;
  }
  return FALSE;
}
