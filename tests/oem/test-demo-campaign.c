/* SPDX-License-Identifier: Apache-2.0 */
#include "core/json.h"
#include "model/profile.h"
#include "model/vehicle-model.h"
#include "oem/demo-campaign.h"

#include <string.h>

#define NOW 1790000000

static const char *const scenarios[] = { "director", "image-supplier", "image-oem", "ecu-keys" };

static RbDemoIncident *
tell (const char *scenario, guint ecus, guint vehicles)
{
  g_autoptr (GError) error = NULL;
  RbScenario which;
  g_assert_true (rb_campaign_scenario_from_name (scenario, &which));
  RbDemoIncident *incident = rb_demo_incident_new (which, rb_fleet_new (ecus, vehicles, 4096), NOW, &error);
  g_assert_no_error (error);
  return incident;
}

static RbCampaign *
parse_campaign (json_t *json)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (json_t) owned = json;
  g_autoptr (GBytes) bytes = rb_json_to_bytes (owned);
  RbCampaign *campaign = rb_campaign_parse (bytes, &error);
  g_assert_no_error (error);
  return campaign;
}

static void
test_campaign (gconstpointer data)
{
  g_autoptr (RbDemoIncident) incident = tell (data, 7, 3);
  g_autoptr (RbCampaign) campaign = parse_campaign (rb_demo_campaign_json (incident));
  g_autofree char *vin = rb_fleet_vin (1);
  g_autofree char *last = rb_fleet_vin (3);
  gboolean supplier = strcmp (data, "image-supplier") == 0;
  gboolean oem = strcmp (data, "image-oem") == 0;
  g_assert_cmpstr (rb_campaign_scenario_name (campaign->scenario), ==, data);
  g_assert_true (rb_campaign_check_vin (campaign, vin, NULL));
  g_assert_cmpint (rb_campaign_check_vin (campaign, last, NULL), ==, !supplier);
  g_assert_cmpuint (campaign->ecus->len, ==, 7);
  g_assert_cmpint (campaign->director_root.version, ==, strcmp (data, "director") == 0 ? 2 : 1);
  g_assert_cmpint (campaign->image_root.version, ==, supplier || oem ? 2 : 1);
  g_assert_cmpint (campaign->image_root.pinned, ==, oem);
  g_assert_cmpint (campaign->expires - campaign->issued, <=, 60 * 24 * 3600);
  for (guint i = 0; i < campaign->ecus->len; i++) {
    const RbCampaignEcu *ecu = campaign->ecus->pdata[i];
    const RbFleetSoftware *good = incident->good->pdata[i];
    g_assert_cmpstr (ecu->image_sha256, ==, good->sha256);
    g_assert_true (ecu->new_key);
    g_assert_true (rb_campaign_container_is_valid (good->image));
  }
}

static void
test_model (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RbFleet) fleet = rb_fleet_new (120, 1, 4096);
  g_autoptr (json_t) json = rb_fleet_model (fleet);
  g_autoptr (GBytes) bytes = rb_json_to_bytes (json);
  g_autoptr (RbVehicleModel) model = rb_vehicle_model_parse (bytes, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (model->ecus->len, ==, 120);
  g_assert_cmpstr (rb_vehicle_model_primary (model)->name, ==, "telematics");
}

static void
test_profiles (void)
{
  for (const char *const *id = rb_fleet_profiles (); *id != NULL; id++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (json_t) json = rb_fleet_profile (*id);
    g_autoptr (GBytes) bytes = rb_json_to_bytes (json);
    g_autoptr (RbProfile) profile = rb_profile_parse (bytes, &error);
    g_assert_no_error (error);
    g_assert_cmpstr (profile->id, ==, *id);
    g_assert_cmpuint (profile->n_order, ==, profile->root_in_image ? 8 : 10);
  }
}

static void
test_vin (void)
{
  for (guint number = 1; number <= 2000; number++) {
    g_autofree char *vin = rb_fleet_vin (number);
    g_assert_true (rb_campaign_vin_is_valid (vin));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (scenarios); i++) {
    g_autofree char *path = g_strdup_printf ("/recall/campaign/%s", scenarios[i]);
    g_test_add_data_func (path, scenarios[i], test_campaign);
  }
  g_test_add_func ("/recall/model", test_model);
  g_test_add_func ("/recall/profiles", test_profiles);
  g_test_add_func ("/recall/vin", test_vin);
  return g_test_run ();
}
