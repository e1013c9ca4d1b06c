/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "frame/can.h"
#include "link/backend.h"

/*
 * Inside link/ and its tests only: what carries CAN frames (SocketCAN, gs_usb, the virtual bus). can-link.c puts the
 * ISO-TP engine above it and makes an RbLinkBackend of it. Slots are called by the I/O thread of can-io.c and by
 * threads that send, one call at a time under its lock; none but open, close and list waits for the bus or the adapter.
 * State and recover ask the kernel, which answers when no other process is changing its interfaces.
 */
typedef enum {
  RB_CAN_ACTIVE,
  RB_CAN_WARNING,
  RB_CAN_PASSIVE,
  RB_CAN_BUS_OFF,
  RB_CAN_STOPPED,
  RB_CAN_VIRTUAL
} RbCanStateKind;
typedef struct {
  RbCanStateKind kind;
  guint tx_errors, rx_errors; /* error counters, 0 when unknown */
  guint32 bitrate, data_bitrate; /* 0 unknown */
  const char *reason; /* NULL or what is wrong, static: "no-ack", "wrong-bitrate", "dropping-qdisc", "stuck" */
} RbCanState;

typedef enum { RB_CAN_DONE, RB_CAN_AGAIN, RB_CAN_FAILED } RbCanResult;
typedef enum { RB_CAN_FRAME, RB_CAN_CONFIRM, RB_CAN_EMPTY, RB_CAN_GONE } RbCanInput;

typedef struct {
  const char *scheme; /* "can", "canfd", "usb", "bus" */
  /* Opens the interface that rest of the URI names. Fills info. Errors: link-none, link-refused, usage. */
  gpointer (*open) (const char *rest, RbLinkInfo *info, GCancellable *cancellable, GError **error);
  void (*close) (gpointer state);
  /* Appends RbLinkEntry for what is plugged in; nothing found is no error. May be NULL. */
  gboolean (*list) (GPtrArray *entries, GError **error);
  /* Can it carry FD frames as opened? */
  gboolean (*has_fd) (gpointer state);
  /* Readable (EPOLLIN) when receive has something to say. */
  int (*fd) (gpointer state);
  /* AGAIN: no room now, the caller tries again after the next input or 1 ms. FAILED: the link is gone, with error
   * link-lost. */
  RbCanResult (*send) (gpointer state, const RbCanFrame *frame, GError **error);
  /* Until EMPTY. CONFIRM: frame is ours and on the wire; frames of ours
   * are confirmed in the order they were sent, one that is left out was dropped. GONE: with error link-lost. Error
   * frames come as RB_CAN_ERROR. */
  RbCanInput (*receive) (gpointer state, RbCanFrame *frame, GError **error);
  /* Only these ids (both directions: confirmations pass a raw socket's filter too) and error frames are wanted; n 0:
   * all. May be NULL. */
  void (*filter) (gpointer state, const guint32 *ids, guint n);
  /* FALSE: nothing is known. */
  gboolean (*state) (gpointer state, RbCanState *out);
  /* Tries to recover from what state named (bus-off: restart; stuck adapter: reopen). May be NULL. */
  gboolean (*recover) (gpointer state, GError **error);
} RbCanBackend;

extern const RbCanBackend rb_socketcan_backend, rb_socketcan_fd_backend, rb_gs_usb_backend, rb_virtual_bus_backend;
