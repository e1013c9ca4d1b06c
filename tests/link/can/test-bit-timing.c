/* SPDX-License-Identifier: Apache-2.0 */
#include "can/bit-timing.h"
#include "link/can-preset.h"

/* Controllers as Linux and their firmwares describe them. */
static const struct {
  const char *name;
  guint32 clock;
  RbBitLimits nominal, data;
  gboolean fd;
} controllers[] = {
  { "bxCAN of a CANable", 48000000, { 1, 16, 1, 8, 4, 1, 1024, 1 }, { 0 }, FALSE },
  { "STM32G4 FDCAN", 80000000, { 1, 256, 1, 128, 128, 1, 512, 1 }, { 1, 32, 1, 16, 16, 1, 32, 1 }, TRUE },
  { "MCAN at 40 MHz", 40000000, { 2, 256, 2, 128, 128, 1, 512, 1 }, { 1, 32, 1, 16, 16, 1, 32, 1 }, TRUE },
  { "SJA1000", 8000000, { 1, 16, 1, 8, 4, 1, 64, 1 }, { 0 }, FALSE },
};

static guint64
quanta_of (const RbBitTiming *timing)
{
  return 1 + (guint64) timing->prop_seg + timing->phase_seg1 + timing->phase_seg2;
}

static guint32
bitrate_of (const RbBitTiming *timing, guint32 clock)
{
  return timing->brp == 0 ? 0 : (guint32) (clock / (timing->brp * quanta_of (timing)));
}

/* In thousandths of a bit. */
static guint32
sample_point_of (const RbBitTiming *timing)
{
  return (guint32) (1000 * (quanta_of (timing) - timing->phase_seg2) / quanta_of (timing));
}

static void
check_limits (const RbBitTiming *timing, const RbBitLimits *limits)
{
  guint32 tseg1 = timing->prop_seg + timing->phase_seg1;
  g_assert_cmpuint (tseg1, >=, limits->tseg1_min);
  g_assert_cmpuint (tseg1, <=, limits->tseg1_max);
  g_assert_cmpuint (timing->phase_seg2, >=, limits->tseg2_min);
  g_assert_cmpuint (timing->phase_seg2, <=, limits->tseg2_max);
  g_assert_cmpuint (timing->brp, >=, limits->brp_min);
  g_assert_cmpuint (timing->brp, <=, limits->brp_max);
  g_assert_cmpuint ((timing->brp - limits->brp_min) % limits->brp_inc, ==, 0);
  g_assert_cmpuint (timing->sjw, >=, 1);
  g_assert_cmpuint (timing->sjw, <=, MIN (limits->sjw_max, timing->phase_seg2));
}

static void
check_rate (const RbBitLimits *limits, guint32 clock, guint32 bitrate, guint32 point)
{
  RbBitTiming timing;
  g_assert_true (rb_bit_timing_find (limits, clock, bitrate, point, &timing));
  check_limits (&timing, limits);
  g_assert_cmpuint (bitrate_of (&timing, clock), ==, bitrate);
  gint off = (gint) sample_point_of (&timing) - (gint) point;
  g_assert_cmpint (ABS (off), <=, 63); /* 16 quanta: a quantum to and fro */
}

/* Every rate that a person can choose is exact on every controller. */
static void
test_presets (void)
{
  g_auto (GStrv) names = g_strsplit (rb_can_preset_names (), ", ", -1);
  g_assert_cmpuint (g_strv_length (names), ==, 5);
  for (guint i = 0; i < G_N_ELEMENTS (controllers); i++) {
    for (guint j = 0; names[j] != NULL; j++) {
      const RbCanPreset *preset = rb_can_preset_find (names[j]);
      g_assert_nonnull (preset);
      check_rate (&controllers[i].nominal, controllers[i].clock, preset->bitrate, RB_CAN_SAMPLE_POINT);
      if (controllers[i].fd && preset->data_bitrate > 0)
        check_rate (&controllers[i].data, controllers[i].clock, preset->data_bitrate, RB_CAN_DATA_SAMPLE_POINT);
    }
  }
  g_assert_null (rb_can_preset_find ("501k"));
  g_assert_null (rb_can_preset_find (""));
  g_assert_null (rb_can_preset_find (NULL));
}

/* FDCAN at 80 MHz, 500 kbit/s and 87.5 %: what `ip link set can0 type can bitrate 500000` shows of gs_usb, 160 quanta.
 */
static void
test_as_linux (void)
{
  RbBitTiming timing;
  g_assert_true (rb_bit_timing_find (&controllers[1].nominal, 80000000, 500000, 875, &timing));
  g_assert_cmpuint (timing.brp, ==, 1);
  g_assert_cmpuint (timing.prop_seg + timing.phase_seg1, ==, 139);
  g_assert_cmpuint (timing.phase_seg2, ==, 20);
  g_assert_cmpuint (sample_point_of (&timing), ==, 875);
}

/* All that fits is not looked at twice: the best there is, found by trying everything. */
static void
test_nothing_is_better (void)
{
  const RbBitLimits limits = { 1, 16, 1, 8, 4, 1, 64, 1 };
  static const guint32 rates[] = { 10000, 20000, 33333, 50000, 83333, 100000, 125000, 250000, 500000, 800000 };
  for (guint i = 0; i < G_N_ELEMENTS (rates); i++) {
    guint64 best = G_MAXUINT64;
    RbBitTiming timing;
    for (guint64 brp = 1; brp <= 64; brp++)
      for (guint64 quanta = 3; quanta <= 25; quanta++) {
        guint64 period = brp * quanta * rates[i];
        guint64 error = (period > 8000000 ? period - 8000000 : 8000000 - period) * 1000000 / period;
        best = MIN (best, error);
      }
    gboolean found = rb_bit_timing_find (&limits, 8000000, rates[i], 875, &timing);
    g_assert_cmpint (found, ==, best <= 5000);
    guint64 period = (guint64) timing.brp * (1 + timing.prop_seg + timing.phase_seg1 + timing.phase_seg2) * rates[i];
    if (found)
      g_assert_cmpuint ((period > 8000000 ? period - 8000000 : 8000000 - period) * 1000000 / period, ==, best);
  }
}

static void
test_impossible (void)
{
  RbBitTiming timing;
  g_assert_false (rb_bit_timing_find (&controllers[3].nominal, 8000000, 5000000, 800, &timing));
  g_assert_false (rb_bit_timing_find (&controllers[0].nominal, 48000000, 1, 875, &timing));
  g_assert_false (rb_bit_timing_find (&controllers[0].nominal, 48000000, 0, 875, &timing));
  g_assert_false (rb_bit_timing_find (&controllers[0].nominal, 48000000, 500000, 1000, &timing));
  g_assert_cmpuint (bitrate_of (&(RbBitTiming){ 0 }, 48000000), ==, 0);
}

/* An adapter is not to be trusted: none of these ends in a division by zero or never. */
static void
test_hostile_limits (void)
{
  static const RbBitLimits hostile[] = {
    { 0 },
    { 1, 256, 1, 128, 128, 1, 512, G_MAXUINT32 },
    { 1, 256, 1, 128, 128, G_MAXUINT32, G_MAXUINT32, 1 },
    { 1, 256, 1, 128, 128, 1, G_MAXUINT32, 1 },
    { 1, 256, 1, 128, 128, 0, 512, 1 },
    { 1, 256, 1, 128, 128, 1, 512, 0 },
    { 1, 256, 0, 128, 128, 1, 512, 1 },
    { 256, 1, 1, 128, 128, 1, 512, 1 },
    { 1, 256, 128, 1, 128, 1, 512, 1 },
    { 0, G_MAXUINT32, 1, G_MAXUINT32, G_MAXUINT32, 1, 512, 1 },
  };
  for (guint i = 0; i < G_N_ELEMENTS (hostile); i++) {
    RbBitTiming timing = { 0 };
    gboolean found = rb_bit_timing_find (&hostile[i], G_MAXUINT32, 500000, 875, &timing);
    if (found)
      check_limits (&timing, &hostile[i]);
    else
      g_assert_cmpuint (timing.brp, <=, 65536);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/bit-timing/presets", test_presets);
  g_test_add_func ("/bit-timing/as-linux", test_as_linux);
  g_test_add_func ("/bit-timing/nothing-is-better", test_nothing_is_better);
  g_test_add_func ("/bit-timing/impossible", test_impossible);
  g_test_add_func ("/bit-timing/hostile-limits", test_hostile_limits);
  return g_test_run ();
}
