/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "frame/can.h"
#include "frame/doip.h" /* the folder's error domain */

/*
 * ISO 15765-2 engine for one address pair, both directions at once, without sockets, threads or clocks: frames and the
 * time go in, frames, events and the time of the next look come out. Times are microseconds of one monotonic clock.
 * The same for every CAN backend and for the simulated vehicle; checked against the kernel's CAN_ISOTP and by
 * isotpsend/isotprecv. It allocates per message, never per frame.
 *
 * Use: after each rb_isotp_send(), rb_isotp_receive_frame(), rb_isotp_confirm() and rb_isotp_tick() call
 * rb_isotp_next_frame() until FALSE; report each frame that reached the wire, in order, with rb_isotp_confirm(); take
 * events until NONE; sleep until rb_isotp_deadline().
 */
typedef struct _RbIsotp RbIsotp;

typedef struct {
  guint32 tx_id, rx_id; /* with RB_CAN_EXTENDED where 29 bit; normal fixed and mixed are ids of that shape */
  int tx_extension; /* extended: target address; mixed: address extension; -1 none */
  int rx_extension;
  gboolean fd;
  gboolean brs;
  guint8 tx_length; /* FD: most data bytes a frame, 8…64; 0: 64 (classic: 8) */
  gboolean pad; /* fill classic frames to 8 bytes (FD lengths are always filled) */
  guint8 padding; /* filler, 0xCC */
  guint8 block_size, st_min; /* what our flow control offers; 0, 0 is fastest */
  guint n_wft_max; /* WAIT in a row that are accepted; 0: 255 */
  gsize max_message; /* longest message accepted; longer ones get FS = OVFLW; 0: 1 MiB */
  gboolean functional; /* sends single frames only, receives none */
  guint window; /* frames given out and not yet on the wire at a time while STmin is 0; 0: 1 */
  guint wait_ms; /* longest time spent on WAIT after WAIT; 0: 60000 */
  guint total_ms; /* longest time from a first frame to the last, also where it begins again and again; 0: 60000 */
  guint n_as_ms, n_bs_ms, n_cr_ms; /* 0: 1000 each */
} RbIsotpConfig;

typedef enum {
  RB_ISOTP_NONE,
  RB_ISOTP_FIRST_FRAME, /* a message of several frames began to arrive: P2 ends here */
  RB_ISOTP_MESSAGE, /* it is complete: message is set */
  RB_ISOTP_RECEIVE_FAILED, /* reception failed: reason (timeout, link-protocol, block-too-long) */
  RB_ISOTP_SENT, /* our message's last frame is on the wire: P2 starts here */
  RB_ISOTP_SEND_FAILED, /* sending failed: reason (timeout N_As/N_Bs, block-too-long for OVERFLOW,
                      link-protocol) */
} RbIsotpKind;

typedef struct {
  RbIsotpKind kind;
  GBytes *message; /* MESSAGE: (transfer full) */
  RbReason reason;
  const char *text; /* static, for people: "no flow control within 1000 ms" */
} RbIsotpEvent;

RbIsotp *rb_isotp_new (const RbIsotpConfig *config);
void rb_isotp_free (RbIsotp *self);
/* Starts sending. FALSE: one is on its way already (busy), or the message is empty (usage) or too long for the
 * address's form (block-too-long). */
gboolean rb_isotp_send (RbIsotp *self, GBytes *message, gint64 now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Aborts the message that is being sent; reception continues. */
void rb_isotp_abort (RbIsotp *self);
/* A frame from the bus. FALSE when it is not for this pair. */
gboolean rb_isotp_receive_frame (RbIsotp *self, const RbCanFrame *frame, gint64 now);
/* The next frame to send; each is given once. ticket identifies it to rb_isotp_confirm(). */
gboolean rb_isotp_next_frame (RbIsotp *self, gint64 now, RbCanFrame *out, guint32 *ticket);
/* The oldest frame of that ticket is on the wire: STmin, N_Bs and N_Cr count from now. A ticket of a message that was
 * aborted or failed meanwhile is ignored. */
void rb_isotp_confirm (RbIsotp *self, guint32 ticket, gint64 now);
/* When rb_isotp_tick() is due; G_MAXINT64: never. */
gint64 rb_isotp_deadline (const RbIsotp *self);
void rb_isotp_tick (RbIsotp *self, gint64 now);
/* kind NONE: no more. */
RbIsotpEvent rb_isotp_event (RbIsotp *self);
/* Does that ticket still count? */
gboolean rb_isotp_has_ticket (const RbIsotp *self, guint32 ticket);
gboolean rb_isotp_sending (const RbIsotp *self);
gboolean rb_isotp_receiving (const RbIsotp *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbIsotp, rb_isotp_free)
