/* SPDX-License-Identifier: Apache-2.0 */
#include <glib/gstdio.h>
#include <string.h>

#include "link/backend.h"
#include "link/channel.h"
#include "linkd/backends.h"
#include "paced-bus.h"

/* bus:PATH against a hub with one bare ECU in another process. */

typedef struct {
  char *directory, *path, *uri;
  int process;
  RbLink *link;
  RbChannel *channel;
} Bench;

static RbAddress
address_of (const RbIsotpConfig *ecu)
{
  RbAddress address = { .request = ecu->rx_id,
                        .response = ecu->tx_id,
                        .extension = ecu->rx_extension,
                        .response_extension = ecu->tx_extension,
                        .fd = ecu->fd,
                        .padding = 0xcc };
  return address;
}

static Bench
bench_of (PacedBus *bus)
{
  Bench bench = { .directory = g_dir_make_tmp ("recallbay-bus-XXXXXX", NULL) };
  bench.path = g_build_filename (bench.directory, "bus", NULL);
  bench.uri = g_strconcat ("bus:", bench.path, NULL);
  bus->path = bench.path;
  bench.process = paced_bus_start (bus);
  g_autoptr (GError) error = NULL;
  RbAddress address = address_of (&bus->ecu);
  bench.link = rb_backends_open (bench.uri, NULL, NULL, &error);
  g_assert_no_error (error);
  bench.channel = rb_channel_open (bench.link, &address, &error);
  g_assert_no_error (error);
  return bench;
}

static void
bench_clear (Bench *bench)
{
  g_clear_pointer (&bench->channel, rb_channel_unref);
  g_clear_pointer (&bench->link, rb_link_unref);
  if (bench->process > 0)
    paced_bus_stop (bench->process);
  g_unlink (bench->path);
  g_rmdir (bench->directory);
  g_free (bench->directory);
  g_free (bench->path);
  g_free (bench->uri);
}

static GBytes *
transfer (guint8 counter, gsize length)
{
  guint8 *data = g_malloc (length);
  memset (data, counter, length);
  data[0] = 0x36;
  data[1] = counter;
  return g_bytes_new_take (data, length);
}

static void
exchange (RbChannel *channel, guint8 counter, gsize length)
{
  const guint8 expected[] = { 0x76, counter };
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) request = transfer (counter, length);
  g_assert_true (rb_channel_send (channel, request, NULL, &error));
  g_assert_no_error (error);
  g_autoptr (GBytes) answer = rb_channel_receive (channel, 2000, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (answer, NULL), g_bytes_get_size (answer), expected, sizeof expected);
}

#define PLAIN .tx_id = 0x7e8, .rx_id = 0x7e0, .tx_extension = -1, .rx_extension = -1, .padding = 0xcc, .pad = TRUE
static const RbIsotpConfig ecus[] = {
  { PLAIN },
  { PLAIN, .block_size = 8 },
  { PLAIN, .block_size = 3, .st_min = 0xf2 },
  { PLAIN, .fd = TRUE, .brs = TRUE },
  { PLAIN, .fd = TRUE, .tx_length = 32, .block_size = 1 },
  { .tx_id = 0x98daf110, .rx_id = 0x98da10f1, .tx_extension = -1, .rx_extension = -1, .pad = TRUE },
  { .tx_id = 0x601, .rx_id = 0x600, .tx_extension = 0xf1, .rx_extension = 0x12, .pad = TRUE },
  { .tx_id = 0x98cef110, .rx_id = 0x98ce10f1, .tx_extension = 0x55, .rx_extension = 0x55 },
};

static void
test_forms (void)
{
  static const gsize lengths[] = { 2, 7, 8, 63, 500, 4096 };
  for (guint i = 0; i < G_N_ELEMENTS (ecus); i++) {
    PacedBus bus = { .ecu = ecus[i] };
    Bench bench = bench_of (&bus);
    for (guint8 j = 0; j < G_N_ELEMENTS (lengths); j++)
      exchange (bench.channel, j, lengths[j]);
    bench_clear (&bench);
  }
}

/* send returns when the last frame is on the wire, and not before: P2 starts there. */
static void
test_pace (void)
{
  PacedBus bus = { .ecu = ecus[0], .bitrate = 500000 };
  Bench bench = bench_of (&bus);
  g_autoptr (GBytes) request = transfer (1, 1000);
  gint64 before = g_get_monotonic_time ();
  g_assert_true (rb_channel_send (bench.channel, request, NULL, NULL));
  g_assert_cmpint (g_get_monotonic_time () - before, >=, 144 * 222); /* the frames without one stuff bit */
  g_autoptr (GBytes) answer = rb_channel_receive (bench.channel, 2000, NULL, NULL);
  g_assert_nonnull (answer);
  bench_clear (&bench);
}

static void
test_separation (void)
{
  PacedBus bus = { .ecu = ecus[0] };
  bus.ecu.st_min = 2;
  Bench bench = bench_of (&bus);
  gint64 before = g_get_monotonic_time ();
  exchange (bench.channel, 1, 6 + 7 * 10);
  g_assert_cmpint (g_get_monotonic_time () - before, >=, 9 * 2000);
  bench_clear (&bench);
}

/* The hub dies: every call ends with link-lost at once. */
static void
test_lost (void)
{
  PacedBus bus = { .ecu = ecus[0] };
  Bench bench = bench_of (&bus);
  exchange (bench.channel, 1, 100);
  g_assert_true (rb_link_is_alive (bench.link));
  paced_bus_stop (bench.process);
  bench.process = 0;
  g_autoptr (GError) error = NULL;
  g_assert_null (rb_channel_receive (bench.channel, 60000, NULL, &error));
  g_assert_cmpstr (rb_reason_word (rb_reason_of (error)), ==, "link-lost");
  g_clear_error (&error);
  g_autoptr (GBytes) request = transfer (2, 100);
  g_assert_false (rb_channel_send (bench.channel, request, NULL, &error));
  g_assert_cmpstr (rb_reason_word (rb_reason_of (error)), ==, "link-lost");
  g_assert_false (rb_link_is_alive (bench.link));
  bench_clear (&bench);
}

/* One frame in a hundred is lost for the ECU; what is repeated arrives. */
static void
test_loss (void)
{
  PacedBus bus = { .ecu = ecus[1], .lose_every = 100 };
  Bench bench = bench_of (&bus);
  guint repeats = 0;
  for (guint8 i = 1; i < 12; i++) {
    g_autoptr (GBytes) request = transfer (i, 120);
    for (gboolean done = FALSE; !done && repeats < 10;) {
      g_autoptr (GError) error = NULL;
      g_autoptr (GBytes) answer = rb_channel_send (bench.channel, request, NULL, &error)
                                    ? rb_channel_receive (bench.channel, 50, NULL, &error)
                                    : NULL;
      done = answer != NULL;
      if (!done)
        g_assert_cmpstr (rb_reason_word (rb_reason_of (error)), ==, "timeout");
      repeats += !done;
    }
  }
  g_assert_cmpuint (repeats, >, 0);
  g_assert_cmpuint (repeats, <, 10);
  bench_clear (&bench);
}

static void
refuse (const char *uri, const char *reason)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (rb_backends_open (uri, NULL, NULL, &error));
  g_assert_cmpstr (rb_reason_word (rb_reason_of (error)), ==, reason);
}

static void
test_refused (void)
{
  g_autofree char *directory = g_dir_make_tmp ("recallbay-bus-XXXXXX", NULL);
  g_autofree char *absent = g_strconcat ("bus:", directory, "/none", NULL),
                  *file = g_build_filename (directory, "file", NULL);
  g_autofree char *no_socket = g_strconcat ("bus:", file, NULL), *filler = g_strnfill (200, 'x'),
                  *endless = g_strconcat ("bus:/", filler, NULL);
  g_assert_true (g_file_set_contents (file, "x", 1, NULL));
  refuse (absent, "link-none");
  refuse (no_socket, "link-refused");
  refuse (endless, "usage");
  refuse ("bus:", "usage");
  refuse ("wire:/x", "usage");
  g_unlink (file);
  g_rmdir (directory);
}

static void
test_info (void)
{
  PacedBus bus = { .ecu = ecus[0] };
  Bench bench = bench_of (&bus);
  g_assert_cmpstr (rb_link_info (bench.link)->kind, ==, "bus");
  g_assert_cmpuint (rb_link_info (bench.link)->max_message, ==, 1024 * 1024);
  g_autoptr (GCancellable) cancelled = g_cancellable_new ();
  g_cancellable_cancel (cancelled);
  g_autoptr (GError) error = NULL;
  g_assert_null (rb_backends_open (bench.uri, NULL, cancelled, &error));
  g_assert_true (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
  bench_clear (&bench);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/link/bus/forms", test_forms);
  g_test_add_func ("/link/bus/pace", test_pace);
  g_test_add_func ("/link/bus/separation", test_separation);
  g_test_add_func ("/link/bus/lost", test_lost);
  g_test_add_func ("/link/bus/loss", test_loss);
  g_test_add_func ("/link/bus/refused", test_refused);
  g_test_add_func ("/link/bus/info", test_info);
  return g_test_run ();
}
