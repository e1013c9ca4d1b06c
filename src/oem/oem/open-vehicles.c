/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/open-vehicles.h"

#include "core/json.h"
#include "core/moment.h"
#include "record/ending.h"

#include <string.h>

static gint64
claimed (const RbVerifyOutcome *outcome)
{
  gint64 moment = 0;
  const char *text = rb_json_string_or (json_object_get (outcome->predicate, "time"), "claimed", "");
  return rb_moment_from_text (text, &moment) ? moment : 0;
}

static gboolean
is_closed (const RbVerifyOutcome *outcome)
{
  return strcmp (outcome->result, "completed") == 0 || strcmp (outcome->result, "no-work-needed") == 0;
}

/* At the same second the one that leaves the vehicle open counts. */
static gint
by_time (gconstpointer a, gconstpointer b)
{
  const RbVerifyOutcome *one = *(const RbVerifyOutcome *const *) a, *other = *(const RbVerifyOutcome *const *) b;
  gint64 difference = claimed (one) - claimed (other);
  return difference != 0 ? (difference > 0) - (difference < 0) : is_closed (other) - is_closed (one);
}

static RbOpenVehicle *
vehicle_of (GPtrArray *vehicles, const RbVerifyOutcome *outcome)
{
  for (guint i = 0; i < vehicles->len; i++) {
    RbOpenVehicle *vehicle = vehicles->pdata[i];
    if (strcmp (vehicle->vin, outcome->vin) == 0 && strcmp (vehicle->campaign, outcome->campaign) == 0)
      return vehicle;
  }
  RbOpenVehicle *vehicle = g_new0 (RbOpenVehicle, 1);
  *vehicle
    = (RbOpenVehicle){ .vin = outcome->vin, .campaign = outcome->campaign, .result = outcome->result, .open = TRUE };
  g_ptr_array_add (vehicles, vehicle);
  return vehicle;
}

static void
apply (RbOpenVehicle *vehicle, const RbVerifyOutcome *outcome)
{
  gboolean written = !json_is_null (json_object_get (outcome->predicate, "firstWriteAt"));
  gboolean exception = strcmp (outcome->type, RB_ENDING_TYPE_EXCEPTION) == 0;
  gboolean counts = is_closed (outcome) || exception || written || vehicle->open;
  if (!counts)
    return;
  vehicle->result = outcome->result;
  vehicle->open = !is_closed (outcome);
  vehicle->hazardous = vehicle->open && (vehicle->hazardous || exception || written);
}

GPtrArray *
rb_open_vehicles_list (GPtrArray *outcomes)
{
  GPtrArray *vehicles = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) sorted = g_ptr_array_new ();
  for (guint i = 0; i < outcomes->len; i++)
    if (((RbVerifyOutcome *) outcomes->pdata[i])->reason == RB_REASON_NONE)
      g_ptr_array_add (sorted, outcomes->pdata[i]);
  g_ptr_array_sort (sorted, by_time);
  for (guint i = 0; i < sorted->len; i++)
    apply (vehicle_of (vehicles, sorted->pdata[i]), sorted->pdata[i]);
  return vehicles;
}
