/* SPDX-License-Identifier: Apache-2.0 */
#include "can/can-health.h"

#include <linux/can/error.h>

static const struct {
  const char *trouble;
  RbReason reason;
  const char *text;
} troubles[] = {
  { "bus-off", RB_REASON_BUS_OFF,
    "the adapter went off the bus after too many errors: short circuit, wrong bit rate or a damaged cable; recallctl links restart brings a kernel's interface back" },
  { "no-ack", RB_REASON_NO_ACK, "no node on the bus acknowledges: cable not plugged in, ignition off or another bus" },
  { "wrong-bitrate", RB_REASON_WRONG_BITRATE,
    "what is on the bus cannot be read: the bit rate is another one (recallctl links set INTERFACE, or usb:?RATE)" },
  { "dropping-qdisc", RB_REASON_LINK_PROTOCOL,
    "the interface's queue drops frames; recallctl links set gives it one that does not" },
  { "stuck", RB_REASON_LINK_LOST, "the adapter takes frames and never sends them; it needs to be opened again" },
};

static void
take_controller (RbCanHealth *self, guint8 bits)
{
  if (bits & (CAN_ERR_CRTL_RX_PASSIVE | CAN_ERR_CRTL_TX_PASSIVE))
    self->kind = RB_CAN_PASSIVE;
  else if (bits & (CAN_ERR_CRTL_RX_WARNING | CAN_ERR_CRTL_TX_WARNING))
    self->kind = RB_CAN_WARNING;
  else if (bits & CAN_ERR_CRTL_ACTIVE)
    self->kind = RB_CAN_ACTIVE;
}

/* A controller without error reports still counts: ACK errors stop counting at 128 and raise no receive errors (ISO
 * 11898-1, 12.1.4.2 exception 1). */
static void
take_counters (RbCanHealth *self, guint8 tx, guint8 rx)
{
  if (tx == 0 && rx == 0)
    return;
  self->tx_errors = tx;
  self->rx_errors = rx;
}

void
rb_can_health_error (RbCanHealth *self, const RbCanFrame *frame)
{
  gboolean protocol = (frame->id & CAN_ERR_PROT) != 0;
  gboolean unheard = (frame->id & CAN_ERR_ACK) != 0 || (protocol && frame->data[3] == CAN_ERR_PROT_LOC_ACK);
  take_counters (self, frame->data[6], frame->data[7]);
  if (unheard)
    self->unheard++;
  else if (protocol && (frame->data[2] & (CAN_ERR_PROT_BIT | CAN_ERR_PROT_FORM | CAN_ERR_PROT_STUFF)) != 0)
    self->garbled++;
  if ((frame->id & CAN_ERR_CRTL) != 0)
    take_controller (self, frame->data[1]);
  if ((frame->id & CAN_ERR_RESTARTED) != 0)
    self->kind = RB_CAN_ACTIVE;
  if ((frame->id & CAN_ERR_BUSOFF) != 0)
    self->kind = RB_CAN_BUS_OFF;
}

void
rb_can_health_good (RbCanHealth *self)
{
  self->unheard = self->garbled = 0;
  if (self->kind == RB_CAN_BUS_OFF)
    self->kind = RB_CAN_ACTIVE;
}

void
rb_can_health_merge (RbCanHealth *self, const RbCanState *state)
{
  self->kind = state->kind;
  if (state->tx_errors > 0 || state->rx_errors > 0) {
    self->tx_errors = state->tx_errors;
    self->rx_errors = state->rx_errors;
  }
}

const char *
rb_can_health_trouble (const RbCanHealth *self)
{
  if (self->kind == RB_CAN_BUS_OFF)
    return "bus-off";
  if (self->garbled > 0)
    return "wrong-bitrate";
  if (self->unheard > 0)
    return "no-ack";
  if (self->kind == RB_CAN_PASSIVE)
    return self->rx_errors > 0 ? "wrong-bitrate" : "no-ack";
  return NULL;
}

const char *
rb_can_health_text (const char *trouble)
{
  for (guint i = 0; i < G_N_ELEMENTS (troubles); i++)
    if (g_strcmp0 (troubles[i].trouble, trouble) == 0)
      return troubles[i].text;
  return trouble;
}

RbReason
rb_can_health_reason (const char *trouble)
{
  for (guint i = 0; i < G_N_ELEMENTS (troubles); i++)
    if (g_strcmp0 (troubles[i].trouble, trouble) == 0)
      return troubles[i].reason;
  return RB_REASON_TIMEOUT;
}
