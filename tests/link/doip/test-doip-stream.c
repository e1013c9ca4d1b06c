/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "doip/doip-stream.h"
#include "frame/doip.h"

/* DoIP messages taken from and put on a stream, however it is cut. */
typedef struct {
  int far; /* the vehicle's end */
  RbDoipStream *stream;
  GArray *types;
  GByteArray *payloads;
} Bench;

static void
take (gpointer data, const RbDoipHeader *header, const guint8 *payload)
{
  Bench *self = data;
  g_array_append_val (self->types, header->type);
  g_byte_array_append (self->payloads, payload, header->length);
}

static Bench *
bench_new (void)
{
  Bench *self = g_new0 (Bench, 1);
  int ends[2];
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ==, 0);
  g_autoptr (GSocket) socket = g_socket_new_from_fd (ends[0], NULL);
  self->far = ends[1];
  self->stream = rb_doip_stream_new (socket);
  self->types = g_array_new (FALSE, FALSE, sizeof (guint16));
  self->payloads = g_byte_array_new ();
  return self;
}

static void
bench_free (Bench *self)
{
  rb_doip_stream_free (self->stream);
  if (self->far >= 0)
    close (self->far);
  g_array_unref (self->types);
  g_byte_array_unref (self->payloads);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Bench, bench_free)

static gint64
soon (void)
{
  return g_get_monotonic_time () + 20 * G_USEC_PER_SEC;
}

static void
say (Bench *self, gconstpointer bytes, gsize length)
{
  g_assert_cmpint (send (self->far, bytes, length, MSG_NOSIGNAL), ==, (gssize) length);
}

static void
read_good (Bench *self)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (rb_doip_stream_read (self->stream, soon (), take, self, &error));
  g_assert_no_error (error);
}

/* Three messages, one of them empty. */
static GByteArray *
three (void)
{
  GByteArray *out = g_byte_array_new ();
  rb_doip_write (out, 0x8002, "abcde", 5);
  rb_doip_write (out, 0x0007, NULL, 0);
  rb_doip_write (out, 0x8001, "fghijklm", 8);
  return out;
}

static void
assert_three (Bench *self)
{
  g_assert_cmpuint (self->types->len, ==, 3);
  g_assert_cmphex (g_array_index (self->types, guint16, 0), ==, 0x8002);
  g_assert_cmphex (g_array_index (self->types, guint16, 1), ==, 0x0007);
  g_assert_cmphex (g_array_index (self->types, guint16, 2), ==, 0x8001);
  g_assert_cmpmem (self->payloads->data, self->payloads->len, "abcdefghijklm", 13);
}

/* However the bytes fall apart into two pieces, and byte by byte. */
static void
test_any_cut (void)
{
  g_autoptr (GByteArray) bytes = three ();
  for (guint cut = 0; cut <= bytes->len; cut++) {
    g_autoptr (Bench) bench = bench_new ();
    if (cut > 0) {
      say (bench, bytes->data, cut);
      read_good (bench);
    }
    if (cut < bytes->len) {
      say (bench, &bytes->data[cut], bytes->len - cut);
      read_good (bench);
    }
    assert_three (bench);
  }
  g_autoptr (Bench) slow = bench_new ();
  for (guint i = 0; i < bytes->len; i++) {
    say (slow, &bytes->data[i], 1);
    read_good (slow);
  }
  assert_three (slow);
}

static gpointer
say_long (gpointer data)
{
  Bench *self = data;
  g_autoptr (GByteArray) out = g_byte_array_new ();
  g_autofree guint8 *payload = g_malloc (200000);
  for (guint i = 0; i < 200000; i++)
    payload[i] = (guint8) (i * 31);
  rb_doip_write (out, 0x8001, payload, 200000);
  rb_doip_write (out, 0x8002, payload, 5);
  for (gsize done = 0; done < out->len;) {
    gssize sent = send (self->far, &out->data[done], out->len - done, MSG_NOSIGNAL);
    g_assert_cmpint (sent, >, 0);
    done += (gsize) sent;
  }
  return NULL;
}

static void
test_long_message (void)
{
  g_autoptr (Bench) bench = bench_new ();
  GThread *sayer = g_thread_new ("sayer", say_long, bench);
  while (bench->types->len < 2)
    read_good (bench);
  g_thread_join (sayer);
  g_assert_cmpuint (bench->payloads->len, ==, 200005);
  for (guint i = 0; i < 200000; i++)
    g_assert_cmpuint (bench->payloads->data[i], ==, (guint8) (i * 31));
}

static void
test_ends (void)
{
  g_autoptr (Bench) bench = bench_new ();
  g_autoptr (GError) error = NULL;
  say (bench, "\x02\xfd", 2);
  close (bench->far);
  bench->far = -1;
  read_good (bench);
  g_assert_false (rb_doip_stream_read (bench->stream, soon (), take, bench, &error));
  g_assert_error (error, RB_LINK_ERROR, RB_REASON_LINK_LOST);
  g_assert_cmpuint (bench->types->len, ==, 0);
}

static void
test_garbage (void)
{
  static const guint8 wrongs[][8]
    = { { 0x02, 0xfc, 0x80, 0x01, 0, 0, 0, 0 }, { 0x02, 0xfd, 0x80, 0x01, 0xff, 0xff, 0xff, 0xff }, "GET / HT" };
  for (guint i = 0; i < G_N_ELEMENTS (wrongs); i++) {
    g_autoptr (Bench) bench = bench_new ();
    g_autoptr (GError) error = NULL;
    say (bench, wrongs[i], 8);
    g_assert_false (rb_doip_stream_read (bench->stream, soon (), take, bench, &error));
    g_assert_error (error, RB_LINK_ERROR, RB_REASON_LINK_PROTOCOL);
  }
}

static gpointer
interrupt (gpointer data)
{
  rb_doip_stream_interrupt (((Bench *) data)->stream);
  return NULL;
}

static void
test_interrupt (void)
{
  g_autoptr (Bench) bench = bench_new ();
  for (guint i = 0; i < 10; i++) {
    GThread *thread = g_thread_new ("interrupt", interrupt, bench);
    g_assert_true (rb_doip_stream_read (bench->stream, 0, take, bench, NULL));
    g_thread_join (thread);
  }
  g_assert_cmpuint (bench->types->len, ==, 0);
  gint64 begin = g_get_monotonic_time ();
  g_assert_true (rb_doip_stream_read (bench->stream, begin + 30000, take, bench, NULL));
  g_assert_cmpint (g_get_monotonic_time () - begin, >=, 30000);
}

typedef struct {
  int fd;
  GByteArray *got;
  gsize wanted;
} Far;

static gpointer
receive_slowly (gpointer data)
{
  Far *self = data;
  guint8 piece[777];
  gssize length;
  while (self->got->len < self->wanted && (length = recv (self->fd, piece, sizeof piece, 0)) > 0)
    g_byte_array_append (self->got, piece, (guint) length);
  return NULL;
}

static void
test_write (void)
{
  g_autoptr (Bench) bench = bench_new ();
  g_autoptr (GError) error = NULL;
  gsize length = 3000000, done = 0;
  g_autofree guint8 *bytes = g_malloc (length);
  for (gsize i = 0; i < length; i++)
    bytes[i] = (guint8) (i * 17);
  struct iovec parts[] = { { bytes, 12 }, { &bytes[12], 0 }, { &bytes[12], length - 12 } };
  Far far = { bench->far, g_byte_array_new (), length };
  GThread *receiver = g_thread_new ("far", receive_slowly, &far);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_assert_true (rb_doip_stream_write (bench->stream, parts, G_N_ELEMENTS (parts), &done, cancellable, &error));
  g_assert_no_error (error);
  g_thread_join (receiver);
  g_assert_cmpuint (done, ==, length);
  g_assert_cmpmem (far.got->data, far.got->len, bytes, length);
  g_byte_array_unref (far.got);
}

static gpointer
cancel (gpointer data)
{
  g_cancellable_cancel (data);
  return NULL;
}

/* Nobody takes it: it ends when it is cancelled, and tells how much had gone. */
static void
test_write_cancelled (void)
{
  g_autoptr (Bench) bench = bench_new ();
  g_autofree guint8 *bytes = g_malloc0 (8 << 20);
  for (guint i = 0; i < 2; i++) {
    g_autoptr (GCancellable) cancellable = g_cancellable_new ();
    g_autoptr (GError) error = NULL;
    gsize done = 1;
    struct iovec part = { bytes, 8 << 20 };
    GThread *thread = g_thread_new ("cancel", cancel, cancellable);
    if (i == 1)
      g_thread_join (thread);
    g_assert_false (rb_doip_stream_write (bench->stream, &part, 1, &done, cancellable, &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    g_assert_cmpuint (done, <, 8 << 20);
    if (i == 0)
      g_thread_join (thread);
    else
      g_assert_cmpuint (done, ==, 0);
  }
}

static void
test_write_to_nobody (void)
{
  g_autoptr (Bench) bench = bench_new ();
  g_autoptr (GError) error = NULL;
  gsize done = 0;
  struct iovec part = { (void *) "abc", 3 };
  close (bench->far);
  bench->far = -1;
  g_assert_false (rb_doip_stream_write (bench->stream, &part, 1, &done, NULL, &error));
  g_assert_error (error, RB_LINK_ERROR, RB_REASON_LINK_LOST);
  g_assert_cmpuint (done, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/link/doip-stream/any-cut", test_any_cut);
  g_test_add_func ("/link/doip-stream/long-message", test_long_message);
  g_test_add_func ("/link/doip-stream/ends", test_ends);
  g_test_add_func ("/link/doip-stream/garbage", test_garbage);
  g_test_add_func ("/link/doip-stream/interrupt", test_interrupt);
  g_test_add_func ("/link/doip-stream/write", test_write);
  g_test_add_func ("/link/doip-stream/write-cancelled", test_write_cancelled);
  g_test_add_func ("/link/doip-stream/write-to-nobody", test_write_to_nobody);
  return g_test_run ();
}
