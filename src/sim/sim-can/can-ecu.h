/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "frame/isotp.h"
#include "sim-can/can-bus.h"
#include "sim-ecu/ecu.h"

/*
 * A UDS server on a CAN bus: assembles messages from frames (ISO 15765-2), physical and functional, and puts
 * answers back. Without clocks; times are nanoseconds, as on the wire.
 */
typedef struct {
  gpointer data;
  /* (element-type RbAnswer) (transfer full), NULL without a response. now is milliseconds. */
  GPtrArray *(*request) (gpointer data, GBytes *request, gboolean functional, gint64 now);
  /* A request of several frames begins to arrive, or no more does; after request() when it was whole. May be NULL. */
  void (*hears) (gpointer data, gboolean hears, gint64 now);
} RbCanServer;

typedef struct {
  RbIsotpConfig isotp; /* its tx_id answers, its rx_id is asked */
  guint32 functional; /* 0: none */
  int functional_extension; /* first byte of functional requests with mixed addressing, else -1 */
} RbCanEcuConfig;

typedef struct _RbCanEcu RbCanEcu;

RbCanEcu *rb_can_ecu_new (RbCanBus *wire, const RbCanEcuConfig *config, const RbCanServer *server);
void rb_can_ecu_free (RbCanEcu *self);
gint64 rb_can_ecu_due (const RbCanEcu *self);
void rb_can_ecu_step (RbCanEcu *self, gint64 now);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbCanEcu, rb_can_ecu_free)
