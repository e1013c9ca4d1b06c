/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "can/can-backend.h"
#include "link/can-preset.h"

/*
 * What the kernel knows of a CAN interface, by rtnetlink on a socket of the caller's: reading takes no right; it works
 * in the link process, too, where no socket can be made any more (libsocketcan makes one a call, and complains of vcan
 * on standard error). What libsocketcan 0.0.12 has not: the bit rates of CAN FD and the queue. One thread a socket.
 */
typedef struct {
  guint index;
  gboolean is_can, is_up;
  gboolean is_virtual; /* vcan, vxcan: there is no controller and all below is unknown */
  RbCanStateKind kind;
  guint32 bitrate, data_bitrate;
  guint32 sample_point; /* per mille */
  gboolean has_counters; /* gs_usb of Linux 6.1 has none here; they are in its error frames */
  guint tx_errors, rx_errors;
  gboolean can_fd; /* its controller knows CAN FD */
  guint32 modes; /* CAN_CTRLMODE_… that are set, CAN FD among them */
  guint32 restart_ms; /* after bus-off the kernel restarts by itself; 0: it does not */
  char queue[16]; /* "pfifo_fast" */
  guint32 queue_length; /* frames it holds; 10 unless it was changed */
} RbCanLinkState;

/* Errors: io. -1 with error. */
int rb_can_netlink_open (GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Errors: link-none (no such interface, or none for CAN), io. */
gboolean rb_can_netlink_read (int fd, const char *name, RbCanLinkState *out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
#define RB_CAN_QUEUE_LENGTH 128
/* Does the interface's queue pass on what it is given? fq_codel and others drop CAN frames silently (systemd issue
 * 9194). */
gboolean rb_can_netlink_queue_is_good (const char *queue);

/* These take CAP_NET_ADMIN. Errors: not-permitted, unsupported, in-use, io. */
gboolean rb_can_netlink_may_set (int fd, guint index, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_can_netlink_restart (int fd, guint index, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The interface must be down. preset has a data bit rate. */
gboolean rb_can_netlink_set_fd (int fd, guint index, const RbCanPreset *preset, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* One that drops nothing, of RB_CAN_QUEUE_LENGTH. */
gboolean rb_can_netlink_set_queue (int fd, guint index, GError **error) G_GNUC_WARN_UNUSED_RESULT;
