/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/vehicle-seed.h"

#include "core/bytes.h"
#include "core/files.h"
#include "core/json.h"
#include "crypto/digest.h"
#include "keymaker/keygen.h"
#include "uptane/vehicle.h"

#include <string.h>

#define SUPPLY_MV 13400

typedef struct {
  const RbDemoIncident *incident;
  const RbFleetEcu *ecu;
  guint index;
  char *serial;
  RbStore *director;
  RbStore *image; /* NULL for partial verification */
} Receiver;

static void
receiver_clear (Receiver *self)
{
  g_clear_pointer (&self->serial, g_free);
  g_clear_pointer (&self->director, rb_store_free);
  g_clear_pointer (&self->image, rb_store_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Receiver, receiver_clear)

static RbStore *
open_store (const char *folder, const char *ecu, const char *name, RbPublisher *repository, GError **error)
{
  g_autofree char *path = g_build_filename (folder, ecu, name, NULL);
  g_autoptr (RbStore) store = NULL;
  if (!rb_files_make_folder (path, error) || (store = rb_store_open (path, error)) == NULL
      || !rb_store_anchor (store, rb_publisher_root (repository, 1), error))
    return NULL;
  return g_steal_pointer (&store);
}

static gboolean
receiver_open (Receiver *self, const char *folder, GError **error)
{
  self->serial = rb_fleet_serial (self->ecu, 1);
  self->director = open_store (folder, self->ecu->name, "director", self->incident->director, error);
  if (self->director == NULL || !self->ecu->full)
    return self->director != NULL;
  self->image = open_store (folder, self->ecu->name, "image", self->incident->image, error);
  return self->image != NULL;
}

static gboolean
verify (Receiver *self, const RbDemoPublication *chapter, const RbVehicleRequest *request, GError **error)
{
  g_autoptr (RbSource) director = rb_source_memory (chapter->director);
  g_autoptr (RbSource) image = rb_source_memory (chapter->image);
  g_autoptr (GPtrArray) assignments = NULL;
  if (self->image == NULL)
    return rb_vehicle_verify_partial (self->director, director, request, &assignments, NULL, error);
  return rb_vehicle_verify_full (self->director, director, self->image, image, request, &assignments, NULL, error);
}

/* Does the ECU believe the chapter? */
static gboolean
believes (Receiver *self, const RbDemoPublication *chapter)
{
  const RbDemoIncident *incident = self->incident;
  guint n = incident->fleet->ecus->len;
  g_autoptr (GPtrArray) serials = g_ptr_array_new_with_free_func (g_free);
  g_autofree RbVehicleEcu *ecus = g_new0 (RbVehicleEcu, n);
  g_autofree char *vin = rb_fleet_vin (1);
  g_autoptr (GError) refusal = NULL;
  for (guint i = 0; i < n; i++) {
    char *serial = rb_fleet_serial (rb_fleet_ecu (incident->fleet, i), 1);
    g_ptr_array_add (serials, serial);
    ecus[i] = (RbVehicleEcu){ serial, rb_fleet_ecu (incident->fleet, i)->hardware_id };
  }
  const RbVehicleRequest request = { .now = incident->now,
                                     .vin = vin,
                                     .ecus = self->ecu->primary ? ecus : NULL,
                                     .n_ecus = self->ecu->primary ? n : 0,
                                     .own_serial = self->ecu->primary ? NULL : self->serial };
  if (verify (self, chapter, &request, &refusal))
    return TRUE;
  g_debug ("%s refuses: %s", self->serial, refusal->message);
  return FALSE;
}

/* What runs after everything that was offered. Who holds the keys of ECUs flashes them at the diagnostic connector. */
static const RbFleetSoftware *
live_through (Receiver *self)
{
  const RbDemoIncident *incident = self->incident;
  const RbFleetSoftware *running = incident->genuine->pdata[self->index];
  for (guint i = 0; i < incident->past->len; i++) {
    const RbDemoPublication *chapter = incident->past->pdata[i];
    if (believes (self, chapter))
      running = chapter->software->pdata[self->index];
  }
  if (incident->scenario == RB_SCENARIO_ECU_KEYS && rb_demo_incident_is_compromised (incident, self->ecu))
    running = incident->attacker->pdata[self->index];
  return running;
}

static gboolean
write_key (const char *folder, const char *name, GError **error)
{
  g_autofree char *path = g_build_filename (folder, name, "key.pem", NULL);
  g_autoptr (RbPrivateKey) key = rb_keygen_new (RB_KEY_ED25519, error);
  if (key == NULL)
    return FALSE;
  g_autofree char *pem = rb_key_private_pem (key, NULL);
  g_autoptr (GBytes) bytes = g_bytes_new (pem, strlen (pem));
  return rb_files_write_private (path, bytes, error);
}

/* As the vehicle was made: what no image holds. */
static json_t *
coding_of (const char *serial)
{
  guint8 digest[RB_SHA256_LENGTH];
  rb_digest_sha256 (serial, strlen (serial), digest);
  g_autofree char *coding = rb_bytes_to_hex (digest, 6);
  g_autofree char *adaptation = rb_bytes_to_hex (digest + 6, 2);
  return json_pack ("{s:s,s:s}", RB_FLEET_CODING, coding, RB_FLEET_ADAPTATION, adaptation);
}

static json_t *
describe (Receiver *self, const RbFleetSoftware *running, RbShePlan *she)
{
  const char *name = self->ecu->name;
  g_autofree char *software = g_strdup_printf ("%s %s", name, running->version);
  g_autofree char *image = g_strdup_printf ("%s/image.bin", name);
  g_autofree char *director = g_strdup_printf ("%s/director", name);
  g_autofree char *image_store = g_strdup_printf ("%s/image", name);
  g_autofree char *key = g_strdup_printf ("%s/key.pem", name);
  json_t *object = json_object ();
  rb_json_set_string (object, "name", name);
  rb_json_set_string (object, "serial", self->serial);
  rb_json_set_string (object, "software", software);
  rb_json_set_string (object, "image", image);
  rb_json_set_string (object, "image_path", running->path);
  rb_json_set_string (object, "director", director);
  rb_json_set_string (object, "image_store", self->ecu->full ? image_store : NULL);
  rb_json_set_string (object, "key", self->ecu->she ? NULL : key);
  rb_json_set (object, "she", self->ecu->she ? rb_she_plan_stored (she) : json_null ());
  rb_json_set (object, "coding", coding_of (self->serial));
  if (strcmp (name, "door") == 0) /* a fault that the vehicle came in with */
    rb_json_set (object, "dtcs", json_pack ("[s]", "911A13"));
  rb_json_set_string (object, "service_root", "service-root.json");
  rb_json_set_string (object, "dealer_ca", "dealer-ca.pem");
  return object;
}

/* NULL with error when it failed. (transfer full) */
static json_t *
write_ecu (const RbDemoIncident *incident, guint index, const char *folder, RbShePlan *she, GError **error)
{
  g_auto (Receiver) self = { .incident = incident, .ecu = rb_fleet_ecu (incident->fleet, index), .index = index };
  if (!receiver_open (&self, folder, error))
    return NULL;
  const RbFleetSoftware *running = live_through (&self);
  gboolean stolen = running == incident->attacker->pdata[index];
  if (stolen != rb_demo_incident_is_compromised (incident, self.ecu)) {
    g_set_error (error, RB_OEM_ERROR, RB_REASON_INTERNAL, "%s runs %s where the scenario has it otherwise", self.serial,
                 running->path);
    return NULL;
  }
  g_autofree char *image = g_build_filename (folder, self.ecu->name, "image.bin", NULL);
  if (!rb_files_write (image, running->image, error) || (!self.ecu->she && !write_key (folder, self.ecu->name, error)))
    return NULL;
  return describe (&self, running, she);
}

static gboolean
write_seed (const RbDemoIncident *incident, const char *folder, json_t *ecus, GError **error)
{
  g_autofree char *vin = rb_fleet_vin (1);
  g_autofree char *path = g_build_filename (folder, "seed.json", NULL);
  g_autoptr (json_t) seed = json_object ();
  rb_json_set_string (seed, "format", "recallbay-seed-1");
  rb_json_set_string (seed, "vin", vin);
  rb_json_set_integer (seed, "voltage_mv", SUPPLY_MV);
  rb_json_set (seed, "ecus", json_incref (ecus));
  g_autofree char *text = rb_json_to_pretty (seed);
  return rb_files_write_text (path, text, error);
}

gboolean
rb_vehicle_seed_write (const RbDemoIncident *incident, const char *folder, GBytes *service_root,
                       const char *dealer_ca_pem, RbShePlan *she, GError **error)
{
  g_autofree char *root_path = g_build_filename (folder, "service-root.json", NULL);
  g_autofree char *ca_path = g_build_filename (folder, "dealer-ca.pem", NULL);
  g_autoptr (json_t) ecus = json_array ();
  if (!rb_files_make_folder (folder, error))
    return FALSE;
  for (guint i = 0; i < incident->fleet->ecus->len; i++) {
    json_t *ecu = write_ecu (incident, i, folder, she, error);
    if (ecu == NULL)
      return FALSE;
    json_array_append_new (ecus, ecu);
  }
  return rb_files_write (root_path, service_root, error) && rb_files_write_text (ca_path, dealer_ca_pem, error)
         && write_seed (incident, folder, ecus, error);
}
