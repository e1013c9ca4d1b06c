/* SPDX-License-Identifier: Apache-2.0 */
#include "link/process.h"
#include "link/packet.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/*
 * A link process whose heart beats and that never ends a call: it is this program itself, under the name that is looked
 * for. The program notices, buries it and says that the interface is gone.
 */
static int
be_deaf (void)
{
  RbPacketBuffer *room = rb_packet_buffer_new ();
  const RbPacket pong = { .kind = RB_PACKET_PONG, .fd = -1 };
  for (;;) {
    g_auto (RbPacket) packet = { .fd = -1 };
    if (!rb_packet_receive_whole (RB_PACKET_HEARTBEAT_FD, room, &packet))
      break;
    if (packet.kind == RB_PACKET_PING && !rb_packet_reply (RB_PACKET_HEARTBEAT_FD, &pong))
      break;
  }
  rb_packet_buffer_free (room);
  return 0;
}

static void
test_never_ends_a_call (void)
{
  g_autoptr (GError) error = NULL;
  gint64 before = g_get_monotonic_time ();
  g_assert_null (rb_process_discover (0, NULL, &error));
  g_assert_cmpstr (rb_reason_word (rb_reason_of (error)), ==, "link-lost");
  g_assert_nonnull (strstr (error->message, "does not end a call"));
  g_assert_cmpint (g_get_monotonic_time () - before, >=, 20 * G_USEC_PER_SEC);
}

int
main (int argc, char **argv)
{
  if (g_str_has_suffix (argv[0], "recall-link"))
    return be_deaf ();
  g_test_init (&argc, &argv, NULL);
  g_autofree char *directory = g_dir_make_tmp ("recallbay-deaf-XXXXXX", NULL);
  g_autofree char *name = g_build_filename (directory, "recall-link", NULL);
  g_autofree char *own = g_file_read_link ("/proc/self/exe", NULL);
  g_assert_cmpint (symlink (own, name), ==, 0);
  g_setenv ("PATH", directory, TRUE);
  g_test_add_func ("/link/deaf/never-ends-a-call", test_never_ends_a_call);
  int code = g_test_run ();
  g_unlink (name);
  g_rmdir (directory);
  return code;
}
