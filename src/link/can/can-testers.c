/* SPDX-License-Identifier: Apache-2.0 */
#include "can/can-testers.h"

enum {
  FUNCTIONAL = 0x7df,
  PHYSICAL_FIXED = 0x18da,
  FUNCTIONAL_FIXED = 0x18db,
  FIRST_TESTER = 0xf0,
  LAST_TESTER = 0xfd
};

void
rb_can_testers_watch (RbCanTesters *self, const guint32 *ids, guint n)
{
  g_clear_pointer (&self->ids, g_free);
  self->ids = g_memdup2 (ids, n * sizeof *ids);
  self->n = n;
  self->heard = n == 0 ? self->heard : 0;
}

static gboolean
is_legislated (guint32 id)
{
  guint32 prefix = (id & RB_CAN_ID) >> 16, source = id & 0xff;
  if ((id & RB_CAN_EXTENDED) == 0)
    return id == FUNCTIONAL;
  return (prefix == PHYSICAL_FIXED || prefix == FUNCTIONAL_FIXED) && source >= FIRST_TESTER && source <= LAST_TESTER;
}

void
rb_can_testers_note (RbCanTesters *self, const RbCanFrame *frame)
{
  gboolean counts = self->n > 0 && is_legislated (frame->id);
  for (guint i = 0; i < self->n && !counts; i++)
    counts = self->ids[i] == frame->id;
  if (counts && self->heard == 0)
    self->heard = frame->id;
}

void
rb_can_testers_clear (RbCanTesters *self)
{
  g_clear_pointer (&self->ids, g_free);
  self->n = 0;
}
