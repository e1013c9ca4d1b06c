/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "link/link.h"

/*
 * A link is a connection to the vehicle; a channel is the addressed pipe of whole UDS messages to one ECU on
 * it. Calls block and take a GCancellable; one thread at a time may use a channel, several channels of one
 * link may be used from several threads at once. Framing, adapters and sockets are behind this contract
 * in another process (recall-link); nothing above it sees a frame.
 *
 * Errors (RB_LINK_ERROR): link-none, link-refused, link-lost (the link is gone; every channel on it is),
 * timeout (no message within the time; the channel still works), ecu-missing (the link has no such
 * address), block-too-long, link-protocol; G_IO_ERROR_CANCELLED.
 */
typedef struct _RbChannel RbChannel; /* ref counted, keeps its link */

RbChannel *rb_channel_open (RbLink *link, const RbAddress *address, GError **error) G_GNUC_WARN_UNUSED_RESULT;
RbChannel *rb_channel_ref (RbChannel *self);
void rb_channel_unref (RbChannel *self);
/* Hands over one UDS message; returns when it is on the wire (last frame sent, or DoIP acknowledged), so
 * that P2 can start. */
gboolean rb_channel_send (RbChannel *self, GBytes *message, GCancellable *cancellable, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/*
 * Waits at most first_ms for the answer to begin (its first frame), then for the whole of it by the
 * transport's own timeouts. (transfer full)
 */
GBytes *rb_channel_receive (RbChannel *self, gint64 first_ms, GCancellable *cancellable, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/*
 * As rb_channel_receive(). next->sent: the answer was next->after and the message is on its way; what the sending fails
 * with, the next receive fails with. Else it is the caller's to send, and that is always so where the link gains
 * nothing. next may be NULL.
 */
GBytes *rb_channel_receive_and_send (RbChannel *self, gint64 first_ms, RbChannelFollowUp *next,
                                     GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Throws away what came unasked before a request. */
void rb_channel_drain (RbChannel *self);
/* Largest UDS message this channel carries, for block sizes. */
gsize rb_channel_max_message (RbChannel *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbChannel, rb_channel_unref)
