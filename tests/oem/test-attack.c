/* SPDX-License-Identifier: Apache-2.0 */
/* Every ECU of the compromised vehicle, judged by its own verification: before the recovery, by the campaign's
 * metadata, and by the thief's after it. */
#include "core/files.h"
#include "core/json.h"
#include "oem/vehicle-seed.h"
#include "uptane/vehicle.h"

#include <string.h>

#define NOW 1790000000

typedef struct {
  RbDemoIncident *incident;
  char *folder;
} Vehicle;

static const struct {
  const char *scenario;
  const char *believers; /* who believes the attack before the recovery */
} cases[] = {
  { "director", "brake door sensor lamp" },
  { "image-supplier", "telematics gateway steering brake door sensor lamp" },
  { "image-oem", "telematics gateway steering brake door sensor lamp" },
};

static void
vehicle_clear (Vehicle *self)
{
  g_assert_true (rb_files_remove_tree (self->folder, NULL));
  g_clear_pointer (&self->folder, g_free);
  g_clear_pointer (&self->incident, rb_demo_incident_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Vehicle, vehicle_clear)

static Vehicle
vehicle_new (const char *scenario)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RbShePlan) she = rb_she_plan_new ("VIN", "SERIAL");
  Vehicle self = { 0 };
  RbScenario which;
  g_assert_true (rb_campaign_scenario_from_name (scenario, &which));
  self.folder = g_dir_make_tmp ("recallbay-attack-XXXXXX", &error);
  g_assert_no_error (error);
  self.incident = rb_demo_incident_new (which, rb_fleet_new (7, 1, 2048), NOW, &error);
  g_assert_no_error (error);
  gboolean written = rb_vehicle_seed_write (self.incident, self.folder, rb_publisher_root (self.incident->service, 1),
                                            "", she, &error);
  g_assert_no_error (error);
  g_assert_true (written);
  return self;
}

static RbStore *
open_store (const Vehicle *self, const RbFleetEcu *ecu, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (self->folder, ecu->name, name, NULL);
  RbStore *store = rb_store_open (path, &error);
  g_assert_no_error (error);
  return store;
}

static gboolean
believes (const Vehicle *self, const RbFleetEcu *ecu, GHashTable *director_files, GHashTable *image_files)
{
  g_autoptr (RbStore) director_store = open_store (self, ecu, "director");
  g_autoptr (RbSource) director = rb_source_memory (director_files);
  g_autoptr (RbSource) image = rb_source_memory (image_files);
  g_autoptr (GPtrArray) assignments = NULL;
  g_autofree char *vin = rb_fleet_vin (1);
  g_autofree char *serial = rb_fleet_serial (ecu, 1);
  const RbVehicleRequest request = { .now = NOW, .vin = vin, .own_serial = serial };
  g_autoptr (GError) error = NULL;
  gboolean good = FALSE;
  if (ecu->full) {
    g_autoptr (RbStore) image_store = open_store (self, ecu, "image");
    good = rb_vehicle_verify_full (director_store, director, image_store, image, &request, &assignments, NULL, &error);
  } else {
    good = rb_vehicle_verify_partial (director_store, director, &request, &assignments, NULL, &error);
  }
  g_test_message ("%s: %s", serial, good ? "believes" : error->message);
  return good;
}

/* What the workstation does to the roots of an ECU. */
static void
renew_root (const Vehicle *self, const RbFleetEcu *ecu, const char *name, RbPublisher *repository, gboolean walk)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RbStore) store = open_store (self, ecu, name);
  g_autoptr (GHashTable) roots
    = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
  rb_publisher_add_roots (repository, roots);
  g_autoptr (RbSource) source = rb_source_memory (roots);
  guint newest = rb_publisher_root_version (repository);
  gboolean good = walk ? rb_vehicle_update_root (store, source, NOW, name, NULL, &error)
                       : rb_store_reanchor (store, rb_publisher_root (repository, newest), &error);
  g_assert_no_error (error);
  g_assert_true (good);
  g_assert_cmpint (rb_store_root_version (store), ==, newest);
}

static void
recover (const Vehicle *self, const RbFleetEcu *ecu)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GHashTable) director = rb_demo_incident_director_files (self->incident, 1, &error);
  g_assert_no_error (error);
  rb_publisher_add_roots (self->incident->director, director);
  renew_root (self, ecu, "director", self->incident->director, ecu->full);
  if (ecu->full)
    renew_root (self, ecu, "image", self->incident->image, self->incident->scenario != RB_SCENARIO_IMAGE_OEM);
  g_assert_true (believes (self, ecu, director, self->incident->image_files));
}

static void
test_attack (gconstpointer data)
{
  guint index = GPOINTER_TO_UINT (data);
  g_auto (Vehicle) vehicle = vehicle_new (cases[index].scenario);
  const RbDemoPublication *attack = vehicle.incident->attack;
  for (guint i = 0; i < vehicle.incident->fleet->ecus->len; i++) {
    const RbFleetEcu *ecu = rb_fleet_ecu (vehicle.incident->fleet, i);
    gboolean expected = strstr (cases[index].believers, ecu->name) != NULL;
    g_assert_cmpint (believes (&vehicle, ecu, attack->director, attack->image), ==, expected);
  }
  for (guint i = 0; i < vehicle.incident->fleet->ecus->len; i++) {
    const RbFleetEcu *ecu = rb_fleet_ecu (vehicle.incident->fleet, i);
    recover (&vehicle, ecu);
    g_assert_false (believes (&vehicle, ecu, attack->director, attack->image));
  }
}

static void
test_ecu_keys (void)
{
  g_auto (Vehicle) vehicle = vehicle_new ("ecu-keys");
  g_assert_null (vehicle.incident->attack);
  for (guint i = 0; i < vehicle.incident->fleet->ecus->len; i++)
    recover (&vehicle, rb_fleet_ecu (vehicle.incident->fleet, i));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strdup_printf ("/attack/%s", cases[i].scenario);
    g_test_add_data_func (path, GUINT_TO_POINTER (i), test_attack);
  }
  g_test_add_func ("/attack/ecu-keys", test_ecu_keys);
  return g_test_run ();
}
