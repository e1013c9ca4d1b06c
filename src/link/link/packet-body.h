/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "link/address.h"
#include "link/packet.h"

/*
 * Inside link/ and its tests only: what a packet's body says. A read takes nothing on trust: numbers are in their
 * range, texts are short, valid UTF-8 and without control characters, and errors have a reason that a link can have.
 */
typedef struct {
  char *uri, *identity, *anchors;
  gboolean secured; /* with the last two */
  guint16 tester;
  guint8 activation_type;
} RbPacketBodyOpen;
GBytes *rb_packet_body_open (const char *uri, const RbLinkOptions *options);
gboolean rb_packet_body_read_open (GBytes *body, RbPacketBodyOpen *out) G_GNUC_WARN_UNUSED_RESULT;
/* Wipes the key. */
void rb_packet_body_open_clear (RbPacketBodyOpen *self);
GBytes *rb_packet_body_address (const RbAddress *address);
gboolean rb_packet_body_read_address (GBytes *body, RbAddress *address) G_GNUC_WARN_UNUSED_RESULT;
/* CAN ids; at most RB_CHANNEL_MAX_TESTERS. (element-type guint32) */
GBytes *rb_packet_body_ids (const guint32 *ids, guint n);
GArray *rb_packet_body_read_ids (GBytes *body);
GBytes *rb_packet_body_info (const RbLinkInfo *info);
/* Strings in info are the caller's. */
gboolean rb_packet_body_read_info (GBytes *body, RbLinkInfo *info) G_GNUC_WARN_UNUSED_RESULT;
/* (element-type RbLinkEntry) */
GBytes *rb_packet_body_entries (GPtrArray *entries);
GPtrArray *rb_packet_body_read_entries (GBytes *body);
/* Where in a channel's memory a message is, and after which answer it goes out; none after NULL, which reads as an
 * empty one. */
typedef struct {
  guint32 place, length;
  GBytes *after;
} RbPacketBodyQueued;
GBytes *rb_packet_body_queued (guint32 place, gsize length, GBytes *after);
gboolean rb_packet_body_read_queued (GBytes *body, RbPacketBodyQueued *out) G_GNUC_WARN_UNUSED_RESULT;
void rb_packet_body_queued_clear (RbPacketBodyQueued *self);
/* A FAILED packet's number and body. */
gint64 rb_packet_body_error (const GError *error, GBytes **body);
void rb_packet_body_read_error (const RbPacket *packet, GError **error);
/* Fit to be shown. (transfer full) */
char *rb_packet_body_text (GBytes *body);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (RbPacketBodyOpen, rb_packet_body_open_clear)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (RbPacketBodyQueued, rb_packet_body_queued_clear)
