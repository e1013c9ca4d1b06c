/* SPDX-License-Identifier: Apache-2.0 */
#include "fake.h"

#include "core/bytes.h"
#include "uds/uds-client.h"

#include <string.h>

/* Waiting, repeating and giving up: what a client does between a request and its final answer. */

typedef struct {
  Fake *fake;
  RbChannel *channel;
  RbUdsClient *client;
  GError *error;
} Bench;

static void
bench_open (Bench *bench, const FakeStep *steps, const RbUdsClientTiming *timing)
{
  *bench = (Bench){ 0 };
  bench->fake = fake_channel (steps, &bench->channel);
  bench->client = rb_uds_client_new (bench->channel, timing);
}

static void
bench_close (Bench *bench)
{
  rb_uds_client_free (bench->client);
  rb_channel_unref (bench->channel);
  g_clear_error (&bench->error);
}

static GBytes *
request_hex (Bench *bench, const char *hex, GCancellable *cancellable)
{
  g_autoptr (GBytes) request = rb_bytes_from_hex (hex);
  return rb_uds_client_request (bench->client, request, cancellable, &bench->error);
}

static const struct {
  const char *name;
  FakeStep steps[6];
  const char *answer; /* hex, or NULL */
  RbReason reason;
  guint8 nrc;
} requests[] = {
  { "plain", { { "22f190", "62f19031" } }, "62f19031", 0, 0 },
  { "negative", { { "22f190", "7f2231" } }, NULL, RB_REASON_REFUSED, 0x31 },
  { "pending-then-good", { { "3101ff00", "7f3178 7f3178 7101ff0000" } }, "7101ff0000", 0, 0 },
  { "pending-then-refused", { { "3101ff00", "7f3178 7f3172" } }, NULL, RB_REASON_REFUSED, 0x72 },
  { "pending-then-silence", { { "3101ff00", "7f3178 ~" } }, NULL, RB_REASON_NO_ANSWER, 0 },
  { "pending-of-another-service", { { "22f190", "7f3178 62f19031" } }, "62f19031", 0, 0 },
  { "refusal-of-another-service", { { "22f190", "7f3131 62f19031" } }, "62f19031", 0, 0 },
  /* a late response to the routine before arrives after the next routine's request */
  { "late-routine", { { "31010231aa", "7101023000 7101023155" } }, "7101023155", 0, 0 },
  { "late-results-of-the-same-routine", { { "31010231aa", "7103023100 7101023155" } }, "7101023155", 0, 0 },
  { "late-routine-and-pending", { { "31010231aa", "7101023000 7f3178 7101023000 7101023155" } }, "7101023155", 0, 0 },
  { "late-routine-then-silence", { { "31010231aa", "7101023000 ~" } }, NULL, RB_REASON_WRONG_ANSWER, 0 },
  { "late-did", { { "22f18c", "62f19031 62f18c41" } }, "62f18c41", 0, 0 },
  { "late-did-then-silence", { { "22f18c", "62f19031 ~" }, { "22f18c", "62f18c41" } }, "62f18c41", 0, 0 },
  { "late-dtcs", { { "1902ff", "5901ff010000 5902ff" } }, "5902ff", 0, 0 },
  { "late-session", { { "1001", "5003003201f4 5001003201f4" } }, "5001003201f4", 0, 0 },
  { "late-seed", { { "270211223344", "670155667788 6702" } }, "6702", 0, 0 },
  { "late-answer-of-another-service", { { "22f190", "7101ff0000 62f19031" } }, "62f19031", 0, 0 },
  { "empty-message", { { "22f190", "7f22 62f19031" } }, "62f19031", 0, 0 },
  { "only-foreign", { { "22f190", "5003 *" } }, NULL, RB_REASON_WRONG_ANSWER, 0 },
  { "lost", { { "22f190", "!" } }, NULL, RB_REASON_LINK_LOST, 0 },
  { "lost-while-pending", { { "3101ff00", "7f3178 !" } }, NULL, RB_REASON_LINK_LOST, 0 },
  { "busy-once", { { "3101ff00", "7f3121" }, { "3101ff00", "7101ff0000" } }, "7101ff0000", 0, 0 },
  { "unavailable-once", { { "1003", "7f1094" }, { "1003", "500300320064" } }, "500300320064", 0, 0 },
  { "busy-five-times",
    { { "1003", "7f1021" },
      { "1003", "7f1021" },
      { "1003", "7f1094" },
      { "1003", "7f1021" },
      { "1003", "500300320064" } },
    "500300320064",
    0,
    0 },
  { "busy-then-refused", { { "1003", "7f1021" }, { "1003", "7f1022" } }, NULL, RB_REASON_REFUSED, 0x22 },
  { "silence-read-did", { { "22f190", "~" }, { "22f190", "62f19031" } }, "62f19031", 0, 0 },
  { "silence-session", { { "1003", "~" }, { "1003", "~" }, { "1003", "5003" } }, "5003", 0, 0 },
  { "silence-dtcs", { { "1902ff", "~" }, { "1902ff", "5902ff" } }, "5902ff", 0, 0 },
  { "silence-transfer", { { "360155", "~" }, { "360155", "7601" } }, "7601", 0, 0 },
  { "silence-for-ever", { { "22f190", "~" }, { "22f190", "~" }, { "22f190", "~" } }, NULL, RB_REASON_NO_ANSWER, 0 },
  /* a request that changes something is not sent twice: nobody knows whether the ECU did it */
  { "silence-routine", { { "3101ff00", "~" } }, NULL, RB_REASON_NO_ANSWER, 0 },
  { "silence-download", { { "3400440000000000000010", "~" } }, NULL, RB_REASON_NO_ANSWER, 0 },
  { "silence-exit", { { "37", "~" } }, NULL, RB_REASON_NO_ANSWER, 0 },
  { "silence-write", { { "2ef19000", "~" } }, NULL, RB_REASON_NO_ANSWER, 0 },
  { "silence-reset", { { "1101", "~" } }, NULL, RB_REASON_NO_ANSWER, 0 },
  { "silence-key", { { "2702aabb", "~" } }, NULL, RB_REASON_NO_ANSWER, 0 },
  { "silence-proof", { { "2903", "~" } }, NULL, RB_REASON_NO_ANSWER, 0 },
};

/* Each answer comes once more in front of the next one: what was asked next gets its own. */
static void
test_said_twice (void)
{
  static const FakeStep steps[] = { { "22f18c", "62f18c41" },
                                    { "22f191", "62f18c41 62f19142" },
                                    { "22f191", "62f19142" },
                                    { "31010210aa", "7101021001" },
                                    { "31010211", "7101021001 7f3178 71010211" },
                                    { "2ef15a00", "6ef15a" },
                                    { "2ef15b00", "6ef15a 6ef15b" },
                                    { "2901", "690111" },
                                    { "2903", "690111 690312" },
                                    { "2701", "670155" },
                                    { "2702aa", "670155 6702" },
                                    { "1003", "5003" },
                                    { "1001", "5003 5001" },
                                    { "360155", "7601" },
                                    { "360266", "7601 7602" },
                                    { "22f190", "62f190" },
                                    { "22f191", "62f190 *" },
                                    { NULL } };
  static const char *answers[]
    = { "62f18c41", "62f19142", "62f19142", "7101021001", "71010211", "6ef15a", "6ef15b", "690111", "690312",
        "670155",   "6702",     "5003",     "5001",       "7601",     "7602",   "62f190", NULL };
  Bench bench;
  bench_open (&bench, steps, NULL);
  for (guint i = 0; steps[i].request != NULL; i++) {
    g_autoptr (GBytes) answer = request_hex (&bench, steps[i].request, NULL);
    g_autofree char *hex = answer == NULL ? NULL : rb_bytes_hex (answer);
    g_assert_cmpstr (hex, ==, answers[i]);
  }
  g_assert_error (bench.error, RB_UDS_ERROR, RB_REASON_WRONG_ANSWER);
  bench_close (&bench);
}

static void
test_request (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  Bench bench;
  bench_open (&bench, requests[i].steps, NULL);
  g_autoptr (GBytes) answer = request_hex (&bench, requests[i].steps[0].request, NULL);
  g_autofree char *hex = answer == NULL ? NULL : rb_bytes_hex (answer);
  g_assert_cmpstr (hex, ==, requests[i].answer);
  g_assert_cmpint (rb_reason_of (bench.error), ==, requests[i].reason);
  g_assert_cmphex (rb_uds_client_last_nrc (bench.client), ==, requests[i].nrc);
  fake_assert_done (bench.fake);
  bench_close (&bench);
}

static void
count_pending (guint8 nrc, guint count, gpointer data)
{
  guint *last = data;
  g_assert_cmphex (nrc, ==, 0x78);
  g_assert_cmpuint (count, ==, *last + 1);
  *last = count;
}

static void
test_pending_is_told (void)
{
  static const FakeStep steps[] = { { "3101ff00", "7f3178 7f3178 7f3178 7101ff0000" }, { NULL } };
  Bench bench;
  guint count = 0;
  bench_open (&bench, steps, NULL);
  rb_uds_client_set_wait (bench.client, count_pending, &count);
  g_autoptr (GBytes) answer = request_hex (&bench, "3101ff00", NULL);
  g_assert_nonnull (answer);
  g_assert_cmpuint (count, ==, 3);
  bench_close (&bench);
}

static void
test_pending_bounded_by_number (void)
{
  static const FakeStep steps[] = { { "3101ff00", "7f3178 *" }, { NULL } };
  const RbUdsClientTiming timing = { .max_pending = 7 };
  Bench bench;
  guint count = 0;
  bench_open (&bench, steps, &timing);
  rb_uds_client_set_wait (bench.client, count_pending, &count);
  g_assert_null (request_hex (&bench, "3101ff00", NULL));
  g_assert_error (bench.error, RB_UDS_ERROR, RB_REASON_ECU_BUSY);
  g_assert_cmpuint (count, ==, 7);
  g_assert_cmphex (rb_uds_client_last_nrc (bench.client), ==, 0x78);
  g_assert_cmpuint (bench.fake->waits->len, ==, 8);
  bench_close (&bench);
}

static void
test_pending_bounded_by_time (void)
{
  static const FakeStep steps[] = { { "3101ff00", "7f3178 *" }, { NULL } };
  const RbUdsClientTiming timing = { .max_pending = G_MAXUINT, .pending_limit_ms = 3 };
  Bench bench;
  bench_open (&bench, steps, &timing);
  gint64 start = g_get_monotonic_time ();
  g_assert_null (request_hex (&bench, "3101ff00", NULL));
  g_assert_cmpint (g_get_monotonic_time () - start, >=, 3000);
  g_assert_error (bench.error, RB_UDS_ERROR, RB_REASON_ECU_BUSY);
  bench_close (&bench);
}

static void
test_foreign_answers_bounded (void)
{
  static const FakeStep steps[] = { { "22f190", "5003 *" }, { NULL } };
  Bench bench;
  bench_open (&bench, steps, NULL);
  g_assert_null (request_hex (&bench, "22f190", NULL));
  g_assert_error (bench.error, RB_UDS_ERROR, RB_REASON_WRONG_ANSWER);
  g_assert_cmpuint (bench.fake->waits->len, ==, 17);
  bench_close (&bench);
}

static const struct {
  const char *name;
  RbUdsClientTiming timing;
  gint64 first, after_pending;
} timings[] = {
  { "defaults", { 0 }, 650, 5500 },
  { "own", { .p2_ms = 50, .p2_star_ms = 2000, .allowance_ms = 100 }, 150, 2100 },
  { "p2-only", { .p2_ms = 25 }, 525, 5500 },
};

static void
test_waits (gconstpointer data)
{
  static const FakeStep steps[] = { { "3101ff00", "7f3178 7101ff0000" }, { NULL } };
  guint i = GPOINTER_TO_UINT (data);
  Bench bench;
  bench_open (&bench, steps, &timings[i].timing);
  g_autoptr (GBytes) answer = request_hex (&bench, "3101ff00", NULL);
  g_assert_no_error (bench.error);
  g_assert_cmpint (fake_wait (bench.fake, 0), ==, timings[i].first);
  g_assert_cmpint (fake_wait (bench.fake, 1), ==, timings[i].after_pending);
  bench_close (&bench);
}

/* what an ECU tells of its times when a session begins; zero and a short answer tell nothing */
static const struct {
  const char *answer;
  gint64 first, after_pending;
} told[] = {
  { "500300320064", 550, 1500 }, { "50030014ffff", 520, 10500 },  { "5003fffe0064", 5500, 1500 },
  { "5003", 650, 5500 },         { "50030032", 650, 5500 },       { "500300000064", 650, 5500 },
  { "500300320000", 650, 5500 }, { "50030032006499", 550, 1500 },
};

static void
test_session_timing (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  const FakeStep steps[] = { { "1003", told[i].answer }, { "3101ff00", "7f3178 7101ff0000" }, { NULL } };
  Bench bench;
  bench_open (&bench, steps, NULL);
  g_assert_true (rb_uds_client_session_control (bench.client, 0x03, NULL, &bench.error));
  g_autoptr (GBytes) answer = request_hex (&bench, "3101ff00", NULL);
  g_assert_no_error (bench.error);
  g_assert_cmpint (fake_wait (bench.fake, 1), ==, told[i].first);
  g_assert_cmpint (fake_wait (bench.fake, 2), ==, told[i].after_pending);
  bench_close (&bench);
}

/* The profile sets the caps, and they have bounds of ours. */
static void
test_caps (void)
{
  static const FakeStep steps[] = { { "1003", "5003ffffffff" }, { "3101ff00", "7f3178 7101ff0000" }, { NULL } };
  static const struct {
    RbUdsClientTiming timing;
    gint64 first, after_pending;
  } caps[] = { { { .p2_max_ms = 700, .p2_star_max_ms = 20000 }, 1200, 20500 },
               { { .p2_max_ms = 99000, .p2_star_max_ms = 990000, .allowance_ms = 99000 }, 20000, 70000 },
               { { .p2_ms = 99000, .p2_star_ms = 990000, .pending_limit_ms = 30000 }, 10500, 30001 } };
  for (guint i = 0; i < G_N_ELEMENTS (caps); i++) {
    Bench bench;
    bench_open (&bench, steps, &caps[i].timing);
    g_assert_true (rb_uds_client_session_control (bench.client, 0x03, NULL, &bench.error));
    g_autoptr (GBytes) response = request_hex (&bench, "3101ff00", NULL);
    g_assert_no_error (bench.error);
    g_assert_cmpint (fake_wait (bench.fake, 1), ==, caps[i].first);
    g_assert_cmpint (ABS (fake_wait (bench.fake, 2) - caps[i].after_pending), <, 1000);
    g_assert_cmpint (fake_wait (bench.fake, 2), <=, caps[i].after_pending);
    bench_close (&bench);
  }
}

/* A foreign response does not prolong the wait. */
static void
test_foreign_responses_share_one_wait (void)
{
  static const FakeStep steps[] = { { "22f190", "5003 5003 5003 62f19031" }, { NULL } };
  Bench bench;
  bench_open (&bench, steps, NULL);
  g_autoptr (GBytes) response = request_hex (&bench, "22f190", NULL);
  g_assert_nonnull (response);
  for (guint i = 1; i < bench.fake->waits->len; i++)
    g_assert_cmpint (fake_wait (bench.fake, i), <=, fake_wait (bench.fake, i - 1));
  g_assert_cmpuint (bench.fake->waits->len, ==, 4);
  bench_close (&bench);
}

typedef struct {
  guint8 nrc;
  gint64 since, for_ms;
  const char *then;
} Later;

/* Rejects for a time, then responds. */
static char *
later (const char *request, gpointer data)
{
  Later *self = data;
  gint64 now = g_get_monotonic_time () / 1000;
  if (self->since == 0)
    self->since = now;
  return now - self->since < self->for_ms ? g_strdup_printf ("7f%.2s%02x", request, self->nrc) : g_strdup (self->then);
}

static void
play_later (Bench *bench, Later *ecu, const RbUdsClientTiming *timing)
{
  bench_open (bench, NULL, timing);
  bench->fake->answer = later;
  bench->fake->user_data = ecu;
}

/* NRC 0x21 and 0x94 for a second: three repetitions within 200 ms were too few. */
static void
test_busy_for_a_second (void)
{
  for (guint i = 0; i < 2; i++) {
    Later ecu = { .nrc = i == 0 ? 0x21 : 0x94, .for_ms = 1000, .then = "7101ff0000" };
    Bench bench;
    play_later (&bench, &ecu, NULL);
    g_autoptr (GBytes) response = request_hex (&bench, "3101ff00", NULL);
    g_assert_no_error (bench.error);
    g_assert_nonnull (response);
    bench_close (&bench);
  }
}

static void
test_busy_is_bounded (void)
{
  for (guint i = 0; i < 2; i++) {
    const RbUdsClientTiming timing = { .busy_ms = 250 };
    Later ecu = { .nrc = i == 0 ? 0x21 : 0x94, .for_ms = G_MAXINT64 };
    Bench bench;
    gint64 start = g_get_monotonic_time ();
    play_later (&bench, &ecu, &timing);
    g_assert_null (request_hex (&bench, "3101ff00", NULL));
    g_assert_error (bench.error, RB_UDS_ERROR, RB_REASON_ECU_BUSY);
    g_assert_cmphex (rb_uds_client_last_nrc (bench.client), ==, ecu.nrc);
    g_assert_cmpint (g_get_monotonic_time () - start, >=, 250000);
    g_assert_cmpuint (bench.fake->asked, >=, 3);
    bench_close (&bench);
  }
}

static void
note_wait (guint8 nrc, guint count, gpointer data)
{
  g_string_append_printf (data, "%02x:%u ", nrc, count);
}

/* A security delay after power-on is waited for, where a seed or a challenge is requested. */
static void
test_security_delay (void)
{
  static const struct {
    const char *request, *then;
  } asked[] = { { "2701", "670111223344" }, { "290100000230030002c0c1", "69011100020102" } };
  for (guint i = 0; i < G_N_ELEMENTS (asked); i++) {
    Later ecu = { .nrc = 0x37, .for_ms = 600, .then = asked[i].then };
    g_autoptr (GString) waits = g_string_new (NULL);
    Bench bench;
    play_later (&bench, &ecu, NULL);
    rb_uds_client_set_wait (bench.client, note_wait, waits);
    g_autoptr (GBytes) response = request_hex (&bench, asked[i].request, NULL);
    g_assert_no_error (bench.error);
    g_assert_nonnull (response);
    g_assert_true (g_str_has_prefix (waits->str, "37:1 37:2 "));
    g_assert_true (g_str_has_suffix (waits->str, " 00:0 "));
    bench_close (&bench);
  }
}

/* A request that did not get out was received by no ECU: whatever it does, it is sent again. */
static void
test_unsent (void)
{
  static const FakeStep steps[] = { { "3101ff00", "7101ff0000" }, { NULL } };
  for (guint unsent = 2; unsent <= 3; unsent++) {
    Bench bench;
    bench_open (&bench, steps, NULL);
    bench.fake->unsent = unsent;
    g_autoptr (GBytes) response = request_hex (&bench, "3101ff00", NULL);
    g_assert_true ((response != NULL) == (unsent == 2));
    g_assert_cmpuint (bench.fake->asked, ==, unsent == 2 ? 1 : 0);
    g_assert_cmpint (rb_reason_of (bench.error), ==, unsent == 2 ? RB_REASON_NONE : RB_REASON_NO_ANSWER);
    bench_close (&bench);
  }
}

/* A routine that changes nothing is repeated, one that may change something is not. */
static void
test_read_routine (void)
{
  static const FakeStep steps[] = {
    { "31010210aa", "~" }, { "31010210aa", "7f3178 ~" }, { "31010210aa", "7101021055" }, { "31010230", "~" }, { NULL }
  };
  static const guint8 nonce = 0xaa;
  g_autoptr (GBytes) option = g_bytes_new_static (&nonce, 1);
  Bench bench;
  bench_open (&bench, steps, NULL);
  g_autoptr (GBytes) result = rb_uds_client_read_routine (bench.client, 0x0210, option, NULL, &bench.error);
  g_assert_no_error (bench.error);
  g_assert_nonnull (result);
  g_assert_null (rb_uds_client_start_routine (bench.client, 0x0230, NULL, NULL, &bench.error));
  g_assert_error (bench.error, RB_UDS_ERROR, RB_REASON_NO_ANSWER);
  fake_assert_done (bench.fake);
  bench_close (&bench);
}

static const struct {
  const char *name, *request;
  guint8 nrc;
  RbReason reason;
  gboolean repeated;
} denials[] = {
  { "seed", "2701", 0x37, RB_REASON_SECURITY_DELAY, TRUE },
  { "challenge", "290100000230030002c0c1", 0x37, RB_REASON_SECURITY_DELAY, TRUE },
  { "key", "270211223344", 0x37, RB_REASON_SECURITY_DELAY, FALSE },
  { "proof", "2903000250600000", 0x37, RB_REASON_SECURITY_DELAY, FALSE },
  { "seed-after-wrong-keys", "2701", 0x36, RB_REASON_ECU_LOCKED_OUT, FALSE },
  { "key-too-often", "270211223344", 0x36, RB_REASON_ECU_LOCKED_OUT, FALSE },
  { "wrong-key", "270211223344", 0x35, RB_REASON_ECU_LOCKED, FALSE },
};

/* Waited for within a bound; 0x36 is told apart, and a key is never sent twice. */
static void
test_denial (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  const RbUdsClientTiming timing = { .delay_ms = 50 };
  Later ecu = { .nrc = denials[i].nrc, .for_ms = G_MAXINT64 };
  Bench bench;
  play_later (&bench, &ecu, &timing);
  g_assert_null (request_hex (&bench, denials[i].request, NULL));
  g_assert_error (bench.error, RB_UDS_ERROR, (int) denials[i].reason);
  g_assert_true ((bench.fake->asked > 1) == denials[i].repeated);
  g_assert_true ((strstr (bench.error->message, "repeated for") != NULL) == denials[i].repeated);
  bench_close (&bench);
}

static void
test_repeats_are_set (void)
{
  static const FakeStep five[]
    = { { "22f190", "~" }, { "22f190", "~" }, { "22f190", "~" }, { "22f190", "~" }, { "22f190", "~" }, { NULL } };
  static const FakeStep one[] = { { "22f190", "~" }, { NULL } };
  const RbUdsClientTiming many = { .repeats = 5 };
  const RbUdsClientTiming few = { .repeats = 1 };
  Bench bench;
  bench_open (&bench, five, &many);
  g_assert_null (request_hex (&bench, "22f190", NULL));
  fake_assert_done (bench.fake);
  bench_close (&bench);
  bench_open (&bench, one, &few);
  g_assert_null (request_hex (&bench, "22f190", NULL));
  fake_assert_done (bench.fake);
  g_assert_error (bench.error, RB_UDS_ERROR, RB_REASON_NO_ANSWER);
  bench_close (&bench);
}

/* what an earlier request's ECU says too late is thrown away before the next is sent */
static void
test_stale_answers_are_drained (void)
{
  static const FakeStep steps[] = { { "22f190", "62f19031 62f19032" }, { "22f190", "62f19033" }, { NULL } };
  Bench bench;
  bench_open (&bench, steps, NULL);
  g_autoptr (GBytes) first = request_hex (&bench, "22f190", NULL);
  g_autoptr (GBytes) second = request_hex (&bench, "22f190", NULL);
  g_autofree char *hex = rb_bytes_hex (second);
  g_assert_cmpstr (hex, ==, "62f19033");
  g_assert_nonnull (first);
  bench_close (&bench);
}

static void
test_nrc_is_of_the_last_call (void)
{
  static const FakeStep steps[] = { { "22f190", "7f2233" }, { "22f190", "62f19031" }, { NULL } };
  Bench bench;
  bench_open (&bench, steps, NULL);
  g_assert_null (request_hex (&bench, "22f190", NULL));
  g_assert_cmphex (rb_uds_client_last_nrc (bench.client), ==, 0x33);
  g_clear_error (&bench.error);
  g_autoptr (GBytes) answer = request_hex (&bench, "22f190", NULL);
  g_assert_nonnull (answer);
  g_assert_cmphex (rb_uds_client_last_nrc (bench.client), ==, 0);
  bench_close (&bench);
}

static void
test_cancelled_before_the_answer (void)
{
  static const FakeStep steps[] = { { "3101ff00", "7101ff0000" }, { NULL } };
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Bench bench;
  bench_open (&bench, steps, NULL);
  bench.fake->cancel_at = cancellable;
  bench.fake->cancel_after = 1;
  g_assert_null (request_hex (&bench, "3101ff00", cancellable));
  g_assert_error (bench.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  bench_close (&bench);
}

static char *
busy_and_cancelled (const char *request, gpointer data)
{
  return g_strdup ("7f1021");
}

static gpointer
cancel_soon (gpointer data)
{
  g_cancellable_cancel (data);
  return NULL;
}

/* the pause before a repetition ends at once when the person gives up */
static void
test_cancelled_between_repeats (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  const RbUdsClientTiming timing = { .repeats = G_MAXUINT };
  Bench bench;
  bench_open (&bench, NULL, &timing);
  bench.fake->answer = busy_and_cancelled;
  GThread *thread = g_thread_new ("gives-up", cancel_soon, cancellable);
  g_assert_null (request_hex (&bench, "1003", cancellable));
  g_assert_error (bench.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_thread_join (thread);
  bench_close (&bench);
}

static void
cancel_it (guint8 nrc, guint count, gpointer data)
{
  g_cancellable_cancel (data);
}

static void
test_cancelled_while_pending (void)
{
  static const FakeStep steps[] = { { "3101ff00", "7f3178 *" }, { NULL } };
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Bench bench;
  bench_open (&bench, steps, NULL);
  rb_uds_client_set_wait (bench.client, cancel_it, cancellable);
  g_assert_null (request_hex (&bench, "3101ff00", cancellable));
  g_assert_error (bench.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (bench.fake->waits->len, ==, 2);
  bench_close (&bench);
}

static void
test_too_long_for_the_link (void)
{
  static const FakeStep steps[] = { { NULL } };
  static const guint8 data[200] = { 0 };
  Bench bench;
  bench_open (&bench, steps, NULL);
  bench.fake->max_message = 10;
  g_assert_false (rb_uds_client_transfer_data (bench.client, data, 99, 99, NULL, NULL, NULL, &bench.error));
  g_assert_error (bench.error, RB_LINK_ERROR, RB_REASON_BLOCK_TOO_LONG);
  fake_assert_done (bench.fake);
  bench_close (&bench);
}

static gpointer
try_idle (gpointer client)
{
  gboolean idle = rb_uds_client_try_idle (client);
  if (idle)
    rb_uds_client_end_idle (client);
  return GINT_TO_POINTER (idle);
}

static gboolean
is_idle_for_others (RbUdsClient *client)
{
  return GPOINTER_TO_INT (g_thread_join (g_thread_new ("other", try_idle, client)));
}

typedef struct {
  RbUdsClient *client;
  guint asked;
} Others;

static void
ask_at_wait (guint8 nrc, guint count, gpointer data)
{
  Others *others = data;
  others->asked++;
  g_assert_false (is_idle_for_others (others->client));
}

static void
ask_at_block (gsize taken, gpointer data)
{
  ask_at_wait (0, 0, data);
}

/* TesterPresent of another thread comes never between a request and its final response, nor between two blocks. */
static void
test_idle_between_exchanges (void)
{
  static const FakeStep steps[]
    = { { "3101ff00", "7f3178 7f3178 7101ff0000" }, { "36010001", "7601" }, { "36020203", "7602" }, { NULL } };
  static const guint8 data[] = { 0, 1, 2, 3 };
  Bench bench;
  bench_open (&bench, steps, NULL);
  Others others = { .client = bench.client };
  rb_uds_client_set_wait (bench.client, ask_at_wait, &others);
  g_assert_true (is_idle_for_others (bench.client));
  g_autoptr (GBytes) answer = request_hex (&bench, "3101ff00", NULL);
  g_assert_nonnull (answer);
  g_assert_cmpuint (others.asked, ==, 2);
  g_assert_true (is_idle_for_others (bench.client));
  g_assert_true (
    rb_uds_client_transfer_data (bench.client, data, sizeof data, 2, ask_at_block, &others, NULL, &bench.error));
  g_assert_cmpuint (others.asked, ==, 4);
  g_assert_true (is_idle_for_others (bench.client));
  fake_assert_done (bench.fake);
  bench_close (&bench);
}

static void
test_channel_outlives_the_link (void)
{
  static const FakeStep steps[] = { { "3e80", "" }, { NULL } };
  Bench bench;
  bench_open (&bench, steps, NULL);
  g_autoptr (RbChannel) kept = rb_channel_ref (bench.channel);
  g_assert_true (rb_uds_client_tester_present (bench.client, &bench.error));
  g_assert_cmpuint (bench.fake->waits->len, ==, 0);
  bench_close (&bench);
  g_assert_cmpuint (rb_channel_max_message (kept), ==, 4095);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (requests); i++) {
    g_autofree char *path = g_strdup_printf ("/client/request/%s", requests[i].name);
    g_test_add_data_func (path, GUINT_TO_POINTER (i), test_request);
  }
  for (guint i = 0; i < G_N_ELEMENTS (timings); i++) {
    g_autofree char *path = g_strdup_printf ("/client/waits/%s", timings[i].name);
    g_test_add_data_func (path, GUINT_TO_POINTER (i), test_waits);
  }
  for (guint i = 0; i < G_N_ELEMENTS (told); i++) {
    g_autofree char *path = g_strdup_printf ("/client/session-timing/%s", told[i].answer);
    g_test_add_data_func (path, GUINT_TO_POINTER (i), test_session_timing);
  }
  for (guint i = 0; i < G_N_ELEMENTS (denials); i++) {
    g_autofree char *path = g_strdup_printf ("/client/denial/%s", denials[i].name);
    g_test_add_data_func (path, GUINT_TO_POINTER (i), test_denial);
  }
  g_test_add_func ("/client/unsent", test_unsent);
  g_test_add_func ("/client/read-routine", test_read_routine);
  g_test_add_func ("/client/caps", test_caps);
  g_test_add_func ("/client/foreign-responses-share-one-wait", test_foreign_responses_share_one_wait);
  g_test_add_func ("/client/busy-for-a-second", test_busy_for_a_second);
  g_test_add_func ("/client/busy-is-bounded", test_busy_is_bounded);
  g_test_add_func ("/client/security-delay", test_security_delay);
  g_test_add_func ("/client/said-twice", test_said_twice);
  g_test_add_func ("/client/pending-is-told", test_pending_is_told);
  g_test_add_func ("/client/pending-bounded-by-number", test_pending_bounded_by_number);
  g_test_add_func ("/client/pending-bounded-by-time", test_pending_bounded_by_time);
  g_test_add_func ("/client/foreign-answers-bounded", test_foreign_answers_bounded);
  g_test_add_func ("/client/repeats-are-set", test_repeats_are_set);
  g_test_add_func ("/client/stale-answers-are-drained", test_stale_answers_are_drained);
  g_test_add_func ("/client/nrc-is-of-the-last-call", test_nrc_is_of_the_last_call);
  g_test_add_func ("/client/cancelled-before-the-answer", test_cancelled_before_the_answer);
  g_test_add_func ("/client/cancelled-between-repeats", test_cancelled_between_repeats);
  g_test_add_func ("/client/cancelled-while-pending", test_cancelled_while_pending);
  g_test_add_func ("/client/too-long-for-the-link", test_too_long_for_the_link);
  g_test_add_func ("/client/channel-outlives-the-link", test_channel_outlives_the_link);
  g_test_add_func ("/client/idle-between-exchanges", test_idle_between_exchanges);
  return g_test_run ();
}
