/* SPDX-License-Identifier: Apache-2.0 */
/* A vehicle's buses by a clock of the test's own: goodput in bit times, the gateway's delay, other traffic, sessions.
 */
#include "core/files.h"
#include "sim-can/can-network.h"

#include <string.h>

#define MS G_GINT64_CONSTANT (1000000)
#define SECOND (1000 * MS)
#define VIN "f19053494d5645483030303030303134323239" /* F190 and what it is */

typedef struct {
  char *folder;
  RbSimVehicle *vehicle;
  RbCanNetwork *network;
  RbCanBus *wire;
  guint place;
  RbIsotp *isotp;
  GQueue *answers; /* of GBytes */
  gint64 now, sent_at, answered_at;
  guint32 tickets[32];
  guint n_tickets;
  gint64 frames_ns; /* time that the tester's and the ECU's frames take on the connector's bus */
  guint foreign;
  guint32 functional_answers[8];
  guint n_functional;
} Bench;

static void
give_frames (Bench *self, gint64 at)
{
  RbCanFrame frame;
  guint32 ticket;
  while (self->n_tickets < G_N_ELEMENTS (self->tickets)
         && rb_isotp_next_frame (self->isotp, at / 1000, &frame, &ticket)) {
    g_assert_true (rb_can_bus_send (self->wire, self->place, &frame, at));
    self->tickets[self->n_tickets++] = ticket;
  }
}

static void
hear (gpointer node, const RbCanFrame *frame, gint64 at)
{
  Bench *self = node;
  gboolean ours = frame->own;
  if (ours && self->n_tickets > 0) {
    rb_isotp_confirm (self->isotp, self->tickets[0], at / 1000);
    self->n_tickets--;
    memmove (self->tickets, &self->tickets[1], self->n_tickets * sizeof *self->tickets);
  } else if (!ours && !rb_isotp_receive_frame (self->isotp, frame, at / 1000)) {
    self->foreign++;
    if (self->n_functional < G_N_ELEMENTS (self->functional_answers))
      self->functional_answers[self->n_functional++] = frame->id;
    return;
  }
  self->frames_ns += rb_can_bus_time (self->wire, frame);
  for (RbIsotpEvent event = rb_isotp_event (self->isotp); event.kind != RB_ISOTP_NONE;
       event = rb_isotp_event (self->isotp)) {
    if (event.kind == RB_ISOTP_SENT)
      self->sent_at = at;
    if (event.kind != RB_ISOTP_MESSAGE)
      continue;
    self->answered_at = at;
    g_queue_push_tail (self->answers, event.message);
  }
  give_frames (self, at);
}

static Bench
bench_new (const char *model, guint load, guint32 request, guint32 response, gboolean fd)
{
  g_autoptr (GError) error = NULL;
  Bench self = { .now = 1000 * SECOND };
  self.folder = g_dir_make_tmp ("recallbay-network-XXXXXX", &error);
  g_assert_no_error (error);
  self.vehicle = rb_sim_vehicle_open (model, self.folder, NULL, &error);
  g_assert_no_error (error);
  self.vehicle->real_timing = TRUE;
  self.network = rb_can_network_new (self.vehicle, &(RbCanNetworkConfig){ .paced = TRUE, .load = load, .seed = 3 });
  self.wire = rb_can_network_connector (self.network);
  self.answers = g_queue_new ();
  self.isotp = rb_isotp_new (&(RbIsotpConfig){ .tx_id = request,
                                               .rx_id = response,
                                               .tx_extension = -1,
                                               .rx_extension = -1,
                                               .fd = fd,
                                               .brs = fd,
                                               .pad = TRUE,
                                               .padding = 0xcc,
                                               .window = 8 });
  return self;
}

/* The node hears by its address, so it must not move any more. */
static void
bench_join (Bench *self)
{
  self->place = rb_can_bus_join (self->wire, hear, self);
}

static void
bench_clear (Bench *self)
{
  g_autoptr (GError) error = NULL;
  rb_can_bus_leave (self->wire, self->place);
  rb_can_network_free (self->network);
  rb_sim_vehicle_free (self->vehicle);
  g_queue_free_full (self->answers, (GDestroyNotify) g_bytes_unref);
  rb_isotp_free (self->isotp);
  g_assert_true (rb_files_remove_tree (self->folder, &error));
  g_free (self->folder);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Bench, bench_clear)

static void
run_until (Bench *self, gint64 until)
{
  for (gint64 due = rb_can_network_due (self->network); due <= until; due = rb_can_network_due (self->network)) {
    self->now = MAX (self->now, due);
    rb_can_network_run (self->network, self->now);
  }
  self->now = until;
}

/* The answer within a minute of the vehicle's time, as hex; NULL when there is none. */
static char *
ask (Bench *self, gconstpointer request, gsize length)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) message = g_bytes_new (request, length);
  gboolean sent = rb_isotp_send (self->isotp, message, self->now / 1000, &error);
  g_assert_no_error (error);
  g_assert_true (sent);
  self->frames_ns = 0;
  give_frames (self, self->now);
  gint64 end = self->now + 60 * SECOND;
  while (g_queue_is_empty (self->answers) && self->now < end)
    run_until (self, self->now + MS);
  g_autoptr (GBytes) answer = g_queue_pop_head (self->answers);
  return answer == NULL ? NULL : rb_bytes_hex (answer);
}

#define ASK(bench, text) ask (bench, text, sizeof (text) - 1)

static void
assert_answer (Bench *self, gconstpointer request, gsize length, const char *expected)
{
  g_autofree char *answer = ask (self, request, length);
  g_assert_cmpstr (answer, ==, expected);
}

static const char *
reference (void)
{
  return g_getenv ("RB_REFERENCE");
}

/* A model beside which there is no seed, with the reference ECU behind a gateway too. */
static char *
write_two_buses (const char *folder)
{
  static const char text[]
    = "{\"format\":\"recallbay-vehicle-model-1\",\"id\":\"two\",\"name\":\"Two\",\"buses\":[{\"name\":\"diagnostic\",\"kind\":\"canfd\"},"
      "{\"name\":\"inner\",\"kind\":\"can\",\"bitrate\":250000}],\"ecus\":["
      "{\"name\":\"gate\",\"label\":\"Gate\",\"hardware_id\":\"hw-gate\",\"supplier\":\"\",\"profile\":\"p\",\"primary\":true,"
      "\"verification\":\"full\",\"bus\":\"diagnostic\",\"logical\":\"0x1001\",\"can\":{\"request\":\"0x7E0\",\"response\":\"0x7E8\"},"
      "\"simulation\":{\"kind\":\"plain\",\"gateway_us\":500}},"
      "{\"name\":\"deep\",\"label\":\"Deep\",\"hardware_id\":\"hw-deep\",\"supplier\":\"\",\"profile\":\"p\",\"primary\":false,"
      "\"verification\":\"partial\",\"bus\":\"inner\",\"gateway\":\"gate\",\"logical\":\"0x1002\",\"can\":{\"request\":\"0x7E1\","
      "\"response\":\"0x7E9\"},\"simulation\":{\"kind\":\"plain\",\"block\":4095,\"block_size\":4}}]}";
  g_autoptr (GError) error = NULL;
  char *path = g_build_filename (folder, "model.json", NULL);
  gboolean written = rb_files_write_text (path, text, &error);
  g_assert_no_error (error);
  g_assert_true (written);
  return path;
}

static void
test_no_bit_is_lost (void)
{
  g_auto (Bench) bench = bench_new (reference (), 0, 0x7e0, 0x7e8, FALSE);
  bench_join (&bench);
  guint8 request[4002] = { 0x22 };
  for (guint i = 1; i + 1 < 4001; i += 2) {
    request[i] = 0xf1;
    request[i + 1] = 0x86;
  }
  gint64 start = bench.now;
  g_autofree char *answer = ask (&bench, request, 4001);
  g_assert_cmpuint (strlen (answer), ==, 2 * (1 + 2000 * 3));
  /* from the first bit to the last one nobody ever waited */
  g_assert_cmpint (bench.answered_at - start, ==, bench.frames_ns);
  g_assert_cmpint (bench.frames_ns, >, 300 * MS);
  g_assert_cmpint (rb_can_bus_count (bench.wire)->worst_idle, ==, 0);
}

static void
test_gateway_takes_its_time (void)
{
  g_autofree char *folder = g_dir_make_tmp ("recallbay-model-XXXXXX", NULL);
  g_autofree char *model = write_two_buses (folder);
  g_auto (Bench) bench = bench_new (model, 0, 0x7e1, 0x7e9, FALSE);
  bench_join (&bench);
  RbCanBus *inner = rb_can_network_wire (bench.network, "inner");
  g_assert_nonnull (inner);
  g_assert_null (rb_can_network_wire (bench.network, "none"));
  gint64 start = bench.now;
  assert_answer (&bench, "\x3e\x00", 2, "7e00");
  /* request and answer on both buses, half a millisecond in the gateway each way */
  gint64 expected = bench.frames_ns + rb_can_bus_count (inner)->busy + 2 * MS / 2;
  g_assert_cmpint (bench.answered_at - start, ==, expected);
  g_assert_cmpuint (rb_can_bus_count (inner)->frames, ==, 2);
  assert_answer (&bench, "\x22\xf1\x90\xf1\x90\xf1\x90\xf1\x90\xf1\x90", 11, "62" VIN VIN VIN VIN VIN);
  /* what is not for the inner bus stays outside */
  guint64 before = rb_can_bus_count (inner)->frames;
  const RbCanFrame other = { .id = 0x123, .length = 1 };
  g_assert_true (rb_can_bus_send (bench.wire, bench.place, &other, bench.now));
  run_until (&bench, bench.now + 10 * MS);
  g_assert_cmpuint (rb_can_bus_count (inner)->frames, ==, before);
  g_autoptr (GError) error = NULL;
  g_assert_true (rb_files_remove_tree (folder, &error));
}

static void
test_functional_on_every_bus (void)
{
  g_autofree char *folder = g_dir_make_tmp ("recallbay-model-XXXXXX", NULL);
  g_autofree char *model = write_two_buses (folder);
  g_auto (Bench) bench = bench_new (model, 0, 0x7d0, 0x7d8, FALSE);
  bench_join (&bench);
  RbCanFrame everybody = { .id = 0x7df, .length = 8, .data = { 0x02, 0x3e, 0x00 } };
  g_assert_true (rb_can_bus_send (bench.wire, bench.place, &everybody, bench.now));
  run_until (&bench, bench.now + 100 * MS);
  g_assert_cmpuint (bench.n_functional, ==, 2);
  g_assert_cmphex (bench.functional_answers[0], ==, 0x7e8); /* the one outside is faster */
  g_assert_cmphex (bench.functional_answers[1], ==, 0x7e9);
  everybody.data[2] = 0x80;
  g_assert_true (rb_can_bus_send (bench.wire, bench.place, &everybody, bench.now));
  run_until (&bench, bench.now + 100 * MS);
  g_assert_cmpuint (bench.n_functional, ==, 2);
  g_autoptr (GError) error = NULL;
  g_assert_true (rb_files_remove_tree (folder, &error));
}

static void
test_other_traffic (void)
{
  g_auto (Bench) bench = bench_new (reference (), 30, 0x7e0, 0x7e8, FALSE);
  bench_join (&bench);
  run_until (&bench, bench.now + 100 * MS); /* so that it has begun */
  rb_can_bus_count_anew (bench.wire);
  gint64 start = bench.now;
  run_until (&bench, start + 10 * SECOND);
  gint64 percent = rb_can_bus_count (bench.wire)->busy / (10 * SECOND / 100);
  g_assert_cmpint (percent, >=, 29);
  g_assert_cmpint (percent, <=, 31);
  g_assert_cmpuint (bench.foreign, >, 10000);
  /* 0x7E0 loses every arbitration and still gets through */
  assert_answer (&bench, "\x3e\x00", 2, "7e00");
}

static void
test_session_ends (void)
{
  g_auto (Bench) bench = bench_new (reference (), 0, 0x7e0, 0x7e8, FALSE);
  bench_join (&bench);
  assert_answer (&bench, "\x10\x03", 2, "5003003201f4");
  run_until (&bench, bench.now + 4900 * MS);
  assert_answer (&bench, "\x22\xf1\x86", 3, "62f18603");
  run_until (&bench, bench.now + 5300 * MS);
  assert_answer (&bench, "\x22\xf1\x86", 3, "62f18601");
}

/* 5 s pass while a request is arriving: S3 stands still (ISO 14229-2). */
static void
test_session_lasts_while_a_request_arrives (void)
{
  g_auto (Bench) bench = bench_new (reference (), 0, 0x7e0, 0x7e8, FALSE);
  bench_join (&bench);
  assert_answer (&bench, "\x10\x03", 2, "5003003201f4");
  RbCanFrame frame = { .id = 0x7e0, .length = 8, .data = { 0x10, 0x47, 0x22, 0xf1, 0x86, 0xf1, 0x86, 0xf1 } };
  g_assert_true (rb_can_bus_send (bench.wire, bench.place, &frame, bench.now));
  for (guint i = 1; i <= 10; i++) {
    run_until (&bench, bench.now + 600 * MS);
    const guint8 odd[] = { 0x20 | (i & 15), 0x86, 0xf1, 0x86, 0xf1, 0x86, 0xf1, 0x86 };
    const guint8 even[] = { 0x20 | (i & 15), 0xf1, 0x86, 0xf1, 0x86, 0xf1, 0x86, 0xf1 };
    memcpy (frame.data, i % 2 == 1 ? odd : even, 8);
    g_assert_true (rb_can_bus_send (bench.wire, bench.place, &frame, bench.now));
  }
  run_until (&bench, bench.now + 100 * MS);
  g_autoptr (GBytes) whole = g_queue_pop_head (bench.answers);
  g_assert_nonnull (whole);
  g_autofree char *hex = rb_bytes_hex (whole);
  g_assert_cmpuint (strlen (hex), ==, 2 * (1 + 35 * 3));
  g_assert_true (g_str_has_suffix (hex, "f18603"));
  assert_answer (&bench, "\x22\xf1\x86", 3, "62f18603");
}

static void
test_pending_keeps_the_models_time (void)
{
  g_autofree char *folder = g_dir_make_tmp ("recallbay-model-XXXXXX", NULL);
  g_autofree char *model = write_two_buses (folder);
  g_auto (Bench) bench = bench_new (model, 0, 0x7e0, 0x7e8, FALSE);
  bench_join (&bench);
  assert_answer (&bench, "\x10\x02", 2, "5002003201f4");
  g_autofree char *seed = ASK (&bench, "\x27\x01");
  guint32 number = (guint32) g_ascii_strtoull (&seed[4], NULL, 16) ^ 0xa5a5a5a5u;
  const guint8 key[] = { 0x27, 0x02, number >> 24, number >> 16 & 0xff, number >> 8 & 0xff, number & 0xff };
  assert_answer (&bench, key, sizeof key, "6702");
  assert_answer (&bench, "\x31\x01\xff\x00\x44\0\0\0\0\0\0\1\0", 13, "7f3178");
  gint64 pending = bench.answered_at;
  run_until (&bench, bench.now + 400 * MS);
  g_autoptr (GBytes) answer = g_queue_pop_head (bench.answers);
  g_assert_nonnull (answer);
  g_assert_cmpmem (g_bytes_get_data (answer, NULL), g_bytes_get_size (answer), "\x71\x01\xff\x00\x00", 5);
  /* erase_ms unless the model says otherwise; the two frames differ by some stuff bits */
  g_assert_cmpint (ABS (bench.answered_at - pending - 300 * MS), <, MS / 50);
  g_autoptr (GError) error = NULL;
  g_assert_true (rb_files_remove_tree (folder, &error));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/network/no-bit-is-lost", test_no_bit_is_lost);
  g_test_add_func ("/network/gateway-takes-its-time", test_gateway_takes_its_time);
  g_test_add_func ("/network/functional-on-every-bus", test_functional_on_every_bus);
  g_test_add_func ("/network/other-traffic", test_other_traffic);
  g_test_add_func ("/network/session-ends", test_session_ends);
  g_test_add_func ("/network/session-lasts-while-a-request-arrives", test_session_lasts_while_a_request_arrives);
  g_test_add_func ("/network/pending-keeps-the-models-time", test_pending_keeps_the_models_time);
  return g_test_run ();
}
