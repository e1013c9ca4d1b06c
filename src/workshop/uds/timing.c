/* SPDX-License-Identifier: Apache-2.0 */
#include "uds/timing.h"

static gint64
bounded (gint64 value, gint64 otherwise, gint64 most)
{
  return MIN (value > 0 ? value : otherwise, most);
}

RbUdsClientTiming
rb_timing_bounded (const RbUdsClientTiming *timing)
{
  static const RbUdsClientTiming nothing = { 0 };
  const RbUdsClientTiming *given = timing == NULL ? &nothing : timing;
  RbUdsClientTiming self = *given;
  self.p2_ms = bounded (given->p2_ms, 150, RB_TIMING_MAX_P2_MS);
  self.p2_star_ms = bounded (given->p2_star_ms, 5000, RB_TIMING_MAX_P2_STAR_MS);
  self.p2_max_ms = MAX (bounded (given->p2_max_ms, 5000, RB_TIMING_MAX_P2_MS), self.p2_ms);
  self.p2_star_max_ms = MAX (bounded (given->p2_star_max_ms, 10000, RB_TIMING_MAX_P2_STAR_MS), self.p2_star_ms);
  self.allowance_ms = bounded (given->allowance_ms, 500, RB_TIMING_MAX_P2_MS);
  self.max_pending = given->max_pending > 0 ? given->max_pending : 200;
  self.pending_limit_ms = bounded (given->pending_limit_ms, 120000, RB_TIMING_MAX_PENDING_MS);
  self.busy_ms = bounded (given->busy_ms, 10000, RB_TIMING_MAX_BUSY_MS);
  self.delay_ms = bounded (given->delay_ms, 15000, RB_TIMING_MAX_DELAY_MS);
  self.repeats = given->repeats > 0 ? given->repeats : 3;
  return self;
}

void
rb_timing_announce (RbUdsClientTiming *self, gint64 p2_ms, gint64 p2_star_ms)
{
  if (p2_ms <= 0 || p2_star_ms <= 0)
    return;
  self->p2_ms = MIN (p2_ms, self->p2_max_ms);
  self->p2_star_ms = MIN (p2_star_ms, self->p2_star_max_ms);
}
