/* SPDX-License-Identifier: Apache-2.0 */
#include "ecu-bench.h"
#include "vehicle/ecu-keys.h"

#include "core/bytes.h"

#include <string.h>

/* What one ECU is asked and told by its profile, and what is made of its answers. */

#define DIGEST "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define OTHER "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"

/* texts and numbers */

static const struct {
  const char *answer;
  const char *text;
  RbReason reason;
} texts[] = {
  { "62f190524259", "RBY", 0 },
  { "62f190", "", 0 },
  { "62f1902020", "", 0 },
  { "62f19052425900", "RBY", 0 }, /* fields of fixed length */
  { "62f19052425920202020", "RBY", 0 },
  { "62f190202052425920", "RBY", 0 },
  { "62f190000052425920000020", "RBY", 0 },
  { "62f1905220592000", "R Y", 0 },
  { "62f190000000", "", 0 },
  { "62f19052005900", NULL, RB_REASON_WRONG_ANSWER },
  { "62f190ffffff", NULL, RB_REASON_WRONG_ANSWER }, /* erased flash is not a text */
  { "62f190525900ff", NULL, RB_REASON_WRONG_ANSWER },
  { "62f1907e", "~", 0 },
  { "62f1907f", NULL, RB_REASON_WRONG_ANSWER },
  { "62f190521b5b31", NULL, RB_REASON_WRONG_ANSWER }, /* a terminal's control sequence */
  { "62f190c3a4", NULL, RB_REASON_WRONG_ANSWER },
  { "62f1900a", NULL, RB_REASON_WRONG_ANSWER },
  { "7f2231", NULL, RB_REASON_REFUSED },
  { "7f2233", NULL, RB_REASON_ECU_LOCKED },
};

static void
test_text (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  const FakeStep steps[] = { { "22f190", texts[i].answer }, { NULL } };
  UnitBench bench;
  unit_bench_open (&bench, steps);
  g_autofree char *text = rb_ecu_client_read_text (bench.unit, 0xf190, NULL, &bench.error);
  g_assert_cmpstr (text, ==, texts[i].text);
  unit_assert_reason (&bench, texts[i].reason);
  unit_bench_close (&bench);
}

static void
test_text_too_long (void)
{
  for (guint length = 127; length <= 129; length++) {
    g_autoptr (GString) answer = g_string_new ("62f190");
    for (guint i = 0; i < length; i++)
      g_string_append (answer, "41");
    const FakeStep steps[] = { { "22f190", answer->str }, { NULL } };
    UnitBench bench;
    unit_bench_open (&bench, steps);
    g_autofree char *text = rb_ecu_client_read_text (bench.unit, 0xf190, NULL, &bench.error);
    g_assert_cmpint (text != NULL, ==, length <= 128);
    unit_bench_close (&bench);
  }
}

/* Which ECU, and which DID. */
static void
test_text_says_which (void)
{
  const FakeStep steps[] = { { "22f195", "62f195411b" }, { NULL } };
  UnitBench bench;
  unit_bench_open (&bench, steps);
  g_autofree char *text = rb_ecu_client_read_text (bench.unit, 0xf195, NULL, &bench.error);
  g_assert_null (text);
  g_assert_cmpstr (bench.error->message, ==,
                   "Brake control: DID F195: not a text: expected printable ASCII, byte 2 is 1b");
  unit_bench_close (&bench);
}

static const struct {
  const char *answer;
  gint64 value;
  RbReason reason;
} numbers[] = {
  { "62fd1000", 0, 0 },
  { "62fd10ff", 255, 0 },
  { "62fd103458", 13400, 0 },
  { "62fd10010000", 65536, 0 },
  { "62fd10ffffffff", 4294967295, 0 },
  { "62fd10", 0, RB_REASON_WRONG_ANSWER },
  { "62fd100000000001", 0, RB_REASON_WRONG_ANSWER },
  { "7f2278 7f2231", 0, RB_REASON_REFUSED },
};

static void
test_number (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  const FakeStep steps[] = { { "22fd10", numbers[i].answer }, { NULL } };
  UnitBench bench;
  gint64 value = 0;
  unit_bench_open (&bench, steps);
  g_assert_cmpint (rb_ecu_client_read_number (bench.unit, 0xfd10, &value, NULL, &bench.error), ==,
                   numbers[i].reason == 0);
  g_assert_cmpint (value, ==, numbers[i].value);
  unit_assert_reason (&bench, numbers[i].reason);
  unit_bench_close (&bench);
}

/* claims: an ECU answers each DID from a table; one entry is replaced in each case */

/* writing an image: two segments, the second of more than one block; block is 2 + 8 bytes */

#define CONTAINER \
  "00008000" \
  "00000003" \
  "aabbcc" \
  "00009000" \
  "0000000a" \
  "00010203040506070809"
#define ERASE_1 "3101ff00440000800000000003"
#define ERASE_2 "3101ff0044000090000000000a"
#define DOWNLOAD_1 "3400440000800000000003"
#define DOWNLOAD_2 "340044000090000000000a"

typedef struct {
  GArray *done;
  guint64 total;
} Seen;

static void
see (guint64 done, guint64 total, gpointer data)
{
  Seen *seen = data;
  g_array_append_val (seen->done, done);
  seen->total = total;
}

static void
test_write_image (void)
{
  static const FakeStep steps[] = { { ERASE_1, "7f3178 7101ff0000" },
                                    { DOWNLOAD_1, "74100a" },
                                    { "3601aabbcc", "7601" },
                                    { "37", "7f3778 77" },
                                    { ERASE_2, "7101ff0000" },
                                    { DOWNLOAD_2, "74100a" },
                                    { "36010001020304050607", "7601" },
                                    { "36020809", "~" },
                                    { "36020809", "7602" },
                                    { "37", "77" },
                                    { "3101ff01", "7101ff0100" },
                                    { NULL } };
  static const guint64 expected[] = { 11, 27, 29 };
  g_autoptr (GBytes) container = unit_unhex (CONTAINER);
  Seen seen = { g_array_new (FALSE, FALSE, sizeof (guint64)), 0 };
  UnitBench bench;
  unit_bench_open (&bench, steps);
  g_assert_true (rb_ecu_client_write_image (bench.unit, container, see, &seen, NULL, &bench.error));
  g_assert_no_error (bench.error);
  fake_assert_done (bench.fake);
  g_assert_cmpmem (seen.done->data, seen.done->len * sizeof (guint64), expected, sizeof expected);
  g_assert_cmpuint (seen.total, ==, g_bytes_get_size (container));
  g_array_unref (seen.done);
  unit_bench_close (&bench);
}

static void
test_profile_bounds_the_block (void)
{
  static const FakeStep steps[] = { { "3101ff00440000800000000003", "7101ff0000" },
                                    { DOWNLOAD_1, "74200fff" },
                                    { "3601aabb", "7601" },
                                    { "3602cc", "7602" },
                                    { "37", "77" },
                                    { NULL } };
  RbProfile small = unit_bench_profile;
  small.max_block = 2;
  small.routine_dependencies = 0;
  g_autoptr (GBytes) container = unit_unhex ("0000800000000003aabbcc");
  UnitBench bench;
  unit_bench_open_with (&bench, steps, &small);
  g_assert_true (rb_ecu_client_write_image (bench.unit, container, NULL, NULL, NULL, &bench.error));
  fake_assert_done (bench.fake);
  unit_bench_close (&bench);
}

static const struct {
  const char *name;
  const char *container;
  FakeStep steps[6];
  RbReason reason;
} failed_images[] = {
  { "cut-header", "000080", { { NULL } }, RB_REASON_MALFORMED },
  { "cut-data", "0000800000000004aabbcc", { { NULL } }, RB_REASON_MALFORMED },
  { "length-of-4-GiB", "00008000ffffffffaa", { { NULL } }, RB_REASON_MALFORMED },
  { "erase-refused", CONTAINER, { { ERASE_1, "7f3131" } }, RB_REASON_REFUSED },
  { "erase-locked", CONTAINER, { { ERASE_1, "7f3133" } }, RB_REASON_ECU_LOCKED },
  { "erase-failed", CONTAINER, { { ERASE_1, "7101ff0001" } }, RB_REASON_REFUSED },
  { "erase-says-nothing", CONTAINER, { { ERASE_1, "7101ff00" } }, RB_REASON_REFUSED },
  { "erase-lost", CONTAINER, { { ERASE_1, "!" } }, RB_REASON_LINK_LOST },
  { "erase-silent", CONTAINER, { { ERASE_1, "7f3178 ~" } }, RB_REASON_NO_ANSWER },
  { "erase-for-ever", CONTAINER, { { ERASE_1, "7f3178 *" } }, RB_REASON_ECU_BUSY },
  { "download-voltage", CONTAINER, { { ERASE_1, "7101ff0000" }, { DOWNLOAD_1, "7f3493" } }, RB_REASON_VOLTAGE_LOW },
  { "download-order", CONTAINER, { { ERASE_1, "7101ff0000" }, { DOWNLOAD_1, "7f3424" } }, RB_REASON_REFUSED },
  { "no-block", CONTAINER, { { ERASE_1, "7101ff0000" }, { DOWNLOAD_1, "741000" } }, RB_REASON_WRONG_ANSWER },
  { "transfer-refused",
    CONTAINER,
    { { ERASE_1, "7101ff0000" }, { DOWNLOAD_1, "74100a" }, { "3601aabbcc", "7f3672" } },
    RB_REASON_REFUSED },
  { "transfer-counter",
    CONTAINER,
    { { ERASE_1, "7101ff0000" },
      { DOWNLOAD_1, "74100a" },
      { "3601aabbcc", "7602" },
      { "3601aabbcc", "7602" },
      { "3601aabbcc", "7602" } },
    RB_REASON_WRONG_ANSWER },
  { "transfer-lost",
    CONTAINER,
    { { ERASE_1, "7101ff0000" }, { DOWNLOAD_1, "74100a" }, { "3601aabbcc", "!" } },
    RB_REASON_LINK_LOST },
  { "exit-refused",
    CONTAINER,
    { { ERASE_1, "7101ff0000" }, { DOWNLOAD_1, "74100a" }, { "3601aabbcc", "7601" }, { "37", "7f3772" } },
    RB_REASON_REFUSED },
  { "dependencies-refused", "", { { "3101ff01", "7101ff0102" } }, RB_REASON_REFUSED },
  { "dependencies-say-nothing", "", { { "3101ff01", "7101ff01" } }, RB_REASON_REFUSED },
  { "dependencies-order", "", { { "3101ff01", "7f3124" } }, RB_REASON_REFUSED },
};

static void
test_failed_image (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  g_autoptr (GBytes) container = unit_unhex (failed_images[i].container);
  UnitBench bench;
  unit_bench_open (&bench, failed_images[i].steps);
  g_assert_false (rb_ecu_client_write_image (bench.unit, container, NULL, NULL, NULL, &bench.error));
  unit_assert_reason (&bench, failed_images[i].reason);
  fake_assert_done (bench.fake);
  unit_bench_close (&bench);
}

/* digest, staging, metadata */

static const struct {
  const char *answer, *digest;
  RbReason reason;
} digests[] = {
  { "7f3178 7101021000" DIGEST, DIGEST, 0 },
  { "7101021001" DIGEST, NULL, RB_REASON_WRONG_ANSWER },
  { "7101021000" DIGEST "00", NULL, RB_REASON_WRONG_ANSWER },
  { "7101021000", NULL, RB_REASON_WRONG_ANSWER },
  { "71010210", NULL, RB_REASON_WRONG_ANSWER },
  { "7f317e", NULL, RB_REASON_REFUSED },
};

static void
test_digest (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  const FakeStep steps[] = { { "31010210"
                               "a1a2a3a4",
                               digests[i].answer },
                             { NULL } };
  g_autoptr (GBytes) nonce = unit_unhex ("a1a2a3a4");
  UnitBench bench;
  unit_bench_open (&bench, steps);
  g_autofree char *digest = rb_ecu_client_digest (bench.unit, nonce, NULL, &bench.error);
  g_assert_cmpstr (digest, ==, digests[i].digest);
  unit_assert_reason (&bench, digests[i].reason);
  unit_bench_close (&bench);
}

static void
test_stage (void)
{
  static const FakeStep steps[] = { { "3801000461"
                                      "2e6a73"
                                      "00040000000500000005",
                                      "780101"
                                      "05"
                                      "00" },
                                    { "3601010203", "7601" },
                                    { "36020405", "7602" },
                                    { "37", "77" },
                                    { NULL } };
  g_autoptr (GBytes) bytes = unit_unhex ("0102030405");
  UnitBench bench;
  unit_bench_open (&bench, steps);
  g_assert_true (rb_ecu_client_stage (bench.unit, "a.js", bytes, NULL, &bench.error));
  fake_assert_done (bench.fake);
  unit_bench_close (&bench);
}

static void
test_stage_refused (void)
{
  static const FakeStep steps[] = { { "3801000461"
                                      "2e6a73"
                                      "00040000000100000001",
                                      "7f3870" },
                                    { NULL } };
  g_autoptr (GBytes) bytes = unit_unhex ("01");
  UnitBench bench;
  unit_bench_open (&bench, steps);
  g_assert_false (rb_ecu_client_stage (bench.unit, "a.js", bytes, NULL, &bench.error));
  unit_assert_reason (&bench, RB_REASON_REFUSED);
  g_assert_cmphex (rb_ecu_client_last_nrc (bench.unit), ==, 0x70);
  unit_bench_close (&bench);
}

typedef enum { INSTALL_ALL, INSTALL_DIRECTOR, INSTALL_IMAGE, ANCHOR_DIRECTOR, ANCHOR_IMAGE, DROP } Told;

static gboolean
tell (UnitBench *bench, Told what)
{
  RbEcuClient *unit = bench->unit;
  switch (what) {
  case INSTALL_ALL: return rb_ecu_client_install (unit, RB_INSTALL_ALL, NULL, &bench->error);
  case INSTALL_DIRECTOR: return rb_ecu_client_install (unit, RB_INSTALL_DIRECTOR_ROOT, NULL, &bench->error);
  case INSTALL_IMAGE: return rb_ecu_client_install (unit, RB_INSTALL_IMAGE_ROOT, NULL, &bench->error);
  case ANCHOR_DIRECTOR: return rb_ecu_client_install_anchor (unit, 0, NULL, &bench->error);
  case ANCHOR_IMAGE: return rb_ecu_client_install_anchor (unit, 1, NULL, &bench->error);
  case DROP: return rb_ecu_client_delete_metadata (unit, 1, "supplier-a", NULL, &bench->error);
  }
  g_assert_not_reached ();
}

static const struct {
  Told what;
  const char *request, *answer;
  RbReason reason;
} told[] = {
  { INSTALL_ALL, "3101022000", "7101022000", 0 },
  { INSTALL_DIRECTOR, "3101022001", "7f3178 7101022000", 0 },
  { INSTALL_IMAGE, "3101022002", "7101022000", 0 },
  { ANCHOR_DIRECTOR, "3101022100", "7101022100", 0 },
  { ANCHOR_IMAGE, "3101022101", "7101022100", 0 },
  { DROP,
    "3101022201"
    "737570706c6965722d61",
    "7101022200", 0 },
  /* the ECU's own word becomes ours */
  { INSTALL_ALL, "3101022000",
    "7101022001"
    "65787069726564",
    RB_REASON_EXPIRED },
  { INSTALL_ALL, "3101022000",
    "7101022001"
    "7468726573686f6c642d756e6d6574",
    RB_REASON_THRESHOLD_UNMET },
  { ANCHOR_DIRECTOR, "3101022100",
    "7101022101"
    "70696e2d6d69736d61746368",
    RB_REASON_PIN_MISMATCH },
  { ANCHOR_IMAGE, "3101022101",
    "7101022101"
    "726f6c6c6261636b",
    RB_REASON_ROLLBACK },
  /* no word, a foreign word, one too long, and one that tries the terminal */
  { INSTALL_ALL, "3101022000", "7101022001", RB_REASON_REFUSED },
  { INSTALL_ALL, "3101022000", "71010220", RB_REASON_REFUSED },
  { INSTALL_ALL, "3101022000",
    "7101022001"
    "6e6f7375636877",
    RB_REASON_REFUSED },
  { INSTALL_ALL, "3101022000",
    "7101022001"
    "1b5b324a",
    RB_REASON_REFUSED },
  { INSTALL_ALL, "3101022000",
    "7101022001"
    "6f6b",
    RB_REASON_REFUSED },
  { INSTALL_ALL, "3101022000", "7f3133", RB_REASON_ECU_LOCKED },
  { ANCHOR_IMAGE, "3101022101", "7f3131", RB_REASON_REFUSED },
  { DROP,
    "3101022201"
    "737570706c6965722d61",
    "!", RB_REASON_LINK_LOST },
};

static void
test_told (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  const FakeStep steps[] = { { told[i].request, told[i].answer }, { NULL } };
  UnitBench bench;
  unit_bench_open (&bench, steps);
  g_assert_cmpint (tell (&bench, told[i].what), ==, told[i].reason == 0);
  unit_assert_reason (&bench, told[i].reason);
  if (bench.error != NULL)
    g_assert_null (strchr (bench.error->message, 0x1b));
  fake_assert_done (bench.fake);
  unit_bench_close (&bench);
}

/* keys, reports */

typedef enum { MAKE, PROVE, SHE_LOAD, REPORT, MANIFEST, SHE_READ } Asked;

static char *
joined (GBytes *a, GBytes *b)
{
  g_autofree char *first = a == NULL ? g_strdup ("-") : rb_bytes_hex (a);
  g_autofree char *second = b == NULL ? g_strdup ("-") : rb_bytes_hex (b);
  return g_strdup_printf ("%s %s", first, second);
}

static char *
prove (UnitBench *bench)
{
  g_autoptr (GBytes) nonce = unit_unhex ("c0");
  g_autoptr (GBytes) challenge = unit_unhex ("d0d1");
  g_autoptr (GBytes) spki = NULL;
  g_autoptr (GBytes) signature = NULL;
  if (!rb_ecu_keys_prove (bench->unit, "C1", nonce, challenge, &spki, &signature, NULL, &bench->error)) {
    g_assert_true (spki == NULL && signature == NULL);
    return NULL;
  }
  return joined (spki, signature);
}

static char *
read_she (UnitBench *bench)
{
  guint slot = 0;
  gint64 counter = 0;
  g_autoptr (GBytes) proof = NULL;
  if (!rb_ecu_keys_read_she (bench->unit, &slot, &counter, &proof, NULL, &bench->error))
    return NULL;
  g_autofree char *hex = proof == NULL ? g_strdup ("-") : rb_bytes_hex (proof);
  return g_strdup_printf ("%u %" G_GINT64_FORMAT " %s", slot, counter, hex);
}

static char *
ask (UnitBench *bench, Asked what)
{
  g_autoptr (GBytes) nonce = unit_unhex ("c0");
  g_autoptr (GBytes) challenge = unit_unhex ("d0d1");
  g_autoptr (GBytes) answer = NULL;
  if (what == PROVE)
    return prove (bench);
  if (what == SHE_READ)
    return read_she (bench);
  if (what == MAKE)
    answer = rb_ecu_keys_make (bench->unit, NULL, &bench->error);
  else if (what == SHE_LOAD)
    answer = rb_ecu_keys_load_she (bench->unit, nonce, NULL, &bench->error);
  else if (what == REPORT)
    answer = rb_ecu_keys_report (bench->unit, nonce, challenge, NULL, &bench->error);
  else
    answer = rb_ecu_keys_manifest (bench->unit, nonce, challenge, NULL, &bench->error);
  return answer == NULL ? NULL : rb_bytes_hex (answer);
}

#define M4M5 DIGEST "000102030405060708090a0b0c0d0e0f"
#define PROVE_REQUEST \
  "31010231" \
  "00024331" \
  "0001c0" \
  "0002d0d1"
#define QUESTION \
  "0001c0" \
  "0002d0d1"

static const struct {
  Asked what;
  FakeStep steps[3];
  const char *result;
  RbReason reason;
} asked[] = {
  { MAKE,
    { { "31010230", "7f3178 7101023000"
                    "0003303132" } },
    "303132",
    0 },
  { MAKE,
    { { "31010230", "7101023001"
                    "0003303132" } },
    NULL,
    RB_REASON_WRONG_ANSWER },
  { MAKE,
    { { "31010230", "7101023000"
                    "0004303132" } },
    NULL,
    RB_REASON_WRONG_ANSWER },
  { MAKE,
    { { "31010230", "7101023000"
                    "0000" } },
    NULL,
    RB_REASON_WRONG_ANSWER },
  { MAKE, { { "31010230", "7101023000" } }, NULL, RB_REASON_WRONG_ANSWER },
  { MAKE, { { "31010230", "7f317e" } }, NULL, RB_REASON_REFUSED },
  { PROVE,
    { { PROVE_REQUEST, "7101023100"
                       "0002aabb"
                       "0003010203" } },
    "aabb 010203",
    0 },
  { PROVE,
    { { PROVE_REQUEST, "7101023100"
                       "0002aabb"
                       "0004010203" } },
    NULL,
    RB_REASON_WRONG_ANSWER },
  { PROVE,
    { { PROVE_REQUEST, "7101023100"
                       "0002aabb"
                       "0000" } },
    NULL,
    RB_REASON_WRONG_ANSWER },
  { PROVE,
    { { PROVE_REQUEST, "7101023100"
                       "0002aabb" } },
    NULL,
    RB_REASON_WRONG_ANSWER },
  { PROVE,
    { { PROVE_REQUEST, "7101023100"
                       "0000"
                       "0001aa" } },
    NULL,
    RB_REASON_WRONG_ANSWER },
  { PROVE, { { PROVE_REQUEST, "7f3133" } }, NULL, RB_REASON_ECU_LOCKED },
  { SHE_LOAD, { { "31010250c0", "7101025000" M4M5 } }, M4M5, 0 },
  { SHE_LOAD, { { "31010250c0", "7101025000" DIGEST } }, NULL, RB_REASON_WRONG_ANSWER },
  { SHE_LOAD, { { "31010250c0", "7101025001" M4M5 } }, NULL, RB_REASON_WRONG_ANSWER },
  { SHE_LOAD, { { "31010250c0", "7f3131" } }, NULL, RB_REASON_REFUSED },
  { REPORT,
    { { "31010240" QUESTION, "7101024000"
                             "7b7d" } },
    "7b7d",
    0 },
  { REPORT,
    { { "31010240" QUESTION, "7101024000"
                             "7b" } },
    NULL,
    RB_REASON_WRONG_ANSWER },
  { REPORT,
    { { "31010240" QUESTION, "7101024001"
                             "7b7d" } },
    NULL,
    RB_REASON_WRONG_ANSWER },
  { REPORT, { { "31010240" QUESTION, "7f317f" } }, NULL, RB_REASON_REFUSED },
  { MANIFEST,
    { { "31010241" QUESTION, "7101024100"
                             "7b7d20" } },
    "7b7d20",
    0 },
  { MANIFEST, { { "31010241" QUESTION, "71010241" } }, NULL, RB_REASON_WRONG_ANSWER },
  { SHE_READ,
    { { "22fd05", "62fd05"
                  "04"
                  "00000007"
                  "aabb" },
      { "22fd06", "62fd06" M4M5 } },
    "4 7 " M4M5,
    0 },
  { SHE_READ,
    { { "22fd05", "62fd05"
                  "04"
                  "ffffffff" },
      { "22fd06", "7f2231" } },
    "4 4294967295 -",
    0 },
  { SHE_READ,
    { { "22fd05", "62fd05"
                  "04"
                  "000000" } },
    NULL,
    RB_REASON_WRONG_ANSWER },
  { SHE_READ, { { "22fd05", "7f2231" } }, NULL, RB_REASON_REFUSED },
};

static void
test_asked (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  UnitBench bench;
  unit_bench_open (&bench, asked[i].steps);
  g_autofree char *result = ask (&bench, asked[i].what);
  g_assert_cmpstr (result, ==, asked[i].result);
  unit_assert_reason (&bench, asked[i].reason);
  fake_assert_done (bench.fake);
  unit_bench_close (&bench);
}

static void
add (const char *group, guint n, GTestDataFunc test)
{
  for (guint i = 0; i < n; i++) {
    g_autofree char *path = g_strdup_printf ("/unit/%s/%u", group, i);
    g_test_add_data_func (path, GUINT_TO_POINTER (i), test);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("text", G_N_ELEMENTS (texts), test_text);
  g_test_add_func ("/unit/text-too-long", test_text_too_long);
  add ("number", G_N_ELEMENTS (numbers), test_number);
  g_test_add_func ("/unit/text-says-which", test_text_says_which);
  g_test_add_func ("/unit/write-image", test_write_image);
  g_test_add_func ("/unit/profile-bounds-the-block", test_profile_bounds_the_block);
  add ("failed-image", G_N_ELEMENTS (failed_images), test_failed_image);
  add ("digest", G_N_ELEMENTS (digests), test_digest);
  g_test_add_func ("/unit/stage", test_stage);
  g_test_add_func ("/unit/stage-refused", test_stage_refused);
  add ("told", G_N_ELEMENTS (told), test_told);
  add ("asked", G_N_ELEMENTS (asked), test_asked);
  return g_test_run ();
}
