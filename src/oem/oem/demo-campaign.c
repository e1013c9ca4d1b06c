/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/demo-campaign.h"

#include "core/bytes.h"
#include "core/json.h"
#include "core/moment.h"
#include "crypto/digest.h"

#include <string.h>

static const struct {
  const char *id, *title, *number, *nhtsa, *remedy;
} recalls[] = {
  [RB_SCENARIO_DIRECTOR] = { "R-2026-07", "Director keys stolen: all vehicles", "AM-26-107", "26V-107",
                             "Replace the Director root, images, metadata and keys of every ECU" },
  [RB_SCENARIO_IMAGE_SUPPLIER] = { "R-2026-08", "Keys of Supplier A stolen: vehicles with its ECUs", "AM-26-108",
                                   "26V-108", "Replace images, metadata and keys of every ECU" },
  [RB_SCENARIO_IMAGE_OEM] = { "R-2026-09", "Image repository keys stolen, root included: all vehicles", "AM-26-109",
                              "26V-109", "Overwrite the Image root, replace images, metadata and keys of every ECU" },
  [RB_SCENARIO_ECU_KEYS] = { "R-2026-10", "ECU keys stolen: vehicles with these ECUs", "AM-26-110", "26V-110",
                             "Replace images, metadata and keys of every ECU" },
};

const char *
rb_demo_campaign_id (RbScenario scenario)
{
  return recalls[scenario].id;
}

static json_t *
manual (const char *id, const char *text, const char *help)
{
  return json_pack ("{s:s,s:s,s:s,s:s}", "id", id, "text", text, "help", help, "kind", "manual");
}

static json_t *
measured (const char *id, const char *text, const char *measure, gint64 low, gint64 high, const char *unit)
{
  return json_pack ("{s:s,s:s,s:s,s:s,s:I,s:I,s:s,s:i}", "id", id, "text", text, "kind", "measured", "measure", measure,
                    "low", (json_int_t) low, "high", (json_int_t) high, "unit", unit, "wait_s", 0);
}

static json_t *
checklist (void)
{
  json_t *items = json_array ();
  json_array_append_new (items, manual ("parking-brake", "Is the parking brake on and the vehicle secured?",
                                        "Brakes and steering may not work while their ECUs are written."));
  json_array_append_new (items, manual ("battery-support", "Is a battery charger of at least 20 A connected?",
                                        "The work needs a steady supply for its whole time."));
  json_t *lasting
    = manual ("no-foreign-devices", "Is nothing else plugged into the diagnostic connector or the harness?",
              "Look for dongles, splices and opened ECU housings.");
  json_object_set_new (lasting, "lasting", json_true ());
  json_array_append_new (items, lasting);
  json_array_append_new (items, measured ("supply-voltage", "Supply voltage", "voltage", 12000, 15000, "mV"));
  json_array_append_new (items, measured ("ignition-on", "Ignition is on", "ignition", 2, 2, "position"));
  json_array_append_new (items, measured ("standing", "Vehicle stands", "speed", 0, 0, "0.01 km/h"));
  return json_pack ("{s:s,s:i,s:o}", "id", "recall-arrival", "version", 1, "items", items);
}

static json_t *
root (RbPublisher *repository, gboolean pinned)
{
  guint version = rb_publisher_root_version (repository);
  g_autofree char *sha256 = rb_digest_sha256_hex_of (rb_publisher_root (repository, version));
  return json_pack ("{s:i,s:s,s:b}", "version", (int) version, "sha256", sha256, "pinned", pinned);
}

static json_t *
campaign_ecus (const RbDemoIncident *incident)
{
  json_t *list = json_array ();
  for (guint i = 0; i < incident->fleet->ecus->len; i++) {
    const RbFleetEcu *ecu = rb_fleet_ecu (incident->fleet, i);
    const RbFleetSoftware *good = incident->good->pdata[i];
    g_autofree char *profile = g_strdup_printf ("profiles/%s.json", ecu->profile);
    json_t *entry = json_pack ("{s:s,s:s,s:s,s:s,s:b}", "hardware_id", ecu->hardware_id, "profile", profile, "image",
                               good->path, "image_sha256", good->sha256, "new_key", TRUE);
    rb_json_set (entry, "conditions",
                 json_pack ("[{s:s,s:s,s:[s,s]}]", "kind", "hardware-version", "did", "F193", "values", "1.0",
                            RB_FLEET_HARDWARE_VERSION));
    if (strcmp (ecu->name, "brake") == 0) /* the new image needs another adaptation than the vehicles have */
      rb_json_set (entry, "coding", json_pack ("[{s:s,s:s}]", "did", RB_FLEET_ADAPTATION, "value", "0142"));
    json_array_append_new (list, entry);
  }
  return list;
}

static json_t *
vins (const RbDemoIncident *incident, gboolean in_scope)
{
  json_t *list = json_array ();
  for (guint number = 1; number <= incident->fleet->vehicles; number++) {
    g_autofree char *vin = rb_fleet_vin (number);
    if (rb_demo_incident_in_scope (incident, number) == in_scope)
      json_array_append_new (list, json_string (vin));
  }
  return list;
}

char *
rb_demo_campaign_scope_table (RbScenario scenario)
{
  return g_strdup_printf ("scopes/%s.table", rb_demo_campaign_id (scenario));
}

static json_t *
scope (const RbDemoIncident *incident)
{
  g_autofree char *table = rb_demo_campaign_scope_table (incident->scenario);
  return incident->scope_sha256 != NULL ? json_pack ("{s:s,s:s}", "table", table, "sha256", incident->scope_sha256)
                                        : json_pack ("{s:o}", "vins", vins (incident, TRUE));
}

json_t *
rb_demo_campaign_json (const RbDemoIncident *incident)
{
  const char *id = rb_demo_campaign_id (incident->scenario);
  gboolean pinned = incident->scenario == RB_SCENARIO_IMAGE_OEM;
  g_autoptr (GBytes) nonce = rb_digest_random (32);
  g_autofree char *nonce_hex = rb_bytes_hex (nonce);
  json_t *campaign = json_pack (
    "{s:s,s:s,s:i,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:o,s:s,s:{s:o,s:o},s:o,s:o,s:b,s:s,s:s}", "format",
    "recallbay-campaign-1", "id", id, "version", 1, "title", recalls[incident->scenario].title, "oem",
    RB_DEMO_CAMPAIGN_OEM, "oem_number", recalls[incident->scenario].number, "nhtsa_number",
    recalls[incident->scenario].nhtsa, "scenario", rb_campaign_scenario_name (incident->scenario), "market", "US",
    "nonce", nonce_hex, "scope", scope (incident), "vehicle_model", "models/aurora-compact.json", "roots", "director",
    root (incident->director, FALSE), "image", root (incident->image, pinned), "ecus", campaign_ecus (incident),
    "checklist", checklist (), "second_person", incident->second_person, "remedy", recalls[incident->scenario].remedy,
    "labour_operation", "RB-90210");
  g_assert (campaign != NULL);
  rb_json_set_moment (campaign, "issued", incident->now);
  rb_json_set_moment (campaign, "expires", incident->expires);
  if (pinned)
    rb_json_set (campaign, "organisations",
                 json_pack ("[s,s]", "Aurora Motors Recall Authority", "Road Safety Institute"));
  return campaign;
}

json_t *
rb_demo_campaign_next_json (const RbDemoIncident *incident, const char *relation)
{
  json_t *campaign = rb_demo_campaign_json (incident), *ecus = json_object_get (campaign, "ecus");
  g_autoptr (GBytes) nonce = rb_digest_random (32);
  g_autofree char *nonce_hex = rb_bytes_hex (nonce);
  for (guint i = 0; i < incident->fleet->ecus->len; i++) {
    const RbFleetSoftware *next = incident->next->pdata[i];
    rb_json_set_string (json_array_get (ecus, i), "image", next->path);
    rb_json_set_string (json_array_get (ecus, i), "image_sha256", next->sha256);
  }
  rb_json_set_string (campaign, "id", RB_DEMO_CAMPAIGN_NEXT_ID);
  rb_json_set_string (campaign, "title", "Newer software for all ECUs");
  rb_json_set_string (campaign, "oem_number", "AM-26-111");
  rb_json_set_string (campaign, "nhtsa_number", "26V-111");
  rb_json_set_string (campaign, "nonce", nonce_hex);
  if (strcmp (relation, "after") == 0 || strcmp (relation, "supersedes") == 0)
    rb_json_set (campaign, relation, json_pack ("[s]", rb_demo_campaign_id (incident->scenario)));
  return campaign;
}

json_t *
rb_demo_campaign_answers (void)
{
  g_autofree char *vin = rb_fleet_vin (1);
  return json_pack ("{s:s,s:s,s:i,s:{s:s,s:s,s:s}}", "vin", vin, "repair_order", "RO-10417", "odometer_km", 41250,
                    "items", "parking-brake", "ok", "battery-support", "ok", "no-foreign-devices", "ok");
}

static void
set_root (json_t *object, const char *member, const char *digest_member, RbPublisher *repository)
{
  guint version = repository == NULL ? 0 : rb_publisher_root_version (repository);
  g_autofree char *sha256
    = repository == NULL ? NULL : rb_digest_sha256_hex_of (rb_publisher_root (repository, version));
  rb_json_set (object, member, repository == NULL ? json_null () : json_integer (version));
  rb_json_set_string (object, digest_member, sha256);
}

json_t *
rb_demo_campaign_expected (const RbDemoIncident *incident, GPtrArray *software)
{
  json_t *expected = json_object ();
  for (guint i = 0; i < incident->fleet->ecus->len; i++) {
    const RbFleetEcu *ecu = rb_fleet_ecu (incident->fleet, i);
    const RbFleetSoftware *good = software->pdata[i];
    g_autofree char *serial = rb_fleet_serial (ecu, 1);
    json_t *object = json_pack ("{s:s,s:b}", "image_sha256", good->sha256, "new_key", TRUE);
    set_root (object, "director_root", "director_root_sha256", incident->director);
    set_root (object, "image_root", "image_root_sha256", ecu->full ? incident->image : NULL);
    rb_json_set (expected, serial, object);
  }
  return expected;
}

json_t *
rb_demo_campaign_vehicles (const RbDemoIncident *incident)
{
  return json_pack ("{s:s,s:o,s:o}", "campaign", rb_demo_campaign_id (incident->scenario), "in_scope",
                    vins (incident, TRUE), "out_of_scope", vins (incident, FALSE));
}
