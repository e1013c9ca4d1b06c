/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/bytes.h"
#include "link/backend.h"
#include "link/packet-body.h"

/* What a program and its link process say to each other, and what a link process that was taken over may say instead.
 */

static gpointer
send_pattern (gpointer data)
{
  const int *sockets = data;
  guint32 call = 0;
  for (gsize length = 0; length <= 700000; length = length * 3 + 1) {
    guint8 *bytes = g_malloc (length + 1);
    for (gsize i = 0; i < length; i++)
      bytes[i] = (guint8) (i * 7 + length);
    g_autoptr (GBytes) body = g_bytes_new_take (bytes, length);
    const RbPacket packet
      = { .kind = RB_PACKET_SEND, .call = ++call, .number = -(gint64) length, .body = body, .fd = -1 };
    if (!(call % 2 == 0 ? rb_packet_send (sockets[1], &packet, 0) : rb_packet_reply (sockets[1], &packet)))
      g_error ("the packet did not go: %s", g_strerror (errno));
  }
  close (sockets[1]);
  return NULL;
}

static void
test_any_length (void)
{
  int sockets[2];
  g_assert_true (rb_packet_pair (sockets));
  g_autoptr (RbPacketBuffer) buffer = rb_packet_buffer_new ();
  GThread *sender = g_thread_new ("sender", send_pattern, sockets);
  guint32 call = 0;
  for (gsize length = 0; length <= 700000; length = length * 3 + 1) {
    g_auto (RbPacket) packet = { .fd = -1 };
    g_assert_true (rb_packet_receive (sockets[0], buffer, &packet));
    g_assert_cmpint (packet.kind, ==, RB_PACKET_SEND);
    g_assert_cmpuint (packet.call, ==, ++call);
    g_assert_cmpint (packet.number, ==, -(gint64) length);
    gsize got;
    const guint8 *bytes = g_bytes_get_data (packet.body, &got);
    g_assert_cmpuint (got, ==, length);
    for (gsize i = 0; i < length; i++)
      g_assert_cmpuint (bytes[i], ==, (guint8) (i * 7 + length));
  }
  g_auto (RbPacket) end = { .fd = -1 };
  g_assert_false (rb_packet_receive (sockets[0], buffer, &end));
  g_thread_join (sender);
  close (sockets[0]);
}

static void
test_socket_comes_along (void)
{
  int sockets[2], inner[2];
  g_assert_true (rb_packet_pair (sockets));
  g_assert_true (rb_packet_pair (inner));
  g_autoptr (RbPacketBuffer) buffer = rb_packet_buffer_new ();
  const RbPacket packet = { .kind = RB_PACKET_CHANNEL, .call = 1, .fd = inner[1] };
  g_assert_true (rb_packet_send (sockets[0], &packet, 0));
  close (inner[1]);
  g_auto (RbPacket) got = { .fd = -1 };
  g_assert_true (rb_packet_receive (sockets[1], buffer, &got));
  g_assert_cmpint (got.fd, >=, 0);
  g_assert_cmpint (fcntl (got.fd, F_GETFD), ==, FD_CLOEXEC);
  g_assert_cmpint (send (got.fd, "x", 1, MSG_NOSIGNAL), ==, 1);
  rb_packet_clear (&got);
  /* with the packet, its socket is closed: the other end sees what was said and then the end */
  char byte = 0;
  g_assert_cmpint (recv (inner[0], &byte, 1, 0), ==, 1);
  g_assert_cmpint (recv (inner[0], &byte, 1, 0), ==, 0);
  close (inner[0]);
  close (sockets[0]);
  close (sockets[1]);
}

static void
test_memory_comes_along (void)
{
  int sockets[2], inner[2];
  g_assert_true (rb_packet_pair (sockets));
  g_assert_true (rb_packet_pair (inner));
  g_autoptr (RbPacketBuffer) buffer = rb_packet_buffer_new ();
  g_autoptr (RbPacketMemory) ours = rb_packet_memory_new ();
  const RbPacket packet
    = { .kind = RB_PACKET_CHANNEL, .call = 1, .fd = inner[1], .memory = rb_packet_memory_file (ours) };
  g_assert_true (rb_packet_send (sockets[0], &packet, 0));
  g_auto (RbPacket) got = { .fd = -1 };
  g_assert_true (rb_packet_receive (sockets[1], buffer, &got));
  g_autoptr (RbPacketMemory) theirs = rb_packet_memory_open (got.memory);
  got.memory = -1;
  g_assert_nonnull (theirs);
  g_autoptr (GBytes) before = NULL, before_view = NULL;
  for (gsize length = 1; length <= RB_PACKET_SHARED_MAX; length = length * 2 + 1) {
    guint32 place;
    guint8 *bytes = g_malloc (length);
    memset (bytes, (int) length / 3 + 1, length);
    GBytes *message = g_bytes_new_take (bytes, length);
    g_assert_true (rb_packet_memory_put (ours, message, &place));
    GBytes *view = rb_packet_memory_view (theirs, place, length);
    g_assert_true (g_bytes_equal (view, message));
    g_assert_true (before == NULL || g_bytes_equal (before_view, before));
    g_clear_pointer (&before, g_bytes_unref);
    g_clear_pointer (&before_view, g_bytes_unref);
    before = message;
    before_view = view;
  }
  guint32 place;
  g_autoptr (GBytes) too_long = g_bytes_new_take (g_malloc0 (RB_PACKET_SHARED_MAX + 1), RB_PACKET_SHARED_MAX + 1);
  g_assert_false (rb_packet_memory_put (ours, too_long, &place));
  g_assert_null (rb_packet_memory_view (theirs, 0, 512 * 1024 + 1));
  g_assert_null (rb_packet_memory_view (theirs, 0, G_MAXSIZE));
  g_assert_null (rb_packet_memory_view (theirs, 512 * 1024, 1));
  g_assert_null (rb_packet_memory_view (theirs, G_MAXUINT32, 1));
  for (guint i = 0; i < 2; i++) {
    close (sockets[i]);
    close (inner[i]);
  }
}

/* The link process can neither write the memory nor make it smaller under the program's feet. */
static void
test_memory_is_read_only (void)
{
  g_autoptr (RbPacketMemory) ours = rb_packet_memory_new ();
  int file = rb_packet_memory_file (ours);
  g_assert_true (mmap (NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) == MAP_FAILED);
  g_assert_cmpint (errno, ==, EPERM);
  void *view = mmap (NULL, 4096, PROT_READ, MAP_SHARED, file, 0);
  g_assert_true (view != MAP_FAILED);
  g_assert_cmpint (mprotect (view, 4096, PROT_READ | PROT_WRITE), ==, -1);
  munmap (view, 4096);
  g_assert_cmpint (ftruncate (file, 0), ==, -1);
  g_assert_cmpint (ftruncate (file, 1 << 30), ==, -1);
  g_assert_cmpint (pwrite (file, "x", 1, 0), ==, -1);
}

static void
test_memory_of_another_kind (void)
{
  int ends[2];
  g_assert_null (rb_packet_memory_open (-1));
  g_assert_cmpint (pipe (ends), ==, 0);
  g_assert_null (rb_packet_memory_open (ends[0]));
  g_assert_cmpint (fcntl (ends[0], F_GETFD), ==, -1);
  int small = memfd_create ("small", MFD_CLOEXEC);
  g_assert_cmpint (ftruncate (small, 4096), ==, 0);
  g_assert_null (rb_packet_memory_open (small));
  close (ends[1]);
}

/* A head as it lies in memory: kind, call, number, length of the body. */
typedef struct {
  guint32 kind, call;
  gint64 number;
  guint64 length;
} Head;

static gboolean
is_taken (const void *bytes, gsize length, gboolean whole)
{
  int sockets[2];
  g_assert_true (rb_packet_pair (sockets));
  g_autoptr (RbPacketBuffer) buffer = rb_packet_buffer_new ();
  g_assert_cmpint (send (sockets[0], bytes, length, 0), ==, (gssize) length);
  shutdown (sockets[0], SHUT_WR);
  g_auto (RbPacket) packet = { .fd = -1 };
  gboolean taken
    = whole ? rb_packet_receive_whole (sockets[1], buffer, &packet) : rb_packet_receive (sockets[1], buffer, &packet);
  close (sockets[0]);
  close (sockets[1]);
  return taken;
}

static void
test_lies (void)
{
  const Head good = { .kind = RB_PACKET_REPLY }, kind = { .kind = RB_PACKET_N_KINDS },
             huge = { .length = RB_PACKET_MAX_BODY + 1 }, unfinished = { .length = 10 },
             negative = { .length = G_MAXUINT64 };
  const struct {
    Head head;
    guint8 extra[8];
  } longer = { .head = { .length = 7 } };
  g_assert_true (is_taken (&good, sizeof good, FALSE));
  g_assert_true (is_taken (&good, sizeof good, TRUE));
  g_assert_false (is_taken (&good, sizeof good - 1, FALSE));
  g_assert_false (is_taken (&kind, sizeof kind, FALSE));
  g_assert_false (is_taken (&huge, sizeof huge, FALSE));
  g_assert_false (is_taken (&negative, sizeof negative, FALSE));
  g_assert_false (is_taken (&unfinished, sizeof unfinished, FALSE));
  g_assert_false (is_taken (&longer, sizeof longer, FALSE));
}

/* On the heartbeat's socket nobody waits for the rest of a packet. */
static void
test_whole_does_not_wait (void)
{
  int sockets[2];
  const Head unfinished = { .kind = RB_PACKET_LOG, .length = 10 };
  g_assert_true (rb_packet_pair (sockets));
  g_autoptr (RbPacketBuffer) buffer = rb_packet_buffer_new ();
  g_assert_cmpint (send (sockets[0], &unfinished, sizeof unfinished, 0), >, 0);
  g_auto (RbPacket) packet = { .fd = -1 };
  g_assert_false (rb_packet_receive_whole (sockets[1], buffer, &packet));
  close (sockets[0]);
  close (sockets[1]);
}

static void
test_full_socket (void)
{
  int sockets[2];
  g_assert_true (rb_packet_pair (sockets));
  const RbPacket ping = { .kind = RB_PACKET_PING, .fd = -1 };
  guint sent = 0;
  while (sent < 1000000 && rb_packet_send (sockets[0], &ping, MSG_DONTWAIT))
    sent++;
  g_assert_cmpint (errno, ==, EAGAIN);
  close (sockets[1]);
  g_assert_false (rb_packet_send (sockets[0], &ping, MSG_DONTWAIT));
  g_assert_cmpint (errno, !=, EAGAIN);
  close (sockets[0]);
}

static void
test_open (void)
{
  const RbLinkOptions security
    = { "-----BEGIN PRIVATE KEY-----\nkey\n", "-----BEGIN CERTIFICATE-----\nanchor\n", 0x0f10, 0xe0, NULL, NULL };
  g_autoptr (GBytes) with = rb_packet_body_open ("doips://host", &security);
  g_auto (RbPacketBodyOpen) out = { 0 };
  g_assert_true (rb_packet_body_read_open (with, &out));
  g_assert_true (out.secured);
  g_assert_cmpstr (out.uri, ==, "doips://host");
  g_assert_cmpstr (out.identity, ==, security.identity);
  g_assert_cmpstr (out.anchors, ==, security.anchors);
  g_assert_cmphex (out.tester, ==, 0x0f10);
  g_assert_cmphex (out.activation_type, ==, 0xe0);
  for (gsize length = 0; length < g_bytes_get_size (with); length++) {
    g_autoptr (GBytes) cut = g_bytes_new_from_bytes (with, 0, length);
    g_auto (RbPacketBodyOpen) half = { 0 };
    g_assert_false (rb_packet_body_read_open (cut, &half));
  }
  g_autoptr (GBytes) without = rb_packet_body_open ("can:can0", NULL);
  g_auto (RbPacketBodyOpen) plain = { 0 };
  g_assert_true (rb_packet_body_read_open (without, &plain));
  g_assert_cmpstr (plain.uri, ==, "can:can0");
  g_assert_false (plain.secured);
  g_assert_cmphex (plain.tester, ==, 0);
  const RbLinkOptions nothing = { "", "" };
  g_autoptr (GBytes) empty = rb_packet_body_open ("doips://host", &nothing);
  g_auto (RbPacketBodyOpen) bare = { 0 };
  g_assert_true (rb_packet_body_read_open (empty, &bare));
  g_assert_true (bare.secured);
  g_assert_cmpstr (bare.identity, ==, "");
}

static void
test_address (void)
{
  const RbAddress addresses[]
    = { { .logical = 0xfffe,
          .request = 0x98da10f1,
          .response = 0x98daf110,
          .extension = 0,
          .response_extension = 255,
          .fd = TRUE,
          .padding = 0xaa },
        { .logical = 1, .request = 0x7e0, .response = 0, .extension = -1, .response_extension = -1, .padding = 0xcc } };
  for (guint i = 0; i < G_N_ELEMENTS (addresses); i++) {
    const RbAddress *in = &addresses[i];
    RbAddress out;
    g_autoptr (GBytes) body = rb_packet_body_address (in);
    g_assert_true (rb_packet_body_read_address (body, &out));
    g_assert_cmpuint (out.logical, ==, in->logical);
    g_assert_cmpuint (out.request, ==, in->request);
    g_assert_cmpuint (out.response, ==, in->response);
    g_assert_cmpint (out.extension, ==, in->extension);
    g_assert_cmpint (out.response_extension, ==, in->response_extension);
    g_assert_cmpint (out.fd, ==, in->fd);
    g_assert_cmpuint (out.padding, ==, in->padding);
    g_autoptr (GBytes) shorter = g_bytes_new_from_bytes (body, 0, g_bytes_get_size (body) - 1);
    g_assert_false (rb_packet_body_read_address (shorter, &out));
  }
}

static void
test_ids (void)
{
  guint32 ids[513];
  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    ids[i] = 0x80000000u + i;
  const guint lengths[] = { 0, 1, 512 };
  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++) {
    g_autoptr (GBytes) body = rb_packet_body_ids (ids, lengths[i]);
    g_autoptr (GArray) read = rb_packet_body_read_ids (body);
    g_assert_nonnull (read);
    g_assert_cmpmem (read->data, read->len * sizeof (guint32), ids, lengths[i] * sizeof (guint32));
  }
  g_autoptr (GBytes) many = rb_packet_body_ids (ids, G_N_ELEMENTS (ids));
  g_assert_null (rb_packet_body_read_ids (many));
  g_autoptr (GBytes) half = g_bytes_new_static ("\0\0\7\xe0\0", 5);
  g_assert_null (rb_packet_body_read_ids (half));
}

static void
info_clear (RbLinkInfo *info)
{
  g_free (info->kind);
  g_free (info->vendor);
  g_free (info->serial);
  g_free (info->firmware);
}

static void
test_info (void)
{
  RbLinkInfo in = { .vin = "1RBDM7AA2TA000001",
                    .logical = 0x1000,
                    .max_message = 65531,
                    .kind = (char *) "doip",
                    .serial = (char *) "a\n\033[2Jb\xff" };
  RbLinkInfo out = { 0 };
  g_autoptr (GBytes) body = rb_packet_body_info (&in);
  g_assert_true (rb_packet_body_read_info (body, &out));
  g_assert_cmpstr (out.vin, ==, in.vin);
  g_assert_cmpuint (out.logical, ==, in.logical);
  g_assert_cmpuint (out.max_message, ==, in.max_message);
  g_assert_cmpstr (out.kind, ==, "doip");
  g_assert_null (out.vendor);
  g_assert_cmpstr (out.serial, ==, "a  [2Jb\xef\xbf\xbd");
  info_clear (&out);
  for (gsize length = 0; length < g_bytes_get_size (body); length++) {
    g_autoptr (GBytes) cut = g_bytes_new_from_bytes (body, 0, length);
    RbLinkInfo half = { 0 };
    g_assert_false (rb_packet_body_read_info (cut, &half));
    info_clear (&half);
  }
}

/* A VIN of another length is none. */
static void
test_long_vin (void)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  rb_writer_u16be (bytes, 0);
  rb_writer_u32be (bytes, 0);
  rb_writer_field16 (bytes, "1RBDM7AA2TA0000012", 18);
  for (guint i = 0; i < 4; i++)
    rb_writer_field16 (bytes, "", 0);
  g_autoptr (GBytes) body = g_bytes_new (bytes->data, bytes->len);
  RbLinkInfo out = { 0 };
  g_assert_true (rb_packet_body_read_info (body, &out));
  g_assert_cmpstr (out.vin, ==, "");
  info_clear (&out);
}

static void
test_entries (void)
{
  g_autofree char *long_name = g_strnfill (5000, 'n');
  RbLinkEntry one = { .uri = (char *) "usb:0042",
                      .kind = (char *) "usb",
                      .name = long_name,
                      .serial = (char *) "0042",
                      .state = (char *) "ready",
                      .vin = (char *) "" };
  RbLinkEntry two = { .uri = (char *) "can:can0",
                      .kind = (char *) "can",
                      .name = (char *) "x",
                      .serial = (char *) "",
                      .state = (char *) "down",
                      .vin = NULL };
  g_autoptr (GPtrArray) in = g_ptr_array_new ();
  g_ptr_array_add (in, &one);
  g_ptr_array_add (in, &two);
  g_autoptr (GBytes) body = rb_packet_body_entries (in);
  g_autoptr (GPtrArray) out = rb_packet_body_read_entries (body);
  g_assert_cmpuint (out->len, ==, 2);
  const RbLinkEntry *first = out->pdata[0], *second = out->pdata[1];
  g_assert_cmpstr (first->uri, ==, "usb:0042");
  g_assert_cmpuint (strlen (first->name), ==, 600);
  g_assert_cmpstr (second->state, ==, "down");
  g_assert_cmpstr (second->vin, ==, "");
  g_autoptr (GBytes) cut = g_bytes_new_from_bytes (body, 0, g_bytes_get_size (body) - 1);
  g_assert_null (rb_packet_body_read_entries (cut));
  g_autoptr (GBytes) nothing = g_bytes_new (NULL, 0);
  g_autoptr (GPtrArray) none = rb_packet_body_read_entries (nothing);
  g_assert_cmpuint (none->len, ==, 0);
}

static GError *
told (gint64 number, const char *text)
{
  g_autoptr (GBytes) body = g_bytes_new (text, strlen (text));
  const RbPacket packet = { .kind = RB_PACKET_ERROR, .number = number, .body = body, .fd = -1 };
  GError *error = NULL;
  rb_packet_body_read_error (&packet, &error);
  return error;
}

static void
test_errors (void)
{
  static const RbReason passed[] = { RB_REASON_TIMEOUT, RB_REASON_LINK_LOST, RB_REASON_IN_USE,
                                     RB_REASON_BUS_OFF, RB_REASON_NO_ACK,    RB_REASON_WRONG_BITRATE };
  for (guint i = 0; i < G_N_ELEMENTS (passed); i++) {
    g_autoptr (GError) in = g_error_new (RB_LINK_ERROR, (int) passed[i], "no answer\r\nfrom \033[31mhim");
    g_autoptr (GBytes) body = NULL;
    gint64 number = rb_packet_body_error (in, &body);
    const RbPacket packet = { .kind = RB_PACKET_ERROR, .number = number, .body = body, .fd = -1 };
    g_autoptr (GError) out = NULL;
    rb_packet_body_read_error (&packet, &out);
    g_assert_error (out, RB_LINK_ERROR, (int) passed[i]);
    g_assert_cmpstr (out->message, ==, "no answer  from  [31mhim");
  }
  g_autoptr (GError) cancelled = told (RB_REASON_CANCELLED, "");
  g_assert_error (cancelled, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  /* what no link can have to say */
  const gint64 lies[]
    = { RB_REASON_BAD_SIGNATURE, RB_REASON_NONE, RB_REASON_LAST, -1, G_MAXINT64, RB_REASON_NO_WORK_NEEDED };
  for (guint i = 0; i < G_N_ELEMENTS (lies); i++) {
    g_autoptr (GError) error = told (lies[i], "x");
    g_assert_error (error, RB_LINK_ERROR, RB_REASON_LINK_PROTOCOL);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/link/packet/any-length", test_any_length);
  g_test_add_func ("/link/packet/socket-comes-along", test_socket_comes_along);
  g_test_add_func ("/link/packet/memory-comes-along", test_memory_comes_along);
  g_test_add_func ("/link/packet/memory-is-read-only", test_memory_is_read_only);
  g_test_add_func ("/link/packet/memory-of-another-kind", test_memory_of_another_kind);
  g_test_add_func ("/link/packet/lies", test_lies);
  g_test_add_func ("/link/packet/whole-does-not-wait", test_whole_does_not_wait);
  g_test_add_func ("/link/packet/full-socket", test_full_socket);
  g_test_add_func ("/link/packet-body/open", test_open);
  g_test_add_func ("/link/packet-body/address", test_address);
  g_test_add_func ("/link/packet-body/ids", test_ids);
  g_test_add_func ("/link/packet-body/info", test_info);
  g_test_add_func ("/link/packet-body/long-vin", test_long_vin);
  g_test_add_func ("/link/packet-body/entries", test_entries);
  g_test_add_func ("/link/packet-body/errors", test_errors);
  return g_test_run ();
}
