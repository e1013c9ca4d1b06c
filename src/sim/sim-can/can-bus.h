/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "frame/can.h"

/*
 * One CAN bus: nodes that have frames to send, arbitration by the lowest identifier among them, and the time each
 * frame takes on the wire, stuff bits counted. Without threads and clocks: it runs up to the time it is told, and says
 * when it is to run next. Times are nanoseconds of one monotonic clock. The next frame starts where the one before it
 * ended, however late rb_can_bus_step() is called: the bus keeps its bit rate on a busy computer.
 */
typedef struct _RbCanBus RbCanBus;

/* A frame is on the wire whole at that time; frame->own for the node that sent it. May call rb_can_bus_send(). */
typedef void (*RbCanBusTake) (gpointer node, const RbCanFrame *frame, gint64 at);

typedef struct {
  gboolean fd; /* FD frames are carried; else they are errors on it */
  guint32 bitrate, data_bitrate;
  gboolean paced; /* FALSE: frames take no time */
} RbCanBusConfig;

typedef struct {
  guint64 frames, errors;
  gint64 busy; /* nanoseconds with a frame on it */
  gint64 worst_late; /* furthest that rb_can_bus_step() was behind the end of a frame */
  gint64 worst_idle; /* longest without a frame between two */
} RbCanBusCount;

RbCanBus *rb_can_bus_new (const RbCanBusConfig *config);
void rb_can_bus_free (RbCanBus *self);
/* A place on the bus; what it sends goes out in its order. Not while a frame is being given out. */
guint rb_can_bus_join (RbCanBus *self, RbCanBusTake take, gpointer node);
/* Its frames that wait are gone, the one on the wire ends. */
void rb_can_bus_leave (RbCanBus *self, guint place);
/* From that time on the frame waits for the bus. FALSE: too many wait already, it is lost. */
gboolean rb_can_bus_send (RbCanBus *self, guint place, const RbCanFrame *frame, gint64 at);
/* Frames of that place that are not on the wire yet. */
guint rb_can_bus_waiting (const RbCanBus *self, guint place);
/* No frame starts while held. For buses that take no time and a reader that does. */
void rb_can_bus_hold (RbCanBus *self, gboolean hold);
/* When rb_can_bus_step() has something to do; G_MAXINT64: never. */
gint64 rb_can_bus_due (const RbCanBus *self);
/* Puts one frame that is due at now on the wire, or ends it there. */
void rb_can_bus_step (RbCanBus *self, gint64 now);
/* How long the frame takes on this bus; 0 when it is not paced. */
gint64 rb_can_bus_time (const RbCanBus *self, const RbCanFrame *frame);
gboolean rb_can_bus_is_paced (const RbCanBus *self);
const RbCanBusCount *rb_can_bus_count (const RbCanBus *self);
/* Counts from here on. */
void rb_can_bus_count_anew (RbCanBus *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbCanBus, rb_can_bus_free)
