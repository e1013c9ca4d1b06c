/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "session/session-input.h"
#include "session/session-rows.h"

typedef enum {
  RB_TASK_NONE,
  RB_TASK_FIND, /* campaigns for input's VIN */
  RB_TASK_OPEN, /* verify the campaign for this vehicle */
  RB_TASK_CONNECT, /* link, VIN, every ECU's state */
  RB_TASK_MEASURE, /* measured items, once */
  RB_TASK_INSPECT, /* evaluate the inspection and make the plan */
  RB_TASK_AUTHORISE, /* open the keys */
  RB_TASK_RUN, /* write and verify */
  RB_TASK_SIGN,
  RB_TASK_RECORDS, /* list the outbox */
} RbSessionTask;

/* The open recovery and its keys. Only the task's thread uses them while a task runs. */
typedef struct {
  RbRecovery *recovery; /* NULL: no vehicle is open */
  RbIdentitySet *technician, *workstation, *second;
  RbIdentitySet *link_keys; /* the workstation's, as far as the link needs them; NULL */
} RbSessionVehicle;
void rb_session_task_clear_vehicle (RbSessionVehicle *self);

/* One task: what it is given, and its results. */
typedef struct {
  RbSessionTask task;
  RbSessionInput input; /* a copy */
  GPtrArray *answers; /* of RbSessionAnswer; a reference */
  GCancellable *cancellable;
  RbSessionVehicle *vehicle; /* borrowed */
  void (*watch) (const RbRecoveryEvent *event, gpointer user_data); /* in the task's thread */
  gpointer user_data;
  GError *error;
  GPtrArray *found, *ecus, *records; /* of the rows; NULL: the task has none */
  char *digest; /* of the signed record */
  const char *result; /* its result, static */
} RbSessionWork;

/* Does the task, in the calling thread. FALSE: work->error, if the failure has one. */
gboolean rb_session_task_run (RbSessionWork *work);
void rb_session_task_clear (RbSessionWork *work);
