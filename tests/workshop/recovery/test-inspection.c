/* SPDX-License-Identifier: Apache-2.0 */
#include "core/files.h"
#include "core/json.h"
#include "recovery/inspection.h"

#include <string.h>

#define AT G_GINT64_CONSTANT (1795417200) /* 2026-11-23T07:00:00Z */

typedef struct {
  RbCampaign *campaign;
  RbInspection *inspection;
} Bench;

static RbCampaign *
load_campaign (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (g_getenv ("RB_GOOD"), "campaign.json", NULL);
  g_autoptr (GBytes) bytes = rb_files_read (path, 1 << 20, &error);
  g_assert_no_error (error);
  RbCampaign *campaign = rb_campaign_parse (bytes, &error);
  g_assert_no_error (error);
  return campaign;
}

static void
bench_open (Bench *bench, gconstpointer data)
{
  bench->campaign = load_campaign ();
  bench->inspection = rb_inspection_new (bench->campaign);
}

static void
bench_close (Bench *bench, gconstpointer data)
{
  rb_inspection_free (bench->inspection);
  rb_campaign_free (bench->campaign);
}

static const char *const manual[] = { "parking-brake", "battery-support", "no-foreign-devices" };

static void
answer_all (Bench *bench, gboolean passed)
{
  for (guint i = 0; i < G_N_ELEMENTS (manual); i++)
    rb_inspection_answer (bench->inspection, manual[i], passed, NULL, AT);
}

static void
assert_answers (Bench *bench, RbReason reason, const char *named)
{
  g_autoptr (GError) error = NULL;
  g_assert_cmpint (rb_inspection_answers_pass (bench->inspection, &error), ==, reason == RB_REASON_NONE);
  g_assert_cmpstr (rb_reason_word (rb_reason_of (error)), ==, rb_reason_word (reason));
  if (named != NULL)
    g_assert_nonnull (strstr (error->message, named));
}

static void
test_all_yes (Bench *bench, gconstpointer data)
{
  answer_all (bench, TRUE);
  assert_answers (bench, RB_REASON_NONE, NULL);
}

static void
test_none (Bench *bench, gconstpointer data)
{
  assert_answers (bench, RB_REASON_INSPECTION_MISSING, "parking brake");
}

static void
test_one_missing (Bench *bench, gconstpointer data)
{
  for (guint left_out = 0; left_out < G_N_ELEMENTS (manual); left_out++) {
    g_autoptr (RbInspection) inspection = rb_inspection_new (bench->campaign);
    g_autoptr (GError) error = NULL;
    for (guint i = 0; i < G_N_ELEMENTS (manual); i++)
      if (i != left_out)
        rb_inspection_answer (inspection, manual[i], TRUE, NULL, AT);
    g_assert_false (rb_inspection_answers_pass (inspection, &error));
    g_assert_error (error, RB_RECOVERY_ERROR, RB_REASON_INSPECTION_MISSING);
  }
}

static void
test_one_no (Bench *bench, gconstpointer data)
{
  answer_all (bench, TRUE);
  rb_inspection_answer (bench->inspection, "battery-support", FALSE, "no charger free", AT);
  assert_answers (bench, RB_REASON_INSPECTION_FAILED, "battery charger");
  rb_inspection_answer (bench->inspection, "battery-support", TRUE, "found one", AT + 60);
  assert_answers (bench, RB_REASON_NONE, NULL);
}

/* what is measured is not a person's to answer, and what is not asked is not kept */
static void
test_answers_that_do_not_count (Bench *bench, gconstpointer data)
{
  answer_all (bench, TRUE);
  rb_inspection_answer (bench->inspection, "supply-voltage", TRUE, NULL, AT);
  rb_inspection_answer (bench->inspection, "no-such-item", TRUE, NULL, AT);
  rb_inspection_complete (bench->inspection, AT);
  const json_t *items = json_object_get (rb_inspection_json (bench->inspection), "items");
  g_assert_cmpuint (json_array_size (items), ==, G_N_ELEMENTS (manual));
}

static void
test_json (Bench *bench, gconstpointer data)
{
  g_assert_null (rb_inspection_json (bench->inspection));
  rb_inspection_measured (bench->inspection, "standing", 0, TRUE, AT + 3);
  rb_inspection_measured (bench->inspection, "supply-voltage", 13400, TRUE, AT + 1);
  rb_inspection_answer (bench->inspection, "parking-brake", TRUE, "", AT);
  rb_inspection_answer (bench->inspection, "battery-support", TRUE, "30 A", AT);
  rb_inspection_complete (bench->inspection, AT + 9);
  g_autofree char *text = rb_json_to_text (rb_inspection_json (bench->inspection));
  /* in the checklist's order, each as it was got */
  g_assert_cmpstr (
    text, ==,
    "{\"checklistId\":\"recall-arrival\",\"checklistVersion\":1,\"completedAt\":\"2026-11-23T07:00:09Z\",\"items\":["
    "{\"at\":\"2026-11-23T07:00:00Z\",\"by\":\"technician\",\"id\":\"parking-brake\",\"result\":\"pass\"},"
    "{\"at\":\"2026-11-23T07:00:00Z\",\"by\":\"technician\",\"id\":\"battery-support\",\"note\":\"30 A\",\"result\":\"pass\"},"
    "{\"at\":\"2026-11-23T07:00:01Z\",\"by\":\"measured\",\"high\":15000,\"id\":\"supply-voltage\",\"low\":12000,"
    "\"result\":\"pass\",\"unit\":\"mV\",\"value\":13400},"
    "{\"at\":\"2026-11-23T07:00:03Z\",\"by\":\"measured\",\"high\":0,\"id\":\"standing\",\"low\":0,\"result\":\"pass\","
    "\"unit\":\"0.01 km/h\",\"value\":0}],\"outcome\":\"pass\"}");
}

static void
test_completed_again (Bench *bench, gconstpointer data)
{
  rb_inspection_complete (bench->inspection, AT);
  rb_inspection_measured (bench->inspection, "standing", 5, FALSE, AT);
  rb_inspection_complete (bench->inspection, AT + 1);
  const json_t *items = json_object_get (rb_inspection_json (bench->inspection), "items");
  g_assert_cmpuint (json_array_size (items), ==, 1);
  g_assert_cmpstr (rb_json_string_or (json_array_get (items, 0), "result", ""), ==, "fail");
}

static const struct {
  const char *measure;
  guint16 did;
} measures[]
  = { { "voltage", 0xfd10 }, { "ignition", 0xfd11 }, { "speed", 0xfd12 }, { "fuel", 0 }, { "", 0 }, { NULL, 0 } };

static void
test_measures (void)
{
  const RbProfile all = { .did_voltage = 0xfd10, .did_ignition = 0xfd11, .did_speed = 0xfd12 };
  const RbProfile none = { 0 };
  for (guint i = 0; i < G_N_ELEMENTS (measures); i++) {
    g_assert_cmphex (rb_inspection_did (&all, measures[i].measure), ==, measures[i].did);
    g_assert_cmphex (rb_inspection_did (&none, measures[i].measure), ==, 0);
  }
}

static const struct {
  const char *measure;
  gint64 low, high, value;
  RbReason reason;
  const char *says;
} refused[] = {
  { "voltage", 12000, 15000, 11999, RB_REASON_VOLTAGE_LOW, "The question: 11.999 V, allowed: 12.00 V to 15.00 V" },
  { "voltage", 12000, 15000, 0, RB_REASON_VOLTAGE_LOW, "The question: 0.00 V, allowed: 12.00 V to 15.00 V" },
  { "voltage", 12000, 15000, 15001, RB_REASON_VOLTAGE_HIGH, "The question: 15.001 V, allowed: 12.00 V to 15.00 V" },
  { "ignition", 2, 2, 0, RB_REASON_IGNITION, "The question: off, required: on" },
  { "ignition", 0, 1, 2, RB_REASON_IGNITION, "The question: on, allowed: off to accessory" },
  { "speed", 0, 0, 1, RB_REASON_MOVING, "The question: 0.01 km/h, required: 0.0 km/h" },
  { "temperature", 0, 60, 90, RB_REASON_INSPECTION_FAILED, "The question: 90 mV, allowed: 0 mV to 60 mV" },
  { NULL, 0, 60, 90, RB_REASON_INSPECTION_FAILED, "The question: 90, allowed: 0 to 60" },
};

static void
test_refused (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (refused); i++) {
    RbChecklistItem item = { .id = (char *) "i",
                             .text = (char *) "The question",
                             .measure = (char *) refused[i].measure,
                             .low = refused[i].low,
                             .high = refused[i].high,
                             .unit = i % 2 == 0 ? (char *) "mV" : NULL };
    g_autoptr (GError) error = NULL;
    g_assert_false (rb_inspection_refuse (&item, refused[i].value, &error));
    g_assert_error (error, RB_RECOVERY_ERROR, (int) refused[i].reason);
    g_assert_cmpstr (error->message, ==, refused[i].says);
  }
}

/* each item is the work of who was there when it was answered */
static void
test_performed_by (Bench *bench, gconstpointer data)
{
  rb_inspection_answer (bench->inspection, "parking-brake", TRUE, NULL, AT);
  rb_inspection_set_person (bench->inspection, "T-ONE");
  rb_inspection_answer (bench->inspection, "battery-support", TRUE, NULL, AT);
  rb_inspection_set_person (bench->inspection, "T-TWO");
  rb_inspection_measured (bench->inspection, "supply-voltage", 12500, TRUE, AT);
  rb_inspection_complete (bench->inspection, AT);
  const json_t *items = json_object_get (rb_inspection_json (bench->inspection), "items");
  g_assert_null (json_object_get (json_array_get (items, 0), "performedBy"));
  g_assert_cmpstr (rb_json_string_or (json_array_get (items, 1), "performedBy", NULL), ==, "T-ONE");
  g_assert_cmpstr (rb_json_string_or (json_array_get (items, 2), "performedBy", NULL), ==, "T-TWO");
}

/* Another shift answers again what may have changed since; only answers of the same checklist, to lasting items, that
 * were good, are kept. */
static void
test_resumed (Bench *bench, gconstpointer data)
{
  RbChecklistItem *lasting = bench->campaign->checklist->pdata[2];
  g_assert_cmpstr (lasting->id, ==, "no-foreign-devices");
  rb_inspection_set_person (bench->inspection, "T-ONE");
  answer_all (bench, TRUE);
  rb_inspection_complete (bench->inspection, AT);
  g_autofree char *whole = rb_json_to_text (rb_inspection_json (bench->inspection));
  g_autoptr (json_t) changed = json_deep_copy (rb_inspection_json (bench->inspection));
  g_autoptr (RbInspection) none = rb_inspection_new (bench->campaign), next = rb_inspection_new (bench->campaign);
  rb_inspection_resume (none, whole);
  g_assert_false (rb_inspection_is_answered (none, "no-foreign-devices"));
  lasting->lasting = TRUE;
  rb_json_set_integer (changed, "checklistVersion", 99);
  g_autofree char *other = rb_json_to_text (changed);
  rb_inspection_resume (none, other);
  rb_inspection_resume (none, NULL);
  rb_inspection_resume (none, "not JSON");
  g_assert_false (rb_inspection_is_answered (none, "no-foreign-devices"));
  rb_inspection_resume (next, whole);
  g_assert_true (rb_inspection_is_answered (next, "no-foreign-devices"));
  g_assert_false (rb_inspection_is_answered (next, "parking-brake"));
  rb_inspection_set_person (next, "T-TWO");
  rb_inspection_answer (next, "parking-brake", TRUE, NULL, AT + 60);
  rb_inspection_answer (next, "battery-support", TRUE, NULL, AT + 60);
  g_assert_true (rb_inspection_answers_pass (next, NULL));
  rb_inspection_complete (next, AT + 60);
  const json_t *items = json_object_get (rb_inspection_json (next), "items");
  g_assert_cmpstr (rb_json_string_or (json_array_get (items, 0), "performedBy", NULL), ==, "T-TWO");
  g_assert_cmpstr (rb_json_string_or (json_array_get (items, 2), "performedBy", NULL), ==, "T-ONE");
}

static void
test_failed_is_not_resumed (Bench *bench, gconstpointer data)
{
  g_autoptr (RbInspection) next = rb_inspection_new (bench->campaign);
  ((RbChecklistItem *) bench->campaign->checklist->pdata[2])->lasting = TRUE;
  answer_all (bench, FALSE);
  rb_inspection_complete (bench->inspection, AT);
  g_autofree char *whole = rb_json_to_text (rb_inspection_json (bench->inspection));
  rb_inspection_resume (next, whole);
  g_assert_false (rb_inspection_is_answered (next, "no-foreign-devices"));
}

#define ADD(name) g_test_add ("/inspection/" #name, Bench, NULL, bench_open, test_##name, bench_close)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD (all_yes);
  ADD (none);
  ADD (one_missing);
  ADD (one_no);
  ADD (answers_that_do_not_count);
  ADD (json);
  ADD (completed_again);
  ADD (performed_by);
  ADD (resumed);
  ADD (failed_is_not_resumed);
  g_test_add_func ("/inspection/measures", test_measures);
  g_test_add_func ("/inspection/refused", test_refused);
  return g_test_run ();
}
