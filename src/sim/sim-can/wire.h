/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "frame/can.h"

/*
 * One CAN bus: nodes that have frames to send, arbitration by the lowest identifier among them, and the time each
 * frame takes on the wire, stuff bits counted. Without threads and clocks: it runs up to the time it is told, and says
 * when it is to run next. Times are nanoseconds of one monotonic clock. The next frame starts where the one before it
 * ended, however late rb_wire_step() is called: the bus keeps its bit rate on a busy computer.
 */
typedef struct _RbWire RbWire;

/* A frame is on the wire whole at that time; frame->own for the node that sent it. May call rb_wire_send(). */
typedef void (*RbWireTake) (gpointer node, const RbCanFrame *frame, gint64 at);

typedef struct {
  gboolean fd; /* FD frames are carried; else they are errors on it */
  guint32 bitrate, data_bitrate;
  gboolean paced; /* FALSE: frames take no time */
} RbWireConfig;

typedef struct {
  guint64 frames, errors;
  gint64 busy; /* nanoseconds with a frame on it */
  gint64 worst_late; /* furthest that rb_wire_step() was behind the end of a frame */
  gint64 worst_idle; /* longest without a frame between two */
} RbWireCount;

RbWire *rb_wire_new (const RbWireConfig *config);
void rb_wire_free (RbWire *self);
/* A place on the bus; what it sends goes out in its order. Not while a frame is being given out. */
guint rb_wire_join (RbWire *self, RbWireTake take, gpointer node);
/* Its frames that wait are gone, the one on the wire ends. */
void rb_wire_leave (RbWire *self, guint place);
/* From that time on the frame waits for the bus. FALSE: too many wait already, it is lost. */
gboolean rb_wire_send (RbWire *self, guint place, const RbCanFrame *frame, gint64 at);
/* Frames of that place that are not on the wire yet. */
guint rb_wire_waiting (const RbWire *self, guint place);
/* No frame starts while held. For buses that take no time and a reader that does. */
void rb_wire_hold (RbWire *self, gboolean hold);
/* When rb_wire_step() has something to do; G_MAXINT64: never. */
gint64 rb_wire_due (const RbWire *self);
/* Puts one frame that is due at now on the wire, or ends it there. */
void rb_wire_step (RbWire *self, gint64 now);
/* How long the frame takes on this bus; 0 when it is not paced. */
gint64 rb_wire_time (const RbWire *self, const RbCanFrame *frame);
gboolean rb_wire_is_paced (const RbWire *self);
const RbWireCount *rb_wire_count (const RbWire *self);
/* Counts from here on. */
void rb_wire_count_anew (RbWire *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbWire, rb_wire_free)
