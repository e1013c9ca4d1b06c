/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/open-vehicles.h"

#include "core/json.h"
#include "core/moment.h"

#define VIN "RBY1DEM0XRA000042"

typedef struct {
  const char *vin, *type, *result;
  gint64 claimed;
  gboolean written;
  RbReason reason;
} Record;

static RbVerifyOutcome *
outcome_of (const Record *record)
{
  RbVerifyOutcome *outcome = g_new0 (RbVerifyOutcome, 1);
  json_t *time = json_object ();
  rb_json_set_moment (time, "claimed", record->claimed);
  outcome->vin = g_strdup (record->vin);
  outcome->campaign = g_strdup ("R-1");
  outcome->type = g_strdup (record->type);
  outcome->result = g_strdup (record->result);
  outcome->reason = record->reason;
  outcome->predicate = json_object ();
  rb_json_set (outcome->predicate, "time", time);
  if (record->written)
    rb_json_set_moment (outcome->predicate, "firstWriteAt", record->claimed);
  else
    rb_json_set (outcome->predicate, "firstWriteAt", json_null ());
  return outcome;
}

/* What these records say of the first one's vehicle. */
static void
expect (const Record *records, guint n, gboolean open, gboolean hazardous, const char *result)
{
  g_autoptr (GPtrArray) outcomes = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_outcome_free);
  for (guint i = 0; i < n; i++)
    g_ptr_array_add (outcomes, outcome_of (&records[i]));
  g_autoptr (GPtrArray) vehicles = rb_open_vehicles_list (outcomes);
  g_assert_cmpuint (vehicles->len, ==, 1);
  const RbOpenVehicle *vehicle = vehicles->pdata[0];
  g_assert_cmpstr (vehicle->vin, ==, VIN);
  g_assert_cmpint (vehicle->open, ==, open);
  g_assert_cmpint (vehicle->hazardous, ==, hazardous);
  g_assert_cmpstr (vehicle->result, ==, result);
}

#define DONE(at) \
  { \
    VIN, "completion", "completed", at, TRUE, RB_REASON_NONE \
  }
#define EXCEPTION(at) \
  { \
    VIN, "exception", "exception", at, FALSE, RB_REASON_NONE \
  }
#define PARTIAL(at, written) \
  { \
    VIN, "partial", "incomplete", at, written, RB_REASON_NONE \
  }

static void
test_exception (void)
{
  const Record left[] = { EXCEPTION (10) }, back[] = { DONE (20), EXCEPTION (10) },
               after[] = { EXCEPTION (30), DONE (20) };
  expect (left, 1, TRUE, TRUE, "exception");
  expect (back, 2, FALSE, FALSE, "completed");
  expect (after, 2, TRUE, TRUE, "exception");
}

/* Of the same second, the record that leaves the vehicle open counts. */
static void
test_same_second (void)
{
  const Record one[] = { EXCEPTION (10), DONE (10) }, other[] = { DONE (10), EXCEPTION (10) };
  expect (one, 2, TRUE, TRUE, "exception");
  expect (other, 2, TRUE, TRUE, "exception");
}

static void
test_written (void)
{
  const Record untouched[] = { PARTIAL (10, FALSE) }, touched[] = { PARTIAL (20, FALSE), PARTIAL (10, TRUE) };
  const Record looked_at_again[] = { DONE (10), PARTIAL (20, FALSE) },
               written_again[] = { DONE (10), PARTIAL (20, TRUE) };
  expect (untouched, 1, TRUE, FALSE, "incomplete");
  expect (touched, 2, TRUE, TRUE, "incomplete");
  expect (looked_at_again, 2, FALSE, FALSE, "completed");
  expect (written_again, 2, TRUE, TRUE, "incomplete");
}

static void
test_denied (void)
{
  const Record records[] = { EXCEPTION (10), { VIN, "completion", "completed", 20, TRUE, RB_REASON_RECORD_SIGNATURE } };
  expect (records, 2, TRUE, TRUE, "exception");
}

static void
test_several (void)
{
  const Record records[]
    = { EXCEPTION (10), { "RBY1DEM0XRA000043", "completion", "completed", 20, TRUE, RB_REASON_NONE } };
  g_autoptr (GPtrArray) outcomes = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_outcome_free);
  for (guint i = 0; i < G_N_ELEMENTS (records); i++)
    g_ptr_array_add (outcomes, outcome_of (&records[i]));
  g_autoptr (GPtrArray) vehicles = rb_open_vehicles_list (outcomes);
  g_assert_cmpuint (vehicles->len, ==, 2);
  g_assert_true (((RbOpenVehicle *) vehicles->pdata[0])->open);
  g_assert_false (((RbOpenVehicle *) vehicles->pdata[1])->open);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/open-vehicles/exception", test_exception);
  g_test_add_func ("/open-vehicles/same-second", test_same_second);
  g_test_add_func ("/open-vehicles/written", test_written);
  g_test_add_func ("/open-vehicles/denied", test_denied);
  g_test_add_func ("/open-vehicles/several", test_several);
  return g_test_run ();
}
