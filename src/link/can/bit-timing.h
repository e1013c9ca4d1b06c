/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <glib.h>

/*
 * Bit timing of a CAN controller (ISO 11898-1, 11.3): a bit is 1 + prop_seg + phase_seg1 + phase_seg2 time quanta of
 * brp clock periods each; it is read after phase_seg1.
 */
typedef struct {
  guint32 tseg1_min, tseg1_max; /* prop_seg + phase_seg1 */
  guint32 tseg2_min, tseg2_max; /* phase_seg2 */
  guint32 sjw_max;
  guint32 brp_min, brp_max, brp_inc;
} RbBitLimits;

typedef struct {
  guint32 prop_seg, phase_seg1, phase_seg2, sjw, brp;
} RbBitTiming;

/*
 * The timing with the least error of the bit rate, then of the sample point (per mille), then the finest quanta, as
 * Linux chooses. FALSE: this controller cannot come within half a per cent of the bit rate.
 */
gboolean rb_bit_timing_find (const RbBitLimits *limits, guint32 clock, guint32 bitrate, guint32 sample_point,
                             RbBitTiming *out) G_GNUC_WARN_UNUSED_RESULT;
