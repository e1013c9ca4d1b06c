/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "recovery/inspection.h"
#include "recovery/ecu-job.h"

/*
 * What is watched over while a vehicle is worked on: its link, lost and found again; that it is still the same vehicle;
 * voltage, ignition and standstill; and the diagnostic sessions that are open (recovery/keeper.h). This is the only
 * module of a recovery that waits. The lanes call may_go_on and safe_point from their threads, anything may call stop;
 * all else is the recovery's own thread.
 */
typedef struct _RbSupervise RbSupervise;

typedef struct {
  const char *data_dir;
  const char *link_uri;
  const char *vehicle_ca; /* may be NULL */
  const char *vin; /* as on the plate */
  gint64 link_timeout_s; /* a lost link and an interlock are waited for so long; 0: 20, negative: not at all */
  GPtrArray *checklist; /* borrowed, of RbChecklistItem */
  const RbVehicleModel *model; /* borrowed; how the vehicle wants to be connected to, and who is on its buses */
  RbRecoveryWatch watch; /* may be NULL */
  gpointer user_data;
} RbSuperviseOptions;

RbSupervise *rb_supervise_new (const RbSuperviseOptions *options);
void rb_supervise_free (RbSupervise *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbSupervise, rb_supervise_free)
void rb_supervise_set_workstation (RbSupervise *self, RbIdentitySet *workstation); /* borrowed */

/* The ECUs it opens with the link. Borrowed; in working order. (element-type RbEcuJob) */
GPtrArray *rb_supervise_jobs (RbSupervise *self);
RbEcuJob *rb_supervise_primary (RbSupervise *self); /* NULL when there is none */
RbLink *rb_supervise_link (RbSupervise *self); /* borrowed; NULL while there is none */
const char *rb_supervise_link_uri (RbSupervise *self);
json_t *rb_supervise_vin_sources (RbSupervise *self); /* borrowed */

/* (RbRecoveryWatch) The watch is called in a thread of its own (recovery/teller.h), so that the caller never waits for
 * it. */
void rb_supervise_emit (const RbRecoveryEvent *event, gpointer self);
/* Returns when the watch was called for all events so far. */
void rb_supervise_flush (RbSupervise *self);
/* An error after which the run cannot go on with another ECU. */
gboolean rb_supervise_is_fatal (const GError *error);

/* Before the jobs are changed. */
void rb_supervise_close_link (RbSupervise *self);
gboolean rb_supervise_open_link (RbSupervise *self, GCancellable *cancellable, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* No other client has sent requests on this CAN since the link was opened. Error tester-present. */
gboolean rb_supervise_check_testers (RbSupervise *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The VIN must be the plate's on the Primary and on one more ECU. Errors: vin-mismatch, those of the link. */
gboolean rb_supervise_check_vehicle (RbSupervise *self, GCancellable *cancellable, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Looks once for ECUs that answer and are not in the model, before the vehicle's own are talked to; the result is kept.
 */
gboolean rb_supervise_find_unexpected (RbSupervise *self, GCancellable *cancellable, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
GPtrArray *rb_supervise_unexpected (RbSupervise *self); /* (element-type utf8) borrowed; NULL until looked for */
/* A lost link is tried again until the time is over; the vehicle must be the same one. Errors: link-lost, vin-mismatch,
 * cancelled. */
gboolean rb_supervise_find_again (RbSupervise *self, GCancellable *cancellable, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* A new run: nothing is waited for, and a link that an earlier run lost is found again. */
gboolean rb_supervise_resume (RbSupervise *self, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef gboolean (*RbSuperviseRead) (gpointer user_data, GCancellable *cancellable, GError **error);
/* Reads what read reads; when the link is lost meanwhile it is found again, and all is read from the start, a few
 * times. */
gboolean rb_supervise_read_through (RbSupervise *self, RbSuperviseRead read, gpointer user_data,
                                    GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Prepares the vehicle's network for writing (recovery/network.h), now and with every link that is found again; once,
 * while no lane runs. Errors: tester-present, those of the link. */
gboolean rb_supervise_prepare_network (RbSupervise *self, GCancellable *cancellable, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_supervise_has_network (RbSupervise *self); /* is it prepared? */
/* An ECU that was reset takes part in it again; in its lane. */
void rb_supervise_join_network (RbSupervise *self, RbEcuJob *job, GCancellable *cancellable);
/* Undoes it, also when an earlier run prepared it. Errors: those of the link. */
gboolean rb_supervise_restore_network (RbSupervise *self, gboolean clear_dtcs, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;

/* One measured item of the checklist, now. *good: within its limits. */
gboolean rb_supervise_measure (RbSupervise *self, const RbChecklistItem *item, gint64 *value, gboolean *good,
                               GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* All of them in turn, into record where it is not NULL; error when one is outside its limits. */
gboolean rb_supervise_measure_all (RbSupervise *self, RbInspection *record, GCancellable *cancellable, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;

/* Stops at the next safe place; cancelled from may_go_on then, until end_stop. */
void rb_supervise_stop (RbSupervise *self);
void rb_supervise_end_stop (RbSupervise *self);
gboolean rb_supervise_may_go_on (RbSupervise *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* (RbEcuJobSafePoint) user_data: the RbSupervise. */
gboolean rb_supervise_safe_point (RbEcuJob *job, GCancellable *cancellable, gpointer user_data, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
