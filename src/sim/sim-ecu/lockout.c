/* SPDX-License-Identifier: Apache-2.0 */
#include "sim-ecu/lockout.h"

#include "sim-ecu/host.h"

enum { NRC_ATTEMPTS = 0x36, NRC_DELAY = 0x37 };
enum { MAX_ATTEMPTS = 3, LOCKOUT_MS = 10000 };

void
rb_lockout_begin (RbEcu *self, gint64 now)
{
  self->powered_at = now;
  self->locked_until = self->memory->locked_out ? now + LOCKOUT_MS : 0;
}

guint8
rb_lockout_check (RbEcu *self)
{
  const RbFault *delay = rb_host_fault (self->vehicle, "security-delay", self, 0);
  gint64 until = MAX (self->locked_until, delay == NULL ? 0 : self->powered_at + delay->argument);
  return self->last_request < until ? NRC_DELAY : 0;
}

guint8
rb_lockout_count (RbEcu *self, guint8 nrc)
{
  RbMemory *memory = self->memory;
  g_autoptr (GError) error = NULL;
  gboolean exceeded = ++memory->failures >= MAX_ATTEMPTS;
  if (exceeded) {
    memory->failures = 0;
    memory->locked_out = TRUE;
    self->locked_until = self->last_request + LOCKOUT_MS;
  }
  if (!rb_memory_save (memory, &error))
    return RB_NRC_PROGRAMMING;
  return exceeded ? NRC_ATTEMPTS : nrc;
}

gboolean
rb_lockout_clear (RbEcu *self)
{
  g_autoptr (GError) error = NULL;
  if (self->memory->failures == 0 && !self->memory->locked_out)
    return TRUE;
  self->memory->failures = 0;
  self->memory->locked_out = FALSE;
  return rb_memory_save (self->memory, &error);
}
