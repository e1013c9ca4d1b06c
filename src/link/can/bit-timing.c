/* SPDX-License-Identifier: Apache-2.0 */
#include "can/bit-timing.h"

enum { MAX_ERROR_PPM = 5000, BRP_LIMIT = 65536 };

typedef struct {
  guint64 rate_error; /* ppm */
  guint64 point_error; /* per mille */
} Quality;

static guint64
distance (guint64 a, guint64 b)
{
  return a > b ? a - b : b - a;
}

static guint64
quanta_of (const RbBitTiming *timing)
{
  return 1 + (guint64) timing->prop_seg + timing->phase_seg1 + timing->phase_seg2;
}

static gboolean
is_sane (const RbBitLimits *limits)
{
  return limits->tseg1_min <= limits->tseg1_max && limits->tseg2_min <= limits->tseg2_max && limits->tseg2_min > 0
         && limits->tseg2_max <= BRP_LIMIT && limits->tseg1_max <= BRP_LIMIT && limits->brp_min > 0
         && limits->brp_max <= BRP_LIMIT && limits->brp_inc > 0;
}

/* Splits a bit of so many quanta; FALSE when the controller's segments do not add up to it. */
static gboolean
split (const RbBitLimits *limits, guint64 quanta, guint32 sample_point, RbBitTiming *out)
{
  guint64 least = 1 + (guint64) limits->tseg1_min + limits->tseg2_min,
          most = 1 + (guint64) limits->tseg1_max + limits->tseg2_max;
  if (quanta < least || quanta > most)
    return FALSE;
  guint64 late
    = quanta - (quanta * sample_point + 999) / 1000; /* never later than asked for, where there is a choice */
  guint64 wanted = CLAMP (late, limits->tseg2_min, limits->tseg2_max);
  guint64 tseg1 = CLAMP (quanta - 1 - wanted, limits->tseg1_min, limits->tseg1_max);
  guint64 tseg2 = quanta - 1 - tseg1;
  out->prop_seg = (guint32) (tseg1 / 2);
  out->phase_seg1 = (guint32) (tseg1 - tseg1 / 2);
  out->phase_seg2 = (guint32) tseg2;
  out->sjw = MAX (1, MIN (MIN (out->phase_seg1, out->phase_seg2 / 2), limits->sjw_max));
  return TRUE;
}

static Quality
judge (const RbBitTiming *timing, guint32 clock, guint32 bitrate, guint32 sample_point)
{
  guint64 period = timing->brp * quanta_of (timing);
  return (Quality){ .rate_error = distance (clock, period * bitrate) * 1000000 / (period * bitrate),
                    .point_error
                    = distance (1000 * (quanta_of (timing) - timing->phase_seg2), sample_point * quanta_of (timing))
                      / quanta_of (timing) };
}

static gboolean
is_better (Quality a, Quality b)
{
  return a.rate_error != b.rate_error ? a.rate_error < b.rate_error : a.point_error < b.point_error;
}

gboolean
rb_bit_timing_find (const RbBitLimits *limits, guint32 clock, guint32 bitrate, guint32 sample_point, RbBitTiming *out)
{
  Quality best = { .rate_error = MAX_ERROR_PPM + 1 };
  if (!is_sane (limits) || bitrate == 0 || sample_point >= 1000)
    return FALSE;
  for (guint64 brp = limits->brp_min; brp <= limits->brp_max; brp += limits->brp_inc) {
    RbBitTiming timing = { .brp = (guint32) brp };
    guint64 step = brp * bitrate;
    if (!split (limits, (clock + step / 2) / step, sample_point, &timing))
      continue;
    Quality quality = judge (&timing, clock, bitrate, sample_point);
    if (is_better (quality, best)) {
      best = quality;
      *out = timing;
    }
  }
  return best.rate_error <= MAX_ERROR_PPM;
}
