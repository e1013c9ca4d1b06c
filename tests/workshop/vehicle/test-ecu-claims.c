/* SPDX-License-Identifier: Apache-2.0 */
#include "ecu-bench.h"

#include "vehicle/ecu-claims.h"

#include <string.h>

/* What an ECU says of itself, and what is made of it. */

#define DIGEST "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define OTHER "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"

typedef struct {
  const char *did, *answer;
} Did;

static const Did good_dids[] = {
  { "22f18c", "62f18c534e2d31" }, /* SN-1 */
  { "22f191", "62f19168772d62" }, /* hw-b */
  { "22fd00", "62fd000001" }, /* application, valid */
  { "22fd01", "62fd0100000002" DIGEST },
  { "22fd02", "62fd0200000003" OTHER },
  { "22fd04", "62fd0402"
              "00"
              "07"
              "74617267657473"
              "00000009" DIGEST "01"
              "04"
              "726f6f74"
              "00000001" OTHER },
  { "22f195", "62f195332e31" }, /* 3.1 */
  { "22fd03", "62fd036b6964" }, /* kid */
  { "22fd20", "62fd20" OTHER },
};

static char *
answer_dids (const char *request, gpointer data)
{
  const Did *replaced = data;
  if (replaced != NULL && strcmp (replaced->did, request) == 0)
    return g_strdup (replaced->answer);
  for (guint i = 0; i < G_N_ELEMENTS (good_dids); i++)
    if (strcmp (good_dids[i].did, request) == 0)
      return g_strdup (good_dids[i].answer);
  return g_strdup ("7f2231");
}

static RbEcuClaims *
claims_of (UnitBench *bench, const Did *replaced, const RbProfile *used)
{
  unit_bench_open_with (bench, NULL, used);
  bench->fake->answer = answer_dids;
  bench->fake->user_data = (gpointer) replaced;
  return rb_ecu_claims_read (bench->unit, NULL, &bench->error);
}

static void
test_padded_claims (gconstpointer data)
{
  static const Did padded[] = { { "22f18c", "62f18c534e2d3100000000" },
                                { "22f191", "62f19168772d6220202020" },
                                { "22f195", "62f195332e310000" },
                                { "22fd03", "62fd036b69642000" } };
  UnitBench bench;
  g_autoptr (RbEcuClaims) claims = claims_of (&bench, &padded[GPOINTER_TO_UINT (data)], &unit_bench_profile);
  g_assert_no_error (bench.error);
  g_assert_cmpstr (claims->serial, ==, "SN-1");
  g_assert_cmpstr (claims->hardware_id, ==, "hw-b");
  g_assert_cmpstr (claims->software, ==, "3.1");
  g_assert_cmpstr (claims->key_id, ==, "kid");
  unit_bench_close (&bench);
}

static void
test_claims (void)
{
  UnitBench bench;
  g_autoptr (RbEcuClaims) claims = claims_of (&bench, NULL, &unit_bench_profile);
  g_assert_no_error (bench.error);
  g_assert_cmpstr (claims->serial, ==, "SN-1");
  g_assert_cmpstr (claims->hardware_id, ==, "hw-b");
  g_assert_cmpstr (claims->software, ==, "3.1");
  g_assert_cmpstr (claims->key_id, ==, "kid");
  g_assert_true (claims->application && claims->application_valid);
  g_assert_cmpint (claims->director.version, ==, 2);
  g_assert_cmpstr (claims->director.sha256, ==, DIGEST);
  g_assert_cmpint (claims->image.version, ==, 3);
  g_assert_cmpstr (claims->image.sha256, ==, OTHER);
  g_assert_cmpstr (claims->claimed_sha256, ==, OTHER);
  g_assert_cmpuint (claims->stored->len, ==, 2);
  const RbEcuStoredRole *first = claims->stored->pdata[0];
  const RbEcuStoredRole *second = claims->stored->pdata[1];
  g_assert_cmpint (first->repo, ==, 0);
  g_assert_cmpstr (first->role, ==, "targets");
  g_assert_cmpint (first->version, ==, 9);
  g_assert_cmpstr (first->sha256, ==, DIGEST);
  g_assert_cmpint (second->repo, ==, 1);
  g_assert_cmpstr (second->role, ==, "root");
  unit_bench_close (&bench);
}

static const struct {
  Did replaced;
  RbReason reason; /* 0: an answer all the same */
} broken_claims[] = {
  { { "22f18c", "7f2231" }, RB_REASON_REFUSED },
  { { "22f18c", "!" }, RB_REASON_LINK_LOST },
  { { "22f18c", "~" }, RB_REASON_NO_ANSWER },
  { { "22f18c", "62f18c00" }, RB_REASON_WRONG_ANSWER }, /* blank: not another ECU's */
  { { "22f18c", "62f18c534e2d310000" }, 0 },
  { { "22f191", "62f1912020" }, RB_REASON_WRONG_ANSWER },
  { { "22f191", "62f19168772d6220" }, 0 },
  { { "22f191", "7f2231" }, RB_REASON_REFUSED },
  { { "22fd00", "62fd00" }, RB_REASON_WRONG_ANSWER },
  { { "22fd00", "62fd0000" }, RB_REASON_WRONG_ANSWER },
  { { "22fd00", "62fd00000100" }, RB_REASON_WRONG_ANSWER },
  { { "22fd00", "7f227f" }, RB_REASON_REFUSED },
  { { "22fd01", "62fd0100000002" }, RB_REASON_WRONG_ANSWER },
  { { "22fd01", "62fd0100000002" DIGEST "00" }, RB_REASON_WRONG_ANSWER },
  { { "22fd01", "7f2231" }, RB_REASON_REFUSED },
  { { "22fd02", "62fd02" }, RB_REASON_WRONG_ANSWER },
  { { "22fd02", "!" }, RB_REASON_LINK_LOST },
  { { "22fd04", "62fd04" }, RB_REASON_WRONG_ANSWER },
  { { "22fd04", "62fd0400" }, 0 },
  { { "22fd04", "62fd04ff" }, RB_REASON_WRONG_ANSWER },
  { { "22fd04", "62fd040100ff74" }, RB_REASON_WRONG_ANSWER },
  { { "22fd04", "62fd0401000474617267"
                "00000009" },
    RB_REASON_WRONG_ANSWER },
  { { "22fd04", "62fd040000" }, RB_REASON_WRONG_ANSWER },
  { { "22fd04", "7f2222" }, RB_REASON_REFUSED },
  { { "22f195", "7f2231" }, 0 },
  { { "22f195", "7f2221" }, RB_REASON_ECU_BUSY }, /* never silently "" */
  { { "22f195", "62f1951b" }, RB_REASON_WRONG_ANSWER },
  { { "22f195", "~" }, RB_REASON_NO_ANSWER },
  { { "22f195", "!" }, RB_REASON_LINK_LOST },
  { { "22fd03", "62fd03ff" }, RB_REASON_WRONG_ANSWER },
  { { "22fd04", "62fd0401"
                "00"
                "02"
                "1b5b"
                "00000009" DIGEST },
    RB_REASON_WRONG_ANSWER },
  { { "22fd03", "7f2231" }, 0 },
  { { "22fd20", "7f2231" }, 0 },
  { { "22fd20", "62fd2000" }, 0 },
};

static void
test_broken_claims (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  UnitBench bench;
  g_autoptr (RbEcuClaims) claims = claims_of (&bench, &broken_claims[i].replaced, &unit_bench_profile);
  g_assert_cmpint (claims != NULL, ==, broken_claims[i].reason == 0);
  unit_assert_reason (&bench, broken_claims[i].reason);
  unit_bench_close (&bench);
}

static const struct {
  const char *answer;
  gboolean application, valid;
  const char *cause;
} boots[] = {
  { "62fd000001", TRUE, TRUE, "" },
  { "62fd000000", TRUE, FALSE, "" },
  { "62fd000101", FALSE, TRUE, "" },
  { "62fd000100", FALSE, FALSE, "" },
  { "62fd00ff02", FALSE, FALSE, "" },
  { "62fd00010000", FALSE, FALSE, "" },
  { "62fd00010001", FALSE, FALSE, "download-interrupted" },
  { "62fd00010002", FALSE, FALSE, "no-valid-bank" },
  { "62fd00010003", FALSE, FALSE, "" },
};

static void
test_boot (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  const Did replaced = { "22fd00", boots[i].answer };
  UnitBench bench;
  g_autoptr (RbEcuClaims) claims = claims_of (&bench, &replaced, &unit_bench_profile);
  g_assert_no_error (bench.error);
  g_assert_cmpint (claims->application, ==, boots[i].application);
  g_assert_cmpint (claims->application_valid, ==, boots[i].valid);
  g_assert_cmpstr (rb_ecu_claims_boot_word (claims->boot_cause), ==, boots[i].cause);
  unit_bench_close (&bench);
}

/* without a profile only what every ECU has is asked */
static void
test_claims_without_profile (void)
{
  UnitBench bench;
  g_autoptr (RbEcuClaims) claims = claims_of (&bench, NULL, NULL);
  g_autofree char *said = fake_said (bench.fake);
  g_assert_no_error (bench.error);
  g_assert_cmpstr (said, ==, "22f18c 22f191 22f195 22fd20");
  g_assert_cmpstr (claims->key_id, ==, "");
  g_assert_cmpuint (claims->stored->len, ==, 0);
  g_assert_cmpstr (claims->director.sha256, ==, "");
  g_assert_true (claims->application);
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
  g_test_add_func ("/unit/claims", test_claims);
  add ("padded-claims", 4, test_padded_claims);
  add ("broken-claims", G_N_ELEMENTS (broken_claims), test_broken_claims);
  add ("boot", G_N_ELEMENTS (boots), test_boot);
  g_test_add_func ("/unit/claims-without-profile", test_claims_without_profile);
  return g_test_run ();
}
