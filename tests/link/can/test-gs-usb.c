/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/can/error.h>
#include <poll.h>
#include <string.h>

#include "can/can-backend.h"
#include "frame/isotp.h"
#include "link/backend.h"
#include "link/channel.h"
#include "linkd/backends.h"
#include "usb-plug.h"

enum { PATIENCE_MS = 20000 };

/* A machine with one adapter, and on its bus an ECU that gives back what it gets. */
typedef struct {
  UMockdevTestbed *testbed;
  UsbPlug *plug;
  Candlelight *adapter; /* to be touched between lock and unlock only, after it was plugged in */
  RbIsotp *ecu;
  gpointer state; /* of channel 0 */
  guint unheard; /* so many frames nobody acknowledges */
} Bench;

static void
ecu_works (Bench *bench)
{
  RbCanFrame out;
  guint32 ticket = 0;
  gint64 now = g_get_monotonic_time ();
  while (rb_isotp_next_frame (bench->ecu, now, &out, &ticket)) {
    struct canfd_frame frame = { .can_id = out.id, .len = out.length, .flags = out.brs ? CANFD_BRS : 0 };
    memcpy (frame.data, out.data, out.length);
    candlelight_receive (bench->adapter, 0, &frame, out.fd);
    rb_isotp_confirm (bench->ecu, ticket, now);
  }
}

static gboolean
on_send (gpointer user, guint channel, const struct canfd_frame *sent, gboolean fd)
{
  Bench *bench = user;
  RbCanFrame frame = { .id = sent->can_id, .length = sent->len, .fd = fd, .brs = (sent->flags & CANFD_BRS) != 0 };
  memcpy (frame.data, sent->data, sent->len);
  if (bench->unheard > 0) {
    bench->unheard--;
    return FALSE;
  }
  if (channel != 0 || !rb_isotp_receive_frame (bench->ecu, &frame, g_get_monotonic_time ()))
    return TRUE;
  ecu_works (bench);
  for (RbIsotpEvent event = rb_isotp_event (bench->ecu); event.kind != RB_ISOTP_NONE;
       event = rb_isotp_event (bench->ecu)) {
    if (event.kind == RB_ISOTP_MESSAGE) {
      g_assert_true (rb_isotp_send (bench->ecu, event.message, g_get_monotonic_time (), NULL));
      g_bytes_unref (event.message);
    }
    ecu_works (bench);
  }
  return TRUE;
}

static void
bench_init (Bench *bench, guint channels, gboolean fd)
{
  const RbIsotpConfig config = { .tx_id = 0x7e8,
                                 .rx_id = 0x7e0,
                                 .tx_extension = -1,
                                 .rx_extension = -1,
                                 .fd = fd,
                                 .brs = fd,
                                 .pad = TRUE,
                                 .block_size = 0,
                                 .window = 64 };
  memset (bench, 0, sizeof *bench);
  bench->testbed = umockdev_testbed_new ();
  bench->ecu = rb_isotp_new (&config);
  bench->adapter = candlelight_new (channels, fd, "ABC123");
  bench->adapter->on_send = on_send;
  bench->adapter->user = bench;
}

static void
bench_plug (Bench *bench)
{
  bench->plug = usb_plug_in (bench->testbed, bench->adapter, 1);
}

static void
bench_open (Bench *bench, const char *rest)
{
  g_autoptr (GError) error = NULL;
  RbLinkInfo info = { 0 };
  bench->state = rb_gs_usb_backend.open (rest, &info, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (info.kind, ==, "usb");
  g_assert_cmpstr (info.serial, ==, "ABC123");
  g_assert_cmpstr (info.vendor, ==, "bytewerk");
  g_assert_cmpstr (info.firmware, ==, "2");
  g_free (info.kind);
  g_free (info.serial);
  g_free (info.vendor);
  g_free (info.firmware);
}

static void
bench_clear (Bench *bench)
{
  if (bench->state != NULL)
    rb_gs_usb_backend.close (bench->state);
  g_clear_pointer (&bench->plug, usb_plug_free);
  rb_isotp_free (bench->ecu);
  g_object_unref (bench->testbed);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Bench, bench_clear)

static void
cannot_open (const char *rest, const char *word, const char *says)
{
  g_autoptr (GError) error = NULL;
  RbLinkInfo info = { 0 };
  g_assert_null (rb_gs_usb_backend.open (rest, &info, NULL, &error));
  g_assert_nonnull (error);
  g_assert_cmpstr (rb_reason_word (rb_reason_of (error)), ==, word);
  g_assert_nonnull (strstr (error->message, says));
}

/* The next thing that is not EMPTY. */
static RbCanInput
next (Bench *bench, RbCanFrame *frame, GError **error)
{
  gint64 end = g_get_monotonic_time () + PATIENCE_MS * 1000;
  RbCanInput input;
  while ((input = rb_gs_usb_backend.receive (bench->state, frame, error)) == RB_CAN_EMPTY) {
    struct pollfd wait = { .fd = rb_gs_usb_backend.fd (bench->state), .events = POLLIN };
    g_assert_cmpint (g_get_monotonic_time (), <, end);
    g_assert_cmpint (poll (&wait, 1, PATIENCE_MS), >, 0);
  }
  return input;
}

static void
send_one (Bench *bench, RbCanResult wanted)
{
  const RbCanFrame frame = { .id = 0x7e0, .length = 8, .data = { 2, 0x3e, 0 } };
  g_autoptr (GError) error = NULL;
  g_assert_cmpint (rb_gs_usb_backend.send (bench->state, &frame, &error), ==, wanted);
  g_assert_cmpint (error != NULL, ==, wanted == RB_CAN_FAILED);
}

/* Until the backend names this trouble; NULL: until all is well. */
static void
wait_trouble (Bench *bench, const char *trouble)
{
  gint64 end = g_get_monotonic_time () + PATIENCE_MS * 1000;
  RbCanState state;
  do {
    g_assert_cmpint (g_get_monotonic_time (), <, end);
    g_assert_true (rb_gs_usb_backend.state (bench->state, &state));
    g_poll (NULL, 0, 5);
  } while (g_strcmp0 (state.reason, trouble) != 0 || (trouble == NULL && state.kind != RB_CAN_ACTIVE));
}

static void
wait_started (Bench *bench, guint channel)
{
  gint64 end = g_get_monotonic_time () + PATIENCE_MS * 1000;
  gboolean started;
  do {
    g_assert_cmpint (g_get_monotonic_time (), <, end);
    started = usb_plug_lock (bench->plug)->channel[channel].started;
    usb_plug_unlock (bench->plug);
    g_poll (NULL, 0, 5);
  } while (!started);
}

static GPtrArray *
listed (void)
{
  g_autoptr (GPtrArray) entries = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_link_entry_free);
  g_autoptr (GError) error = NULL;
  g_assert_true (rb_gs_usb_backend.list (entries, &error));
  g_assert_no_error (error);
  return g_steal_pointer (&entries);
}

static void
check_entry (GPtrArray *entries, guint i, const char *uri, const char *state)
{
  const RbLinkEntry *entry = entries->pdata[i];
  g_assert_cmpstr (entry->uri, ==, uri);
  g_assert_cmpstr (entry->state, ==, state);
  g_assert_cmpstr (entry->kind, ==, "usb");
}

static void
test_list (void)
{
  g_auto (Bench) bench;
  bench_init (&bench, 2, TRUE);
  g_autoptr (GPtrArray) none = listed ();
  g_assert_cmpuint (none->len, ==, 0);
  bench_plug (&bench);
  g_autoptr (GPtrArray) both = listed ();
  g_assert_cmpuint (both->len, ==, 2);
  check_entry (both, 0, "usb:ABC123", "ready");
  check_entry (both, 1, "usb:ABC123/1", "ready");
  g_assert_cmpstr (((RbLinkEntry *) both->pdata[1])->name, ==, "candleLight USB to CAN adapter, channel 1");
  g_autoptr (UsbPlug) second = usb_plug_in (bench.testbed, candlelight_new (1, FALSE, "XYZ789"), 2);
  g_autoptr (GPtrArray) three = listed ();
  g_assert_cmpuint (three->len, ==, 3);
  g_clear_pointer (&bench.plug, usb_plug_free);
  g_autoptr (GPtrArray) left = listed ();
  g_assert_cmpuint (left->len, ==, 1);
  check_entry (left, 0, "usb:XYZ789", "ready");
}

/* Who has it is known without opening it, and so is how many channels it has then. */
static void
test_list_taken (void)
{
  static const struct {
    const char *driver;
    guint interfaces, entries;
    gboolean up;
    const char *state;
  } cases[]
    = { { "gs_usb", 2, 2, FALSE, "ready" }, { "gs_usb", 2, 2, TRUE, "in-use" }, { "usbfs", 0, 1, FALSE, "in-use" } };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_auto (Bench) bench;
    bench_init (&bench, 2, FALSE);
    bench_plug (&bench);
    usb_plug_set_claimed (bench.plug, TRUE);
    usb_plug_show_driver (bench.plug, cases[i].driver, cases[i].interfaces, cases[i].up);
    g_autoptr (GPtrArray) entries = listed ();
    g_assert_cmpuint (entries->len, ==, cases[i].entries);
    check_entry (entries, 0, "usb:ABC123", cases[i].state);
    if (entries->len == 2)
      check_entry (entries, 1, "usb:ABC123/1", cases[i].state);
    if (cases[i].up)
      cannot_open ("ABC123", "link-refused", "use can:can0");
  }
}

/* A program that had the adapter was killed, and nobody told the kernel's driver: looking at what there is gives it
 * back. */
static void
test_list_forsaken (void)
{
  g_auto (Bench) bench;
  bench_init (&bench, 1, FALSE);
  bench_plug (&bench);
  usb_plug_set_driver (bench.plug, "gs_usb");
  usb_plug_take_driver_off (bench.plug);
  g_assert_cmpstr (usb_plug_driver (bench.plug), ==, NULL);
  g_autoptr (GPtrArray) entries = listed ();
  g_assert_cmpuint (entries->len, ==, 1);
  g_assert_cmpstr (usb_plug_driver (bench.plug), ==, "gs_usb");
  g_assert_false (usb_plug_is_claimed (bench.plug));
}

static void
test_bit_rates (void)
{
  static const struct {
    const char *rest;
    guint bitrate, data;
  } plans[] = { { "", 500000, 2000000 },
                { "ABC123", 500000, 2000000 },
                { "ABC123?500k", 500000, 0 },
                { "?250k", 250000, 0 },
                { "/0?500k/5M", 500000, 5000000 } };
  for (guint i = 0; i < G_N_ELEMENTS (plans); i++) {
    g_auto (Bench) bench;
    RbCanState state;
    bench_init (&bench, 1, TRUE);
    bench_plug (&bench);
    bench_open (&bench, plans[i].rest);
    const Candlelight *adapter = usb_plug_lock (bench.plug);
    g_assert_true (adapter->channel[0].started);
    g_assert_cmpuint (candlelight_bitrate (adapter, 0, FALSE), ==, plans[i].bitrate);
    g_assert_cmpuint (candlelight_bitrate (adapter, 0, TRUE), ==, plans[i].data);
    usb_plug_unlock (bench.plug);
    g_assert_cmpint (rb_gs_usb_backend.has_fd (bench.state), ==, plans[i].data > 0);
    g_assert_true (rb_gs_usb_backend.state (bench.state, &state));
    g_assert_cmpuint (state.bitrate, ==, plans[i].bitrate);
    g_assert_cmpuint (state.data_bitrate, ==, plans[i].data);
  }
}

static void
test_cannot_open (void)
{
  g_auto (Bench) bench;
  bench_init (&bench, 1, FALSE);
  cannot_open ("", "link-none", "no USB CAN adapter is plugged in");
  bench_plug (&bench);
  cannot_open ("OTHER", "link-none", "serial number OTHER");
  cannot_open ("ABC123/1", "link-none", "none of them is 1");
  cannot_open ("ABC123/x", "usage", "channel");
  cannot_open ("ABC123?501k", "usage", "500k, 250k");
  cannot_open ("?500k/2M", "unsupported", "no CAN FD");
  usb_plug_set_claimed (bench.plug, TRUE);
  cannot_open ("", "link-refused", "another program");
  usb_plug_set_claimed (bench.plug, FALSE);
  bench_open (&bench, "");
  cannot_open ("ABC123/0", "in-use", "0");
}

/* A frame each way, and each confirmed; nothing is left of a channel that was closed. */
static void
test_frames (void)
{
  g_auto (Bench) bench;
  RbCanFrame frame = { 0 };
  const struct canfd_frame from_bus = { .can_id = 0x123, .len = 12, .flags = CANFD_BRS, .data = { 1, 2, 3 } };
  bench_init (&bench, 1, TRUE);
  bench_plug (&bench);
  bench_open (&bench, "");
  for (guint i = 0; i < 100; i++) {
    send_one (&bench, RB_CAN_DONE);
    g_assert_cmpint (next (&bench, &frame, NULL), ==, RB_CAN_CONFIRM);
    g_assert_cmpuint (frame.id, ==, 0x7e0);
    g_assert_cmpint (next (&bench, &frame, NULL), ==, RB_CAN_FRAME);
    g_assert_cmpuint (frame.id, ==, 0x7e8);
  }
  candlelight_receive (usb_plug_lock (bench.plug), 0, &from_bus, TRUE);
  usb_plug_unlock (bench.plug);
  g_assert_cmpint (next (&bench, &frame, NULL), ==, RB_CAN_FRAME);
  g_assert_cmpuint (frame.length, ==, 12);
  g_assert_true (frame.fd && frame.brs);
  rb_gs_usb_backend.close (g_steal_pointer (&bench.state));
  g_assert_false (usb_plug_lock (bench.plug)->channel[0].started);
  usb_plug_unlock (bench.plug);
  g_assert_false (usb_plug_is_claimed (bench.plug));
}

static void
test_filter (void)
{
  g_auto (Bench) bench;
  const guint32 ids[] = { 0x7e8, 0x7e0 };
  RbCanFrame frame;
  const struct canfd_frame foreign = { .can_id = 0x100, .len = 1 }, ours = { .can_id = 0x7e8, .len = 2 };
  bench_init (&bench, 1, FALSE);
  bench_plug (&bench);
  bench_open (&bench, "");
  rb_gs_usb_backend.filter (bench.state, ids, G_N_ELEMENTS (ids));
  Candlelight *adapter = usb_plug_lock (bench.plug);
  candlelight_receive (adapter, 0, &foreign, FALSE);
  candlelight_receive (adapter, 0, &ours, FALSE);
  usb_plug_unlock (bench.plug);
  g_assert_cmpint (next (&bench, &frame, NULL), ==, RB_CAN_FRAME);
  g_assert_cmpuint (frame.id, ==, 0x7e8);
  rb_gs_usb_backend.filter (bench.state, NULL, 0);
  candlelight_receive (usb_plug_lock (bench.plug), 0, &foreign, FALSE);
  usb_plug_unlock (bench.plug);
  g_assert_cmpint (next (&bench, &frame, NULL), ==, RB_CAN_FRAME);
  g_assert_cmpuint (frame.id, ==, 0x100);
}

/* Two channels of one adapter are two interfaces; what comes on one is not seen on the other. */
static void
test_two_channels (void)
{
  g_auto (Bench) bench;
  g_autoptr (GError) error = NULL;
  RbLinkInfo info = { 0 };
  RbCanFrame frame;
  const struct canfd_frame on_second = { .can_id = 0x222, .len = 1 }, on_first = { .can_id = 0x111, .len = 1 };
  bench_init (&bench, 2, TRUE);
  bench_plug (&bench);
  bench_open (&bench, "ABC123?500k");
  gpointer second = rb_gs_usb_backend.open ("ABC123/1?250k", &info, NULL, &error);
  g_assert_no_error (error);
  Candlelight *adapter = usb_plug_lock (bench.plug);
  g_assert_cmpuint (candlelight_bitrate (adapter, 0, FALSE), ==, 500000);
  g_assert_cmpuint (candlelight_bitrate (adapter, 1, FALSE), ==, 250000);
  candlelight_receive (adapter, 1, &on_second, FALSE);
  candlelight_receive (adapter, 0, &on_first, FALSE);
  usb_plug_unlock (bench.plug);
  g_assert_cmpint (next (&bench, &frame, NULL), ==, RB_CAN_FRAME);
  g_assert_cmpuint (frame.id, ==, 0x111);
  g_assert_cmpint (rb_gs_usb_backend.receive (second, &frame, NULL), ==, RB_CAN_FRAME);
  g_assert_cmpuint (frame.id, ==, 0x222);
  rb_gs_usb_backend.close (g_steal_pointer (&bench.state));
  g_assert_true (usb_plug_is_claimed (bench.plug)); /* the other goes on */
  rb_gs_usb_backend.close (second);
  g_assert_false (usb_plug_is_claimed (bench.plug));
  g_free (info.kind);
  g_free (info.serial);
  g_free (info.vendor);
  g_free (info.firmware);
}

/* The kernel's driver is taken off while we have the adapter, and given back. */
static void
test_kernel_driver (void)
{
  g_auto (Bench) bench;
  bench_init (&bench, 1, FALSE);
  bench_plug (&bench);
  usb_plug_set_driver (bench.plug, "gs_usb");
  bench_open (&bench, "");
  g_assert_cmpstr (usb_plug_driver (bench.plug), ==, NULL);
  rb_gs_usb_backend.close (g_steal_pointer (&bench.state));
  g_assert_cmpstr (usb_plug_driver (bench.plug), ==, "gs_usb");
}

/* Ten frames are with the adapter at most; there is room again when they are echoed. */
static void
test_slots (void)
{
  g_auto (Bench) bench;
  RbCanFrame frame;
  bench_init (&bench, 1, FALSE);
  bench.adapter->mute = TRUE;
  bench_plug (&bench);
  bench_open (&bench, "");
  for (guint i = 0; i < 10; i++)
    send_one (&bench, RB_CAN_DONE);
  send_one (&bench, RB_CAN_AGAIN);
  g_assert_cmpint (rb_gs_usb_backend.receive (bench.state, &frame, NULL), ==, RB_CAN_EMPTY);
}

static void
test_stuck (void)
{
  g_auto (Bench) bench;
  g_autoptr (GError) error = NULL;
  RbCanFrame frame;
  bench_init (&bench, 1, FALSE);
  bench.adapter->mute = TRUE;
  bench_plug (&bench);
  bench_open (&bench, "");
  send_one (&bench, RB_CAN_DONE);
  wait_trouble (&bench, "stuck");
  g_assert_true (rb_gs_usb_backend.recover (bench.state, &error));
  wait_trouble (&bench, NULL);
  g_assert_cmpuint (usb_plug_lock (bench.plug)->starts, ==, 2);
  usb_plug_unlock (bench.plug);
  g_assert_cmpuint (usb_plug_resets (bench.plug), ==, 0);

  /* a restart was not enough: the whole adapter is reset, and then works */
  send_one (&bench, RB_CAN_DONE);
  wait_trouble (&bench, "stuck");
  usb_plug_lock (bench.plug)->mute = FALSE;
  usb_plug_unlock (bench.plug);
  g_assert_true (rb_gs_usb_backend.recover (bench.state, &error));
  wait_trouble (&bench, NULL);
  g_assert_cmpuint (usb_plug_resets (bench.plug), ==, 1);
  send_one (&bench, RB_CAN_DONE);
  g_assert_cmpint (next (&bench, &frame, NULL), ==, RB_CAN_CONFIRM);
}

/* Two channels, one of which sticks until the adapter is reset: the other is started again, too. */
static void
test_reset_is_for_all (void)
{
  g_auto (Bench) bench;
  g_autoptr (GError) error = NULL;
  RbCanFrame frame;
  const struct canfd_frame from_bus = { .can_id = 0x222, .len = 1 };
  bench_init (&bench, 2, FALSE);
  bench.adapter->mute = TRUE;
  bench_plug (&bench);
  bench_open (&bench, "ABC123/1");
  gpointer second = g_steal_pointer (&bench.state);
  bench_open (&bench, "ABC123/0");
  for (guint i = 0; i < 2; i++) {
    send_one (&bench, RB_CAN_DONE);
    wait_trouble (&bench, "stuck");
    g_assert_true (rb_gs_usb_backend.recover (bench.state, &error));
    wait_trouble (&bench, NULL);
  }
  g_assert_cmpuint (usb_plug_resets (bench.plug), ==, 1);
  wait_started (&bench, 1);
  candlelight_receive (usb_plug_lock (bench.plug), 1, &from_bus, FALSE);
  usb_plug_unlock (bench.plug);
  rb_gs_usb_backend.close (bench.state);
  bench.state = second;
  g_assert_cmpint (next (&bench, &frame, NULL), ==, RB_CAN_FRAME);
  g_assert_cmpuint (frame.id, ==, 0x222);
}

static void
test_bus_off (void)
{
  g_auto (Bench) bench;
  g_autoptr (GError) error = NULL;
  RbCanFrame frame;
  RbCanState state;
  bench_init (&bench, 1, FALSE);
  bench_plug (&bench);
  bench_open (&bench, "");
  candlelight_set_state (usb_plug_lock (bench.plug), 0, CANDLELIGHT_BUS_OFF, 255, 0);
  usb_plug_unlock (bench.plug);
  wait_trouble (&bench, "bus-off");
  g_assert_true (rb_gs_usb_backend.state (bench.state, &state));
  g_assert_cmpint (state.kind, ==, RB_CAN_BUS_OFF);
  g_assert_cmpuint (state.tx_errors, ==, 255);
  g_assert_cmpint (next (&bench, &frame, NULL), ==, RB_CAN_FRAME); /* whoever reads is told, too */
  g_assert_cmpuint (frame.id & (RB_CAN_ERROR | CAN_ERR_BUSOFF), ==, RB_CAN_ERROR | CAN_ERR_BUSOFF);
  send_one (&bench, RB_CAN_AGAIN);
  g_assert_true (rb_gs_usb_backend.recover (bench.state, &error));
  wait_trouble (&bench, NULL);
  send_one (&bench, RB_CAN_DONE);
  g_assert_cmpint (next (&bench, &frame, NULL), ==, RB_CAN_CONFIRM);
}

/* The adapter says by its counters what it does not say by error frames. */
static void
test_no_ack (void)
{
  g_auto (Bench) bench;
  bench_init (&bench, 1, FALSE);
  bench.unheard = 1;
  bench_plug (&bench);
  bench_open (&bench, "");
  Candlelight *adapter = usb_plug_lock (bench.plug);
  adapter->channel[0].state[0] = CANDLELIGHT_PASSIVE;
  adapter->channel[0].state[2] = 128;
  usb_plug_unlock (bench.plug);
  send_one (&bench, RB_CAN_DONE);
  wait_trouble (&bench, "no-ack");
}

static void
test_wrong_bit_rate (void)
{
  g_auto (Bench) bench;
  RbCanFrame frame;
  const struct canfd_frame good = { .can_id = 0x7e8, .len = 1 };
  bench_init (&bench, 1, FALSE);
  bench_plug (&bench);
  bench_open (&bench, "");
  candlelight_error (usb_plug_lock (bench.plug), 0, CAN_ERR_PROT, CAN_ERR_PROT_FORM, 0);
  usb_plug_unlock (bench.plug);
  wait_trouble (&bench, "wrong-bitrate");
  candlelight_receive (usb_plug_lock (bench.plug), 0, &good, FALSE);
  usb_plug_unlock (bench.plug);
  wait_trouble (&bench, NULL);
  g_assert_cmpint (next (&bench, &frame, NULL), ==, RB_CAN_FRAME);
}

static void
test_unplugged (void)
{
  g_auto (Bench) bench;
  g_autoptr (GError) error = NULL, mended = NULL;
  RbCanFrame frame;
  bench_init (&bench, 1, FALSE);
  bench_plug (&bench);
  bench_open (&bench, "");
  usb_plug_pull (bench.plug);
  g_assert_cmpint (next (&bench, &frame, &error), ==, RB_CAN_GONE);
  g_assert_cmpstr (rb_reason_word (rb_reason_of (error)), ==, "link-lost");
  g_assert_nonnull (strstr (error->message, "unplugged"));
  send_one (&bench, RB_CAN_FAILED);
  g_assert_false (rb_gs_usb_backend.recover (bench.state, &mended));
  g_assert_cmpstr (rb_reason_word (rb_reason_of (mended)), ==, "link-lost");
  rb_gs_usb_backend.close (g_steal_pointer (&bench.state));

  /* the same one again is found by its serial number, in another socket */
  g_clear_pointer (&bench.plug, usb_plug_free);
  bench.adapter = candlelight_new (1, FALSE, "ABC123");
  bench.adapter->on_send = on_send;
  bench.adapter->user = &bench;
  bench.plug = usb_plug_in (bench.testbed, bench.adapter, 5);
  bench_open (&bench, "ABC123");
  send_one (&bench, RB_CAN_DONE);
  g_assert_cmpint (next (&bench, &frame, NULL), ==, RB_CAN_CONFIRM);
}

static void
hostile_limits (Candlelight *adapter)
{
  adapter->nominal.brp_inc = G_MAXUINT32;
  adapter->nominal.brp_max = G_MAXUINT32;
}

static void
no_clock (Candlelight *adapter)
{
  adapter->clock = 0;
}

static void
hundred_channels (Candlelight *adapter)
{
  adapter->channel_count = 99;
}

static void
short_answers (Candlelight *adapter)
{
  adapter->cut = 5;
}

static void
test_hostile (void)
{
  static const struct {
    void (*make) (Candlelight *adapter);
    const char *word, *says;
  } cases[] = { { hostile_limits, "unsupported", "clock" },
                { no_clock, "link-protocol", "bit timing" },
                { hundred_channels, "link-protocol", "channels" },
                { short_answers, "link-protocol", "channels" } };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_auto (Bench) bench;
    bench_init (&bench, 1, TRUE);
    cases[i].make (bench.adapter);
    bench_plug (&bench);
    cannot_open ("", cases[i].word, cases[i].says);
    g_assert_false (usb_plug_is_claimed (bench.plug));
  }
}

/* Packets that are no frames are passed over, and the adapter goes on. */
static void
test_bad_packets (void)
{
  g_auto (Bench) bench;
  RbCanFrame frame;
  const struct canfd_frame from_bus = { .can_id = 0x7e8, .len = 3 };
  bench_init (&bench, 1, FALSE);
  bench_plug (&bench);
  bench_open (&bench, "");
  Candlelight *adapter = usb_plug_lock (bench.plug);
  adapter->bad_packets = 50;
  for (guint i = 0; i < 51; i++)
    candlelight_receive (adapter, 0, &from_bus, FALSE);
  usb_plug_unlock (bench.plug);
  g_assert_cmpint (next (&bench, &frame, NULL), ==, RB_CAN_FRAME);
  g_assert_cmpuint (frame.length, ==, 3);
  g_assert_cmpint (rb_gs_usb_backend.receive (bench.state, &frame, NULL), ==, RB_CAN_EMPTY);
}

/* Whole messages by ISO-TP, as a program has them. */
static void
test_messages (void)
{
  static const gsize lengths[] = { 1, 7, 8, 62, 100, 4095, 5000 };
  static const RbAddress classic
    = { .request = 0x7e0, .response = 0x7e8, .extension = -1, .response_extension = -1, .padding = 0xcc };
  g_auto (Bench) bench;
  g_autoptr (GError) error = NULL;
  bench_init (&bench, 1, FALSE);
  bench_plug (&bench);
  g_autoptr (RbLink) link = rb_backends_open ("usb:ABC123", NULL, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (RbChannel) channel = rb_channel_open (link, &classic, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++) {
    g_autofree guint8 *data = g_malloc0 (lengths[i]);
    data[0] = (guint8) i;
    g_autoptr (GBytes) message = g_bytes_new (data, lengths[i]);
    g_assert_true (rb_channel_send (channel, message, NULL, &error));
    g_autoptr (GBytes) answer = rb_channel_receive (channel, PATIENCE_MS, NULL, &error);
    g_assert_no_error (error);
    g_assert_true (g_bytes_equal (answer, message));
  }
  usb_plug_pull (bench.plug);
  g_autoptr (GBytes) nothing = rb_channel_receive (channel, PATIENCE_MS, NULL, &error);
  g_assert_null (nothing);
  g_assert_cmpstr (rb_reason_word (rb_reason_of (error)), ==, "link-lost");
  g_clear_pointer (&channel, rb_channel_unref);
  g_clear_pointer (&link, rb_link_unref);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/gs-usb/list", test_list);
  g_test_add_func ("/gs-usb/list-taken", test_list_taken);
  g_test_add_func ("/gs-usb/list-forsaken", test_list_forsaken);
  g_test_add_func ("/gs-usb/bit-rates", test_bit_rates);
  g_test_add_func ("/gs-usb/cannot-open", test_cannot_open);
  g_test_add_func ("/gs-usb/frames", test_frames);
  g_test_add_func ("/gs-usb/filter", test_filter);
  g_test_add_func ("/gs-usb/two-channels", test_two_channels);
  g_test_add_func ("/gs-usb/kernel-driver", test_kernel_driver);
  g_test_add_func ("/gs-usb/slots", test_slots);
  g_test_add_func ("/gs-usb/stuck", test_stuck);
  g_test_add_func ("/gs-usb/reset-is-for-all", test_reset_is_for_all);
  g_test_add_func ("/gs-usb/bus-off", test_bus_off);
  g_test_add_func ("/gs-usb/no-ack", test_no_ack);
  g_test_add_func ("/gs-usb/wrong-bit-rate", test_wrong_bit_rate);
  g_test_add_func ("/gs-usb/unplugged", test_unplugged);
  g_test_add_func ("/gs-usb/hostile", test_hostile);
  g_test_add_func ("/gs-usb/bad-packets", test_bad_packets);
  g_test_add_func ("/gs-usb/messages", test_messages);
  return g_test_run ();
}
