/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "model/vehicle-model.h"
#include "recovery/ecu-job.h"

/*
 * Which ECUs are worked on side by side. ECUs of different buses are (a lane a bus, a thread a lane), those of one bus
 * one after the other, because they share its time. A gateway waits for everything behind it, and the Primary is last.
 */
typedef enum { RB_SCHEDULE_SECONDARIES, RB_SCHEDULE_GATEWAYS, RB_SCHEDULE_PRIMARY, RB_SCHEDULE_N_RANKS } RbScheduleRank;
RbScheduleRank rb_schedule_rank (const RbVehicleModel *model, const RbModelEcu *ecu);

/* Brings one ECU to its end, in the lane's thread. FALSE: the run cannot go on; without error: not before the caller
 * has done something. */
typedef gboolean (*RbScheduleJob) (RbEcuJob *job, gpointer user_data, GError **error);

/*
 * Calls run for every work (element-type RbEcuJob), returns when all lanes have ended. After the first FALSE no lane
 * begins another ECU; what is under way comes to its own end. TRUE when none gave an error. The error is the first one,
 * but for cancelled, which wins.
 */
gboolean rb_schedule_run (GPtrArray *jobs, RbScheduleJob run, gpointer user_data, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
