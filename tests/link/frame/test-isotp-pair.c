/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "frame/isotp.h"

/*
 * Two engines on a bus of this test's own clock: every frame takes its time, is confirmed to its sender when it is out,
 * and may be lost, doubled or late. What arrives has to be what was sent, always; with nothing lost all of it.
 */
typedef struct {
  RbCanFrame frame;
  guint from;
  guint32 ticket;
  gint64 at;
} Flying;

typedef struct {
  RbIsotp *ends[2];
  GRand *rand;
  GArray *flying; /* in the order of arrival */
  gint64 now, free_at;
  guint loss_percent, double_percent, late_us;
  guint frames[2], flows[2];
  gint64 last_consecutive, least_gap;
  guint32 fast_rate;
  GBytes *got[2], *wanted[2];
  guint sent[2], failed[2], broken[2], firsts[2];
} Bus;

static GBytes *
random_message (GRand *rand, gsize length)
{
  guint8 *data = g_malloc (length);
  for (gsize i = 0; i < length; i++)
    data[i] = (guint8) g_rand_int_range (rand, 0, 256);
  return g_bytes_new_take (data, length);
}

static RbIsotpConfig
turned (const RbIsotpConfig *config)
{
  RbIsotpConfig other = *config;
  other.tx_id = config->rx_id;
  other.rx_id = config->tx_id;
  other.tx_extension = config->rx_extension;
  other.rx_extension = config->tx_extension;
  return other;
}

static Bus
bus_of (const RbIsotpConfig *a, const RbIsotpConfig *b, guint32 seed)
{
  Bus bus = { .rand = g_rand_new_with_seed (seed),
              .flying = g_array_new (FALSE, TRUE, sizeof (Flying)),
              .now = 1,
              .least_gap = G_MAXINT64,
              .fast_rate = 2000000 };
  bus.ends[0] = rb_isotp_new (a);
  bus.ends[1] = rb_isotp_new (b);
  return bus;
}

static void
bus_clear (Bus *bus)
{
  for (guint i = 0; i < 2; i++) {
    rb_isotp_free (bus->ends[i]);
    g_clear_pointer (&bus->got[i], g_bytes_unref);
    g_clear_pointer (&bus->wanted[i], g_bytes_unref);
  }
  g_array_unref (bus->flying);
  g_rand_free (bus->rand);
}

static gboolean
chance (Bus *bus, guint percent)
{
  return percent > 0 && (guint) g_rand_int_range (bus->rand, 0, 100) < percent;
}

static void
note_gap (Bus *bus, const Flying *flying, gint64 duration)
{
  guint at = flying->frame.id == 0x7e0 || flying->frame.id == 0x7e8 ? 0 : 1;
  bus->frames[flying->from]++;
  if (flying->frame.data[at] >> 4 == 3)
    bus->flows[flying->from]++;
  if (flying->from != 0 || flying->frame.data[at] >> 4 != 2)
    return;
  if (bus->last_consecutive > 0)
    bus->least_gap = MIN (bus->least_gap, flying->at - duration - bus->last_consecutive);
  bus->last_consecutive = flying->at;
}

static void
give (Bus *bus, guint from)
{
  Flying flying = { .from = from };
  while (rb_isotp_next_frame (bus->ends[from], bus->now, &flying.frame, &flying.ticket)) {
    gint64 duration = rb_can_time (&flying.frame, 500000, bus->fast_rate) / 1000;
    flying.at = MAX (bus->now, bus->free_at) + duration;
    bus->free_at = flying.at;
    note_gap (bus, &flying, duration);
    g_array_append_val (bus->flying, flying);
  }
}

static void
take_events (Bus *bus, guint end)
{
  RbIsotpEvent event = rb_isotp_event (bus->ends[end]);
  for (; event.kind != RB_ISOTP_NONE; event = rb_isotp_event (bus->ends[end])) {
    bus->sent[end] += event.kind == RB_ISOTP_SENT;
    bus->failed[end] += event.kind == RB_ISOTP_SEND_FAILED;
    bus->broken[end] += event.kind == RB_ISOTP_RECEIVE_FAILED;
    bus->firsts[end] += event.kind == RB_ISOTP_FIRST_FRAME;
    if (event.kind != RB_ISOTP_MESSAGE)
      continue;
    g_assert_true (bus->wanted[1 - end] != NULL && g_bytes_equal (event.message, bus->wanted[1 - end]));
    g_clear_pointer (&bus->got[end], g_bytes_unref);
    bus->got[end] = event.message;
  }
}

static void
arrive (Bus *bus)
{
  Flying flying = g_array_index (bus->flying, Flying, 0);
  g_array_remove_index (bus->flying, 0);
  bus->now = MAX (bus->now, flying.at);
  rb_isotp_confirm (bus->ends[flying.from], flying.ticket, bus->now);
  if (bus->late_us > 0)
    bus->now += g_rand_int_range (bus->rand, 0, (gint32) bus->late_us);
  for (guint n = chance (bus, bus->loss_percent) ? 0 : chance (bus, bus->double_percent) ? 2 : 1; n > 0; n--)
    (void) rb_isotp_receive_frame (bus->ends[1 - flying.from], &flying.frame, bus->now);
}

/* Until neither end has anything to do; FALSE when that takes longer than until. */
static gboolean
run (Bus *bus, gint64 until)
{
  while (bus->now < until) {
    for (guint i = 0; i < 2; i++) {
      give (bus, i);
      take_events (bus, i);
    }
    gint64 due = MIN (rb_isotp_deadline (bus->ends[0]), rb_isotp_deadline (bus->ends[1]));
    if (bus->flying->len > 0 && g_array_index (bus->flying, Flying, 0).at <= due) {
      arrive (bus);
      continue;
    }
    if (due == G_MAXINT64)
      return TRUE;
    bus->now = MAX (bus->now, due);
    rb_isotp_tick (bus->ends[0], bus->now);
    rb_isotp_tick (bus->ends[1], bus->now);
  }
  return FALSE;
}

static void
start (Bus *bus, guint end, gsize length)
{
  g_autoptr (GError) error = NULL;
  g_clear_pointer (&bus->wanted[end], g_bytes_unref);
  g_clear_pointer (&bus->got[1 - end], g_bytes_unref);
  bus->wanted[end] = random_message (bus->rand, length);
  g_assert_true (rb_isotp_send (bus->ends[end], bus->wanted[end], bus->now, &error));
  g_assert_no_error (error);
}

#define PLAIN .tx_id = 0x7e0, .rx_id = 0x7e8, .tx_extension = -1, .rx_extension = -1, .padding = 0xcc
static const RbIsotpConfig forms[] = {
  { PLAIN, .pad = TRUE },
  { PLAIN },
  { PLAIN, .pad = TRUE, .fd = TRUE, .brs = TRUE },
  { PLAIN, .fd = TRUE, .tx_length = 24 },
  { .tx_id = 0x98da10f1, .rx_id = 0x98daf110, .tx_extension = -1, .rx_extension = -1, .pad = TRUE },
  { .tx_id = 0x600, .rx_id = 0x601, .tx_extension = 0x12, .rx_extension = 0xf1, .pad = TRUE },
  { .tx_id = 0x700, .rx_id = 0x701, .tx_extension = 0x77, .rx_extension = 0x77 },
  { .tx_id = 0x98ce10f1, .rx_id = 0x98cef110, .tx_extension = 0x55, .rx_extension = 0x55, .pad = TRUE, .fd = TRUE },
};

static void
test_every_length (void)
{
  for (guint form = 0; form < G_N_ELEMENTS (forms); form++) {
    RbIsotpConfig other = turned (&forms[form]);
    Bus bus = bus_of (&forms[form], &other, form);
    for (gsize length = 1; length <= 300; length++) {
      start (&bus, 0, length);
      g_assert_true (run (&bus, bus.now + 5000000));
      g_assert_nonnull (bus.got[1]);
    }
    g_assert_cmpuint (bus.sent[0], ==, 300);
    g_assert_cmpuint (bus.failed[0] + bus.broken[1], ==, 0);
    bus_clear (&bus);
  }
}

static void
test_long (void)
{
  static const gsize lengths[] = { 4094, 4095, 4096, 4097, 65535, 65536, 1024 * 1024 };
  for (guint form = 0; form < G_N_ELEMENTS (forms); form++) {
    RbIsotpConfig tester = forms[form], other = turned (&forms[form]);
    tester.window = 8;
    Bus bus = bus_of (&tester, &other, form);
    for (guint i = 0; i < G_N_ELEMENTS (lengths); i++) {
      start (&bus, 0, lengths[i]);
      g_assert_true (run (&bus, bus.now + G_GINT64_CONSTANT (100000000)));
      g_assert_nonnull (bus.got[1]);
    }
    g_assert_cmpuint (bus.sent[0], ==, G_N_ELEMENTS (lengths));
    bus_clear (&bus);
  }
}

/* Every block size, several STmin, windows: the message arrives, flow controls are as many as the formula says, and no
 * two consecutive frames are nearer than STmin. */
static void
test_flow (void)
{
  static const guint8 st_mins[] = { 0x00, 0x01, 0x05, 0xf1, 0xf9, 0x80 };
  static const gint64 gaps[] = { 0, 1000, 5000, 100, 900, 127000 };
  for (guint block = 0; block < 40; block++)
    for (guint st = 0; st < G_N_ELEMENTS (st_mins); st++) {
      RbIsotpConfig tester = forms[0], ecu = turned (&forms[0]);
      tester.window = 1 + block % 9;
      ecu.block_size = (guint8) block;
      ecu.st_min = st_mins[st];
      Bus bus = bus_of (&tester, &ecu, block);
      guint consecutive = 35;
      start (&bus, 0, 6 + 7 * consecutive);
      g_assert_true (run (&bus, bus.now + 60000000));
      g_assert_cmpuint (bus.sent[0], ==, 1);
      g_assert_nonnull (bus.got[1]);
      g_assert_cmpuint (bus.frames[0], ==, 1 + consecutive);
      g_assert_cmpuint (bus.flows[1], ==, 1 + (block == 0 ? 0 : (consecutive - 1) / block));
      g_assert_cmpint (bus.least_gap, >=, gaps[st]);
      bus_clear (&bus);
    }
}

static void
test_both_ways (void)
{
  for (guint seed = 0; seed < 50; seed++) {
    RbIsotpConfig tester = forms[seed % G_N_ELEMENTS (forms)], ecu = turned (&tester);
    tester.block_size = (guint8) (seed % 5);
    ecu.block_size = (guint8) (seed % 7);
    tester.window = ecu.window = 1 + seed % 6;
    Bus bus = bus_of (&tester, &ecu, seed);
    start (&bus, 0, 1 + (gsize) g_rand_int_range (bus.rand, 0, 3000));
    start (&bus, 1, 1 + (gsize) g_rand_int_range (bus.rand, 0, 3000));
    g_assert_true (run (&bus, bus.now + 60000000));
    g_assert_true (bus.sent[0] == 1 && bus.sent[1] == 1 && bus.got[0] != NULL && bus.got[1] != NULL);
    bus_clear (&bus);
  }
}

/* Frames are lost, doubled and late: each message ends in time, SENT or FAILED, what arrives is never wrong
 * (take_events), and after the trouble the next message arrives. */
static void
test_trouble (void)
{
  guint arrived = 0, troubled = 0;
  for (guint seed = 0; seed < 400; seed++) {
    RbIsotpConfig tester = forms[seed % G_N_ELEMENTS (forms)], ecu = turned (&tester);
    ecu.block_size = (guint8) (seed % 11);
    ecu.st_min = seed % 3 == 0 ? 0xf2 : 0;
    tester.window = 1 + seed % 8;
    Bus bus = bus_of (&tester, &ecu, seed);
    bus.loss_percent = seed % 5;
    bus.double_percent = seed % 4;
    bus.late_us = seed % 2 == 0 ? 700 : 0;
    for (guint i = 0; i < 5; i++) {
      start (&bus, 0, 1 + (gsize) g_rand_int_range (bus.rand, 0, 1200));
      g_assert_true (run (&bus, bus.now + 120000000));
      g_assert_cmpuint (bus.sent[0] + bus.failed[0], ==, i + 1);
      g_assert_false (rb_isotp_sending (bus.ends[0]) || rb_isotp_receiving (bus.ends[1]));
      arrived += bus.got[1] != NULL;
      troubled += bus.got[1] == NULL;
    }
    bus.loss_percent = bus.double_percent = bus.late_us = 0;
    start (&bus, 0, 900);
    g_assert_true (run (&bus, bus.now + 120000000));
    g_assert_nonnull (bus.got[1]);
    bus_clear (&bus);
  }
  g_assert_cmpuint (arrived, >, 1000);
  g_assert_cmpuint (troubled, >, 100);
}

/* Doubled frames alone, which CAN itself makes, lose nothing but what a doubled first or single frame does. */
static void
test_doubled (void)
{
  RbIsotpConfig tester = forms[0], ecu = turned (&forms[0]);
  tester.window = 4;
  ecu.block_size = 9;
  Bus bus = bus_of (&tester, &ecu, 99);
  bus.double_percent = 30;
  for (guint i = 0; i < 50; i++) {
    start (&bus, 0, 500);
    g_assert_true (run (&bus, bus.now + 20000000));
    g_assert_nonnull (bus.got[1]);
  }
  bus_clear (&bus);
}

/* Any bytes in any order: no crash, no reading beyond (under the sanitizers), at most one message's memory. */
static void
test_noise (void)
{
  static const guint8 likely[]
    = { 0x00, 0x01, 0x02, 0x07, 0x08, 0x10, 0x1f, 0x20, 0x21, 0x22, 0x2f, 0x30, 0x31, 0x32, 0x3f, 0x40, 0xff };
  for (guint form = 0; form < G_N_ELEMENTS (forms); form++) {
    g_autoptr (GRand) rand = g_rand_new_with_seed (form + 1);
    g_autoptr (RbIsotp) engine = rb_isotp_new (&forms[form]);
    gint64 now = 0;
    for (guint i = 0; i < 40000; i++) {
      RbCanFrame frame
        = { .id = forms[form].rx_id,
            .fd = forms[form].fd,
            .length = rb_can_fit ((guint8) g_rand_int_range (rand, 0, forms[form].fd ? 65 : 9), forms[form].fd) };
      for (guint j = 0; j < frame.length; j++)
        frame.data[j] = j < 6 && g_rand_boolean (rand) ? likely[g_rand_int_range (rand, 0, G_N_ELEMENTS (likely))]
                                                       : (guint8) g_rand_int (rand);
      if (forms[form].rx_extension >= 0 && g_rand_int_range (rand, 0, 8) > 0)
        frame.data[0] = (guint8) forms[form].rx_extension;
      (void) rb_isotp_receive_frame (engine, &frame, now);
      g_autoptr (GBytes) message = random_message (rand, 1 + (gsize) g_rand_int_range (rand, 0, 100));
      if (!rb_isotp_sending (engine))
        g_assert_true (rb_isotp_send (engine, message, now, NULL));
      guint32 ticket = 0;
      guint given = 0;
      while (rb_isotp_next_frame (engine, now, &frame, &ticket)) {
        g_assert_cmpuint (frame.length, ==, rb_can_fit (frame.length, frame.fd));
        g_assert_cmpuint (++given, <, 100);
        if (g_rand_int_range (rand, 0, 10) > 0)
          rb_isotp_confirm (engine, ticket, now);
      }
      rb_isotp_confirm (engine, g_rand_int (rand), now);
      now += g_rand_int_range (rand, 0, 300000);
      rb_isotp_tick (engine, now);
      for (RbIsotpEvent event = rb_isotp_event (engine); i % 3 != 0 && event.kind != RB_ISOTP_NONE;
           event = rb_isotp_event (engine))
        g_clear_pointer (&event.message, g_bytes_unref);
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/frame/isotp-pair/every-length", test_every_length);
  g_test_add_func ("/frame/isotp-pair/long", test_long);
  g_test_add_func ("/frame/isotp-pair/flow", test_flow);
  g_test_add_func ("/frame/isotp-pair/both-ways", test_both_ways);
  g_test_add_func ("/frame/isotp-pair/trouble", test_trouble);
  g_test_add_func ("/frame/isotp-pair/doubled", test_doubled);
  g_test_add_func ("/frame/isotp-pair/noise", test_noise);
  return g_test_run ();
}
