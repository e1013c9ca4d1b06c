/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "can/bit-timing.h"
#include "frame/can.h"

/*
 * What candleLight adapters and their relatives speak on USB (drivers/net/can/usb/gs_usb.c of Linux, gs_usb.h of their
 * firmware). All numbers are little endian once RB_GS_USB_HOST_FORMAT was sent.
 */
typedef enum {
  RB_GS_USB_HOST_FORMAT = 0,
  RB_GS_USB_BITTIMING = 1,
  RB_GS_USB_MODE = 2,
  RB_GS_USB_BT_CONST = 4,
  RB_GS_USB_DEVICE_CONFIG = 5,
  RB_GS_USB_CANTACT_DATA_BITTIMING = 8,
  RB_GS_USB_DATA_BITTIMING = 10,
  RB_GS_USB_BT_CONST_EXT = 11,
  RB_GS_USB_GET_STATE = 14,
} RbGsUsbRequest;

/* Features, and the flags of a mode. */
#define RB_GS_USB_FD (1u << 8)
#define RB_GS_USB_PAD_BYTE (1u << 9) /* LPC546xx: an OUT packet has one more byte (NXP erratum) */
#define RB_GS_USB_HAS_BT_CONST_EXT (1u << 10)
#define RB_GS_USB_BERR_REPORTING (1u << 12)
#define RB_GS_USB_HAS_STATE (1u << 13)
#define RB_GS_USB_FEATURES 0x3fffu /* above them firmwares differ in what a bit means */

#define RB_GS_USB_RECEIVED 0xffffffffu /* echo of a frame that is not ours */
enum {
  RB_GS_USB_HOST_FORMAT_SIZE = 4,
  RB_GS_USB_CONFIG_SIZE = 12,
  RB_GS_USB_TIMING_SIZE = 20,
  RB_GS_USB_MODE_SIZE = 8,
  RB_GS_USB_STATE_SIZE = 12
};
enum {
  RB_GS_USB_LIMITS_SIZE = 40,
  RB_GS_USB_LIMITS_EXT_SIZE = 72,
  RB_GS_USB_PACKET = 96
}; /* 96: the largest packet, and some */

typedef struct {
  guint channels;
  guint32 firmware;
} RbGsUsbConfig;

typedef struct {
  guint32 features, clock;
  RbBitLimits nominal, data; /* data: of the short form the same */
} RbGsUsbLimits;

typedef struct {
  guint32 kind; /* 0 active, warning, passive, bus-off, stopped, sleeping */
  guint32 rx_errors, tx_errors;
} RbGsUsbState;

typedef struct {
  guint32 echo;
  guint8 channel;
  gboolean overflow; /* frames were lost before this one */
  RbCanFrame frame;
} RbGsUsbFrame;

gboolean rb_gs_usb_protocol_read_config (gconstpointer data, gsize length, RbGsUsbConfig *out)
  G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_gs_usb_protocol_read_limits (gconstpointer data, gsize length, RbGsUsbLimits *out)
  G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_gs_usb_protocol_read_state (gconstpointer data, gsize length, RbGsUsbState *out) G_GNUC_WARN_UNUSED_RESULT;
void rb_gs_usb_protocol_write_host_format (guint8 out[RB_GS_USB_HOST_FORMAT_SIZE]);
void rb_gs_usb_protocol_write_timing (const RbBitTiming *timing, guint8 out[RB_GS_USB_TIMING_SIZE]);
/* start FALSE: reset, the channel is off the bus and forgets its frames. */
void rb_gs_usb_protocol_write_mode (gboolean start, guint32 flags, guint8 out[RB_GS_USB_MODE_SIZE]);

/* Packets to an adapter opened for FD are all of the same length (mode has RB_GS_USB_FD). Returns that length. */
gsize rb_gs_usb_protocol_write_frame (const RbCanFrame *frame, guint32 echo, guint8 channel, guint32 mode,
                                      guint32 features, guint8 out[RB_GS_USB_PACKET]);
gboolean rb_gs_usb_protocol_read_frame (gconstpointer data, gsize length, RbGsUsbFrame *out) G_GNUC_WARN_UNUSED_RESULT;

/* Is it an adapter of this protocol? */
gboolean rb_gs_usb_protocol_is_known (guint16 vendor, guint16 product);
/* CANtact Pro up to firmware 2 needs the padding byte and does not say so, and has another number for data bit timing.
 */
gboolean rb_gs_usb_protocol_is_old_cantact (const char *manufacturer, const char *product, guint32 firmware);
