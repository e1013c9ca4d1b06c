/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <glib.h>
#include <linux/can.h>
#include <sys/types.h>

/*
 * A gs_usb adapter as its USB plug shows it, made of software and written from the firmware's and the kernel's headers,
 * not from src/link/link: usb-plug.c gives it to libusb, tests/kernel/vhci-adapter.c to a kernel. One thread at a time.
 *
 * What it does wrong is switched on by its public members.
 */
#define CANDLELIGHT_VENDOR 0x1d50
#define CANDLELIGHT_PRODUCT 0x606f
enum { CANDLELIGHT_IN = 0x81, CANDLELIGHT_OUT = 0x02, CANDLELIGHT_CHANNELS = 4, CANDLELIGHT_QUEUE = 1024 };
enum { CANDLELIGHT_ACTIVE, CANDLELIGHT_WARNING, CANDLELIGHT_PASSIVE, CANDLELIGHT_BUS_OFF, CANDLELIGHT_STOPPED };

typedef struct {
  guint32 tseg1_min, tseg1_max, tseg2_min, tseg2_max, sjw_max, brp_min, brp_max, brp_inc;
} CandlelightLimits;

typedef struct {
  guint32 prop_seg, phase_seg1, phase_seg2, sjw, brp;
} CandlelightTiming;

typedef struct {
  gboolean started;
  guint32 flags; /* of the mode */
  CandlelightTiming timing, data_timing;
  guint32 state[3]; /* which, receive errors, transmit errors */
} CandlelightChannel;

typedef struct _Candlelight Candlelight;
struct _Candlelight {
  guint channels;
  guint32 features, clock;
  CandlelightLimits nominal, data;
  char serial[32];
  guint8 channel_count; /* what it claims to have, less one */
  gsize cut; /* answers to the host's questions are so many bytes short */
  guint bad_packets; /* so many packets to the host are cut off after ten bytes */
  gboolean mute; /* frames are taken, and neither sent nor echoed */
  CandlelightChannel channel[CANDLELIGHT_CHANNELS];
  guint starts, stops; /* of channels */

  /* A frame it puts on the bus, may call candlelight_receive; FALSE: nobody acknowledges it, nothing came in. */
  gboolean (*on_send) (gpointer user, guint channel, const struct canfd_frame *frame, gboolean fd);
  gpointer user;

  struct {
    guint8 size, bytes[80];
  } queue[CANDLELIGHT_QUEUE];
  guint head, tail; /* modulo its size */
  guint8 configuration;
};

/* Free with g_free(). */
Candlelight *candlelight_new (guint channels, gboolean fd, const char *serial);
/* Endpoint 0: data is what the host sends or the room for the answer. The length, or -EPIPE. */
gssize candlelight_control (Candlelight *self, const guint8 setup[8], guint8 *data, gsize size);
gssize candlelight_bulk_out (Candlelight *self, const guint8 *data, gsize size);
/* -EAGAIN: nothing yet. */
gssize candlelight_bulk_in (Candlelight *self, guint8 *data, gsize size);
/* A frame from the bus; dropped while the channel is not started. */
void candlelight_receive (Candlelight *self, guint channel, const struct canfd_frame *frame, gboolean fd);
/* Tells the host by an error frame; class and data[2], data[3] say more (0: nothing). */
void candlelight_set_state (Candlelight *self, guint channel, guint32 state, guint tx_errors, guint rx_errors);
void candlelight_error (Candlelight *self, guint channel, guint32 class, guint8 kind, guint8 place);
guint candlelight_bitrate (const Candlelight *self, guint channel, gboolean data);
/* Of the device, then of its configuration; static. */
extern const guint8 candlelight_device_descriptor[18];
extern const guint8 candlelight_config_descriptor[32];
