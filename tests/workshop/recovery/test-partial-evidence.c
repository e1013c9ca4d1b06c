/* SPDX-License-Identifier: Apache-2.0 */
#include "core/json.h"
#include "recovery/partial-evidence.h"

#include <string.h>

/* What a partial record shows another workstation, and everything near it that it does not show. */

#define DONE \
  "{\"ecuSerial\":\"SN-1\",\"outcome\":\"%s\",\"image\":%s,\"key\":%s,\"coding\":[{\"did\":\"0600\",\"value\":\"aa\",\"origin\":\"from-vehicle\"}]}"
#define OPEN \
  "{\"ecuSerial\":\"SN-2\",\"outcome\":\"%s\",\"image\":{\"sha256\":\"11\"},\"key\":{\"kind\":\"asymmetric\",\"newKeyId\":\"22\"},\"coding\":[%s]}"
#define IMAGE "{\"sha256\":\"11\"}"
#define WRITTEN "{\"sha256\":\"11\",\"writtenBy\":{\"journal\":true}}"
#define KEY "{\"kind\":\"asymmetric\",\"newKeyId\":\"22\"}"

/* "SERIAL STEP DETAIL" of each, in their order. */
static char *
shown (const char *ecu)
{
  g_autofree char *text = g_strdup_printf ("{\"ecus\":[%s]}", ecu);
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
  g_autoptr (GError) error = NULL;
  g_autoptr (json_t) predicate = rb_json_parse (bytes, 65536, "record", &error);
  g_assert_no_error (error);
  g_autoptr (GPtrArray) list = rb_partial_evidence_of (predicate);
  GString *all = g_string_new (NULL);
  for (guint i = 0; i < list->len; i++) {
    const RbJournalEvidence *evidence = list->pdata[i];
    g_assert_cmpstr (evidence->record, ==, "");
    g_string_append_printf (all, "%s%s %s %s", i == 0 ? "" : "; ", evidence->serial, evidence->step, evidence->detail);
  }
  return g_string_free (all, FALSE);
}

static void
test_done (void)
{
  static const struct {
    const char *outcome, *image, *key, *shown;
  } cases[] = {
    { "replaced", IMAGE, KEY, "SN-1 key 22; SN-1 image 11" },
    { "hardware-replaced", WRITTEN, KEY, "SN-1 key 22; SN-1 image 11" },
    /* an image that was there already is no evidence that it was written */
    { "already-good", IMAGE, KEY, "SN-1 key 22" },
    { "already-good", WRITTEN, KEY, "SN-1 key 22; SN-1 image 11" },
    /* a symmetric key shows itself; an old one was not made */
    { "replaced", "null", "{\"kind\":\"she\",\"newKeyId\":\"she:4:2\"}", "" },
    { "replaced", "null", "{\"kind\":\"asymmetric\",\"oldKeyId\":\"33\"}", "" },
    { "replaced", "[]", "null", "" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *ecu = g_strdup_printf (DONE, cases[i].outcome, cases[i].image, cases[i].key);
    g_autofree char *found = shown (ecu);
    g_assert_cmpstr (found, ==, cases[i].shown);
  }
}

static void
assert_open (const char *outcome, const char *values, const char *expected)
{
  g_autofree char *ecu = g_strdup_printf (OPEN, outcome, values);
  g_autofree char *found = shown (ecu);
  g_assert_cmpstr (found, ==, expected);
}

/* Neither its key nor its image is proven; its coding was read. */
static void
test_not_done (void)
{
  static const char *const outcomes[] = { "failed", "restored", "safe-state", "" };
  for (guint i = 0; i < G_N_ELEMENTS (outcomes); i++)
    assert_open (outcomes[i],
                 "{\"did\":\"0600\",\"value\":\"00ff\",\"origin\":\"from-vehicle\",\"readBack\":null},"
                 "{\"did\":\"06ab\",\"value\":\"01\",\"origin\":\"from-vehicle\"}",
                 "SN-2 coding-value 0600=00ff; SN-2 coding-value 06AB=01");
}

static void
test_no_values (void)
{
  g_autofree char *long_hex = g_strnfill (2 * 256, 'a');
  g_autofree char *too_long
    = g_strdup_printf ("{\"did\":\"0600\",\"value\":\"%s\",\"origin\":\"from-vehicle\"}", long_hex);
  const char *const values[] = {
    "",
    "1",
    "{}",
    too_long,
    "{\"did\":\"0600\",\"value\":null,\"origin\":\"from-vehicle\"}",
    "{\"did\":\"0600\",\"value\":\"\",\"origin\":\"from-vehicle\"}",
    "{\"did\":\"0600\",\"value\":\"0\",\"origin\":\"from-vehicle\"}",
    "{\"did\":\"0600\",\"value\":\"zz\",\"origin\":\"from-vehicle\"}",
    "{\"did\":\"600\",\"value\":\"01\",\"origin\":\"from-vehicle\"}",
    "{\"did\":\"060000\",\"value\":\"01\",\"origin\":\"from-vehicle\"}",
    "{\"did\":600,\"value\":\"01\",\"origin\":\"from-vehicle\"}",
    "{\"did\":\"0600\",\"value\":\"01\",\"origin\":\"campaign\"}", /* the campaign says it again */
    "{\"did\":\"0600\",\"value\":\"01\"}",
  };
  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    assert_open ("failed", values[i], "");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/partial-evidence/done", test_done);
  g_test_add_func ("/partial-evidence/not-done", test_not_done);
  g_test_add_func ("/partial-evidence/no-values", test_no_values);
  return g_test_run ();
}
