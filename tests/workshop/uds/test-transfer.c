/* SPDX-License-Identifier: Apache-2.0 */
#include "fake.h"

#include "core/bytes.h"
#include "uds/uds-client.h"

#include <string.h>

/*
 * An image in blocks of two bytes. Each case is played to a link that sends the next block behind the answer to the one
 * before it and to one that does not: what the ECU hears and what the caller is told is the same.
 */
static const struct {
  const char *name;
  FakeStep steps[6];
  const char *taken; /* what was told, byte counts */
  RbReason reason;
  guint followed; /* blocks that went out behind an answer, where the link does that */
} transfers[] = {
  { "plain", { { "36010001", "7601" }, { "36020203", "7602" }, { "360304", "7603" } }, "2 4 5", 0, 2 },
  { "pending",
    { { "36010001", "7f3678 7f3678 7601" }, { "36020203", "7602" }, { "360304", "7f3678 7603" } },
    "2 4 5",
    0,
    2 },
  { "busy",
    { { "36010001", "7f3621" }, { "36010001", "7601" }, { "36020203", "7602" }, { "360304", "7603" } },
    "2 4 5",
    0,
    2 },
  { "silence",
    { { "36010001", "7601" }, { "36020203", "~" }, { "36020203", "7602" }, { "360304", "7603" } },
    "2 4 5",
    0,
    2 },
  { "silence-at-the-end",
    { { "36010001", "7601" }, { "36020203", "7602" }, { "360304", "~" }, { "360304", "7603" } },
    "2 4 5",
    0,
    2 },
  { "says-more", { { "36010001", "7601aa" }, { "36020203", "7602" }, { "360304", "7603" } }, "2 4 5", 0, 1 },
  { "foreign-first", { { "36010001", "6210 7601" }, { "36020203", "7602" }, { "360304", "7603" } }, "2 4 5", 0, 2 },
  { "says-it-twice",
    { { "36010001", "7601 7601" }, { "36020203", "7602" }, { "360304", "7603 7603" } },
    "2 4 5",
    0,
    2 },
  { "late-and-twice",
    { { "36010001", "~" }, { "36010001", "7601" }, { "36020203", "7601 7602" }, { "360304", "7603" } },
    "2 4 5",
    0,
    2 },
  { "late-for-ever", { { "36010001", "7601" }, { "36020203", "7601 *" } }, "2", RB_REASON_WRONG_ANSWER, 1 },
  { "refused", { { "36010001", "7601" }, { "36020203", "7f3672" } }, "2", RB_REASON_REFUSED, 1 },
  { "wrong-counter",
    { { "36010001", "7601" }, { "36020203", "7603" }, { "36020203", "7603" }, { "36020203", "7603" } },
    "2",
    RB_REASON_WRONG_ANSWER,
    1 },
  { "counter-is-missing",
    { { "36010001", "76" }, { "36010001", "76" }, { "36010001", "76" } },
    "",
    RB_REASON_WRONG_ANSWER,
    0 },
  { "lost", { { "36010001", "7601" }, { "36020203", "!" } }, "2", RB_REASON_LINK_LOST, 1 },
};

static void
note_taken (gsize taken, gpointer data)
{
  GString *text = data;
  g_string_append_printf (text, "%s%" G_GSIZE_FORMAT, text->len == 0 ? "" : " ", taken);
}

static void
play (guint i, gboolean ahead)
{
  static const guint8 image[] = { 0, 1, 2, 3, 4 };
  g_autoptr (RbChannel) channel = NULL;
  g_autoptr (GError) error = NULL;
  Fake *fake = fake_channel (transfers[i].steps, &channel);
  fake->ahead = ahead;
  g_autoptr (RbUdsClient) client = rb_uds_client_new (channel, NULL);
  GString *taken = g_string_new (NULL);
  gboolean good = rb_uds_client_transfer_data (client, image, sizeof image, 2, note_taken, taken, NULL, &error);
  g_assert_true (good == (error == NULL));
  g_assert_cmpint (rb_reason_of (error), ==, transfers[i].reason);
  g_assert_cmpstr (taken->str, ==, transfers[i].taken);
  g_assert_cmpuint (fake->followed, ==, ahead ? transfers[i].followed : 0);
  fake_assert_done (fake);
  g_string_free (taken, TRUE);
}

static void
test_transfer (gconstpointer data)
{
  play (GPOINTER_TO_UINT (data), FALSE);
  play (GPOINTER_TO_UINT (data), TRUE);
}

/* What came after a transfer that failed has nothing to do with the block that had been laid ready. */
static void
test_after_a_failure (void)
{
  static const FakeStep steps[] = {
    { "36010001", "7601" }, { "36020203", "7f3672 7603" }, { "36010001", "7601" }, { "36020203", "7602" }, { NULL }
  };
  static const guint8 image[] = { 0, 1, 2, 3 };
  g_autoptr (RbChannel) channel = NULL;
  g_autoptr (GError) error = NULL;
  Fake *fake = fake_channel (steps, &channel);
  fake->ahead = TRUE;
  g_autoptr (RbUdsClient) client = rb_uds_client_new (channel, NULL);
  g_assert_false (rb_uds_client_transfer_data (client, image, sizeof image, 2, NULL, NULL, NULL, &error));
  g_assert_error (error, RB_UDS_ERROR, RB_REASON_REFUSED);
  g_clear_error (&error);
  g_assert_true (rb_uds_client_transfer_data (client, image, sizeof image, 2, NULL, NULL, NULL, &error));
  g_assert_no_error (error);
  fake_assert_done (fake);
}

typedef struct {
  const char *rejection; /* what a block of more than most bytes gets */
  gsize most;
  GByteArray *taken;
  guint8 counter;
} Narrow;

static char *
narrow_ecu (const char *request, gpointer data)
{
  Narrow *self = data;
  g_autoptr (GBytes) bytes = rb_bytes_from_hex (request);
  gsize length;
  const guint8 *block = g_bytes_get_data (bytes, &length);
  if (length - 2 > self->most)
    return g_strdup (self->rejection[0] == '7' ? self->rejection : ">");
  g_assert_cmphex (block[1], ==, (guint8) (self->counter + 1));
  self->counter = block[1];
  g_byte_array_append (self->taken, &block[2], (guint) length - 2);
  return g_strdup_printf ("76%02x", block[1]);
}

/* The ECU promised more than it or its gateway takes: shorter blocks with the same counter, and remembered. */
static void
test_shorter_blocks (gconstpointer rejection)
{
  guint8 image[1000];
  g_autoptr (RbChannel) channel = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GByteArray) taken = g_byte_array_new ();
  Narrow narrow = { rejection, 120, taken, 0 };
  for (guint i = 0; i < sizeof image; i++)
    image[i] = (guint8) (i * 7);
  Fake *fake = fake_channel (NULL, &channel);
  fake->answer = narrow_ecu;
  fake->user_data = &narrow;
  g_autoptr (RbUdsClient) client = rb_uds_client_new (channel, NULL);
  for (guint round = 0; round < 2; round++) {
    guint before = fake->asked;
    g_byte_array_set_size (taken, 0);
    narrow.counter = 0;
    g_assert_true (rb_uds_client_transfer_data (client, image, sizeof image, 400, NULL, NULL, NULL, &error));
    g_assert_no_error (error);
    g_assert_cmpmem (taken->data, taken->len, image, sizeof image);
    g_assert_cmpuint (rb_uds_client_block_limit (client), ==, 100);
    g_assert_cmpuint (fake->asked - before, ==, round == 0 ? 12 : 10);
  }
}

/* What an ECU rejects once it has accepted as much is not about the length. */
static void
test_rejected_later (void)
{
  static const FakeStep steps[] = { { "3601"
                                      "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
                                      "7601" },
                                    { "3602"
                                      "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
                                      "7f3631" },
                                    { NULL } };
  guint8 image[96];
  g_autoptr (RbChannel) channel = NULL;
  g_autoptr (GError) error = NULL;
  for (guint i = 0; i < sizeof image; i++)
    image[i] = i % 32;
  Fake *fake = fake_channel (steps, &channel);
  g_autoptr (RbUdsClient) client = rb_uds_client_new (channel, NULL);
  g_assert_false (rb_uds_client_transfer_data (client, image, sizeof image, 32, NULL, NULL, NULL, &error));
  g_assert_error (error, RB_UDS_ERROR, RB_REASON_REFUSED);
  g_assert_cmpuint (rb_uds_client_block_limit (client), ==, 0);
  fake_assert_done (fake);
}

static void
test_nothing_to_transfer (void)
{
  static const FakeStep steps[] = { { NULL } };
  g_autoptr (RbChannel) channel = NULL;
  g_autoptr (GError) error = NULL;
  (void) fake_channel (steps, &channel);
  g_autoptr (RbUdsClient) client = rb_uds_client_new (channel, NULL);
  g_assert_true (rb_uds_client_transfer_data (client, NULL, 0, 2, NULL, NULL, NULL, &error));
  g_assert_no_error (error);
}

static char *
lossy_ecu (const char *request, gpointer data)
{
  guint *asked = data;
  return ++*asked % 7 == 0 ? g_strdup ("~") : g_strdup_printf ("76%.2s", &request[2]);
}

/* The counter begins at 1, goes over FF to 00, and a repeated block keeps its counter. */
static void
test_counter (gconstpointer ahead)
{
  enum { BLOCKS = 600 };
  g_autoptr (RbChannel) channel = NULL;
  g_autoptr (GError) error = NULL;
  guint8 image[BLOCKS * 2];
  guint asked = 0;
  guint block = 0;
  for (guint i = 0; i < sizeof image; i++)
    image[i] = (guint8) (i / 5);
  Fake *fake = fake_channel (NULL, &channel);
  fake->answer = lossy_ecu;
  fake->user_data = &asked;
  fake->ahead = ahead != NULL;
  g_autoptr (RbUdsClient) client = rb_uds_client_new (channel, NULL);
  g_assert_true (rb_uds_client_transfer_data (client, image, sizeof image, 2, NULL, NULL, NULL, &error));
  for (guint i = 0; i < fake->requests->len; i++) {
    g_autofree char *wanted
      = g_strdup_printf ("36%02x%02x%02x", (block + 1) & 0xff, image[2 * block], image[2 * block + 1]);
    g_assert_cmpstr (fake->requests->pdata[i], ==, wanted);
    block += (i + 1) % 7 != 0;
  }
  g_assert_cmpuint (block, ==, BLOCKS);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (transfers); i++) {
    g_autofree char *path = g_strconcat ("/transfer/", transfers[i].name, NULL);
    g_test_add_data_func (path, GUINT_TO_POINTER (i), test_transfer);
  }
  g_test_add_func ("/transfer/after-a-failure", test_after_a_failure);
  g_test_add_data_func ("/transfer/shorter-blocks/7f3613", "7f3613", test_shorter_blocks);
  g_test_add_data_func ("/transfer/shorter-blocks/7f3631", "7f3631", test_shorter_blocks);
  g_test_add_data_func ("/transfer/shorter-blocks/too-long", ">", test_shorter_blocks);
  g_test_add_func ("/transfer/rejected-later", test_rejected_later);
  g_test_add_func ("/transfer/nothing", test_nothing_to_transfer);
  g_test_add_data_func ("/transfer/counter", NULL, test_counter);
  g_test_add_data_func ("/transfer/counter-ahead", "ahead", test_counter);
  return g_test_run ();
}
