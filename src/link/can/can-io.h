/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "can/can-backend.h"
#include "frame/isotp.h"

/*
 * The I/O thread of one CAN interface and the message pipes on it, one ISO-TP engine each. Frames, confirmations and
 * time are handled in that thread under one lock; a caller of send puts the first frame out itself and then waits, as
 * receive does. Nothing is allocated per frame.
 */
typedef struct _RbCanIo RbCanIo;
typedef struct _RbCanPipe RbCanPipe;

/* Takes the backend's state and closes it at the end. */
RbCanIo *rb_can_io_new (const RbCanBackend *backend, gpointer state, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* No pipe is open any more. */
void rb_can_io_free (RbCanIo *self);
gboolean rb_can_io_is_alive (RbCanIo *self);
gboolean rb_can_io_has_fd (RbCanIo *self);
/* Error in-use: another pipe listens to the same address. */
RbCanPipe *rb_can_io_open (RbCanIo *self, const RbIsotpConfig *config, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_can_io_close (RbCanPipe *pipe);
/* As the slots of RbLinkBackend. */
gboolean rb_can_io_send (RbCanPipe *pipe, GBytes *message, GCancellable *cancellable, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
GBytes *rb_can_io_receive (RbCanPipe *pipe, gint64 first_ms, GCancellable *cancellable, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
void rb_can_io_drain (RbCanPipe *pipe);
/* As the slots watch_testers and heard_tester. */
void rb_can_io_watch_testers (RbCanIo *self, const guint32 *ids, guint n);
guint32 rb_can_io_heard_tester (RbCanIo *self);
