/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/can/error.h>
#include <string.h>

#include "memory-bus.h"

static GBytes *
counting (gsize n)
{
  guint8 *data = g_malloc (n);
  for (gsize i = 0; i < n; i++)
    data[i] = (guint8) (i * 7);
  return g_bytes_new_take (data, n);
}

static GBytes *
echo (GBytes *request)
{
  return g_bytes_ref (request);
}

static const RbAddress plain
  = { .request = 0x7e0, .response = 0x7e8, .extension = -1, .response_extension = -1, .padding = 0xcc };

static RbIsotpConfig
ecu_of (const RbAddress *address)
{
  RbIsotpConfig config = { .tx_id = address->response,
                           .rx_id = address->request,
                           .tx_extension = address->response_extension,
                           .rx_extension = address->extension,
                           .fd = address->fd,
                           .brs = address->fd,
                           .pad = TRUE,
                           .block_size = 8,
                           .window = 4 };
  return config;
}

typedef struct {
  MemoryBus *bus;
  RbLink *link;
  RbChannel *channel;
} Bench;

static Bench
bench_of (const RbAddress *address, GBytes *(*answer) (GBytes *request))
{
  Bench bench = { .bus = memory_bus_new () };
  RbIsotpConfig config = ecu_of (address);
  g_autoptr (GError) error = NULL;
  memory_bus_add_ecu (bench.bus, &config, answer);
  bench.link = memory_bus_link (bench.bus);
  bench.channel = rb_channel_open (bench.link, address, &error);
  g_assert_no_error (error);
  return bench;
}

static void
bench_clear (Bench *bench)
{
  rb_channel_unref (bench->channel);
  rb_link_unref (bench->link);
}

static void
exchange (RbChannel *channel, gsize length)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) request = counting (length);
  rb_channel_drain (channel);
  g_assert_true (rb_channel_send (channel, request, NULL, &error));
  g_assert_no_error (error);
  g_autoptr (GBytes) answer = rb_channel_receive (channel, 5000, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (g_bytes_equal (answer, request));
}

static void
fail_send (RbChannel *channel, gsize length, RbReason reason)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) request = counting (length);
  g_assert_false (rb_channel_send (channel, request, NULL, &error));
  g_assert_cmpstr (rb_reason_word (rb_reason_of (error)), ==, rb_reason_word (reason));
  g_assert_null (strstr (error->message, "(null)"));
}

static void
fail_receive (RbChannel *channel, gint64 first_ms, RbReason reason)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) answer = rb_channel_receive (channel, first_ms, NULL, &error);
  g_assert_null (answer);
  g_assert_cmpstr (rb_reason_word (rb_reason_of (error)), ==, rb_reason_word (reason));
}

/* No word of what was before: the whole time passes. */
static void
stay_silent (RbChannel *channel)
{
  gint64 before = g_get_monotonic_time ();
  fail_receive (channel, 30, RB_REASON_TIMEOUT);
  g_assert_cmpint (g_get_monotonic_time () - before, >=, 30000);
}

static const RbAddress forms[] = {
  { .request = 0x7e0, .response = 0x7e8, .extension = -1, .response_extension = -1, .padding = 0xcc },
  { .request = 0x98da10f1, .response = 0x98daf110, .extension = -1, .response_extension = -1 },
  { .request = 0x600, .response = 0x601, .extension = 0x12, .response_extension = 0xf1 },
  { .request = 0x700, .response = 0x701, .extension = 0x55, .response_extension = 0x55, .padding = 0xaa },
  { .request = 0x98ce10f1, .response = 0x98cef110, .extension = 0x77, .response_extension = 0x77 },
  { .request = 0x7e0, .response = 0x7e8, .extension = -1, .response_extension = -1, .padding = 0xcc, .fd = TRUE },
  { .request = 0x98da10f1, .response = 0x98daf110, .extension = 0x01, .response_extension = 0x02, .fd = TRUE },
};

static void
test_forms (void)
{
  static const gsize lengths[] = { 1, 6, 7, 8, 61, 62, 63, 100, 4095, 4096, 70000 };
  for (guint i = 0; i < G_N_ELEMENTS (forms); i++) {
    Bench bench = bench_of (&forms[i], echo);
    for (guint j = 0; j < G_N_ELEMENTS (lengths); j++)
      exchange (bench.channel, lengths[j]);
    g_assert_cmpuint (bench.bus->filters, ==, 2);
    g_assert_true (rb_link_is_alive (bench.link));
    g_assert_cmpuint (rb_channel_max_message (bench.channel), ==, 1024 * 1024);
    bench_clear (&bench);
  }
}

static void
test_again (void)
{
  Bench bench = bench_of (&plain, echo);
  bench.bus->again = 20;
  exchange (bench.channel, 300);
  g_assert_cmpuint (bench.bus->again, ==, 0);
  bench_clear (&bench);
}

typedef struct {
  RbLink *link;
  RbAddress address;
} Lane;

static gpointer
lane_thread (gpointer data)
{
  Lane *lane = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (RbChannel) channel = rb_channel_open (lane->link, &lane->address, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < 20; i++)
    exchange (channel, 1 + i * 137);
  return NULL;
}

static void
test_lanes (void)
{
  MemoryBus *bus = memory_bus_new ();
  Lane lanes[6];
  GThread *threads[6];
  for (guint i = 0; i < G_N_ELEMENTS (lanes); i++) {
    lanes[i].address = plain;
    lanes[i].address.request += i;
    lanes[i].address.response += i;
    RbIsotpConfig config = ecu_of (&lanes[i].address);
    memory_bus_add_ecu (bus, &config, echo);
  }
  g_autoptr (RbLink) link = memory_bus_link (bus);
  for (guint i = 0; i < G_N_ELEMENTS (lanes); i++) {
    lanes[i].link = link;
    threads[i] = g_thread_new ("lane", lane_thread, &lanes[i]);
  }
  for (guint i = 0; i < G_N_ELEMENTS (lanes); i++)
    g_thread_join (threads[i]);
}

static void
test_addresses (void)
{
  Bench bench = bench_of (&plain, echo);
  g_autoptr (GError) error = NULL;
  g_assert_null (rb_channel_open (bench.link, &plain, &error));
  g_assert_cmpstr (rb_reason_word (rb_reason_of (error)), ==, "in-use");
  g_clear_error (&error);
  RbAddress doip_only = { .logical = 0x1001, .extension = -1, .response_extension = -1 };
  g_assert_null (rb_channel_open (bench.link, &doip_only, &error));
  g_assert_cmpstr (rb_reason_word (rb_reason_of (error)), ==, "ecu-missing");
  g_clear_error (&error);
  bench.bus->no_fd = TRUE;
  bench_clear (&bench);
  MemoryBus *classic = memory_bus_new ();
  classic->no_fd = TRUE;
  g_autoptr (RbLink) link = memory_bus_link (classic);
  RbAddress fd = plain;
  fd.fd = TRUE;
  g_assert_null (rb_channel_open (link, &fd, &error));
  g_assert_cmpstr (rb_reason_word (rb_reason_of (error)), ==, "unsupported");
}

static void
test_functional (void)
{
  Bench bench = bench_of (&plain, echo);
  RbAddress all = plain;
  all.request = 0x7df;
  all.response = 0;
  g_autoptr (GError) error = NULL;
  g_autoptr (RbChannel) functional = rb_channel_open (bench.link, &all, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (rb_channel_max_message (functional), ==, 7);
  g_autoptr (GBytes) present = counting (7);
  guint before = bench.bus->sent;
  g_assert_true (rb_channel_send (functional, present, NULL, &error));
  g_assert_cmpuint (bench.bus->sent, ==, before + 1);
  fail_send (functional, 8, RB_REASON_BLOCK_TOO_LONG);
  fail_receive (functional, 1, RB_REASON_TIMEOUT);
  exchange (bench.channel, 50);
  bench_clear (&bench);
}

/* So many answer at once that the word that our frame is out stands before more messages than are kept. */
static void
test_all_at_once (void)
{
  Bench bench = bench_of (&plain, echo);
  RbIsotpConfig config = ecu_of (&plain);
  for (guint i = 0; i < 60; i++)
    memory_bus_add_ecu (bench.bus, &config, echo);
  for (guint i = 0; i < 20; i++)
    exchange (bench.channel, 3);
  bench_clear (&bench);
}

static void
test_silence (void)
{
  Bench bench = bench_of (&plain, NULL);
  g_autoptr (GBytes) request = counting (3);
  g_assert_true (rb_channel_send (bench.channel, request, NULL, NULL));
  stay_silent (bench.channel);
  bench_clear (&bench);
}

static void
inject (MemoryBus *bus, guint8 length, const guint8 *data)
{
  RbCanFrame frame = { .id = 0x7e8, .length = length };
  memcpy (frame.data, data, length);
  memory_bus_inject (bus, &frame);
}

/* P2 ends at the first frame: an answer that began in time may take longer than P2. */
static gpointer
finish_late (gpointer data)
{
  static const guint8 rest[] = { 0x21, 7, 8 };
  MemoryBus *bus = data;
  (void) g_async_queue_pop (bus->seen); /* the flow control; then nothing for longer than P2 */
  g_assert_null (g_async_queue_timeout_pop (bus->seen, 60000));
  inject (bus, sizeof rest, rest);
  return NULL;
}

static void
test_first_frame (void)
{
  static const guint8 first[] = { 0x10, 8, 1, 2, 3, 4, 5, 6 }, whole[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
  Bench bench = bench_of (&plain, NULL);
  inject (bench.bus, sizeof first, first);
  GThread *ecu = g_thread_new ("ecu", finish_late, bench.bus);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) answer = rb_channel_receive (bench.channel, 25, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (answer, NULL), g_bytes_get_size (answer), whole, sizeof whole);
  g_thread_join (ecu);
  stay_silent (bench.channel); /* P2 counts again */
  bench_clear (&bench);
}

static void
test_missing_part (void)
{
  static const guint8 first[] = { 0x10, 20, 1, 2, 3, 4, 5, 6 }, third[] = { 0x22, 1, 2, 3, 4, 5, 6, 7 };
  static const guint8 huge[] = { 0x10, 0, 0xff, 0xff, 0xff, 0xff, 1, 2 };
  Bench bench = bench_of (&plain, echo);
  inject (bench.bus, sizeof first, first);
  inject (bench.bus, sizeof third, third);
  fail_receive (bench.channel, 2000, RB_REASON_TIMEOUT);
  stay_silent (bench.channel);
  /* a message that comes after the broken one is not blamed for it */
  inject (bench.bus, sizeof first, first);
  inject (bench.bus, sizeof third, third);
  inject (bench.bus, 3, (const guint8[]){ 2, 0x7e, 0 });
  g_autoptr (GBytes) whole = NULL;
  for (guint i = 0; i < 2 && whole == NULL; i++)
    whole = rb_channel_receive (bench.channel, 2000, NULL, NULL);
  g_assert_nonnull (whole);
  stay_silent (bench.channel);
  inject (bench.bus, sizeof huge, huge);
  fail_receive (bench.channel, 2000, RB_REASON_BLOCK_TOO_LONG);
  exchange (bench.channel, 40);
  bench_clear (&bench);
}

/* What an ECU says unasked is bounded and thrown away before a request. */
static void
test_chatter (void)
{
  Bench bench = bench_of (&plain, echo);
  for (guint i = 0; i < 5000; i++)
    inject (bench.bus, 3, (const guint8[]){ 2, 0x7e, (guint8) i });
  g_autoptr (GBytes) request = counting (5);
  g_assert_true (rb_channel_send (bench.channel, request, NULL, NULL));
  gboolean answered = FALSE;
  for (guint i = 0; i < 40 && !answered; i++) {
    g_autoptr (GBytes) message = rb_channel_receive (bench.channel, 2000, NULL, NULL);
    answered = message != NULL && g_bytes_equal (message, request);
  }
  g_assert_true (answered);
  for (guint i = 0; i < 3; i++)
    inject (bench.bus, 3, (const guint8[]){ 2, 0x7e, (guint8) i });
  for (guint i = 0; i < 3; i++) {
    g_autoptr (GBytes) answer = rb_channel_receive (bench.channel, 2000, NULL, NULL);
    g_assert_cmpuint (((const guint8 *) g_bytes_get_data (answer, NULL))[1], ==, i);
  }
  bench_clear (&bench);
}

static gpointer
cancel_soon (gpointer data)
{
  g_cancellable_cancel (data);
  return NULL;
}

typedef struct {
  MemoryBus *bus;
  GCancellable *cancellable;
} Cancel;

static gpointer
cancel_at_frame (gpointer data)
{
  Cancel *cancel = data;
  (void) g_async_queue_pop (cancel->bus->seen);
  g_cancellable_cancel (cancel->cancellable);
  return NULL;
}

static void
test_cancel (void)
{
  Bench bench = bench_of (&plain, echo);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  GThread *thread = g_thread_new ("cancel", cancel_soon, cancellable);
  g_assert_null (rb_channel_receive (bench.channel, 60000, cancellable, &error));
  g_assert_true (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
  g_thread_join (thread);
  g_clear_error (&error);
  g_autoptr (GBytes) request = counting (20);
  g_assert_false (rb_channel_send (bench.channel, request, cancellable, &error));
  g_assert_true (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
  g_cancellable_reset (cancellable);
  g_clear_error (&error);
  bench.bus->mute = TRUE;
  Cancel cancel = { bench.bus, cancellable };
  thread = g_thread_new ("cancel", cancel_at_frame, &cancel);
  g_assert_false (rb_channel_send (bench.channel, request, cancellable, &error));
  g_assert_true (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
  g_thread_join (thread);
  bench.bus->mute = FALSE;
  exchange (bench.channel, 20);
  bench_clear (&bench);
}

static gpointer
unplug_soon (gpointer data)
{
  memory_bus_unplug (data);
  return NULL;
}

static void
test_unplugged (void)
{
  Bench bench = bench_of (&plain, NULL);
  RbAddress second = plain;
  second.request = 0x7e1;
  second.response = 0x7e9;
  g_autoptr (RbChannel) other = rb_channel_open (bench.link, &second, NULL);
  GThread *thread = g_thread_new ("unplug", unplug_soon, bench.bus);
  fail_receive (bench.channel, 60000, RB_REASON_LINK_LOST);
  fail_send (bench.channel, 3, RB_REASON_LINK_LOST);
  fail_receive (other, 60000, RB_REASON_LINK_LOST);
  g_assert_false (rb_link_is_alive (bench.link));
  g_thread_join (thread);
  bench_clear (&bench);
}

typedef struct {
  RbChannel *channel;
  gint *waiting;
} Waiter;

static gpointer
wait_for_nothing (gpointer data)
{
  Waiter *waiter = data;
  g_atomic_int_inc (waiter->waiting);
  fail_receive (waiter->channel, 20000, RB_REASON_LINK_LOST);
  return NULL;
}

/* Whoever waits is told, on every channel, long before the time is over. */
static void
test_unplugged_while_waiting (void)
{
  enum { ROUNDS = 20, CHANNELS = 3 };
  for (guint round = 0; round < ROUNDS; round++) {
    MemoryBus *bus = memory_bus_new ();
    g_autoptr (RbLink) link = memory_bus_link (bus);
    gint waiting = 0;
    Waiter waiters[CHANNELS];
    GThread *threads[CHANNELS];
    for (guint i = 0; i < CHANNELS; i++) {
      RbAddress address = plain;
      address.request += i;
      address.response += i;
      waiters[i] = (Waiter){ rb_channel_open (link, &address, NULL), &waiting };
      g_assert_nonnull (waiters[i].channel);
      threads[i] = g_thread_new ("waiter", wait_for_nothing, &waiters[i]);
    }
    while (g_atomic_int_get (&waiting) < CHANNELS)
      g_thread_yield ();
    gint64 before = g_get_monotonic_time ();
    memory_bus_unplug (bus);
    for (guint i = 0; i < CHANNELS; i++) {
      g_thread_join (threads[i]);
      rb_channel_unref (waiters[i].channel);
    }
    g_assert_cmpint (g_get_monotonic_time () - before, <, 15 * G_USEC_PER_SEC);
  }
}

/* Two ECUs at one pair of identifiers, told apart by the byte before all else. */
static void
test_shared_identifiers (void)
{
  RbAddress first = { .request = 0x6f1, .response = 0x612, .extension = 0x12, .response_extension = 0xf1 },
            second = first;
  second.extension = 0x13;
  second.response_extension = 0xf2;
  MemoryBus *bus = memory_bus_new ();
  const RbIsotpConfig ecus[] = { ecu_of (&first), ecu_of (&second) };
  memory_bus_add_ecu (bus, &ecus[0], echo);
  memory_bus_add_ecu (bus, &ecus[1], echo);
  g_autoptr (RbLink) link = memory_bus_link (bus);
  g_autoptr (RbChannel) one = rb_channel_open (link, &first, NULL), other = rb_channel_open (link, &second, NULL);
  for (guint i = 1; i < 60; i += 7) {
    exchange (one, i);
    exchange (other, i + 3);
  }
}

/* The ECU has no room for a message: named, and a shorter one gets through. */
static void
test_overflow (void)
{
  Bench bench = { .bus = memory_bus_new () };
  RbIsotpConfig config = ecu_of (&plain);
  config.max_message = 100;
  memory_bus_add_ecu (bench.bus, &config, echo);
  bench.link = memory_bus_link (bench.bus);
  bench.channel = rb_channel_open (bench.link, &plain, NULL);
  fail_send (bench.channel, 101, RB_REASON_BLOCK_TOO_LONG);
  exchange (bench.channel, 100);
  bench_clear (&bench);
}

static void
test_lost_at_send (void)
{
  Bench bench = bench_of (&plain, NULL);
  bench.bus->gone = TRUE;
  fail_send (bench.channel, 3, RB_REASON_LINK_LOST);
  g_assert_false (rb_link_is_alive (bench.link));
  bench_clear (&bench);
}

/* N_As is over, and the bus says why. */
static void
test_no_ack (void)
{
  Bench bench = bench_of (&plain, echo);
  RbCanFrame unheard = { .id = RB_CAN_ERROR | CAN_ERR_ACK, .length = 8 };
  bench.bus->mute = TRUE;
  memory_bus_inject (bench.bus, &unheard);
  fail_send (bench.channel, 3, RB_REASON_NO_ACK);
  bench.bus->mute = FALSE;
  exchange (bench.channel, 30);
  bench_clear (&bench);
}

static void
test_wrong_bitrate (void)
{
  Bench bench = bench_of (&plain, NULL);
  RbCanFrame garbled = { .id = RB_CAN_ERROR | CAN_ERR_PROT, .length = 8, .data = { 0, 0, CAN_ERR_PROT_STUFF } };
  memory_bus_inject (bench.bus, &garbled);
  fail_receive (bench.channel, 50, RB_REASON_WRONG_BITRATE);
  bench_clear (&bench);
}

static gpointer
bus_off_soon (gpointer data)
{
  RbCanFrame off = { .id = RB_CAN_ERROR | CAN_ERR_BUSOFF, .length = 8 };
  (void) g_async_queue_pop (((MemoryBus *) data)->seen);
  memory_bus_inject (data, &off);
  return NULL;
}

/* It is told at once, mended by the adapter's restart, and work goes on. */
static void
test_bus_off (void)
{
  Bench bench = bench_of (&plain, echo);
  bench.bus->mute = TRUE;
  bench.bus->mends = TRUE;
  GThread *thread = g_thread_new ("bus-off", bus_off_soon, bench.bus);
  gint64 before = g_get_monotonic_time ();
  fail_send (bench.channel, 3, RB_REASON_BUS_OFF);
  g_assert_cmpint (g_get_monotonic_time () - before, <, 900000);
  g_thread_join (thread);
  exchange (bench.channel, 30);
  g_assert_cmpuint (bench.bus->mended, ==, 1);
  bench_clear (&bench);
}

/* The adapter takes frames and never sends them: reopened by mend. */
static void
test_stuck (void)
{
  Bench bench = bench_of (&plain, echo);
  bench.bus->mute = TRUE;
  bench.bus->mends = TRUE;
  bench.bus->state_known = TRUE;
  bench.bus->state.reason = "stuck";
  fail_send (bench.channel, 3, RB_REASON_LINK_LOST);
  exchange (bench.channel, 30);
  g_assert_cmpuint (bench.bus->mended, ==, 1);
  bench_clear (&bench);
}

/* One frame in fifty is lost: what arrives is right, and repeating brings the rest. */
static void
test_loss (void)
{
  Bench bench = bench_of (&plain, echo);
  bench.bus->lose_every = 50;
  guint right = 0;
  for (guint i = 0; i < 12; i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GBytes) request = counting (6 + i);
    rb_channel_drain (bench.channel);
    if (!rb_channel_send (bench.channel, request, NULL, &error))
      continue;
    g_autoptr (GBytes) answer = rb_channel_receive (bench.channel, 50, NULL, &error);
    right += answer != NULL && g_bytes_equal (answer, request);
    g_assert_true (answer == NULL || g_bytes_equal (answer, request));
  }
  g_assert_cmpuint (right, >=, 9);
  bench_clear (&bench);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/link/can/forms", test_forms);
  g_test_add_func ("/link/can/again", test_again);
  g_test_add_func ("/link/can/lanes", test_lanes);
  g_test_add_func ("/link/can/addresses", test_addresses);
  g_test_add_func ("/link/can/functional", test_functional);
  g_test_add_func ("/link/can/all-at-once", test_all_at_once);
  g_test_add_func ("/link/can/silence", test_silence);
  g_test_add_func ("/link/can/first-frame", test_first_frame);
  g_test_add_func ("/link/can/missing-part", test_missing_part);
  g_test_add_func ("/link/can/chatter", test_chatter);
  g_test_add_func ("/link/can/cancel", test_cancel);
  g_test_add_func ("/link/can/unplugged", test_unplugged);
  g_test_add_func ("/link/can/unplugged-while-waiting", test_unplugged_while_waiting);
  g_test_add_func ("/link/can/shared-identifiers", test_shared_identifiers);
  g_test_add_func ("/link/can/overflow", test_overflow);
  g_test_add_func ("/link/can/lost-at-send", test_lost_at_send);
  g_test_add_func ("/link/can/no-ack", test_no_ack);
  g_test_add_func ("/link/can/wrong-bitrate", test_wrong_bitrate);
  g_test_add_func ("/link/can/bus-off", test_bus_off);
  g_test_add_func ("/link/can/stuck", test_stuck);
  g_test_add_func ("/link/can/loss", test_loss);
  return g_test_run ();
}
