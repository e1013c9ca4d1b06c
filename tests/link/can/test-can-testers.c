/* SPDX-License-Identifier: Apache-2.0 */
#include "memory-bus.h"

#include <string.h>

/* Requests of another client on the bus, told from ours and from everything else. */

#define EXTENDED 0x80000000u

static const RbAddress address
  = { .request = 0x7e0, .response = 0x7e8, .extension = -1, .response_extension = -1, .padding = 0xcc };
static const guint32 model[] = { 0x7e0, 0x7e3, EXTENDED | 0x18ce10f1, 0x6f1 };

typedef struct {
  MemoryBus *bus;
  RbLink *link;
  RbChannel *channel;
} Bench;

static GBytes *
echo (GBytes *request)
{
  return g_bytes_ref (request);
}

static void
bench_open (Bench *bench)
{
  const RbIsotpConfig ecu = { .tx_id = address.response,
                              .rx_id = address.request,
                              .tx_extension = -1,
                              .rx_extension = -1,
                              .pad = TRUE,
                              .block_size = 8,
                              .window = 4 };
  g_autoptr (GError) error = NULL;
  bench->bus = memory_bus_new ();
  memory_bus_add_ecu (bench->bus, &ecu, echo);
  bench->link = memory_bus_link (bench->bus);
  bench->channel = rb_channel_open (bench->link, &address, &error);
  g_assert_no_error (error);
}

static void
bench_close (Bench *bench)
{
  rb_channel_unref (bench->channel);
  rb_link_unref (bench->link);
}

/* An exchange of ours; what was on the bus before it has been seen then. */
static void
exchange (Bench *bench, gsize length)
{
  g_autofree guint8 *data = g_malloc0 (length);
  g_autoptr (GBytes) message = g_bytes_new (data, length);
  g_autoptr (GError) error = NULL;
  g_assert_true (rb_channel_send (bench->channel, message, NULL, &error));
  gboolean came = FALSE;
  while (!came) { /* an injected response may come first */
    g_autoptr (GBytes) answer = rb_channel_receive (bench->channel, 5000, NULL, &error);
    g_assert_no_error (error);
    came = g_bytes_equal (answer, message);
  }
}

static void
watch (Bench *bench, guint n)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (rb_link_watch_testers (bench->link, model, n, &error));
}

static guint32
heard (Bench *bench)
{
  guint32 id = 1;
  g_autoptr (GError) error = NULL;
  g_assert_true (rb_link_heard_tester (bench->link, &id, &error));
  return id;
}

static void
inject (Bench *bench, guint32 id)
{
  const RbCanFrame frame = { .id = id, .length = 8, .data = { 2, 0x3e, 0x80 } };
  memory_bus_inject (bench->bus, &frame);
  exchange (bench, 3);
}

static const struct {
  guint32 id;
  gboolean counts;
} frames[] = {
  { 0x7e0, TRUE }, /* of the ECU that we speak with too */
  { 0x7e3, TRUE }, /* of the model */
  { EXTENDED | 0x18ce10f1, TRUE },
  { 0x6f1, TRUE },
  { 0x7df, TRUE }, /* functional of ISO 15765-4 */
  { EXTENDED | 0x18da10f1, TRUE }, /* physical, from tester F1 */
  { EXTENDED | 0x18da55f0, TRUE },
  { EXTENDED | 0x18da55fd, TRUE },
  { EXTENDED | 0x18db33f1, TRUE }, /* functional, 29 bit */
  { EXTENDED | 0x18daf110, FALSE }, /* an ECU's response */
  { EXTENDED | 0x18da1020, FALSE }, /* between ECUs */
  { EXTENDED | 0x18da10fe, FALSE },
  { EXTENDED | 0x18dc10f1, FALSE },
  { 0x7e8, FALSE },
  { 0x7e4, FALSE }, /* of no ECU of the model */
  { EXTENDED | 0x7df, FALSE }, /* 29 bit, so another id */
  { EXTENDED | 0x7e0, FALSE },
  { 0x123, FALSE },
};

static void
test_frame (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  Bench bench;
  bench_open (&bench);
  watch (&bench, G_N_ELEMENTS (model));
  exchange (&bench, 300);
  g_assert_cmphex (heard (&bench), ==, 0);
  inject (&bench, frames[i].id);
  g_assert_cmphex (heard (&bench), ==, frames[i].counts ? frames[i].id : 0);
  bench_close (&bench);
}

/* the first one stays, also when the watch ends; a new watch forgets it */
static void
test_watch (void)
{
  Bench bench;
  bench_open (&bench);
  inject (&bench, 0x7df);
  g_assert_cmphex (heard (&bench), ==, 0);
  watch (&bench, G_N_ELEMENTS (model));
  inject (&bench, 0x7e3);
  inject (&bench, 0x7df);
  watch (&bench, 0);
  g_assert_cmphex (heard (&bench), ==, 0x7e3);
  watch (&bench, G_N_ELEMENTS (model));
  g_assert_cmphex (heard (&bench), ==, 0);
  watch (&bench, 0);
  inject (&bench, 0x7df);
  g_assert_cmphex (heard (&bench), ==, 0);
  bench_close (&bench);
}

/* an interface that gives our own frames back without a mark: what is in flight is ours, what differs from it is not */
static void
test_unmarked (void)
{
  Bench bench;
  bench_open (&bench);
  bench.bus->unmarked = TRUE;
  watch (&bench, G_N_ELEMENTS (model));
  for (gsize length = 1; length < 400; length += 57)
    exchange (&bench, length);
  g_assert_cmphex (heard (&bench), ==, 0);
  inject (&bench, 0x7e0);
  g_assert_cmphex (heard (&bench), ==, 0x7e0);
  bench_close (&bench);
}

/* the interface lets everything through while it watches, else the channel's two ids */
static void
test_filter (void)
{
  Bench bench;
  bench_open (&bench);
  exchange (&bench, 3);
  g_assert_cmpuint (bench.bus->filters, ==, 2);
  watch (&bench, G_N_ELEMENTS (model));
  exchange (&bench, 3);
  g_assert_cmpuint (bench.bus->filters, ==, 0);
  watch (&bench, 0);
  exchange (&bench, 3);
  g_assert_cmpuint (bench.bus->filters, ==, 2);
  bench_close (&bench);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (frames); i++) {
    g_autofree char *path = g_strdup_printf ("/can-testers/frame/%x", frames[i].id);
    g_test_add_data_func (path, GUINT_TO_POINTER (i), test_frame);
  }
  g_test_add_func ("/can-testers/watch", test_watch);
  g_test_add_func ("/can-testers/unmarked", test_unmarked);
  g_test_add_func ("/can-testers/filter", test_filter);
  return g_test_run ();
}
