/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <sys/uio.h>

#include "frame/doip.h"
#include "link/address.h"

/*
 * Inside link/ only: DoIP messages on a connected TCP socket, with few system calls. One thread at a time may read, and
 * one at a time write. Errors: link-lost, link-protocol, G_IO_ERROR_CANCELLED.
 */
typedef struct _RbDoipStream RbDoipStream;
/* payload is borrowed for the call */
typedef void (*RbDoipStreamTake) (gpointer data, const RbDoipHeader *header, const guint8 *payload);

/* Keeps the socket. */
RbDoipStream *rb_doip_stream_new (GSocket *socket);
void rb_doip_stream_free (RbDoipStream *self);
/* Waits for something until end (monotonic time, 0: for ever), unless interrupted, and hands out the messages that are
 * complete. FALSE: the connection is gone. */
gboolean rb_doip_stream_read (RbDoipStream *self, gint64 end, RbDoipStreamTake take, gpointer data, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* The read under way, or else the next one, comes back at once. */
void rb_doip_stream_interrupt (RbDoipStream *self);
/* Changes parts; done: how many bytes went, also when it fails. */
gboolean rb_doip_stream_write (RbDoipStream *self, struct iovec *parts, gsize n, gsize *done, GCancellable *cancellable,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbDoipStream, rb_doip_stream_free)
