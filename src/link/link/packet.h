/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <glib.h>

/*
 * Inside link/ and its tests only: the messages between the program and its link process, over SOCK_SEQPACKET
 * sockets. There is one socket for the heartbeat, one for the link and one for each channel; on the last two every call
 * is answered before the next. A message longer than a packet continues in packets without a head. Both ends are the
 * same build on the same machine, but the link process reads hostile bytes: everything that it sends is checked.
 */
#define RB_PACKET_MAX_BODY (32 * 1024 * 1024)
/* The descriptors at which the link process finds its first two sockets. */
enum { RB_PACKET_HEARTBEAT_FD = 3, RB_PACKET_CALLS_FD = 4 };

typedef enum {
  /* calls */
  RB_PACKET_OPEN, /* body: uri */
  RB_PACKET_DISCOVER, /* number: milliseconds */
  RB_PACKET_ALIVE,
  RB_PACKET_WATCH, /* body: request ids of CAN */
  RB_PACKET_HEARD, /* number of the answer: id of a frame of another tester, 0 */
  RB_PACKET_CHANNEL, /* number: of the channel; body: address; comes with the channel's socket and memory */
  RB_PACKET_SEND, /* number: 1 drains before; body: message */
  RB_PACKET_SEND_SHARED, /* the same; body: where in the channel's memory the message is */
  RB_PACKET_RECEIVE, /* number: milliseconds */
  RB_PACKET_RECEIVE_AND_SEND, /* the same, -1 receives nothing; body: after which answer what in the memory is sent,
                             once this call is answered */
  RB_PACKET_DRAIN,
  RB_PACKET_CLOSE, /* the channel; the last call on its socket */
  /* answers, with the number of the call */
  RB_PACKET_REPLY, /* number and body: as the call has it */
  RB_PACKET_ERROR, /* number: reason; body: text */
  /* on the heartbeat's socket, unanswered but for the first */
  RB_PACKET_PING,
  RB_PACKET_PONG,
  RB_PACKET_CANCEL, /* call; number: of the channel, 0 the link's own socket */
  RB_PACKET_LOG, /* number: GLogLevelFlags; body: text */
  RB_PACKET_WAIT, /* opening waits for a person; body: text */
  RB_PACKET_N_KINDS
} RbPacketKind;

typedef struct {
  RbPacketKind kind;
  guint32 call;
  gint64 number;
  GBytes *body; /* never NULL once received */
  int fd; /* a socket that comes with it, or -1 */
  int memory; /* and the file of a memory; counts only with a socket */
} RbPacket;

/* Room for a packet, for one socket and one thread. */
typedef struct _RbPacketBuffer RbPacketBuffer;
RbPacketBuffer *rb_packet_buffer_new (void);
void rb_packet_buffer_free (RbPacketBuffer *self);

/* body NULL: none. FALSE: the other end is gone, or (flags MSG_DONTWAIT) takes no more; errno tells. Never SIGPIPE in
 * the program; the link process, which has no sendmsg (sandbox.c), ignores that signal. */
gboolean rb_packet_send (int socket, const RbPacket *packet, int flags) G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_packet_reply (int socket, const RbPacket *packet) G_GNUC_WARN_UNUSED_RESULT;
/* Blocks. FALSE: the other end is gone or sent something that is no packet. Clear the packet afterwards. */
gboolean rb_packet_receive (int socket, RbPacketBuffer *buffer, RbPacket *packet) G_GNUC_WARN_UNUSED_RESULT;
/* The same for a packet that has to come in one piece, as on the heartbeat's socket, so that the receiver does not wait
 * for its rest.
 */
gboolean rb_packet_receive_whole (int socket, RbPacketBuffer *buffer, RbPacket *packet) G_GNUC_WARN_UNUSED_RESULT;
void rb_packet_clear (RbPacket *packet);
/* Two connected sockets, closed on exec, with room for a packet. */
gboolean rb_packet_pair (int sockets[2]) G_GNUC_WARN_UNUSED_RESULT;

/*
 * Memory that the program alone can write and its link process reads: a long message is copied once and not through a
 * socket. What is too long for it goes by packets.
 */
#define RB_PACKET_SHARED_MIN 2048
#define RB_PACKET_SHARED_MAX (255 * 1024)
typedef struct _RbPacketMemory RbPacketMemory;
RbPacketMemory *rb_packet_memory_new (void);
/* Maps file in the link process and takes ownership of it. NULL if file is not such a memory. */
RbPacketMemory *rb_packet_memory_open (int file);
void rb_packet_memory_free (RbPacketMemory *self);
int rb_packet_memory_file (const RbPacketMemory *self);
/* The previous message stays in place, the one before that is overwritten. FALSE: too long. */
gboolean rb_packet_memory_put (RbPacketMemory *self, GBytes *message, guint32 *place) G_GNUC_WARN_UNUSED_RESULT;
/* NULL if the range is outside the memory. (transfer full) */
GBytes *rb_packet_memory_view (const RbPacketMemory *self, guint32 place, gsize length);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (RbPacket, rb_packet_clear)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbPacketMemory, rb_packet_memory_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbPacketBuffer, rb_packet_buffer_free)
