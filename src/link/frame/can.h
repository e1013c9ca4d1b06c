/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <glib.h>

/*
 * CAN frames, classic and FD, as values; their packet form (struct can_frame of 16 bytes and struct canfd_frame of 72
 * bytes, linux/can.h, host byte order: what raw sockets and the virtual bus carry); their length in bits on the wire
 * (ISO 11898-1), stuff bits counted exactly. Used by tester and simulated vehicle.
 */
#define RB_CAN_EXTENDED 0x80000000u /* 29 bit identifier */
#define RB_CAN_REMOTE 0x40000000u
#define RB_CAN_ERROR 0x20000000u /* an error frame of the controller, linux/can/error.h */
#define RB_CAN_ID 0x1fffffffu
#define RB_CAN_PACKET 16
#define RB_CAN_FD_PACKET 72

typedef struct {
  guint32 id; /* with the flags above */
  guint8 length; /* data bytes: 0…8, FD 0…8,12,16,20,24,32,48,64 */
  gboolean fd;
  gboolean brs; /* FD: data phase at the faster bit rate */
  gboolean own; /* the reader's own frame, on the wire now */
  guint8 data[64];
} RbCanFrame;

/*
 * On the virtual bus the hub gives each frame back to its sender, too, at the moment it is on the wire: byte 6 of the
 * packet (reserved in linux/can.h) is then 1, else 0. It stands for MSG_CONFIRM of a raw socket.
 */
#define RB_CAN_OWN_BYTE 6

/* FALSE: neither 16 nor 72 bytes, or a length that the frame type does not have. */
gboolean rb_can_parse (gconstpointer packet, gsize length, RbCanFrame *out) G_GNUC_WARN_UNUSED_RESULT;
/* Writes 16 or 72 bytes to packet and returns how many. */
gsize rb_can_write (const RbCanFrame *frame, guint8 packet[RB_CAN_FD_PACKET]);
/* Smallest length a frame can have for that many data bytes (FD: 9 → 12). */
guint8 rb_can_fit (guint8 length, gboolean fd);
/* DLC code of a length and back. */
guint8 rb_can_dlc (guint8 length);
guint8 rb_can_length (guint8 dlc, gboolean fd);
/* Bits on the wire in the arbitration and in the data phase, CRC, stuff bits, ACK, EOF and the three bits between
 * frames included. */
void rb_can_bits (const RbCanFrame *frame, guint *nominal, guint *data);
/* Nanoseconds on a bus of these bit rates. */
gint64 rb_can_time (const RbCanFrame *frame, guint32 bitrate, guint32 data_bitrate);
