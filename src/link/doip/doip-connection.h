/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "doip/doip-stream.h"
#include "frame/doip.h"
#include "link/address.h"

/*
 * One TCP connection, plain or with TLS, and what arrives on it. A thread that waits for something reads the stream
 * apart, one at a time, and puts each answer in the queue of the channel with its source address; a thread does it
 * while no thread waits, and always where there is TLS. Everything below is guarded by `lock` and announced by
 * `changed`.
 */
#define RB_DOIP_ANSWER_COST 128 /* of an answer beside its bytes */

typedef enum { RB_DOIP_ACK_NONE, RB_DOIP_ACK_GOOD, RB_DOIP_ACK_BAD, RB_DOIP_ACK_HEADER_BAD } RbDoipAck;

typedef struct {
  guint16 target;
  GQueue responses; /* of GBytes */
  gsize unread;
  RbDoipAck ack;
  guint8 nack;
  guint64 sent; /* number of the message that waits for its acknowledgement, 0 none does */
} RbDoipChannel;

/* State that the entity reports, outside any channel. It may report again at any time. */
typedef struct {
  gboolean activated;
  guint8 activation_code;
  gboolean refused; /* by its header: a message outside any channel was not understood */
  guint8 refusal;
  guint8 version; /* that it speaks */
  guint16 entity;
  gboolean status_known;
  guint32 max_data; /* 0: not reported */
} RbDoipTold;

typedef struct {
  GSocketConnection *connection;
  GIOStream *stream; /* the connection, or TLS over it */
  RbDoipStream *plain; /* NULL with TLS */
  gboolean secured;
  GThread *reader;
  GCancellable *stop;
  GMutex lock;
  GCond changed;
  GCond idle; /* for the thread alone */
  gboolean reading, stopping;
  guint waiting; /* for something to be read */
  guint asleep; /* of them, until another thread has read: a broadcast costs a system call */
  gint64 left_at; /* when the last of them was done */
  GMutex write_lock;
  GPtrArray *channels; /* of RbDoipChannel, borrowed */
  guint8 version; /* that is spoken here; never changes */
  guint16 client; /* logical address; never changes */
  RbDoipTold told;
  guint64 sent;
  char *lost; /* why the connection is lost */
} RbDoipConnection;
typedef gboolean (*RbDoipCondition) (RbDoipConnection *self, RbDoipChannel *channel);

/* A copy of the entity's statements about the connection so far. */
RbDoipTold rb_doip_connection_told (RbDoipConnection *self);
/* rest may be NULL; with it head is used up. Errors: link-lost, cancelled. */
gboolean rb_doip_connection_write (RbDoipConnection *self, GByteArray *head, GBytes *rest, GCancellable *cancellable,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* With the lock held. NULL: none has that address. */
RbDoipChannel *rb_doip_connection_channel_of (RbDoipConnection *self, guint16 target);
/* Waits until condition holds, the link is lost, the time is over or the call is cancelled. TRUE: it holds. */
gboolean rb_doip_connection_wait_for (RbDoipConnection *self, RbDoipChannel *channel, RbDoipCondition condition,
                                      gint64 timeout_ms, GCancellable *cancellable);
/* TRUE when the link is lost or the call cancelled, with the error set. */
gboolean rb_doip_connection_gone (RbDoipConnection *self, GCancellable *cancellable, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Closes and frees; no other call is under way. */
void rb_doip_connection_close (gpointer state);
/* Takes connection and stream. */
RbDoipConnection *rb_doip_connection_new (GSocketConnection *connection, GIOStream *stream,
                                          const RbLinkOptions *options, guint8 version);
