/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <gio/gio.h>
#include "core/reason.h"

RB_DECLARE_ERROR_DOMAIN (link);
#define RB_LINK_ERROR (rb_link_error_quark ())

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
typedef struct _RbLink RbLink; /* ref counted */
typedef struct _RbChannel RbChannel; /* ref counted, keeps its link */

/* Where an ECU is. Which fields count depends on the link: DoIP needs logical; CAN needs request/response. */
typedef struct {
  guint16 logical; /* DoIP logical address */
  guint32 request; /* CAN id, bit 31 set for 29 bit */
  guint32 response; /* 0: a functional address; single frames go out and nothing comes in */
  int extension; /* extended/mixed address byte, -1 none */
  int response_extension; /* -1 none */
  gboolean fd; /* CAN FD frames of up to 64 bytes */
  guint8 padding; /* filler byte, 0xCC by default */
} RbAddress;

typedef struct {
  char *uri; /* what rb_link_open() takes */
  char *kind; /* "doip", "can", "canfd", "usb", "bus" */
  char *name;
  char *serial; /* adapter's serial number, EID or "" */
  char *state; /* "ready", "in-use", "no-permission", "down", "error-passive", "bus-off", "dropping-qdisc" */
  char *vin; /* of a DoIP announcement, or "" */
} RbLinkEntry;

typedef struct {
  char vin[18]; /* from the certificate of a doips:// vehicle, "" when the link does not know */
  guint16 logical; /* of the entity */
  guint32 max_message; /* largest UDS message the link carries, 0 unknown */
  char *kind, *vendor, *serial, *firmware; /* interface identity for the record */
} RbLinkInfo;

/* Opening waits for a person at the vehicle; text says what for. Called from another thread, and never after opening
 * has ended. */
typedef void (*RbLinkWait) (const char *text, gpointer user_data);

/*
 * What a link may need. For doips://, as PEM texts: the workstation's key for that link (PKCS#8, not encrypted) with
 * its certificates, own first, and the authorities under which a vehicle may have its certificate. Borrowed for the
 * call; nothing is read from files.
 */
typedef struct {
  const char *identity; /* NULL: none */
  const char *anchors;
  guint16 tester; /* logical address of the client on DoIP; 0: 0x0E80 */
  guint8 activation_type; /* of the DoIP routing activation */
  RbLinkWait wait; /* NULL: no call */
  gpointer wait_data;
} RbLinkOptions;

/* URIs: doip://HOST[:PORT] doips:// can:IFACE canfd:IFACE usb:[SERIAL] bus:PATH. */
RbLink *rb_link_open (const char *uri, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same with options (may be NULL); a link ignores what it does not need. Errors besides: link-confirmation, and of
 * doips:// identity, tls-required, tls-refused, vehicle-certificate. */
RbLink *rb_link_open_with (const char *uri, const RbLinkOptions *options, GCancellable *cancellable, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
RbLink *rb_link_ref (RbLink *self);
/* Closes when the last reference (channels hold one) goes. */
void rb_link_unref (RbLink *self);
/* As it was opened; with the serial number of the adapter where the URI named none. */
const char *rb_link_uri (RbLink *self);
const RbLinkInfo *rb_link_info (RbLink *self); /* borrowed */
/* Is the link still up, by what it last saw and a heartbeat where the link has one? */
gboolean rb_link_is_alive (RbLink *self);
#define RB_CHANNEL_MAX_TESTERS 512 /* ids that can be watched */
/*
 * On CAN: from now on a frame counts that has one of these request ids (bit 31: 29 bit), 7DF or an id of ISO 15765-4
 * from an external tester, and that is not ours. n 0 ends it. Another kind of link has nothing to watch. Errors:
 * link-lost.
 */
gboolean rb_link_watch_testers (RbLink *self, const guint32 *ids, guint n, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* *id: of the first such frame, 0 when there was none. Errors: link-lost. */
gboolean rb_link_heard_tester (RbLink *self, guint32 *id, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* What is plugged in or answers now; (element-type RbLinkEntry) (transfer full). */
GPtrArray *rb_link_discover (gint64 timeout_ms, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

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
 * What is to follow an answer at once, as the next block of a download: where the link is in another process, it goes
 * out while this one still hears of the answer, so that the wire does not wait for two processes to take turns.
 */
typedef struct {
  GBytes *after; /* the very answer, borrowed */
  GBytes *message; /* borrowed for the call */
  gboolean sent;
} RbChannelNext;
/*
 * As rb_channel_receive(). next->sent: the answer was next->after and the message is on its way; what the sending fails
 * with, the next receive fails with. Else it is the caller's to send, and that is always so where the link gains
 * nothing. next may be NULL.
 */
GBytes *rb_channel_receive_then (RbChannel *self, gint64 first_ms, RbChannelNext *next, GCancellable *cancellable,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Throws away what came unasked before a request. */
void rb_channel_drain (RbChannel *self);
/* Largest UDS message this channel carries, for block sizes. */
gsize rb_channel_max_message (RbChannel *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbLink, rb_link_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbChannel, rb_channel_unref)
