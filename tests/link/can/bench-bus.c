/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <glib/gstdio.h>

#include "link/backend.h"
#include "link/channel.h"
#include "linkd/backends.h"
#include "paced-bus.h"

/*
 * Goodput of TransferData over bus: as a ratio to the formula of a bus on which nobody ever waits, and the processor
 * time of our side: bench-bus BITRATE DATA_BITRATE BYTES BLOCK LEAST-RATIO MOST-CPU-PERCENT (data bit rate 0: classic;
 * 0: no bound)
 */
typedef struct {
  guint32 bitrate, data_bitrate;
  gsize bytes, block;
  double least, most_cpu;
} Plan;

static RbAddress
address_of (const Plan *plan)
{
  RbAddress address = { .request = 0x7e0,
                        .response = 0x7e8,
                        .extension = -1,
                        .response_extension = -1,
                        .padding = 0xcc,
                        .fd = plan->data_bitrate != 0 };
  return address;
}

static GBytes *
block_of (GRand *rand, gsize length, guint8 counter)
{
  guint8 *data = g_malloc (length);
  data[0] = 0x36;
  data[1] = counter;
  for (gsize i = 2; i < length; i++)
    data[i] = (guint8) g_rand_int (rand);
  return g_bytes_new_take (data, length);
}

/* The frames of one block and its answer, one after another, in nanoseconds. */
static gint64
ideal (const Plan *plan, GBytes *block)
{
  RbIsotpConfig a = { .tx_id = 0x7e0,
                      .rx_id = 0x7e8,
                      .tx_extension = -1,
                      .rx_extension = -1,
                      .pad = TRUE,
                      .padding = 0xcc,
                      .fd = plan->data_bitrate != 0,
                      .brs = plan->data_bitrate != 0 };
  RbIsotpConfig b = a;
  b.tx_id = a.rx_id;
  b.rx_id = a.tx_id;
  g_autoptr (RbIsotp) tester = rb_isotp_new (&a);
  g_autoptr (RbIsotp) ecu = rb_isotp_new (&b);
  RbIsotp *ends[] = { tester, ecu };
  gint64 time = 0;
  g_autoptr (GBytes) reply = g_bytes_new_static ("\x76\x01", 2);
  g_assert_true (rb_isotp_send (tester, block, 0, NULL) && rb_isotp_send (ecu, reply, 0, NULL));
  for (gboolean some = TRUE; some;) {
    some = FALSE;
    for (guint i = 0; i < 2; i++) {
      RbCanFrame frame;
      guint32 ticket = 0;
      while (rb_isotp_next_frame (ends[i], 0, &frame, &ticket)) {
        some = TRUE;
        time += rb_can_time (&frame, plan->bitrate, plan->data_bitrate);
        rb_isotp_confirm (ends[i], ticket, 0);
        (void) rb_isotp_receive_frame (ends[1 - i], &frame, 0);
      }
    }
  }
  for (guint i = 0; i < 2; i++)
    for (RbIsotpEvent event = rb_isotp_event (ends[i]); event.kind != RB_ISOTP_NONE; event = rb_isotp_event (ends[i]))
      g_clear_pointer (&event.message, g_bytes_unref);
  return time;
}

static double
processor_seconds (void)
{
  struct rusage usage;
  getrusage (RUSAGE_SELF, &usage);
  return (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
         + (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static long
switches (void)
{
  struct rusage usage;
  getrusage (RUSAGE_SELF, &usage);
  return usage.ru_nvcsw + usage.ru_nivcsw;
}

static gboolean
transfer (const Plan *plan, RbChannel *channel, gint64 *formula)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  gsize done = 0;
  for (guint8 counter = 1; done < plan->bytes; counter++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GBytes) block = block_of (rand, MIN (plan->block, plan->bytes - done + 2), counter);
    if (counter == 1 && done == 0)
      *formula = ideal (plan, block);
    done += g_bytes_get_size (block) - 2;
    g_autoptr (GBytes) answer
      = rb_channel_send (channel, block, NULL, &error) ? rb_channel_receive (channel, 2000, NULL, &error) : NULL;
    if (answer == NULL) {
      fprintf (stderr, "%s\n", error->message);
      return FALSE;
    }
  }
  return TRUE;
}

static int
measure (const Plan *plan, RbLink *link)
{
  g_autoptr (GError) error = NULL;
  RbAddress address = address_of (plan);
  g_autoptr (RbChannel) channel = rb_channel_open (link, &address, &error);
  gint64 formula = 0;
  if (channel == NULL)
    return 1;
  double cpu = processor_seconds ();
  long before = switches ();
  gint64 start = g_get_monotonic_time ();
  if (!transfer (plan, channel, &formula))
    return 1;
  double wall = (double) (g_get_monotonic_time () - start) / 1e6;
  double ideal_rate = (double) (plan->block - 2) / ((double) formula / 1e9);
  double ratio = (double) plan->bytes / wall / ideal_rate;
  double percent = 100 * (processor_seconds () - cpu) / wall;
  printf (
    "%u/%u bit/s, %zu bytes in blocks of %zu: %.1f kB/s, formula %.1f, ratio %.4f; processor %.2f %%, %.0f switches/s\n",
    plan->bitrate, plan->data_bitrate, plan->bytes, plan->block, (double) plan->bytes / wall / 1000, ideal_rate / 1000,
    ratio, percent, (double) (switches () - before) / wall);
  return ratio >= plan->least && (plan->most_cpu <= 0 || percent < plan->most_cpu) ? 0 : 1;
}

int
main (int argc, char **argv)
{
  if (argc != 7)
    return 2;
  Plan plan = { (guint32) atoi (argv[1]), (guint32) atoi (argv[2]), (gsize) atol (argv[3]),
                (gsize) atol (argv[4]),   atof (argv[5]),           atof (argv[6]) };
  g_autofree char *directory = g_dir_make_tmp ("recallbay-bench-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (directory, "bus", NULL), *uri = g_strconcat ("bus:", path, NULL);
  PacedBus bus = { .path = path,
                   .bitrate = plan.bitrate,
                   .data_bitrate = plan.data_bitrate,
                   .ecu = { .tx_id = 0x7e8,
                            .rx_id = 0x7e0,
                            .tx_extension = -1,
                            .rx_extension = -1,
                            .pad = TRUE,
                            .padding = 0xcc,
                            .fd = plan.data_bitrate != 0,
                            .brs = plan.data_bitrate != 0 } };
  int process = paced_bus_start (&bus);
  g_autoptr (GError) error = NULL;
  g_autoptr (RbLink) link = rb_backends_open (uri, NULL, NULL, &error);
  int result = link == NULL ? 1 : measure (&plan, link);
  if (error != NULL)
    fprintf (stderr, "%s\n", error->message);
  paced_bus_stop (process);
  g_unlink (path);
  g_rmdir (directory);
  return result;
}
