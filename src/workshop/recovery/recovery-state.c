/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/recovery-state.h"

#include "core/moment.h"

#include <string.h>

void
rb_recovery_state_emit_phase (RbRecovery *self, const char *phase)
{
  const RbRecoveryEvent event = { .kind = RB_EVENT_PHASE, .text = phase };
  rb_supervise_emit (&event, self->supervise);
}

gint64
rb_recovery_state_moment (RbRecovery *self)
{
  return self->now > 0 ? self->now : rb_moment_now ();
}

RbEcuJobContext
rb_recovery_state_work_context (RbRecovery *self, GCancellable *cancellable)
{
  return (RbEcuJobContext){ .contents = self->contents,
                            .journal = self->journal,
                            .recovery = self->number,
                            .vin = self->vin,
                            .person = self->person,
                            .authentication = self->authentication,
                            .jobs = self->jobs,
                            .she = self->she,
                            .cancellable = cancellable,
                            .fingerprint = self->fingerprint,
                            .needs_evidence = self->evidence != NULL,
                            .needs_network = !rb_supervise_has_network (self->supervise),
                            .safe_point = rb_supervise_safe_point,
                            .safe_point_data = self->supervise,
                            .watch = rb_supervise_emit,
                            .user_data = self->supervise };
}

RbEcuJob *
rb_recovery_state_work_of (RbRecovery *self, const char *hardware_id)
{
  for (guint i = 0; i < self->jobs->len; i++)
    if (strcmp (((RbEcuJob *) self->jobs->pdata[i])->model->hardware_id, hardware_id) == 0)
      return self->jobs->pdata[i];
  return NULL;
}

gboolean
rb_recovery_state_restore_network (RbRecovery *self, gboolean clear_dtcs, GError **error)
{
  return rb_supervise_restore_network (self->supervise, clear_dtcs, error)
         && rb_journal_prepare (self->journal, self->number, FALSE, error);
}

RbSign
rb_recovery_state_signing (RbRecovery *self)
{
  gint64 now = rb_recovery_state_moment (self);
  const RbFacts facts = { .vin = self->vin,
                          .repair_order = self->repair_order,
                          .odometer_km = self->odometer_km,
                          .link = rb_supervise_link (self->supervise),
                          .link_uri = rb_supervise_link_uri (self->supervise),
                          .vin_sources = rb_supervise_vin_sources (self->supervise),
                          .inspection = self->inspected ? rb_inspection_json (self->inspection) : NULL,
                          .jobs = self->jobs,
                          .complete = self->complete,
                          .model = rb_contents_model (self->contents),
                          .unexpected = rb_supervise_unexpected (self->supervise),
                          .visit = self->visit,
                          .director_targets = self->director_targets,
                          .manifest_before = self->manifest_before,
                          .manifest_after = self->manifest_after,
                          .now = now,
                          .started = MIN (MIN (self->first_look, now), MIN (self->started, self->run_started)) };
  return (RbSign){ .data_dir = self->data_dir,
                   .contents = self->contents,
                   .journal = self->journal,
                   .recovery = self->number,
                   .row_before = self->row_before,
                   .end = self->end,
                   .technician = self->technician,
                   .workstation = self->workstation,
                   .second = self->second,
                   .facts = facts };
}
