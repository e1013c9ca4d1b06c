/* SPDX-License-Identifier: Apache-2.0 */
/*
 * download BARE-ECU BITRATE DATA_BITRATE BYTES LEAST-RATIO MOST-PERCENT
 *
 * One RequestDownload to a bare ECU over a paced virtual bus by this project's UDS client, link process and ISO-TP, and
 * its goodput as a ratio to what the bus could carry if nobody ever waited: for each block one first frame, one flow
 * control, consecutive frames and one answer, each as long as such a frame is on average. MOST bounds the processor
 * time of the tester, link process included, in percent of a core; 0: not at all. RECALLBAY_BENCH_BYTES in the
 * environment replaces BYTES.
 */
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "frame/can.h"
#include "uds/uds-client.h"

typedef struct {
  guint32 bitrate, data_bitrate;
  gsize bytes;
  double least, most;
} Plan;

typedef struct {
  GSubprocess *process;
  GDataInputStream *out;
} Ecu;

/* Of this program and of its children that are dead: the link process once its link is closed, the ECU not yet. */
static gint64
processor_us (int whose)
{
  struct rusage usage;
  getrusage (whose, &usage);
  return (gint64) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 + usage.ru_utime.tv_usec
         + usage.ru_stime.tv_usec;
}

/* The average time of a frame: the first byte counts as in consecutive frames, that much random data, the rest filler.
 */
static double
frame_ns (const Plan *plan, guint32 id, guint8 random, guint8 length)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (11898);
  RbCanFrame frame = { .id = id, .length = length, .fd = plan->data_bitrate != 0, .brs = plan->data_bitrate != 0 };
  double sum = 0;
  memset (frame.data, 0xcc, sizeof frame.data);
  for (guint i = 0; i < 20000; i++) {
    frame.data[0] = 0x20 | (i & 15);
    for (guint8 byte = 1; byte < random; byte++)
      frame.data[byte] = (guint8) g_rand_int (rand);
    sum += (double) rb_can_time (&frame, plan->bitrate, plan->data_bitrate);
  }
  return sum / 20000;
}

/* Bytes a second of a transfer in blocks of that many data bytes (the message has two more). */
static double
formula (const Plan *plan, gsize block)
{
  guint8 whole = plan->data_bitrate == 0 ? 8 : 64;
  gsize message = block + 2;
  gsize rest = message - (whole - 2u);
  gsize consecutive = (rest + whole - 2u) / (whole - 1u);
  double time = frame_ns (plan, 0x7e0, whole, whole) * (double) (1 + consecutive) + 2 * frame_ns (plan, 0x7e8, 3, 8);
  return (double) block / time * 1e9;
}

static gboolean
ecu_start (Ecu *self, const char *program, const char *path, const Plan *plan, GError **error)
{
  g_autofree char *bitrate = g_strdup_printf ("%u", plan->bitrate);
  g_autofree char *data_bitrate = g_strdup_printf ("%u", plan->data_bitrate);
  self->process = g_subprocess_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE, error, program,
                                    path, bitrate, data_bitrate, NULL);
  if (self->process == NULL)
    return FALSE;
  self->out = g_data_input_stream_new (g_subprocess_get_stdout_pipe (self->process));
  g_autofree char *ready = g_data_input_stream_read_line (self->out, NULL, NULL, error);
  return ready != NULL;
}

static gboolean
download (const Plan *plan, RbUdsClient *client, gsize *block, GError **error)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (14229);
  g_autofree guint32 *image = g_malloc (plan->bytes + 4);
  const guint8 *bytes = (const guint8 *) image;
  for (gsize i = 0; i < plan->bytes / 4 + 1; i++)
    image[i] = g_rand_int (rand);
  if (!rb_uds_client_request_download (client, 0, (guint32) plan->bytes, block, NULL, error))
    return FALSE;
  return rb_uds_client_transfer_data (client, bytes, plan->bytes, *block, NULL, NULL, NULL, error)
         && rb_uds_client_request_transfer_exit (client, NULL, error);
}

static int
judge (const Plan *plan, const char *line, gsize block, gint64 tester_us)
{
  guint64 bytes;
  gint64 time, busy, idle, late, ecu_us;
  if (line == NULL
      || sscanf (line,
                 "%" G_GUINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT
                 " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT,
                 &bytes, &time, &busy, &idle, &late, &ecu_us)
           != 6
      || bytes != plan->bytes)
    return 1;
  double goodput = (double) bytes / (double) time * 1e9;
  double best = formula (plan, block);
  double tester = 100.0 * (double) tester_us * 1000 / (double) time;
  double ecu = 100.0 * (double) ecu_us * 1000 / (double) time;
  printf ("%u/%u bit/s: %" G_GUINT64_FORMAT " bytes in %.1f s, blocks of %" G_GSIZE_FORMAT " data bytes\n",
          plan->bitrate, plan->data_bitrate, bytes, (double) time / 1e9, block);
  printf ("  goodput %.1f kB/s, formula %.1f kB/s, ratio %.4f (least %.2f)\n", goodput / 1000, best / 1000,
          goodput / best, plan->least);
  printf ("  bus in use %.2f %%, worst gap %.3f ms, hub at worst %.3f ms late\n", 100.0 * (double) busy / (double) time,
          (double) idle / 1e6, (double) late / 1e6);
  printf ("  processor: tester %.2f %% of a core, bus and ECU %.2f %%\n", tester, ecu);
  return goodput / best >= plan->least && (plan->most <= 0 || tester < plan->most) ? 0 : 1;
}

static gsize
transfer (const Plan *plan, const char *uri, GError **error)
{
  const RbAddress address = { .request = 0x7e0,
                              .response = 0x7e8,
                              .extension = -1,
                              .response_extension = -1,
                              .padding = 0xcc,
                              .fd = plan->data_bitrate != 0 };
  const RbUdsClientTiming timing = { .p2_ms = 1000 };
  g_autoptr (RbLink) link = rb_link_open_with (uri, NULL, NULL, error);
  g_autoptr (RbChannel) channel = link == NULL ? NULL : rb_channel_open (link, &address, error);
  if (channel == NULL)
    return 0;
  g_autoptr (RbUdsClient) client = rb_uds_client_new (channel, &timing);
  gsize block = 0;
  return download (plan, client, &block, error) ? block : 0;
}

static int
measure (const Plan *plan, Ecu *ecu, const char *uri, GError **error)
{
  gint64 before = processor_us (RUSAGE_SELF) + processor_us (RUSAGE_CHILDREN);
  gsize block = transfer (plan, uri, error);
  if (block == 0)
    return 1;
  gint64 used = processor_us (RUSAGE_SELF) + processor_us (RUSAGE_CHILDREN) - before;
  g_autofree char *line = g_data_input_stream_read_line (ecu->out, NULL, NULL, error);
  return judge (plan, line, block, used);
}

int
main (int argc, char **argv)
{
  if (argc != 7)
    return 2;
  const char *bytes = g_getenv ("RECALLBAY_BENCH_BYTES");
  const Plan plan = { (guint32) atoi (argv[2]), (guint32) atoi (argv[3]),
                      (gsize) atol (bytes == NULL ? argv[4] : bytes), atof (argv[5]), atof (argv[6]) };
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = g_dir_make_tmp ("recallbay-bench-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "bus", NULL);
  g_autofree char *uri = g_strconcat ("bus:", path, NULL);
  Ecu ecu = { NULL };
  int result = ecu_start (&ecu, argv[1], path, &plan, &error) ? measure (&plan, &ecu, uri, &error) : 1;
  if (error != NULL)
    fprintf (stderr, "%s\n", error->message);
  if (ecu.process != NULL) {
    g_output_stream_close (g_subprocess_get_stdin_pipe (ecu.process), NULL, NULL);
    g_subprocess_wait (ecu.process, NULL, NULL);
    g_object_unref (ecu.out);
    g_object_unref (ecu.process);
  }
  g_unlink (path);
  g_rmdir (folder);
  return result;
}
