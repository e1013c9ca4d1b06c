/* SPDX-License-Identifier: Apache-2.0 */
#include "record/visited.h"

#include "core/json.h"

#include <string.h>

/* What a record says of the other campaigns of its visit. */

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define R "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define ENTRY(id, sha256, record) "{\"id\":\"" id "\",\"campaignSha256\":\"" sha256 "\",\"record\":" record "}"
#define VISIT(one, other) "{\"campaigns\":[" one "," other "]}"

/* A record of campaign R-2. */
static json_t *
predicate (const char *visit)
{
  json_t *made = json_pack ("{s:{s:s,s:s}}", "campaign", "id", "R-2", "campaignSha256", B);
  if (visit != NULL)
    rb_json_set (made, "visit", json_loads (visit, 0, NULL));
  return made;
}

static void
test_member (void)
{
  static const struct {
    const char *visit;
    RbReason reason;
  } cases[] = {
    { NULL, RB_REASON_NONE },
    { VISIT (ENTRY ("R-1", A, "null"), ENTRY ("R-2", B, "null")), RB_REASON_NONE },
    { VISIT (ENTRY ("R-1", A, "\"" R "\""), ENTRY ("R-2", B, "null")), RB_REASON_NONE },
    { "{}", RB_REASON_RECORD_MALFORMED },
    { "{\"campaigns\":[" ENTRY ("R-2", B, "null") "]}", RB_REASON_RECORD_MALFORMED },
    { VISIT (ENTRY ("R-2", B, "null"), ENTRY ("R-2", B, "null")), RB_REASON_RECORD_MALFORMED },
    { VISIT (ENTRY ("R-1", "aa", "null"), ENTRY ("R-2", B, "null")), RB_REASON_RECORD_MALFORMED },
    { VISIT (ENTRY ("R-1", A, "1"), ENTRY ("R-2", B, "null")), RB_REASON_RECORD_MALFORMED },
    { VISIT ("{\"id\":\"R-1\",\"campaignSha256\":\"" A "\"}", ENTRY ("R-2", B, "null")), RB_REASON_RECORD_MALFORMED },
    /* its own campaign is missing, another one under its id, or has a record already */
    { VISIT (ENTRY ("R-1", A, "null"), ENTRY ("R-3", B, "null")), RB_REASON_RECORD_CAMPAIGN },
    { VISIT (ENTRY ("R-1", A, "null"), ENTRY ("R-2", A, "null")), RB_REASON_RECORD_CAMPAIGN },
    { VISIT (ENTRY ("R-1", A, "null"), ENTRY ("R-2", B, "\"" R "\"")), RB_REASON_RECORD_CAMPAIGN },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (json_t) record = predicate (cases[i].visit);
    g_test_message ("%s", cases[i].visit);
    g_assert_cmpint (rb_visited_check (record, &error), ==, cases[i].reason == RB_REASON_NONE);
    g_assert_cmpint (rb_reason_of (error), ==, cases[i].reason);
  }
}

static RbVerifyOutcome *
outcome (const char *digest, const char *vin, const char *result, json_t *predicate)
{
  RbVerifyOutcome *made = g_new0 (RbVerifyOutcome, 1);
  made->digest = g_strdup (digest);
  made->vin = g_strdup (vin);
  made->result = g_strdup (result);
  made->predicate = predicate;
  return made;
}

/* The record that completed the campaign before: of this vehicle, of that campaign, and complete. */
static void
test_records (void)
{
  static const struct {
    const char *digest, *vin, *result, *campaign;
    gboolean good;
  } cases[] = {
    { R, "VIN-1", "completed", A, TRUE },  { A, "VIN-9", "incomplete", B, TRUE }, /* not the one that is named */
    { R, "VIN-2", "completed", A, FALSE }, { R, "VIN-1", "incomplete", A, FALSE },
    { R, "VIN-1", "completed", B, FALSE },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GPtrArray) outcomes = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_outcome_free);
    RbVerifyOutcome *named
      = outcome (B, "VIN-1", "completed", predicate (VISIT (ENTRY ("R-1", A, "\"" R "\""), ENTRY ("R-2", B, "null"))));
    g_ptr_array_add (outcomes, named);
    g_ptr_array_add (outcomes, outcome (cases[i].digest, cases[i].vin, cases[i].result,
                                        json_pack ("{s:{s:s}}", "campaign", "campaignSha256", cases[i].campaign)));
    rb_visited_check_records (outcomes);
    g_assert_cmpint (named->reason, ==, cases[i].good ? RB_REASON_NONE : RB_REASON_RECORD_CAMPAIGN);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/visited/member", test_member);
  g_test_add_func ("/visited/records", test_records);
  return g_test_run ();
}
