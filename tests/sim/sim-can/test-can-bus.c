/* SPDX-License-Identifier: Apache-2.0 */
/* The bus by its own clock: order, times, holding, foreign frames. Bit times are counted apart, bit by bit. */
#include "sim-can/can-bus.h"

#include <string.h>

#define MS G_GINT64_CONSTANT (1000000)

typedef struct {
  GArray *frames; /* of RbCanFrame */
  GArray *times; /* of gint64 */
} Heard;

static Heard
heard_new (void)
{
  return (Heard){ g_array_new (FALSE, FALSE, sizeof (RbCanFrame)), g_array_new (FALSE, FALSE, sizeof (gint64)) };
}

static void
heard_clear (Heard *self)
{
  g_array_unref (self->frames);
  g_array_unref (self->times);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Heard, heard_clear)

static void
hear (gpointer node, const RbCanFrame *frame, gint64 at)
{
  Heard *self = node;
  g_array_append_vals (self->frames, frame, 1);
  g_array_append_val (self->times, at);
}

static const RbCanFrame *
frame_of (const Heard *self, guint index)
{
  g_assert_cmpuint (index, <, self->frames->len);
  return &g_array_index (self->frames, RbCanFrame, index);
}

static gint64
time_of (const Heard *self, guint index)
{
  return g_array_index (self->times, gint64, index);
}

static RbCanBus *
wire_new (gboolean fd, gboolean paced)
{
  return rb_can_bus_new (&(RbCanBusConfig){ .fd = fd, .bitrate = 500000, .data_bitrate = 2000000, .paced = paced });
}

static void
run (RbCanBus *wire, gint64 until)
{
  for (guint i = 0; i < 100000 && rb_can_bus_due (wire) <= until; i++)
    rb_can_bus_step (wire, until);
}

static void
send_id (RbCanBus *wire, guint place, guint32 id, gint64 at)
{
  const RbCanFrame frame = { .id = id, .length = 2, .data = { 0xaa, (guint8) id } };
  g_assert_true (rb_can_bus_send (wire, place, &frame, at));
}

static void
assert_order (const Heard *heard, const guint32 *ids, guint n)
{
  g_assert_cmpuint (heard->frames->len, ==, n);
  for (guint i = 0; i < n; i++)
    g_assert_cmphex (frame_of (heard, i)->id, ==, ids[i]);
}

static void
test_lowest_first (void)
{
  /* who loses waits; an 11 bit identifier wins against 29 bits that begin with it, data against remote (ISO 11898-1) */
  static const guint32 expected[]
    = { 0x7ff, 0x100, 0x100 | RB_CAN_REMOTE, 0x100u << 18 | RB_CAN_EXTENDED, 0x100u << 18 | 1 | RB_CAN_EXTENDED,
        0x101, 0x700 };
  g_auto (Heard) heard = heard_new ();
  g_autoptr (RbCanBus) wire = wire_new (FALSE, TRUE);
  guint reader = rb_can_bus_join (wire, hear, &heard);
  guint places[7];
  for (guint i = 0; i < 7; i++)
    places[i] = rb_can_bus_join (wire, hear, &heard);
  rb_can_bus_leave (wire, reader);
  for (guint i = 1; i < 7; i++)
    rb_can_bus_leave (wire, places[i]);
  guint others[6];
  Heard nothing = heard_new ();
  for (guint i = 0; i < 6; i++)
    others[i] = rb_can_bus_join (wire, hear, &nothing);
  send_id (wire, places[0], 0x7ff, 0); /* it was there first: the bus was free */
  for (guint i = 0; i < 6; i++)
    send_id (wire, others[(i * 5 + 2) % 6], expected[i + 1], 1);
  run (wire, 100 * MS);
  assert_order (&heard, expected, 7);
  heard_clear (&nothing);
}

static void
test_one_node_keeps_its_order (void)
{
  static const guint32 expected[] = { 0x300, 0x200, 0x100 };
  g_auto (Heard) heard = heard_new ();
  g_autoptr (RbCanBus) wire = wire_new (FALSE, TRUE);
  guint place = rb_can_bus_join (wire, hear, &heard);
  for (guint i = 0; i < 3; i++)
    send_id (wire, place, expected[i], 0);
  g_assert_cmpuint (rb_can_bus_waiting (wire, place), ==, 3);
  run (wire, 100 * MS);
  assert_order (&heard, expected, 3);
  g_assert_cmpuint (rb_can_bus_waiting (wire, place), ==, 0);
}

/* Bits of a classic 11 bit data frame, by writing them down: CRC-15, a stuff bit after five equal ones. */
static guint
count_bits (guint32 id, const guint8 *data, guint length)
{
  guint8 bits[200];
  guint n = 0;
  bits[n++] = 0;
  for (int i = 10; i >= 0; i--)
    bits[n++] = id >> i & 1;
  bits[n++] = 0;
  bits[n++] = 0;
  bits[n++] = 0;
  for (int i = 3; i >= 0; i--)
    bits[n++] = length >> i & 1;
  for (guint byte = 0; byte < length; byte++)
    for (int i = 7; i >= 0; i--)
      bits[n++] = data[byte] >> i & 1;
  guint crc = 0;
  for (guint i = 0; i < n; i++)
    crc = (crc << 1 & 0x7fff) ^ (((crc >> 14 & 1) != bits[i]) ? 0x4599u : 0);
  for (int i = 14; i >= 0; i--)
    bits[n++] = crc >> i & 1;
  guint stuffed = 0, same = 0;
  guint8 last = 2;
  for (guint i = 0; i < n; i++) {
    same = bits[i] == last ? same + 1 : 1;
    last = bits[i];
    if (same == 5) {
      stuffed++;
      last ^= 1;
      same = 1;
    }
  }
  return n + stuffed + 13; /* CRC delimiter, ACK, its delimiter, EOF, three bits between frames */
}

static void
test_bit_times (void)
{
  g_auto (Heard) heard = heard_new ();
  g_autoptr (RbCanBus) wire = wire_new (FALSE, TRUE);
  g_autoptr (GRand) random = g_rand_new_with_seed (500);
  guint place = rb_can_bus_join (wire, hear, &heard);
  gint64 end = 5 * MS;
  for (guint i = 0; i < 500; i++) {
    RbCanFrame frame
      = { .id = (guint32) g_rand_int_range (random, 0, 0x800), .length = (guint8) g_rand_int_range (random, 0, 9) };
    for (guint byte = 0; byte < frame.length; byte++)
      frame.data[byte] = i % 3 == 0 ? 0 : (guint8) g_rand_int (random);
    g_assert_true (rb_can_bus_send (wire, place, &frame, 5 * MS));
    run (wire, 1000 * MS); /* long after: the bus does not lose what the computer was late */
    end += (gint64) count_bits (frame.id, frame.data, frame.length) * 2000;
    g_assert_cmpint (time_of (&heard, i), ==, end);
  }
  g_assert_cmpuint (rb_can_bus_count (wire)->frames, ==, 500);
  g_assert_cmpint (rb_can_bus_count (wire)->busy, ==, end - 5 * MS);
}

static void
test_fast_takes_no_time (void)
{
  g_auto (Heard) heard = heard_new ();
  g_autoptr (RbCanBus) wire = wire_new (FALSE, FALSE);
  guint place = rb_can_bus_join (wire, hear, &heard);
  for (guint i = 0; i < 100; i++)
    send_id (wire, place, i, 7);
  run (wire, 7);
  g_assert_cmpuint (heard.frames->len, ==, 100);
  g_assert_cmpint (time_of (&heard, 99), ==, 7);
  g_assert_cmpint (rb_can_bus_due (wire), ==, G_MAXINT64);
}

static void
test_own_and_others (void)
{
  g_auto (Heard) sender = heard_new ();
  g_auto (Heard) other = heard_new ();
  g_autoptr (RbCanBus) wire = wire_new (FALSE, TRUE);
  guint place = rb_can_bus_join (wire, hear, &sender);
  (void) rb_can_bus_join (wire, hear, &other);
  send_id (wire, place, 0x123, 0);
  run (wire, MS);
  g_assert_true (frame_of (&sender, 0)->own);
  g_assert_false (frame_of (&other, 0)->own);
}

static void
test_foreign_frame (void)
{
  g_auto (Heard) sender = heard_new ();
  g_autoptr (RbCanBus) wire = wire_new (FALSE, TRUE);
  guint place = rb_can_bus_join (wire, hear, &sender);
  const RbCanFrame frame = { .id = 0x7e0, .fd = TRUE, .length = 64 };
  g_assert_true (rb_can_bus_send (wire, place, &frame, 0));
  run (wire, MS);
  g_assert_cmphex (frame_of (&sender, 0)->id, ==, RB_CAN_ERROR | 8);
  g_assert_false (frame_of (&sender, 0)->own);
  g_assert_cmpuint (rb_can_bus_count (wire)->errors, ==, 1);
  g_assert_cmpuint (rb_can_bus_count (wire)->frames, ==, 0);
}

static void
test_fd_bus (void)
{
  g_auto (Heard) heard = heard_new ();
  g_autoptr (RbCanBus) wire = wire_new (TRUE, TRUE);
  guint place = rb_can_bus_join (wire, hear, &heard);
  RbCanFrame frame = { .id = 0x7e0, .fd = TRUE, .brs = TRUE, .length = 64 };
  memset (frame.data, 0x55, 64);
  g_assert_true (rb_can_bus_send (wire, place, &frame, 0));
  run (wire, MS);
  g_assert_true (frame_of (&heard, 0)->fd);
  /* 29 nominal bits at 500k and 550 in the data phase at 2M, and some stuff bits */
  g_assert_cmpint (time_of (&heard, 0), >=, 333 * MS / 1000);
  g_assert_cmpint (time_of (&heard, 0), <, 345 * MS / 1000);
}

static void
test_hold (void)
{
  g_auto (Heard) heard = heard_new ();
  g_autoptr (RbCanBus) wire = wire_new (FALSE, FALSE);
  guint place = rb_can_bus_join (wire, hear, &heard);
  rb_can_bus_hold (wire, TRUE);
  send_id (wire, place, 1, 0);
  run (wire, MS);
  g_assert_cmpuint (heard.frames->len, ==, 0);
  rb_can_bus_hold (wire, FALSE);
  run (wire, MS);
  g_assert_cmpuint (heard.frames->len, ==, 1);
}

static void
test_leaving (void)
{
  g_auto (Heard) heard = heard_new ();
  g_auto (Heard) nobody = heard_new ();
  g_autoptr (RbCanBus) wire = wire_new (FALSE, TRUE);
  (void) rb_can_bus_join (wire, hear, &heard);
  guint place = rb_can_bus_join (wire, hear, &nobody);
  send_id (wire, place, 1, 0);
  send_id (wire, place, 2, 0);
  rb_can_bus_step (wire, 1); /* the first has begun */
  rb_can_bus_leave (wire, place);
  g_assert_cmpuint (rb_can_bus_join (wire, hear, &nobody), !=, place); /* its frame is on the wire yet */
  run (wire, MS);
  g_assert_cmpuint (heard.frames->len, ==, 1);
  g_assert_cmphex (frame_of (&heard, 0)->id, ==, 1);
}

static void
test_full (void)
{
  g_auto (Heard) heard = heard_new ();
  g_autoptr (RbCanBus) wire = wire_new (FALSE, TRUE);
  guint place = rb_can_bus_join (wire, hear, &heard);
  const RbCanFrame frame = { .id = 1 };
  guint taken = 0;
  while (taken < 100000 && rb_can_bus_send (wire, place, &frame, 0))
    taken++;
  g_assert_cmpuint (taken, ==, 4096);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/wire/lowest-first", test_lowest_first);
  g_test_add_func ("/wire/one-node-keeps-its-order", test_one_node_keeps_its_order);
  g_test_add_func ("/wire/bit-times", test_bit_times);
  g_test_add_func ("/wire/fast-takes-no-time", test_fast_takes_no_time);
  g_test_add_func ("/wire/own-and-others", test_own_and_others);
  g_test_add_func ("/wire/foreign-frame", test_foreign_frame);
  g_test_add_func ("/wire/fd-bus", test_fd_bus);
  g_test_add_func ("/wire/hold", test_hold);
  g_test_add_func ("/wire/leaving", test_leaving);
  g_test_add_func ("/wire/full", test_full);
  return g_test_run ();
}
