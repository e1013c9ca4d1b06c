/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "can/can-backend.h"
#include "can/can-health.h"
#include "can/can-testers.h"
#include "frame/isotp.h"

/*
 * The thread of a CAN interface: frames of all pipes to the backend and from it, timers of ISO-TP, health, testers.
 * Calls of can/can-io.h leave work in the pipes and wake it.
 */
#define RB_CAN_FLIGHT 128 /* frames given to the backend and not yet confirmed */
typedef struct _RbCanIo RbCanIo;
typedef struct _RbCanPipe RbCanPipe;

typedef enum { RB_CAN_SEND_IDLE, RB_CAN_SEND_STARTED, RB_CAN_SEND_DONE, RB_CAN_SEND_FAILED } RbCanSending;

struct _RbCanPipe {
  RbCanIo *io;
  RbIsotpConfig config;
  RbIsotp *engine;
  GCond changed;
  RbCanSending sending;
  RbReason send_reason;
  const char *send_text;
  GQueue messages; /* of GBytes */
  gboolean arriving;
  const char *broken; /* error of the message whose reception began */
  RbReason broken_reason;
};

typedef struct {
  RbCanPipe *pipe; /* NULL: closed meanwhile */
  guint32 ticket;
  guint32 id;
  guint8 length;
  guint8 head[8];
} RbCanFlight;

struct _RbCanIo {
  const RbCanBackend *backend;
  gpointer state;
  gboolean has_fd;
  GThread *thread;
  int epoll, quiet, wake, timer; /* quiet: all but the interface */
  GMutex lock; /* everything below, and all calls of engines */
  gboolean stop, filter_stale;
  GPtrArray *pipes; /* of RbCanPipe, borrowed */
  guint turn; /* the pipe that gives the next frame */
  RbCanFlight flight[RB_CAN_FLIGHT];
  guint first_flight, n_flight;
  gboolean holding; /* the backend had no room for this frame */
  RbCanFrame held;
  RbCanFlight held_flight;
  RbCanHealth health;
  RbCanTesters testers;
  gint64 recover_due;
  gint64 armed;
  char *lost;
};

/* Does the work that is due, with the lock held; readable: the interface has frames. */
void rb_can_thread_work (RbCanIo *self, gboolean readable);
/* (GThreadFunc) data: the RbCanIo; until its stop. */
gpointer rb_can_thread_run (gpointer data);
