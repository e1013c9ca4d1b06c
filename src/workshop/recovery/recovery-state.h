/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "recovery/hold.h"
#include "recovery/sign.h"
#include "recovery/supervise.h"

/* A recovery from its opening to its record: what recovery.c and recovery-run.c share. One thread at a time. */
struct _RbRecovery {
  char *data_dir, *vin, *repair_order;
  gint64 odometer_km, now;
  RbIdentitySet *technician, *workstation, *second;

  char *evidence; /* folder outside this workstation; NULL: none */
  RbVisit *visit, *own_visit; /* own: made by this one */
  RbHold *hold; /* on vehicle and link, until this is freed */
  RbContents *contents;
  RbJournal *journal;
  gint64 number; /* in the journal, 0: not begun */
  gint64 started; /* first run's start */
  gint64 run_started; /* of this run; before started when the clock was set back since */
  gint64 first_look; /* of this object, 0: not yet connected */
  gint64 row_before; /* newest step in the journal when this run began */
  RbSupervise *supervise;
  RbInspection *inspection;
  gboolean inspected;
  GPtrArray *jobs; /* the supervisor's; of RbEcuJob, in working order */
  GPtrArray *complete; /* of RbCompletenessEcu: what this vehicle needs to be complete */
  RbIdentity *authentication;
  GBytes *fingerprint;
  char *person; /* the technician, by pseudonym; NULL: not known yet */
  json_t *she;
  GBytes *director_targets; /* that direct parts; NULL: none do */
  RbRecoveryConfirm confirm;
  gpointer confirm_data;
  GBytes *manifest_before, *manifest_after;
  RbStatementEnd end;
  gboolean ran;
};

/* Now, or the time that the caller gave. */
gint64 rb_recovery_state_moment (RbRecovery *self);
/* Everything in it is borrowed. */
RbEcuJobContext rb_recovery_state_work_context (RbRecovery *self, GCancellable *cancellable);
/* Everything in it is borrowed. */
RbSign rb_recovery_state_signing (RbRecovery *self);
void rb_recovery_state_emit_phase (RbRecovery *self, const char *phase);
gboolean rb_recovery_state_restore_network (RbRecovery *self, gboolean clear_dtcs, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
RbEcuJob *rb_recovery_state_work_of (RbRecovery *self, const char *hardware_id);
