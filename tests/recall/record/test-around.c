/* SPDX-License-Identifier: Apache-2.0 */
#include "core/json.h"
#include "record/around.h"

/* What stands around an ECU's image in a record, each with the word that a wrong one is refused with. */

#define CERTIFICATE "aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899"

static json_t *
parse (const char *text)
{
  json_t *value = json_loads (text, JSON_DECODE_ANY, NULL);
  g_assert_nonnull (value);
  return value;
}

/* error: of the call that gave good. */
static void
assert_word (gboolean good, GError **error, const char *word)
{
  g_assert_cmpint (good, ==, word == NULL);
  g_assert_cmpstr (*error == NULL ? NULL : rb_reason_word (rb_reason_of (*error)), ==, word);
}

static const struct {
  const char *ecu;
  const char *word;
} members[] = {
  { "{}", NULL },
  { "{'dtcBefore': null, 'dtcAfter': [{'code': 'C10000', 'status': 9}], 'coding': [], 'conditions': []}", NULL },
  { "{'dtcBefore': 'none'}", "record-malformed" },
  { "{'dtcAfter': [{'code': 'c10000', 'status': 9}]}", "record-malformed" },
  { "{'dtcAfter': [{'code': 'C1000', 'status': 9}]}", "record-malformed" },
  { "{'dtcAfter': [{'code': 'C10000', 'status': 256}]}", "record-malformed" },
  { "{'dtcAfter': [{'code': 'C10000', 'status': 9}, {'code': 'C10000', 'status': 1}]}", "record-malformed" },
  { "{'coding': null}", "record-malformed" },
  { "{'coding': [{'did': '0600', 'value': '0a', 'origin': 'campaign', 'readBack': null}]}", NULL },
  { "{'coding': [{'did': '0600', 'value': '0a', 'origin': 'dealer', 'readBack': null}]}", "record-malformed" },
  { "{'coding': [{'did': '0600', 'value': '0', 'origin': 'campaign', 'readBack': null}]}", "record-malformed" },
  { "{'coding': [{'did': '0600', 'value': '0a', 'origin': 'campaign'}]}", "record-malformed" },
  { "{'coding': [{'did': '0600', 'value': null, 'origin': 'campaign', 'readBack': null},"
    " {'did': '0600', 'value': null, 'origin': 'campaign', 'readBack': null}]}",
    "record-malformed" },
  { "{'conditions': [{'kind': 'software', 'did': 'F195'}]}", "record-malformed" },
  { "{'fingerprint': {'did': 'F15A', 'value': '261130'}}", NULL },
  { "{'fingerprint': {'did': 'F15A', 'value': ''}}", "record-malformed" },
  { "{'fingerprint': null}", "record-malformed" },
};

static json_t *
quoted (const char *text)
{
  g_autofree char *copy = g_strdup (text);
  return parse (g_strdelimit (copy, "'", '"'));
}

static void
test_members (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  g_autoptr (GError) error = NULL;
  g_autoptr (json_t) ecu = quoted (members[i].ecu);
  assert_word (rb_around_is_well_formed (ecu, &error), &error, members[i].word);
}

#define WANTED \
  "{'coding': [{'did': '0601', 'value': '0142'}], 'conditions': [{'kind': 'hardware-version', 'did': 'F193', 'values': ['1.0', '1.1']}," \
  " {'kind': 'coding-class', 'did': '0600', 'values': ['0a']}]}"
#define VEHICLE "{'did': '0600', 'value': '0a0b', 'origin': 'from-vehicle', 'readBack': '0a0b'}"
#define CAMPAIGN "{'did': '0601', 'value': '0142', 'origin': 'campaign', 'readBack': '0142'}"
#define VERSION "{'kind': 'hardware-version', 'did': 'F193', 'value': '1.1'}"

static const struct {
  const char *ecu;
  const char *word;
} proven[] = {
  { "{'coding': [" VEHICLE "," CAMPAIGN "], 'conditions': [" VERSION "]}", NULL },
  { "{'coding': [" VEHICLE "," CAMPAIGN "], 'conditions': [" VERSION
    ", {'kind': 'coding-class', 'did': '0600', 'value': '0aff'}]}",
    NULL },
  { "{'coding': [" VEHICLE "," CAMPAIGN "], 'conditions': [" VERSION
    ", {'kind': 'coding-class', 'did': '0600', 'value': '0b'}]}",
    "not-compatible" },
  { "{'coding': [" VEHICLE "," CAMPAIGN "], 'conditions': []}", "not-compatible" },
  { "{'coding': [" VEHICLE "," CAMPAIGN
    "], 'conditions': [{'kind': 'hardware-version', 'did': 'F193', 'value': '2.0'}]}",
    "not-compatible" },
  { "{'coding': [" VEHICLE "], 'conditions': [" VERSION "]}", "coding-not-proven" },
  { "{'coding': [" CAMPAIGN
    ", {'did': '0600', 'value': null, 'origin': 'from-vehicle', 'readBack': null}], 'conditions': [" VERSION "]}",
    "coding-lost" },
  { "{'coding': [" CAMPAIGN
    ", {'did': '0600', 'value': '0a', 'origin': 'from-vehicle', 'readBack': null}], 'conditions': [" VERSION "]}",
    "coding-not-proven" },
  { "{'coding': [" CAMPAIGN
    ", {'did': '0600', 'value': '0a', 'origin': 'from-vehicle', 'readBack': '0b'}], 'conditions': [" VERSION "]}",
    "coding-not-proven" },
  { "{'coding': [" CAMPAIGN
    ", {'did': '0600', 'value': '0a', 'origin': 'campaign', 'readBack': '0a'}], 'conditions': [" VERSION "]}",
    "coding-not-proven" },
  { "{'coding': [" VEHICLE
    ", {'did': '0601', 'value': '0143', 'origin': 'campaign', 'readBack': '0143'}], 'conditions': [" VERSION "]}",
    "coding-not-proven" },
  { "{'coding': [" VEHICLE
    ", {'did': '0601', 'value': '0142', 'origin': 'from-vehicle', 'readBack': '0142'}], 'conditions': [" VERSION "]}",
    "coding-not-proven" },
};

static void
test_proven (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  g_autoptr (GError) error = NULL;
  g_autoptr (json_t) ecu = quoted (proven[i].ecu), wanted = quoted (WANTED);
  assert_word (rb_around_is_proven (ecu, wanted, &error), &error, proven[i].word);
}

static const struct {
  const char *value;
  const char *word;
} fingerprints[] = {
  { "261129aabbccddeeff", NULL },
  { "261130aabbccddeeff", NULL },
  { "261128aabbccddeeff", "record-time" },
  { "261201aabbccddeeff", "record-time" },
  { "261130aabbccddeefe", "record-method" },
  { "261130aabbccddee", "record-method" },
  { "261130aabbccddeeff00", "record-method" },
};

static void
test_fingerprint (void)
{
  g_autoptr (json_t) predicate = json_pack ("{s:s, s:s, s:{s:s}}", "startedAt", "2026-11-29T23:59:00Z", "finishedAt",
                                            "2026-11-30T00:10:00Z", "workstation", "certSha256", CERTIFICATE);
  for (guint i = 0; i < G_N_ELEMENTS (fingerprints); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (json_t) ecu = json_pack ("{s:{s:s, s:s}}", "fingerprint", "did", "F15A", "value", fingerprints[i].value);
    assert_word (rb_around_check_fingerprint (predicate, ecu, &error), &error, fingerprints[i].word);
  }
}

static void
test_dtcs (void)
{
  static const struct {
    const char *before, *after, *text;
  } cases[] = {
    { "[{'code': 'C10000', 'status': 9}, {'code': '911A13', 'status': 1}]", "[]",
      "DTCs before: C10000, 911A13; after: none" },
    { "[]", "[{'code': 'C10000', 'status': 9}]", "DTCs before: none; after: C10000" },
    { "[{'code': 'C10000', 'status': 9}]", "[{'code': 'C10000', 'status': 1}]", NULL },
    { "null", "[]", NULL },
    { "[{'code': 'C10000', 'status': 9}]", "null", NULL },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (json_t) before = quoted (cases[i].before);
    g_autoptr (json_t) after = quoted (cases[i].after);
    g_autofree char *text = rb_around_dtc_difference (before, after);
    g_assert_cmpstr (text, ==, cases[i].text);
  }
}

static void
test_profile (void)
{
  RbProfileCoding one = { .did = 0x0600 }, other = { .did = 0x0601 };
  RbProfile profile = { .coding = g_ptr_array_new () };
  g_autoptr (json_t) done = quoted ("{'outcome': 'replaced', 'coding': [" VEHICLE "]}");
  g_autoptr (GError) missing = NULL, unknown = NULL, error = NULL;
  assert_word (rb_around_check_profile (done, &profile, &unknown), &unknown, "coding-not-proven");
  g_ptr_array_add (profile.coding, &one);
  assert_word (rb_around_check_profile (done, &profile, &error), &error, NULL);
  g_ptr_array_add (profile.coding, &other);
  assert_word (rb_around_check_profile (done, &profile, &missing), &missing, "coding-not-proven");
  json_object_set_new (done, "outcome", json_string ("failed"));
  assert_word (rb_around_check_profile (done, &profile, &error), &error, NULL);
  g_ptr_array_unref (profile.coding);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (members); i++) {
    g_autofree char *path = g_strdup_printf ("/record/around/members/%u", i);
    g_test_add_data_func (path, GUINT_TO_POINTER (i), test_members);
  }
  for (guint i = 0; i < G_N_ELEMENTS (proven); i++) {
    g_autofree char *path = g_strdup_printf ("/record/around/proven/%u", i);
    g_test_add_data_func (path, GUINT_TO_POINTER (i), test_proven);
  }
  g_test_add_func ("/record/around/fingerprint", test_fingerprint);
  g_test_add_func ("/record/around/dtcs", test_dtcs);
  g_test_add_func ("/record/around/profile", test_profile);
  return g_test_run ();
}
