/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "core/bytes.h"
#include "frame/isotp.h"

/*
 * Each rule of ISO 15765-2 as one line, played against an engine with a clock of its own. Steps, separated by |:
 *   send HEX       hand a message over            send# N       a message of N bytes counting up from 0
 *   out HEX        this frame comes out and is at once on the wire; X: any byte
 *   hold HEX       it comes out and is not yet on the wire
 *   wire           the oldest held frame is on the wire
 *   none           no frame comes out
 *   in HEX         a frame from the ECU           tick MS       that many milliseconds pass (0.1 steps allowed)
 *   first, got HEX, got# N, sent, failed WORD, broken WORD      the event that comes next
 *   quiet          no event                       abort         stop sending
 *   sleep MS, sleep ever                          the deadline is that far away
 */
typedef struct {
  RbIsotp *engine;
  const RbIsotpConfig *config;
  gint64 now;
  guint32 held[64];
  guint n_held;
} Play;

static GBytes *
counting (guint n)
{
  guint8 *data = g_malloc (n);
  for (guint i = 0; i < n; i++)
    data[i] = (guint8) i;
  return g_bytes_new_take (data, n);
}

static GBytes *
hex_of (const char *text)
{
  g_auto (GStrv) words = g_strsplit (text, " ", -1);
  g_autofree char *joined = g_strjoinv ("", words);
  GBytes *bytes = rb_bytes_from_hex (joined);
  g_assert_nonnull (bytes);
  return bytes;
}

static void
play_out (Play *play, const char *expected, gboolean wire)
{
  RbCanFrame frame = { 0 };
  guint32 ticket = 0;
  g_assert_true (rb_isotp_next_frame (play->engine, play->now, &frame, &ticket));
  g_assert_cmphex (frame.id, ==, play->config->tx_id);
  g_assert_true (!frame.fd == !play->config->fd && !frame.own);
  g_assert_true (!frame.brs == !(play->config->fd && play->config->brs));
  g_autofree char *hex = rb_bytes_to_hex (frame.data, frame.length);
  g_auto (GStrv) words = g_strsplit (expected, " ", -1);
  g_autofree char *pattern = g_strjoinv ("", words);
  for (guint i = 0; pattern[i] != '\0' && hex[i] != '\0'; i++)
    if (pattern[i] == 'X')
      hex[i] = 'X';
  g_autofree char *lower = g_ascii_strdown (pattern, -1), *mine = g_ascii_strdown (hex, -1);
  g_assert_cmpstr (mine, ==, lower);
  if (wire)
    rb_isotp_confirm (play->engine, ticket, play->now);
  else
    play->held[play->n_held++] = ticket;
}

static void
play_wire (Play *play)
{
  g_assert_cmpuint (play->n_held, >, 0);
  guint32 ticket = play->held[0];
  memmove (play->held, &play->held[1], sizeof play->held[0] * --play->n_held);
  rb_isotp_confirm (play->engine, ticket, play->now);
}

static void
play_in (Play *play, const char *hex)
{
  g_autoptr (GBytes) bytes = hex_of (hex);
  RbCanFrame frame = { .id = play->config->rx_id, .fd = play->config->fd, .length = (guint8) g_bytes_get_size (bytes) };
  memcpy (frame.data, g_bytes_get_data (bytes, NULL), frame.length);
  (void) rb_isotp_receive_frame (play->engine, &frame, play->now);
}

static void
play_event (Play *play, const char *verb, const char *argument)
{
  static const struct {
    const char *verb;
    RbIsotpKind kind;
  } kinds[] = {
    { "quiet", RB_ISOTP_NONE },         { "first", RB_ISOTP_FIRST_FRAME },     { "got", RB_ISOTP_MESSAGE },
    { "got#", RB_ISOTP_MESSAGE },       { "broken", RB_ISOTP_RECEIVE_FAILED }, { "sent", RB_ISOTP_SENT },
    { "failed", RB_ISOTP_SEND_FAILED },
  };
  RbIsotpEvent event = rb_isotp_event (play->engine);
  guint i = 0;
  while (i < G_N_ELEMENTS (kinds) && !g_str_equal (kinds[i].verb, verb))
    i++;
  g_assert_cmpuint (i, <, G_N_ELEMENTS (kinds));
  g_assert_cmpuint (event.kind, ==, kinds[i].kind);
  g_assert_true ((event.message != NULL) == (event.kind == RB_ISOTP_MESSAGE));
  if (event.kind == RB_ISOTP_MESSAGE) {
    g_autoptr (GBytes) expected = g_str_equal (verb, "got#") ? counting ((guint) atoi (argument)) : hex_of (argument);
    g_autoptr (GBytes) message = event.message;
    g_autofree char *want = rb_bytes_hex (expected), *have = rb_bytes_hex (message);
    g_assert_cmpstr (have, ==, want);
  } else if (event.kind == RB_ISOTP_SEND_FAILED || event.kind == RB_ISOTP_RECEIVE_FAILED) {
    g_assert_cmpstr (rb_reason_word (event.reason), ==, argument);
    g_assert_nonnull (event.text);
  }
}

static void
play_sleep (Play *play, const char *argument)
{
  gint64 due = rb_isotp_deadline (play->engine);
  if (g_str_equal (argument, "ever"))
    g_assert_cmpint (due, ==, G_MAXINT64);
  else
    g_assert_cmpint (MAX (due - play->now, 0), ==, (gint64) (g_ascii_strtod (argument, NULL) * 1000 + 0.5));
}

static void
play_step (Play *play, const char *verb, const char *argument)
{
  RbCanFrame frame;
  guint32 ticket = 0;
  if (g_str_equal (verb, "send") || g_str_equal (verb, "send#")) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GBytes) message = g_str_equal (verb, "send") ? hex_of (argument) : counting ((guint) atoi (argument));
    g_assert_true (rb_isotp_send (play->engine, message, play->now, &error));
    g_assert_no_error (error);
  } else if (g_str_equal (verb, "out") || g_str_equal (verb, "hold"))
    play_out (play, argument, g_str_equal (verb, "out"));
  else if (g_str_equal (verb, "wire"))
    play_wire (play);
  else if (g_str_equal (verb, "none"))
    g_assert_false (rb_isotp_next_frame (play->engine, play->now, &frame, &ticket));
  else if (g_str_equal (verb, "in"))
    play_in (play, argument);
  else if (g_str_equal (verb, "tick")) {
    play->now += (gint64) (g_ascii_strtod (argument, NULL) * 1000 + 0.5);
    rb_isotp_tick (play->engine, play->now);
  } else if (g_str_equal (verb, "abort"))
    rb_isotp_abort (play->engine);
  else if (g_str_equal (verb, "sleep"))
    play_sleep (play, argument);
  else
    play_event (play, verb, argument);
}

static void
play (const RbIsotpConfig *config, const char *script)
{
  g_auto (GStrv) steps = g_strsplit (script, "|", -1);
  Play play = { .engine = rb_isotp_new (config), .config = config, .now = 5000000 };
  g_test_message ("%s", script);
  for (guint i = 0; steps[i] != NULL; i++) {
    char *step = g_strstrip (steps[i]);
    char *space = strchr (step, ' ');
    if (space != NULL)
      *space = '\0';
    play_step (&play, step, space == NULL ? "" : &space[1]);
  }
  g_assert_false (rb_isotp_sending (play.engine) && g_str_has_suffix (script, "sent"));
  rb_isotp_free (play.engine);
}

#define PLAIN .tx_id = 0x7e0, .rx_id = 0x7e8, .tx_extension = -1, .rx_extension = -1, .padding = 0xcc
static const RbIsotpConfig classic = { PLAIN, .pad = TRUE };
static const RbIsotpConfig unpadded = { PLAIN };
static const RbIsotpConfig windowed = { PLAIN, .pad = TRUE, .window = 4 };
static const RbIsotpConfig blocks = { PLAIN, .pad = TRUE, .block_size = 2, .st_min = 0xf5 };
static const RbIsotpConfig small = { PLAIN, .pad = TRUE, .max_message = 20 };
static const RbIsotpConfig fd = { PLAIN, .pad = TRUE, .fd = TRUE, .brs = TRUE };
static const RbIsotpConfig fd12 = { PLAIN, .pad = TRUE, .fd = TRUE, .tx_length = 13 };
static const RbIsotpConfig fd24 = { PLAIN, .pad = TRUE, .fd = TRUE, .tx_length = 24 };
static const RbIsotpConfig odd_brs = { PLAIN, .pad = TRUE, .brs = TRUE }; /* there is no fast rate without FD */
static const RbIsotpConfig zero
  = { .tx_id = 0x7e0, .rx_id = 0x7e8, .tx_extension = 0, .rx_extension = 0, .pad = TRUE, .padding = 0xaa };
static const RbIsotpConfig fd_unpadded = { PLAIN, .fd = TRUE };
static const RbIsotpConfig extended
  = { .tx_id = 0x7e0, .rx_id = 0x7e8, .tx_extension = 0xf1, .rx_extension = 0x10, .pad = TRUE, .padding = 0xaa };
static const RbIsotpConfig fd_extended = {
  .tx_id = 0x7e0, .rx_id = 0x7e8, .tx_extension = 0xf1, .rx_extension = 0x10, .pad = TRUE, .padding = 0xaa, .fd = TRUE
};
static const RbIsotpConfig mixed
  = { .tx_id = 0x98ce10f1, .rx_id = 0x98cef110, .tx_extension = 0x55, .rx_extension = 0x55, .padding = 0x55 };
static const RbIsotpConfig fixed
  = { .tx_id = 0x98da10f1, .rx_id = 0x98daf110, .tx_extension = -1, .rx_extension = -1, .pad = TRUE, .padding = 0xcc };
static const RbIsotpConfig patient = { PLAIN, .pad = TRUE, .n_wft_max = 3, .wait_ms = 2500 };
static const RbIsotpConfig bounded = { PLAIN, .pad = TRUE, .total_ms = 2500 };
static const RbIsotpConfig slow_wire = { PLAIN, .pad = TRUE, .block_size = 1, .n_as_ms = 500, .n_cr_ms = 100 };
static const RbIsotpConfig quick = { PLAIN, .pad = TRUE, .n_as_ms = 20, .n_bs_ms = 75, .n_cr_ms = 150 };

typedef struct {
  const RbIsotpConfig *config;
  const char *script;
} Row;

static void
play_all (const Row *rows, gsize n)
{
  for (gsize i = 0; i < n; i++)
    play (rows[i].config, rows[i].script);
}

static void
test_single (void)
{
  static const Row rows[] = {
    { &classic, "send 1003 | out 02 10 03 CC CC CC CC CC | sent | none | sleep ever" },
    { &classic, "send 01020304050607 | out 07 01 02 03 04 05 06 07 | sent" },
    { &unpadded, "send 1003 | out 02 10 03 | sent" },
    { &unpadded, "send 37 | out 01 37 | sent" },
    { &fixed, "send 3E80 | out 02 3E 80 CC CC CC CC CC | sent" },
    { &extended, "send 1003 | out F1 02 10 03 AA AA AA AA | sent" },
    { &extended, "send 010203040506 | out F1 06 01 02 03 04 05 06 | sent" },
    { &extended,
      "send 01020304050607 | out F1 10 07 01 02 03 04 05 | in 10 30 00 00 | out F1 21 06 07 AA AA AA AA | sent" },
    { &mixed, "send 1003 | out 55 02 10 03 | sent | in 55 02 50 03 | got 5003" },
    { &fd, "send 1003 | out 02 10 03 CC CC CC CC CC | sent" },
    { &fd, "send 0102030405060708 | out 00 08 01 02 03 04 05 06 07 08 CC CC | sent" },
    { &fd_unpadded, "send 1003 | out 02 10 03 | sent" },
    { &fd_unpadded, "send 0102030405060708 | out 00 08 01 02 03 04 05 06 07 08 CC CC | sent" },
    { &fd_extended, "send 01020304050607 | out F1 00 07 01 02 03 04 05 06 07 AA AA | sent" },
    { &fd12, "send# 10 | out 00 0A 00 01 02 03 04 05 06 07 08 09 | sent" },
    { &fd24, "send# 22 | out 00 16 00 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F 10 11 12 13 14 15 | sent" },
    { &odd_brs, "send 1003 | out 02 10 03 CC CC CC CC CC | sent" },
    { &zero,
      "send 01020304050607 | out 00 10 07 01 02 03 04 05 | in 00 30 00 00 | out 00 21 06 07 AA AA AA AA | sent" },
    { &zero, "send 1003 | out 00 02 10 03 AA AA AA AA | sent | in 00 02 50 03 | got 5003 | in 02 50 03 | quiet" },
    { &fd12, "send# 11 | out 10 0B 00 01 02 03 04 05 06 07 08 09 | in 30 00 00 | out 21 0A CC CC CC CC CC CC | sent" },
    { &classic, "in 06 50 03 00 32 01 F4 CC | got 5003003201F4 | none | sleep ever" },
    { &classic, "in 02 7E 00 | got 7E00" },
    { &classic, "in 08 01 02 03 04 05 06 07 | quiet" }, /* length that the frame does not hold */
    { &classic, "in 03 01 02 | quiet" },
    { &classic, "in 00 01 02 03 04 05 06 07 | quiet" }, /* escape in 8 bytes */
    { &classic, "in 02 | quiet" },
    { &fd, "in 00 09 01 02 03 04 05 06 07 08 09 CC | got 010203040506070809" },
    { &fd, "in 00 03 01 02 03 04 05 06 07 08 09 CC | got 010203" },
    { &fd, "in 02 7E 00 | got 7E00" },
    { &fd, "in 03 01 02 03 04 05 06 07 08 09 0A 0B | quiet" }, /* escape missing */
    { &fd, "in 00 0B 01 02 03 04 05 06 07 08 09 0A | quiet" },
    { &fd, "in 00 00 01 02 03 04 05 06 07 08 09 0A | quiet" },
    { &extended, "in 10 02 50 03 | got 5003 | in 11 02 50 03 | quiet" },
    { &extended, "in 10 07 01 02 03 04 05 06 | quiet" },
    { &classic,
      "in 42 01 02 | quiet | in F2 01 02 | quiet | in 30 00 00 | quiet | in 21 01 02 03 04 05 06 07 | quiet" },
  };
  play_all (rows, G_N_ELEMENTS (rows));
}

static void
test_send (void)
{
  static const Row rows[] = {
    { &classic,
      "send# 8 | out 10 08 00 01 02 03 04 05 | none | in 30 00 00 | out 21 06 07 CC CC CC CC CC | sent | none" },
    { &unpadded, "send# 8 | out 10 08 00 01 02 03 04 05 | in 30 00 00 | out 21 06 07 | sent" },
    { &classic,
      "send# 20 | out 10 14 00 01 02 03 04 05 | in 30 00 00 CC CC CC CC CC | out 21 06 07 08 09 0A 0B 0C | out 22 0D 0E 0F 10 11 12 13 | sent" },
    { &classic, "send# 4095 | out 1F FF 00 01 02 03 04 05" },
    { &classic, "send# 4096 | out 10 00 00 00 10 00 00 01 | in 30 00 00 | out 21 02 03 04 05 06 07 08" },
    { &fd,
      "send# 62 | out 003E"
      "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F202122232425262728292A2B2C2D2E2F303132333435363738393A3B3C3D | sent" },
    { &fd,
      "send# 63 | out 103F"
      "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F202122232425262728292A2B2C2D2E2F303132333435363738393A3B3C3D | in 30 00 00 | out 21 3E CC CC CC CC CC CC | sent" },
    { &fd,
      "send# 72 | out 1048"
      "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F202122232425262728292A2B2C2D2E2F303132333435363738393A3B3C3D | in 30 00 00 | out 21 3E 3F 40 41 42 43 44 45 46 47 CC | sent" },
    { &fd12,
      "send# 4096 | out 10 00 00 00 10 00 00 01 02 03 04 05 | in 30 00 00 | out 21 06 07 08 09 0A 0B 0C 0D 0E 0F 10" },
    /* every flow control counts, not the first alone */
    { &classic,
      "send# 40 | out 10 28 XX XX XX XX XX XX | in 30 02 00 | out 21 XX XX XX XX XX XX XX | out 22 XX XX XX XX XX XX XX | none | in 30 01 00 | out 23 XX XX XX XX XX XX XX | none | in 30 00 00 | "
      "out 24 XX XX XX XX XX XX XX | out 25 22 23 24 25 26 27 CC | sent" },
    { &classic,
      "send# 21 | out 10 15 XX XX XX XX XX XX | in 30 01 00 | out 21 XX XX XX XX XX XX XX | in 30 01 05 | sleep 0 | out 22 XX XX XX XX XX XX XX | in 30 01 05 | none | sleep 5 | tick 4.9 | none | tick 0.1 | out 23 14 CC CC CC CC CC CC | sent" },
    /* no flow control is due where the block ends with the message */
    { &classic,
      "send# 20 | out 10 14 XX XX XX XX XX XX | in 30 02 00 | out 21 XX XX XX XX XX XX XX | out 22 XX XX XX XX XX XX XX | sent" },
    /* flow control while none is awaited is ignored */
    { &classic,
      "send# 27 | out 10 1B XX XX XX XX XX XX | in 30 00 05 | out 21 XX XX XX XX XX XX XX | in 31 00 00 | in 32 00 00 | in 30 00 00 | quiet | none | tick 5 | out 22 XX XX XX XX XX XX XX" },
    { &classic,
      "send# 8 | out 10 08 XX XX XX XX XX XX | in 30 00 | none | in 30 00 00 | out 21 06 07 CC CC CC CC CC | sent" }, /* too short */
    { &extended,
      "send# 8 | out F1 10 08 00 01 02 03 04 | in 11 30 00 00 | none | in 10 30 00 00 | out F1 21 05 06 07 AA AA AA | sent" },
    { &mixed, "send# 7 | out 55 10 07 00 01 02 03 04 | in 55 30 00 00 | out 55 21 05 06 | sent" },
    { &fixed, "send# 8 | out 10 08 00 01 02 03 04 05 | in 30 00 00 | out 21 06 07 CC CC CC CC CC | sent" },
    /* the number of a frame goes from 15 to 0 */
    { &fd12,
      "send# 200 | out 10C8 XX XX XX XX XX XX XX XX XX XX | in 30 0D 00 | "
      "out 21 XXXXXXXXXXXXXXXXXXXXXX | out 22 XXXXXXXXXXXXXXXXXXXXXX | out 23 XXXXXXXXXXXXXXXXXXXXXX | out 24 XXXXXXXXXXXXXXXXXXXXXX | "
      "out 25 XXXXXXXXXXXXXXXXXXXXXX | out 26 XXXXXXXXXXXXXXXXXXXXXX | out 27 XXXXXXXXXXXXXXXXXXXXXX | out 28 XXXXXXXXXXXXXXXXXXXXXX | out 29 XXXXXXXXXXXXXXXXXXXXXX | out 2A XXXXXXXXXXXXXXXXXXXXXX | "
      "out 2B XXXXXXXXXXXXXXXXXXXXXX | out 2C XXXXXXXXXXXXXXXXXXXXXX | out 2D XXXXXXXXXXXXXXXXXXXXXX | in 30 00 00 | out 2E XXXXXXXXXXXXXXXXXXXXXX | out 2F XXXXXXXXXXXXXXXXXXXXXX | "
      "out 20 XXXXXXXXXXXXXXXXXXXXXX | out 21 XXXXXXXXXXXXXXXXXXXXXX | out 22 C5 C6 C7 CC CC CC CC | sent" },
  };
  play_all (rows, G_N_ELEMENTS (rows));
}

static void
test_separation (void)
{
  static const struct {
    const char *st_min, *gap;
  } rows[] = {
    { "01", "1" },   { "7F", "127" }, { "80", "127" }, { "F0", "127" }, { "F1", "0.1" },
    { "F5", "0.5" }, { "F9", "0.9" }, { "FA", "127" }, { "FF", "127" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *script = g_strdup_printf (
      "send# 20 | out 10 14 XX XX XX XX XX XX | in 30 00 %s | sleep 0 | hold 21 XX XX XX XX XX XX XX | none | tick 0.2 | none | wire | sleep %s | none | tick %s | out 22 XX XX XX XX XX XX XX | sent",
      rows[i].st_min, rows[i].gap, rows[i].gap);
    play (&windowed, script);
  }
}

static void
test_window (void)
{
  static const Row rows[] = {
    { &windowed,
      "send# 60 | hold 10 3C XX XX XX XX XX XX | none | wire | in 30 00 00 | hold 21 XX XX XX XX XX XX XX | hold 22 XX XX XX XX XX XX XX | hold 23 XX XX XX XX XX XX XX | hold 24 XX XX XX XX XX XX XX | none | "
      "wire | hold 25 XX XX XX XX XX XX XX | none | wire | wire | hold 26 XX XX XX XX XX XX XX | hold 27 XX XX XX XX XX XX XX | wire | wire | hold 28 XX XX XX XX XX CC CC | wire | quiet | wire | quiet | wire | sent" },
    /* the answer may overtake the word that the frame is out */
    { &windowed,
      "send# 8 | hold 10 08 XX XX XX XX XX XX | in 30 00 00 | hold 21 06 07 CC CC CC CC CC | wire | quiet | wire | sent" },
    { &windowed,
      "send# 22 | out 10 16 XX XX XX XX XX XX | in 30 02 00 | hold 21 XX XX XX XX XX XX XX | hold 22 XX XX XX XX XX XX XX | none | wire | in 30 02 00 | hold 23 XX XX CC CC CC CC CC | wire | wire | sent" },
    /* N_As runs from the last progress */
    { &windowed,
      "send# 60 | out 10 3C XX XX XX XX XX XX | in 30 00 00 | hold 21 XX XX XX XX XX XX XX | hold 22 XX XX XX XX XX XX XX | tick 900 | wire | tick 900 | quiet | tick 100 | failed timeout | none" },
    /* N_As also counts while the frame waits to be fetched */
    { &classic, "send 1003 | sleep 1000 | tick 1000 | failed timeout | none" },
    { &classic,
      "send# 8 | out 10 08 XX XX XX XX XX XX | in 30 00 05 | sleep 0 | tick 999 | quiet | tick 1 | failed timeout" },
    { &classic, "in 10 08 00 01 02 03 04 05 | first | sleep 1000 | tick 1000 | broken timeout | none | sleep ever" },
    { &classic,
      "send 1003 | tick 500 | hold 02 10 03 CC CC CC CC CC | tick 900 | quiet | sleep 100 | tick 100 | failed timeout" },
    /* and after STmin from its end */
    { &classic,
      "send# 20 | out 10 14 XX XX XX XX XX XX | in 30 00 7F | out 21 XX XX XX XX XX XX XX | tick 127 | tick 999 | quiet | tick 1 | failed timeout" },
    /* STmin of the last message is not that of the next */
    { &classic,
      "send# 8 | out 10 08 XX XX XX XX XX XX | in 30 00 7F | out 21 06 07 CC CC CC CC CC | sent | send# 8 | out 10 08 XX XX XX XX XX XX | in 30 00 00 | sleep 0 | "
      "out 21 06 07 CC CC CC CC CC | sent" },
    /* what was given for a message that is over counts no more */
    { &windowed,
      "send 1003 | hold 02 10 03 CC CC CC CC CC | abort | send 3E00 | hold 02 3E 00 CC CC CC CC CC | wire | quiet | wire | sent" },
    { &windowed, "send 1003 | hold 02 10 03 CC CC CC CC CC | tick 1000 | failed timeout | wire | quiet | sleep ever" },
  };
  play_all (rows, G_N_ELEMENTS (rows));
}

static void
test_waits (void)
{
  static const Row rows[] = {
    { &classic,
      "send# 8 | out 10 08 XX XX XX XX XX XX | tick 900 | in 31 00 00 | quiet | none | sleep 1000 | tick 900 | in 31 00 00 | tick 999 | quiet | in 30 00 00 | out 21 06 07 CC CC CC CC CC | sent" },
    { &classic,
      "send# 8 | out 10 08 XX XX XX XX XX XX | in 31 00 00 | tick 1000 | failed timeout | in 30 00 00 | none" },
    { &classic, "send# 8 | hold 10 08 XX XX XX XX XX XX | in 31 00 00 | tick 500 | wire | sleep 500" },
    { &patient,
      "send# 8 | out 10 08 XX XX XX XX XX XX | in 31 00 00 | in 31 00 00 | in 31 00 00 | quiet | in 31 00 00 | failed timeout" },
    /* counted in a row: a block between them starts anew */
    { &patient,
      "send# 20 | out 10 14 XX XX XX XX XX XX | in 31 00 00 | in 31 00 00 | in 31 00 00 | in 30 01 00 | out 21 XX XX XX XX XX XX XX | in 31 00 00 | in 31 00 00 | in 31 00 00 | in 30 00 00 | out 22 XX XX XX XX XX XX XX | sent" },
    { &patient,
      "send# 8 | out 10 08 XX XX XX XX XX XX | in 31 00 00 | in 31 00 00 | abort | send# 8 | out 10 08 XX XX XX XX XX XX | in 31 00 00 | in 31 00 00 | in 31 00 00 | quiet | "
      "in 30 00 00 | out 21 06 07 CC CC CC CC CC | sent" },
    { &patient,
      "send# 8 | out 10 08 XX XX XX XX XX XX | in 31 00 00 | tick 900 | in 31 00 00 | tick 900 | in 31 00 00 | sleep 700 | tick 700 | failed timeout" },
    { &classic, "send# 8 | out 10 08 XX XX XX XX XX XX | in 32 00 00 | failed block-too-long | none | sleep ever" },
    { &classic,
      "send# 20 | out 10 14 XX XX XX XX XX XX | in 30 01 00 | out 21 XX XX XX XX XX XX XX | in 32 00 00 | failed block-too-long" },
    { &classic, "send# 8 | out 10 08 XX XX XX XX XX XX | in 33 00 00 | failed link-protocol" },
    { &classic, "send# 8 | out 10 08 XX XX XX XX XX XX | in 3F 00 00 | failed link-protocol" },
  };
  play_all (rows, G_N_ELEMENTS (rows));
}

static void
test_receive (void)
{
  static const Row rows[] = {
    { &classic,
      "in 10 14 00 01 02 03 04 05 | first | quiet | out 30 00 00 CC CC CC CC CC | sleep 1000 | in 21 06 07 08 09 0A 0B 0C | quiet | in 22 0D 0E 0F 10 11 12 13 | got# 20 | none | sleep ever" },
    { &unpadded, "in 10 08 00 01 02 03 04 05 | first | out 30 00 00 | in 21 06 07 | got# 8" },
    { &blocks,
      "in 10 28 00 01 02 03 04 05 | first | out 30 02 F5 CC CC CC CC CC | in 21 06 07 08 09 0A 0B 0C | none | in 22 0D 0E 0F 10 11 12 13 | out 30 02 F5 CC CC CC CC CC | "
      "in 23 14 15 16 17 18 19 1A | none | in 24 1B 1C 1D 1E 1F 20 21 | out 30 02 F5 CC CC CC CC CC | in 25 22 23 24 25 26 27 | got# 40 | none" },
    { &extended, "in 10 10 08 00 01 02 03 04 | first | out F1 30 00 00 AA AA AA AA | in 10 21 05 06 07 | got# 8" },
    { &mixed, "in 55 10 07 00 01 02 03 04 | first | out 55 30 00 00 | in 55 21 05 06 | got# 7" },
    { &fixed, "in 10 08 00 01 02 03 04 05 | first | out 30 00 00 CC CC CC CC CC | in 21 06 07 | got# 8" },
    { &fd, "in 10 0B 00 01 02 03 04 05 06 07 08 09 | first | out 30 00 00 CC CC CC CC CC | in 21 0A | got# 11" },
    { &fd,
      "in 10 0B 00 01 02 03 04 05 | first | out 30 00 00 CC CC CC CC CC | in 21 06 07 08 09 0A CC CC | got# 11" }, /* RX_DL
                                                                                                                      of
                                                                                                                      the
                                                                                                                      first
                                                                                                                      frame
                                                                                                                    */
    /* a length that fits a single frame, a first frame that is not full, a long form that was not needed */
    { &classic, "in 10 07 00 01 02 03 04 05 | quiet | none" },
    { &classic, "in 10 08 00 01 02 03 04 | quiet | none" },
    { &classic, "in 10 00 00 00 0F FF 00 01 | quiet | none" },
    { &extended, "in 10 10 06 00 01 02 03 04 | quiet | none" },
    { &fd, "in 10 0A 00 01 02 03 04 05 06 07 08 09 | quiet | none" },
    { &classic, "in 10 00 00 00 10 00 00 01 | first | out 30 00 00 CC CC CC CC CC" },
    { &classic,
      "in 10 00 FF FF FF FF 00 01 | broken block-too-long | out 32 00 00 CC CC CC CC CC | none | sleep ever" },
    { &small,
      "in 10 15 00 01 02 03 04 05 | broken block-too-long | out 32 00 00 CC CC CC CC CC | in 21 06 07 08 09 0A 0B 0C | quiet" },
    { &small, "in 10 14 00 01 02 03 04 05 | first | out 30 00 00 CC CC CC CC CC" },
    /* a frame missing, swapped, twice */
    { &classic,
      "in 10 14 00 01 02 03 04 05 | first | out 30 00 00 CC CC CC CC CC | in 22 0D 0E 0F 10 11 12 13 | broken link-protocol | none | sleep ever" },
    { &classic,
      "in 10 20 00 01 02 03 04 05 | first | out 30 00 00 CC CC CC CC CC | in 21 06 07 08 09 0A 0B 0C | in 23 14 15 16 17 18 19 1A | broken link-protocol | in 22 0D 0E 0F 10 11 12 13 | quiet" },
    { &classic,
      "in 10 14 00 01 02 03 04 05 | first | out 30 00 00 CC CC CC CC CC | in 21 06 07 08 09 0A 0B 0C | in 21 06 07 08 09 0A 0B 0C | quiet | in 22 0D 0E 0F 10 11 12 13 | got# 20" },
    { &classic,
      "in 10 14 00 01 02 03 04 05 | first | out 30 00 00 CC CC CC CC CC | in 21 06 07 08 09 0A 0B 0C | in 21 06 07 08 09 0A 0B 00 | broken link-protocol" },
    { &classic,
      "in 10 14 00 01 02 03 04 05 | first | out 30 00 00 CC CC CC CC CC | in 20 06 07 08 09 0A 0B 0C | broken link-protocol" },
    /* what ended the message before is no repetition in this one */
    { &classic,
      "in 10 14 00 01 02 03 04 05 | first | out 30 00 00 CC CC CC CC CC | in 21 06 07 08 09 0A 0B 0C | in 22 0D 0E 0F 10 11 12 13 | got# 20 | "
      "in 10 14 00 01 02 03 04 05 | first | out 30 00 00 CC CC CC CC CC | in 22 0D 0E 0F 10 11 12 13 | broken link-protocol" },
    /* frames shorter than the first one are ignored but for the last */
    { &extended,
      "in 10 10 10 00 01 02 03 04 | first | out F1 30 00 00 AA AA AA AA | in 10 21 05 06 07 08 09 | quiet | in 10 21 05 06 07 08 09 0A | in 10 22 0B 0C 0D 0E | quiet | "
      "in 10 22 0B 0C 0D 0E 0F | got# 16" },
    { &classic,
      "in 10 14 00 01 02 03 04 05 | first | out 30 00 00 CC CC CC CC CC | in 21 06 07 08 09 0A 0B | quiet | in 21 06 07 08 09 0A 0B 0C | in 22 0D 0E 0F 10 11 12 | quiet | in 22 0D 0E 0F 10 11 12 13 | got# 20" },
    { &fd,
      "in 10 0B 00 01 02 03 04 05 06 07 08 09 | first | out 30 00 00 CC CC CC CC CC | in 21 0A CC CC CC CC CC CC CC CC CC CC CC CC CC CC | quiet | in 21 0A | got# 11" },
    /* a new message ends the one before */
    { &classic,
      "in 10 14 00 01 02 03 04 05 | first | out 30 00 00 CC CC CC CC CC | in 02 7E 00 | broken link-protocol | got 7E00 | in 21 06 07 08 09 0A 0B 0C | quiet" },
    { &classic,
      "in 10 14 00 01 02 03 04 05 | first | out 30 00 00 CC CC CC CC CC | in 10 08 00 01 02 03 04 05 | broken link-protocol | first | out 30 00 00 CC CC CC CC CC | in 21 06 07 | got# 8" },
    /* the flow control of the message before is out late: N_Ar of this one's goes on */
    { &classic,
      "in 10 14 00 01 02 03 04 05 | first | hold 30 00 00 CC CC CC CC CC | in 10 14 00 01 02 03 04 05 | broken link-protocol | first | tick 500 | wire | sleep 500 | out 30 00 00 CC CC CC CC CC | sleep 1000" },
    /* N_Cr from the flow control, then from each frame; N_Ar */
    { &classic,
      "in 10 14 00 01 02 03 04 05 | first | hold 30 00 00 CC CC CC CC CC | sleep 1000 | tick 500 | wire | sleep 1000 | tick 999.9 | quiet | in 21 06 07 08 09 0A 0B 0C | sleep 1000 | tick 1000 | broken timeout | sleep ever | in 22 0D 0E 0F 10 11 12 13 | quiet" },
    { &classic,
      "in 10 14 00 01 02 03 04 05 | first | hold 30 00 00 CC CC CC CC CC | tick 1000 | broken timeout | wire | sleep ever" },
    { &quick,
      "in 10 14 00 01 02 03 04 05 | first | hold 30 00 00 CC CC CC CC CC | sleep 20 | wire | sleep 150 | tick 150 | broken timeout" },
    { &quick,
      "send# 8 | hold 10 08 00 01 02 03 04 05 | sleep 20 | tick 19.9 | wire | sleep 75 | tick 75 | failed timeout | sleep ever" },
    { &quick, "send# 8 | hold 10 08 00 01 02 03 04 05 | tick 20 | failed timeout" },
    { &slow_wire,
      "in 10 14 00 01 02 03 04 05 | first | out 30 01 00 CC CC CC CC CC | tick 90 | in 21 06 07 08 09 0A 0B 0C | hold 30 01 00 CC CC CC CC CC | tick 200 | quiet | wire | sleep 100 | in 22 0D 0E 0F 10 11 12 13 | got# 20" },
    /* one that trickles in, and one that never gets further than its first frame; the next one has its time again */
    { &bounded,
      "in 10 28 00 01 02 03 04 05 | first | out 30 00 00 CC CC CC CC CC | tick 900 | in 21 06 07 08 09 0A 0B 0C | tick 900 | in 22 0D 0E 0F 10 11 12 13 | "
      "sleep 700 | tick 699.9 | quiet | tick 0.1 | broken timeout | sleep ever | in 23 14 15 16 17 18 19 1A | quiet | none" },
    { &bounded,
      "in 10 14 00 01 02 03 04 05 | first | out 30 00 00 CC CC CC CC CC | tick 900 | in 10 14 00 01 02 03 04 05 | broken link-protocol | first | out 30 00 00 CC CC CC CC CC | "
      "tick 900 | in 10 14 00 01 02 03 04 05 | broken link-protocol | first | out 30 00 00 CC CC CC CC CC | sleep 700 | tick 700 | broken timeout | sleep ever | "
      "in 10 14 00 01 02 03 04 05 | first | out 30 00 00 CC CC CC CC CC | tick 900 | in 21 06 07 08 09 0A 0B 0C | tick 900 | in 22 0D 0E 0F 10 11 12 13 | got# 20 | sleep ever" },
    { &classic,
      "in 10 00 FF FF FF FF 00 01 | broken block-too-long | hold 32 00 00 CC CC CC CC CC | tick 1000 | quiet | sleep ever" },
    { &classic,
      "in 10 14 00 01 02 03 04 05 | first | in 02 7E 00 | broken link-protocol | got 7E00 | none | sleep ever" },
    /* both directions at once, flow control first */
    { &classic,
      "send# 20 | out 10 14 00 01 02 03 04 05 | in 10 08 00 01 02 03 04 05 | first | in 30 00 00 | out 30 00 00 CC CC CC CC CC | out 21 06 07 08 09 0A 0B 0C | in 21 06 07 | got# 8 | out 22 0D 0E 0F 10 11 12 13 | sent" },
    { &classic,
      "in 10 08 00 01 02 03 04 05 | first | out 30 00 00 CC CC CC CC CC | send# 20 | out 10 14 00 01 02 03 04 05 | abort | in 21 06 07 | got# 8 | none" },
  };
  play_all (rows, G_N_ELEMENTS (rows));
}

/* Traces recorded between can-isotp/udsoncan and isotp-c/iso14229, neither of which is ours. */
static void
test_golden (void)
{
  static const Row tester[] = {
    { &classic,
      "send 22F190 | out 03 22 F1 90 CC CC CC CC | sent | in 10 14 62 F1 90 53 49 4D | first | out 30 00 00 CC CC CC CC CC | in 21 56 45 48 30 30 30 30 | in 22 30 30 31 34 32 32 39 | got 62F19053494D56454830303030 30303134323239" },
    { &classic, "send 2702CE2EE0C2 | out 06 27 02 CE 2E E0 C2 CC | sent | in 02 67 02 CC CC CC CC CC | got 6702" },
    { &classic,
      "send 3101FF00440000000000000064 | out 10 0D 31 01 FF 00 44 00 | in 30 08 00 CC CC CC CC CC | out 21 00 00 00 00 00 00 64 | sent | in 05 71 01 FF 00 00 CC CC | got 7101FF0000" },
    { &classic,
      "send 3400440000000000000064 | out 10 0B 34 00 44 00 00 00 | in 30 08 00 CC CC CC CC CC | out 21 00 00 00 00 64 CC CC | sent | in 04 74 20 00 42 CC CC CC | got 74200042" },
    { &classic,
      "send 31010202F5A29B60 | out 10 08 31 01 02 02 F5 A2 | in 30 08 00 CC CC CC CC CC | out 21 9B 60 CC CC CC CC CC | sent | in 05 71 01 02 02 00 CC CC | got 7101020200" },
  };
  static const RbIsotpConfig ecu = { .tx_id = 0x7e8,
                                     .rx_id = 0x7e0,
                                     .tx_extension = -1,
                                     .rx_extension = -1,
                                     .pad = TRUE,
                                     .padding = 0xcc,
                                     .block_size = 8 };
  static const Row vehicle[] = {
    { &ecu,
      "in 03 22 F1 90 CC CC CC CC | got 22F190 | send 62F19053494D5645483030303030303134323239 | out 10 14 62 F1 90 53 49 4D | in 30 00 00 CC CC CC CC CC | out 21 56 45 48 30 30 30 30 | out 22 30 30 31 34 32 32 39 | sent" },
    { &ecu,
      "in 10 0D 31 01 FF 00 44 00 | first | out 30 08 00 CC CC CC CC CC | in 21 00 00 00 00 00 00 64 | got 3101FF00440000000000000064 | send 7101FF0000 | out 05 71 01 FF 00 00 CC CC | sent" },
    { &ecu,
      "in 10 0B 34 00 44 00 00 00 | first | out 30 08 00 CC CC CC CC CC | in 21 00 00 00 00 64 CC CC | got 3400440000000000000064 | send 74200042 | out 04 74 20 00 42 CC CC CC | sent" },
  };
  play_all (tester, G_N_ELEMENTS (tester));
  play_all (vehicle, G_N_ELEMENTS (vehicle));
}

/* The 66 byte block of the trace: nine consecutive frames at block size 8, so a second flow control for one frame. */
static void
test_golden_block (void)
{
  GString *script = g_string_new ("send# 66 | out 10 42 00 01 02 03 04 05 | in 30 08 00 CC CC CC CC CC");
  for (guint i = 1; i <= 8; i++)
    g_string_append_printf (script, " | out 2%X XX XX XX XX XX XX XX", i);
  g_string_append (
    script,
    " | none | in 30 08 00 CC CC CC CC CC | out 29 3E 3F 40 41 CC CC CC | sent | in 02 76 01 CC CC CC CC CC | got 7601");
  play (&classic, script->str);
  g_string_free (script, TRUE);
}

static void
refuse (RbIsotp *engine, gsize length, RbReason reason)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) message = counting ((guint) length);
  g_assert_false (rb_isotp_send (engine, message, 0, &error));
  g_assert_cmpint (rb_reason_of (error), ==, reason);
}

static void
test_functional (void)
{
  static const RbIsotpConfig config = { .tx_id = 0x7df,
                                        .rx_id = 0x7e8,
                                        .tx_extension = -1,
                                        .rx_extension = -1,
                                        .pad = TRUE,
                                        .padding = 0xcc,
                                        .functional = TRUE };
  static const Row rows[] = {
    { &config,
      "send 3E80 | out 02 3E 80 CC CC CC CC CC | sent | in 02 7E 00 | quiet | in 10 08 00 01 02 03 04 05 | quiet | none" },
  };
  play_all (rows, G_N_ELEMENTS (rows));
  g_autoptr (RbIsotp) engine = rb_isotp_new (&config);
  refuse (engine, 8, RB_REASON_BLOCK_TOO_LONG);
  refuse (engine, 0, RB_REASON_USAGE);
  g_autoptr (GBytes) message = counting (7);
  g_autoptr (GError) error = NULL;
  g_assert_true (rb_isotp_send (engine, message, 0, &error));
  refuse (engine, 7, RB_REASON_IN_USE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/frame/isotp/single", test_single);
  g_test_add_func ("/frame/isotp/send", test_send);
  g_test_add_func ("/frame/isotp/separation", test_separation);
  g_test_add_func ("/frame/isotp/window", test_window);
  g_test_add_func ("/frame/isotp/waits", test_waits);
  g_test_add_func ("/frame/isotp/receive", test_receive);
  g_test_add_func ("/frame/isotp/golden", test_golden);
  g_test_add_func ("/frame/isotp/golden-block", test_golden_block);
  g_test_add_func ("/frame/isotp/functional", test_functional);
  return g_test_run ();
}
