/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "recovery/ecu-job.h"

/*
 * The vehicle's network around a run that writes (ISO 14229-1, pre-programming and post-programming step): on the buses
 * of the ECUs in work every ECU is told, functionally, to enter its extended session (10 03), to store no DTCs (85 02)
 * and to send no normal messages (28 01 or 28 03), and TesterPresent (3E 80) keeps it so until it is undone. An ECU
 * that rejects one of these is worked on all the same.
 */
typedef struct _RbNetwork RbNetwork;

/* Borrowed: link, model and jobs (element-type RbEcuJob), whose units must outlive it. */
RbNetwork *rb_network_new (RbLink *link, const RbVehicleModel *model, GPtrArray *jobs, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Sends no more TesterPresent. */
void rb_network_free (RbNetwork *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbNetwork, rb_network_free)

/* While no unit is in use. Errors: those of the link. */
gboolean rb_network_prepare (RbNetwork *self, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Tells the same to one ECU that has been reset, in its lane. An ECU that rejects it stays as it is. */
void rb_network_join (RbNetwork *self, RbEcuJob *job, GCancellable *cancellable);
/* 28 00 and 85 01; with clear_dtcs 14 FFFFFF and 10 01, too. Also where another RbNetwork, or a program that was
 * killed, prepared it. While no unit is in use. Errors: those of the link. */
gboolean rb_network_restore (RbNetwork *self, gboolean clear_dtcs, GError **error) G_GNUC_WARN_UNUSED_RESULT;
