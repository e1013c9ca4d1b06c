/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bare-ecu PATH BITRATE DATA_BITRATE: an ECU that does nothing but answer, on a paced bus of its own (data bit rate 0:
 * classic). After RequestTransferExit it prints one line: what the bus carried since RequestDownload, and the processor
 * time that bus and ECU took: bytes, nanoseconds from the first request's end to the last answer, nanoseconds with a
 * frame on the bus, worst idle, worst lateness, processor microseconds. Ends with its standard input.
 */
#include "sim-can/bus-hub.h"

#include <glib-unix.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define BLOCK 4095

typedef struct {
  RbCanBus *wire;
  guint64 bytes;
  gint64 started, processor;
} Ecu;

static gint64
processor_us (void)
{
  struct rusage usage;
  getrusage (RUSAGE_SELF, &usage);
  return (gint64) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 + usage.ru_utime.tv_usec
         + usage.ru_stime.tv_usec;
}

static GPtrArray *
answer (gconstpointer data, gsize length)
{
  GPtrArray *answers = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_ecu_answer_free);
  RbAnswer *one = g_new0 (RbAnswer, 1);
  one->message = g_bytes_new (data, length);
  g_ptr_array_add (answers, one);
  return answers;
}

static void
begin (Ecu *self)
{
  self->bytes = 0;
  self->processor = processor_us ();
  self->started = rb_can_host_now ();
  rb_can_bus_count_anew (self->wire);
}

static void
report (const Ecu *self)
{
  const RbCanBusCount *count = rb_can_bus_count (self->wire);
  printf ("%" G_GUINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT
          " %" G_GINT64_FORMAT "\n",
          self->bytes, rb_can_host_now () - self->started, count->busy, count->worst_idle, count->worst_late,
          processor_us () - self->processor);
  fflush (stdout);
}

static GPtrArray *
serve (gpointer data, GBytes *request, gboolean functional, gint64 now)
{
  Ecu *self = data;
  RbReader reader = rb_reader_from_bytes (request);
  guint8 sid = rb_reader_u8 (&reader);
  switch (sid) {
  case 0x34: begin (self); return answer ("\x74\x20\x0f\xff", 4);
  case 0x36:
    self->bytes += rb_reader_left (&reader) - 1;
    return answer ((const guint8[]){ 0x76, rb_reader_u8 (&reader) }, 2);
  case 0x37: report (self); return answer ("\x77", 1);
  default: return answer ((const guint8[]){ 0x7f, sid, 0x11 }, 3);
  }
}

static gboolean
on_end (int fd, GIOCondition condition, gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

int
main (int argc, char **argv)
{
  if (argc != 4)
    return 2;
  g_autoptr (GError) error = NULL;
  gboolean fd = atoi (argv[3]) != 0;
  const RbCanBusConfig bus
    = { .fd = fd, .bitrate = (guint32) atoi (argv[2]), .data_bitrate = (guint32) atoi (argv[3]), .paced = TRUE };
  const RbCanEcuConfig config = { .isotp = { .tx_id = 0x7e8,
                                             .rx_id = 0x7e0,
                                             .tx_extension = -1,
                                             .rx_extension = -1,
                                             .fd = fd,
                                             .brs = fd,
                                             .pad = TRUE,
                                             .padding = 0xcc },
                                  .functional_extension = -1 };
  g_autoptr (RbCanHost) host = rb_can_host_new (rb_can_network_new_bare (&bus), &error);
  RbCanNetwork *network = host == NULL ? NULL : rb_can_host_network (host);
  Ecu ecu = { .wire = network == NULL ? NULL : rb_can_network_connector (network) };
  const RbCanServer server = { .data = &ecu, .request = serve };
  g_autoptr (RbBusHub) hub = network == NULL ? NULL : rb_bus_hub_new (host, ecu.wire, argv[1], &error);
  if (hub == NULL) {
    fprintf (stderr, "%s\n", error->message);
    return 1;
  }
  rb_can_network_add (network, ecu.wire, &config, &server);
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_unix_fd_add (STDIN_FILENO, G_IO_HUP | G_IO_IN, on_end, loop);
  printf ("ready\n");
  fflush (stdout);
  g_main_loop_run (loop);
  return 0;
}
