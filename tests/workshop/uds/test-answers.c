/* SPDX-License-Identifier: Apache-2.0 */
#include "calls.h"
#include "fake.h"

#include "core/bytes.h"

#include <string.h>

/* Each typed call: the bytes it sends (ISO 14229-1) and what it makes of good, foreign and broken answers. */
#define WRONG RB_REASON_WRONG_ANSWER

static const struct {
  const char *call, *request, *answer;
  RbReason reason;
  const char *result;
} cases[] = {
  { "session 01", "1001", "500100320064", 0, "" },
  { "session 02", "1002", "500200320064", 0, "" },
  { "session 02", "1002", "500300320064", WRONG, NULL },
  { "session 02", "1002", "50", WRONG, NULL },
  { "reset 01", "1101", "5101", 0, "" },
  { "reset 03", "1103", "5103ff", 0, "" },
  { "reset 01", "1101", "5103", WRONG, NULL },
  { "reset 01", "1101", "7f1122", RB_REASON_REFUSED, NULL },
  { "read-did f190", "22f190", "62f1905756", 0, "5756" },
  { "read-did f190", "22f190", "62f190", 0, "" },
  { "read-did f190", "22f190", "62f191aa", WRONG, NULL },
  { "read-did 00ff", "2200ff", "62ff00aa", WRONG, NULL },
  { "read-did f190", "22f190", "62f1", WRONG, NULL },
  { "read-did f190", "22f190", "62", WRONG, NULL },
  { "write-did fd10 1234", "2efd101234", "6efd10", 0, "" },
  { "write-did fd10 1234", "2efd101234", "6efd11", WRONG, NULL },
  { "write-did fd10 1234", "2efd101234", "7f2e33", RB_REASON_ECU_LOCKED, NULL },
  { "routine ff00", "3101ff00", "7101ff0000", 0, "00" },
  { "routine 0210 aabbcc", "31010210aabbcc", "71010210", 0, "" },
  { "routine 0210", "31010210", "71020210", WRONG, NULL },
  { "routine 0210", "31010210", "71010211", WRONG, NULL },
  { "routine 0210", "31010210", "7101", WRONG, NULL },
  { "dtcs ff", "1902ff", "5902ff", 0, "" },
  { "dtcs 08", "190208", "5902ff01020308", 0, "01020308" },
  { "dtcs 08", "190208", "5902ff0102030804050608", 0, "0102030804050608" },
  { "dtcs 08", "190208", "5902", WRONG, NULL },
  { "dtcs 08", "190208", "5902ff010203", WRONG, NULL },
  { "dtcs 08", "190208", "5901ff01020308", WRONG, NULL },
  { "seed 01", "2701", "6701aabbccdd", 0, "aabbccdd" },
  { "seed 01", "2701", "670100000001", 0, "00000001" },
  { "seed 01", "2701", "670100000000", 0, "" },
  { "seed 01", "2701", "6701", WRONG, NULL },
  { "seed 03", "2703", "6701aabb", WRONG, NULL },
  { "seed 01", "2701", "7f2736", RB_REASON_ECU_LOCKED_OUT, NULL },
  { "key 01 11223344", "270211223344", "6702", 0, "" },
  { "key 11 aa", "2712aa", "6712", 0, "" },
  { "key 01 11223344", "270211223344", "6701", WRONG, NULL },
  { "key 01 11223344", "270211223344", "7f2735", RB_REASON_ECU_LOCKED, NULL },
  { "key 01 11223344", "270211223344", "7f2736", RB_REASON_ECU_LOCKED_OUT, NULL },
  { "certificate 3003 c0c1",
    "29010000023003"
    "0002c0c1",
    "69011100100102030405060708090a0b0c0d0e0f100000", 0, "0102030405060708090a0b0c0d0e0f10" },
  { "certificate 3003 c0c1", "290100000230030002c0c1", "690111000f0102030405060708090a0b0c0d0e0f0000", WRONG, NULL },
  { "certificate 3003 c0c1", "290100000230030002c0c1", "690111002001020304", WRONG, NULL },
  { "certificate 3003 c0c1", "290100000230030002c0c1", "690111", WRONG, NULL },
  { "certificate 3003 c0c1", "290100000230030002c0c1", "690112001001020304", WRONG, NULL },
  { "certificate 3003 c0c1", "290100000230030002c0c1", "690211001001020304", WRONG, NULL },
  { "certificate 3003 c0c1", "290100000230030002c0c1", "7f2952", RB_REASON_ECU_LOCKED, NULL },
  { "ownership 5060", "2903000250600000", "690312", 0, "" },
  { "ownership 5060", "2903000250600000", "6903120000", 0, "" },
  { "ownership 5060", "2903000250600000", "690311", WRONG, NULL },
  { "ownership 5060", "2903000250600000", "690112", WRONG, NULL },
  { "ownership 5060", "2903000250600000", "7f2958", RB_REASON_ECU_LOCKED, NULL },
  { "download 8000 100",
    "34004400008000"
    "00000100",
    "74200102", 0, "256" },
  { "download 8000 100", "3400440000800000000100", "741003", 0, "1" },
  { "download 8000 100", "3400440000800000000100", "7440000003ff", 0, "1021" },
  { "download 8000 100", "3400440000800000000100", "74200fff", 0, "4093" },
  { "download 8000 100", "3400440000800000000100", "742f1000", 0, "4093" },
  { "download 8000 100", "3400440000800000000100", "7480ffffffffffffffff", 0, "4093" },
  { "download 8000 100", "3400440000800000000100", "741002", WRONG, NULL },
  { "download 8000 100", "3400440000800000000100", "741000", WRONG, NULL },
  { "download 8000 100", "3400440000800000000100", "7400", WRONG, NULL },
  { "download 8000 100", "3400440000800000000100", "742001", WRONG, NULL },
  { "download 8000 100", "3400440000800000000100", "74", WRONG, NULL },
  { "download 8000 100", "3400440000800000000100", "7490ffffffffffffffffff", WRONG, NULL },
  { "download 8000 100", "3400440000800000000100", "7f3470", RB_REASON_REFUSED, NULL },
  { "add-file a/b.json 1234", "38010008612f622e6a736f6e00040000123400001234", "780102040200", 0, "1024" },
  { "add-file a/b.json 1234", "38010008612f622e6a736f6e00040000123400001234", "780104ffffffff00", 0, "4093" },
  { "add-file a/b.json 1234", "38010008612f622e6a736f6e00040000123400001234", "7801010200", WRONG, NULL },
  { "add-file a/b.json 1234", "38010008612f622e6a736f6e00040000123400001234", "7801", WRONG, NULL },
  { "add-file a/b.json 1234", "38010008612f622e6a736f6e00040000123400001234", "78010204", WRONG, NULL },
  { "add-file a/b.json 1234", "38010008612f622e6a736f6e00040000123400001234", "780302040200", WRONG, NULL },
  { "transfer aabb", "3601aabb", "7601", 0, "" },
  { "transfer aabb", "3601aabb", "7602", WRONG, NULL },
  { "transfer aabb", "3601aabb", "76", WRONG, NULL },
  { "transfer aabb", "3601aabb", "7f3673", RB_REASON_REFUSED, NULL },
  { "transfer aabb", "3601aabb", "7f3692", RB_REASON_VOLTAGE_HIGH, NULL },
  { "transfer aabb", "3601aabb", "7f3693", RB_REASON_VOLTAGE_LOW, NULL },
  { "exit", "37", "77", 0, "" },
  { "exit", "37", "77aabb", 0, "" },
  { "exit", "37", "7f3724", RB_REASON_REFUSED, NULL },
  { "keep-alive", "3e80", "", 0, "" },
};

static void
test_case (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  const FakeStep steps[] = { { cases[i].request, cases[i].answer }, { NULL } };
  g_autoptr (RbChannel) channel = NULL;
  g_autoptr (GError) error = NULL;
  Fake *fake = fake_channel (steps, &channel);
  const RbUdsClientTiming once = { .repeats = 1 };
  g_autoptr (RbUdsClient) client = rb_uds_client_new (channel, &once);
  g_autofree char *result = calls_do (client, cases[i].call, NULL, &error);
  g_assert_cmpint (rb_reason_of (error), ==, cases[i].reason);
  g_assert_cmpstr (result, ==, cases[i].result);
  fake_assert_done (fake);
}

/* every call passes on what the channel says */
static void
test_lost (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  const FakeStep steps[] = { { cases[i].request, "!" }, { NULL } };
  g_autoptr (RbChannel) channel = NULL;
  g_autoptr (GError) error = NULL;
  fake_channel (steps, &channel);
  g_autoptr (RbUdsClient) client = rb_uds_client_new (channel, NULL);
  g_autofree char *result = calls_do (client, cases[i].call, NULL, &error);
  g_assert_null (result);
  g_assert_error (error, RB_LINK_ERROR, RB_REASON_LINK_LOST);
}

/* the text of a refusal tells the code and its name, its reason word what a person can do */
static const struct {
  guint8 nrc;
  RbReason reason;
  const char *name;
} refusals[] = {
  { 0x10, RB_REASON_REFUSED, "generalReject" },
  { 0x22, RB_REASON_REFUSED, "conditionsNotCorrect" },
  { 0x25, RB_REASON_NO_ANSWER, "noResponseFromSubnetComponent" },
  { 0x33, RB_REASON_ECU_LOCKED, "securityAccessDenied" },
  { 0x34, RB_REASON_ECU_LOCKED, "authenticationRequired" },
  { 0x36, RB_REASON_ECU_LOCKED_OUT, "exceededNumberOfAttempts" },
  { 0x37, RB_REASON_SECURITY_DELAY, "requiredTimeDelayNotExpired" },
  { 0x50, RB_REASON_ECU_LOCKED, "InvalidTimePeriod" },
  { 0x7f, RB_REASON_REFUSED, "serviceNotSupportedInActiveSession" },
  { 0x83, RB_REASON_IGNITION, "engineIsRunning" },
  { 0x84, RB_REASON_IGNITION, "engineIsNotRunning" },
  { 0x88, RB_REASON_MOVING, "vehicleSpeedTooHigh" },
  { 0xf5, RB_REASON_REFUSED, "manufacturerSpecific" },
};

static void
test_refusal (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  g_autofree char *answer = g_strdup_printf ("7f31%02x", refusals[i].nrc);
  const FakeStep steps[] = { { "31010210", answer }, { NULL } };
  g_autoptr (RbChannel) channel = NULL;
  g_autoptr (GError) error = NULL;
  fake_channel (steps, &channel);
  g_autoptr (RbUdsClient) client = rb_uds_client_new (channel, NULL);
  g_assert_null (rb_uds_client_start_routine (client, 0x0210, NULL, NULL, &error));
  g_autofree char *code = g_strdup_printf ("7F 31 %02X", refusals[i].nrc);
  g_assert_error (error, RB_UDS_ERROR, (int) refusals[i].reason);
  g_assert_nonnull (strstr (error->message, refusals[i].name));
  g_assert_nonnull (strstr (error->message, code));
  g_assert_cmphex (rb_uds_client_last_nrc (client), ==, refusals[i].nrc);
}

static void
add (const char *group, const char *name, guint i, GTestDataFunc test)
{
  g_autofree char *path = g_strdup_printf ("/answers/%s/%u-%s", group, i, name);
  g_test_add_data_func (path, GUINT_TO_POINTER (i), test);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    add ("case", cases[i].call, i, test_case);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    if (strcmp (cases[i].call, "keep-alive") != 0 && (i == 0 || strcmp (cases[i].call, cases[i - 1].call) != 0))
      add ("lost", cases[i].call, i, test_lost);
  for (guint i = 0; i < G_N_ELEMENTS (refusals); i++)
    add ("refusal", refusals[i].name, i, test_refusal);
  return g_test_run ();
}
