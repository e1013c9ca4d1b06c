/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/demo.h"

#include "campaign/shape.h"
#include "campaign/vin-pack.h"
#include "core/files.h"
#include "core/json.h"
#include "core/moment.h"
#include "crypto/digest.h"
#include "keystore/identity.h"
#include "model/member.h"
#include "oem/intake-config.h"
#include "oem/office-demo.h"
#include "oem/file-set.h"
#include "oem/demo-campaign.h"
#include "oem/dealer-list.h"
#include "oem/vehicle-seed.h"
#include "oem/vin-writer.h"

#include <string.h>

#define SERVICE_DAYS 30
#define LIST_MAX 1000 /* vehicles; more are in tables */
#define REGION "north"
#define SCENARIOS "director|image-supplier|image-oem|ecu-keys"
#define YEAR ((gint64) 365 * RB_MOMENT_DAY)

typedef struct {
  RbDemoIncident *incident;
  RbPki *pki;
  RbOfficeDemo *office;
  RbShePlan *she; /* of vehicle 1 */
  json_t *she_keys; /* of every vehicle, for the intake */
  GHashTable *service; /* metadata: file name → GBytes */
  GHashTable *targets; /* of the Service repository: path → GBytes */
  GHashTable *packs; /* VIN packs: path below vins/ → GBytes */
  char *region; /* all packs are in that region's file; NULL: each alone */
  char *work; /* folder for the files of pieces; NULL: none */
  RbFileSet *bundle; /* campaign.recall */
  const char *relation; /* of the second campaign to the first; NULL: there is none. Borrowed */
  RbFileSet *next_bundle; /* second.recall */
  RbFileSet *beside; /* the other files, but the seed */
} Demo;

static void
demo_clear (Demo *self)
{
  g_clear_pointer (&self->office, rb_office_demo_free);
  g_clear_pointer (&self->incident, rb_demo_incident_free);
  g_clear_pointer (&self->pki, rb_pki_free);
  g_clear_pointer (&self->she, rb_she_plan_free);
  g_clear_pointer (&self->she_keys, json_decref);
  g_clear_pointer (&self->service, g_hash_table_unref);
  g_clear_pointer (&self->targets, g_hash_table_unref);
  g_clear_pointer (&self->packs, g_hash_table_unref);
  g_clear_pointer (&self->region, g_free);
  g_clear_pointer (&self->work, g_free);
  g_clear_pointer (&self->bundle, rb_file_set_free);
  g_clear_pointer (&self->next_bundle, rb_file_set_free);
  g_clear_pointer (&self->beside, rb_file_set_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Demo, demo_clear)

static GHashTable *
table_new (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
}

/* Takes value. */
static void
table_add_json (GHashTable *table, const char *folder, const char *id, json_t *value)
{
  g_autofree char *text = rb_json_to_pretty (value);
  g_hash_table_insert (table, g_strdup_printf ("%s/%s.json", folder, id), g_bytes_new (text, strlen (text)));
  json_decref (value);
}

static gboolean
publish_service (Demo *self, GError **error)
{
  const RbDemoIncident *incident = self->incident;
  GHashTableIter iter;
  gpointer path, bytes;
  table_add_json (self->targets, "campaigns", rb_demo_campaign_id (incident->scenario),
                  rb_demo_campaign_json (incident));
  if (self->relation != NULL)
    table_add_json (self->targets, "campaigns", RB_DEMO_CAMPAIGN_NEXT_ID,
                    rb_demo_campaign_next_json (incident, self->relation));
  table_add_json (self->targets, "models", "aurora-compact", rb_fleet_model (incident->fleet));
  table_add_json (self->targets, "trust", "trust-list",
                  rb_dealer_list_new (self->pki, RB_DEMO_CAMPAIGN_OEM, RB_FLEET_WMI, incident->now));
  for (guint i = 0; i < incident->fleet->ecus->len; i++) {
    const char *profile = ((const RbFleetEcu *) incident->fleet->ecus->pdata[i])->profile;
    table_add_json (self->targets, "profiles", profile, rb_fleet_profile (profile));
  }
  g_autoptr (json_t) entries = json_object ();
  g_hash_table_iter_init (&iter, self->targets);
  while (g_hash_table_iter_next (&iter, &path, &bytes))
    rb_json_set (entries, path, rb_author_target (bytes, NULL));
  gint64 expires = incident->now + (gint64) SERVICE_DAYS * RB_MOMENT_DAY;
  const RbPublisherPlan plan = {
    .version = 1, .targets_version = 1, .expires = expires, .targets_expires = incident->now + YEAR, .targets = entries
  };
  self->service = rb_publisher_publish (incident->service, &plan, error);
  if (self->service != NULL)
    rb_publisher_add_roots (incident->service, self->service);
  return self->service != NULL;
}

static RbShePlan *
plan_she (Demo *self, guint number)
{
  for (guint i = 0; i < self->incident->fleet->ecus->len; i++) {
    const RbFleetEcu *ecu = rb_fleet_ecu (self->incident->fleet, i);
    g_autofree char *vin = rb_fleet_vin (number);
    g_autofree char *serial = rb_fleet_serial (ecu, number);
    if (ecu->she)
      return rb_she_plan_new (vin, serial);
  }
  return NULL;
}

static GBytes *
she_file (RbShePlan *plan)
{
  g_autoptr (json_t) updates
    = json_pack ("{s:s,s:[o]}", "format", "recallbay-she-2", "updates", rb_she_plan_update (plan));
  return rb_json_to_bytes (updates);
}

static GBytes *
region_entry (GHashTable *director, GBytes *she)
{
  return rb_vin_pack_to_entry (g_hash_table_lookup (director, "timestamp.json"),
                               g_hash_table_lookup (director, "snapshot.json"),
                               g_hash_table_lookup (director, "targets.json"), she);
}

static void
add_pack (Demo *self, const char *vin, GHashTable *director, GBytes *she)
{
  GHashTableIter iter;
  gpointer name, bytes;
  g_hash_table_insert (self->packs, g_strdup_printf ("%s/she.json", vin), g_bytes_ref (she));
  g_hash_table_iter_init (&iter, director);
  while (g_hash_table_iter_next (&iter, &name, &bytes))
    g_hash_table_insert (self->packs, g_strdup_printf ("%s/director/%s", vin, (char *) name), g_bytes_ref (bytes));
}

/* region: where it goes; NULL: alone. */
static gboolean
make_vin_pack (Demo *self, guint number, RbVinWriter *region, GError **error)
{
  g_autoptr (RbShePlan) she = plan_she (self, number);
  g_autofree char *vin = rb_fleet_vin (number);
  g_autoptr (GHashTable) director = rb_demo_incident_director_files (self->incident, number, error);
  g_autoptr (GBytes) updates = director == NULL ? NULL : she_file (she);
  if (updates == NULL)
    return FALSE;
  g_autoptr (GBytes) entry = region == NULL ? NULL : region_entry (director, updates);
  if (region == NULL)
    add_pack (self, vin, director, updates);
  else if (!rb_vin_writer_add (region, vin, entry, error))
    return FALSE;
  json_array_append_new (self->she_keys, rb_she_plan_secret (she));
  rb_office_demo_add_vehicle (self->office, number, she);
  if (number == 1)
    self->she = g_steal_pointer (&she);
  return TRUE;
}

static char *
pieces_file (const Demo *self, const char *table)
{
  g_autofree char *name = g_strdup_printf ("%s.pieces", table);
  g_strdelimit (name, "/", '-');
  return g_build_filename (self->work, name, NULL);
}

/* The table becomes a target of the Service repository, and its pieces a file of the bundle. */
static GBytes *
finish_table (Demo *self, RbVinWriter *writer, const char *table, GError **error)
{
  g_autofree char *path = pieces_file (self, table);
  GBytes *bytes = rb_vin_writer_finish (writer, path, error);
  if (bytes != NULL)
    g_hash_table_insert (self->targets, g_strdup (table), bytes);
  return bytes;
}

static gboolean
make_vin_packs (Demo *self, GError **error)
{
  g_autoptr (RbVinWriter) region = self->region == NULL ? NULL : rb_vin_writer_new (self->work, error);
  g_autofree char *table = g_strdup_printf ("regions/%s.table", self->region);
  self->office = rb_office_demo_new (self->incident, self->pki);
  self->packs = table_new ();
  self->she_keys = json_array ();
  if (self->region != NULL && region == NULL)
    return FALSE;
  for (guint number = 1; number <= self->incident->fleet->vehicles; number++)
    if (rb_demo_incident_in_scope (self->incident, number) && !make_vin_pack (self, number, region, error))
      return FALSE;
  return region == NULL || finish_table (self, region, table, error) != NULL;
}

static gboolean
make_scope (Demo *self, GError **error)
{
  if (self->region == NULL)
    return TRUE;
  g_autoptr (RbVinWriter) scope = rb_vin_writer_new (self->work, error);
  g_autofree char *table = rb_demo_campaign_scope_table (self->incident->scenario);
  for (guint number = 1; scope != NULL && number <= self->incident->fleet->vehicles; number++) {
    g_autofree char *vin = rb_fleet_vin (number);
    if (rb_demo_incident_in_scope (self->incident, number) && !rb_vin_writer_add (scope, vin, NULL, error))
      return FALSE;
  }
  GBytes *bytes = scope == NULL ? NULL : finish_table (self, scope, table, error);
  if (bytes != NULL)
    self->incident->scope_sha256 = rb_digest_sha256_hex_of (bytes);
  return bytes != NULL;
}

/* Files of pieces after the metadata by which they are verified. */
static void
add_pieces (Demo *self)
{
  if (self->region == NULL)
    return;
  g_autofree char *scope = rb_demo_campaign_scope_table (self->incident->scenario);
  g_autofree char *region = g_strdup_printf ("regions/%s.table", self->region);
  const char *const tables[] = { scope, region };
  for (guint i = 0; i < G_N_ELEMENTS (tables); i++) {
    g_autofree char *path = pieces_file (self, tables[i]);
    g_autofree char *inner = rb_shape_pieces (tables[i]);
    rb_file_set_add_file (self->bundle, path, inner);
  }
}

/* The targets of the Service repository without another campaign: a bundle has one. */
static GHashTable *
targets_without (Demo *self, const char *id)
{
  g_autofree char *other = g_strdup_printf ("campaigns/%s.json", id);
  GHashTable *targets = table_new ();
  GHashTableIter iter;
  gpointer path, bytes;
  g_hash_table_iter_init (&iter, self->targets);
  while (g_hash_table_iter_next (&iter, &path, &bytes))
    if (strcmp (path, other) != 0)
      g_hash_table_insert (targets, g_strdup (path), g_bytes_ref (bytes));
  return targets;
}

static void
begin_bundle (Demo *self, RbFileSet *bundle, const char *other, GHashTable *image_files)
{
  g_autoptr (GHashTable) director_roots = table_new ();
  g_autoptr (GHashTable) targets = targets_without (self, other);
  rb_publisher_add_roots (self->incident->director, director_roots);
  rb_file_set_add_table (bundle, self->service, "service/metadata");
  rb_file_set_add_table (bundle, targets, "service/targets");
  rb_file_set_add_table (bundle, director_roots, "director/metadata");
  rb_file_set_add_table (bundle, image_files, "image/metadata");
}

static void
end_bundle (RbFileSet *bundle, GHashTable *packs, GPtrArray *software)
{
  rb_file_set_add_table (bundle, packs, "vins");
  for (guint i = 0; i < software->len; i++) {
    const RbFleetSoftware *good = software->pdata[i];
    rb_file_set_add (bundle, good->image, "image/targets/%s", good->path);
  }
}

/* Metadata first, images last. */
static void
make_bundle (Demo *self)
{
  const RbDemoIncident *incident = self->incident;
  self->bundle = rb_file_set_new ();
  begin_bundle (self, self->bundle, RB_DEMO_CAMPAIGN_NEXT_ID, incident->image_files);
  add_pieces (self);
  end_bundle (self->bundle, self->packs, incident->good);
}

/* VIN packs of the second campaign: newer Director metadata, and the same SHE updates. */
static GHashTable *
make_next_packs (Demo *self, GError **error)
{
  g_autoptr (GHashTable) packs = table_new ();
  GHashTableIter iter;
  gpointer name, bytes;
  for (guint number = 1; number <= self->incident->fleet->vehicles; number++) {
    g_autofree char *vin = rb_fleet_vin (number);
    g_autofree char *she = g_strdup_printf ("%s/she.json", vin);
    if (!rb_demo_incident_in_scope (self->incident, number))
      continue;
    g_autoptr (GHashTable) director = rb_demo_incident_next_director_files (self->incident, number, error);
    if (director == NULL)
      return NULL;
    g_hash_table_insert (packs, g_strdup (she), g_bytes_ref (g_hash_table_lookup (self->packs, she)));
    g_hash_table_iter_init (&iter, director);
    while (g_hash_table_iter_next (&iter, &name, &bytes))
      g_hash_table_insert (packs, g_strdup_printf ("%s/director/%s", vin, (char *) name), g_bytes_ref (bytes));
  }
  return g_steal_pointer (&packs);
}

static gboolean
make_next_bundle (Demo *self, GError **error)
{
  const RbDemoIncident *incident = self->incident;
  if (self->relation == NULL)
    return TRUE;
  g_autoptr (GHashTable) packs = make_next_packs (self, error);
  if (packs == NULL)
    return FALSE;
  self->next_bundle = rb_file_set_new ();
  begin_bundle (self, self->next_bundle, rb_demo_campaign_id (incident->scenario), incident->next_image_files);
  end_bundle (self->next_bundle, packs, incident->next);
  return TRUE;
}

static GBytes *
text_bytes (const char *text)
{
  GString *line = g_string_new (text);
  if (!g_str_has_suffix (text, "\n"))
    g_string_append_c (line, '\n');
  return g_string_free_to_bytes (line);
}

static void
add_text (Demo *self, const char *name, const char *text)
{
  g_autoptr (GBytes) bytes = text_bytes (text);
  rb_file_set_add (self->beside, bytes, "%s", name);
}

static void
add_private_text (Demo *self, const char *name, const char *text)
{
  g_autoptr (GBytes) bytes = text_bytes (text);
  rb_file_set_add_private (self->beside, bytes, name);
}

/* Takes value. */
static void
add_json (Demo *self, const char *name, json_t *value)
{
  g_autofree char *text = rb_json_to_pretty (value);
  add_text (self, name, text);
  json_decref (value);
}

static void
add_repository (Demo *self, RbPublisher *repository, GHashTable *files)
{
  g_autofree char *folder = g_strdup_printf ("repositories/%s", rb_publisher_kind (repository));
  g_autofree char *keys = g_strdup_printf ("%s/keys.json", folder);
  g_autoptr (GHashTable) all = table_new ();
  GHashTableIter iter;
  gpointer name, bytes;
  g_hash_table_iter_init (&iter, files);
  while (g_hash_table_iter_next (&iter, &name, &bytes))
    g_hash_table_insert (all, g_strdup (name), g_bytes_ref (bytes));
  rb_publisher_add_roots (repository, all);
  rb_file_set_add_table (self->beside, all, folder);
  add_json (self, keys, rb_publisher_describe_keys (repository));
}

static gboolean
add_repositories (Demo *self, GError **error)
{
  const RbDemoIncident *incident = self->incident;
  g_autoptr (GHashTable) director = rb_demo_incident_director_files (incident, 1, error);
  if (director == NULL)
    return FALSE;
  add_repository (self, incident->director, director);
  add_repository (self, incident->image, incident->image_files);
  add_repository (self, incident->service, self->service);
  return TRUE;
}

/* Names of the pseudonyms. The OEM keeps the file: no dealership, record or bundle has it. */
static void
add_people (Demo *self)
{
  g_autoptr (json_t) people = json_pack ("{s:s,s:O}", "format", "recallbay-people-1", "people", self->pki->people);
  g_autofree char *text = rb_json_to_pretty (people);
  add_private_text (self, "oem/people.json", text);
}

static void
add_scope (Demo *self)
{
  g_autofree char *table = rb_demo_campaign_scope_table (self->incident->scenario);
  g_autofree char *name = g_strdup_printf ("oem/campaigns/%s.table", rb_demo_campaign_id (self->incident->scenario));
  GBytes *bytes = g_hash_table_lookup (self->targets, table);
  if (bytes != NULL)
    rb_file_set_add_private (self->beside, bytes, name);
}

static void
add_identities (Demo *self)
{
  const RbPki *pki = self->pki;
  rb_file_set_add_private (self->beside, pki->technician, "technician.p12");
  rb_file_set_add_private (self->beside, pki->second, "second.p12");
  rb_file_set_add_private (self->beside, pki->workstation, "workstation.pem");
  add_private_text (self, "passphrase", pki->passphrase);
  add_people (self);
  add_text (self, "dealer-ca.pem", pki->dealer_ca_pem);
  add_text (self, "intake-ca.pem", pki->intake_ca_pem);
  add_text (self, "vehicle-ca.pem", pki->vehicle_ca_pem);
  add_private_text (self, "vehicle/doip/vehicle.pem", pki->vehicle_pem);
  add_text (self, "vehicle/doip/testers.pem", pki->dealer_ca_pem);
}

static gboolean
make_files_beside (Demo *self, GError **error)
{
  const RbDemoIncident *incident = self->incident;
  g_autofree char *vin = rb_fleet_vin (1);
  g_autoptr (json_t) intake = rb_intake_config_new (self->pki, RB_DEMO_CAMPAIGN_OEM, self->she_keys);
  g_autofree char *intake_text = rb_json_to_pretty (intake);
  self->beside = rb_file_set_new ();
  add_private_text (self, "intake.json", intake_text);
  rb_file_set_add (self->beside, g_hash_table_lookup (self->targets, "models/aurora-compact.json"), "vehicle.json");
  rb_file_set_add (self->beside, rb_publisher_root (incident->service, 1), "service-root.json");
  add_identities (self);
  add_scope (self);
  add_json (self, "answers.json", rb_demo_campaign_answers ());
  add_json (self, "expected.json", rb_demo_campaign_expected (incident, incident->good));
  if (self->relation != NULL) {
    add_json (self, "second-expected.json", rb_demo_campaign_expected (incident, incident->next));
    add_text (self, "second-campaign.txt", RB_DEMO_CAMPAIGN_NEXT_ID);
  }
  add_json (self, "vehicles.json", rb_demo_campaign_vehicles (incident));
  add_text (self, "campaign.txt", rb_demo_campaign_id (incident->scenario));
  add_text (self, "vin.txt", vin);
  if (incident->attack != NULL) {
    rb_file_set_add_table (self->beside, incident->attack->director, "attack/director");
    rb_file_set_add_table (self->beside, incident->attack->image, "attack/image");
  }
  g_autofree char *campaign = g_strdup_printf ("campaigns/%s.json", rb_demo_campaign_id (incident->scenario));
  return rb_office_demo_add_files (self->office, g_hash_table_lookup (self->targets, campaign), self->beside, error)
         && add_repositories (self, error);
}

/* The OEM keeps the scope beside the campaign. */
static gboolean
keep_scope (Demo *self, const char *folder, GError **error)
{
  if (self->region == NULL)
    return TRUE;
  g_autofree char *table = rb_demo_campaign_scope_table (self->incident->scenario);
  g_autofree char *name = g_strdup_printf ("%s.pieces", rb_demo_campaign_id (self->incident->scenario));
  g_autofree char *from = pieces_file (self, table);
  g_autofree char *to = g_build_filename (folder, "oem", "campaigns", name, NULL);
  return rb_files_copy_tree (from, to, error);
}

static gboolean
write_demo (Demo *self, const char *folder, GError **error)
{
  g_autofree char *bundle = g_build_filename (folder, "campaign.recall", NULL);
  g_autofree char *next = g_build_filename (folder, "second.recall", NULL);
  g_autofree char *seed = g_build_filename (folder, "vehicle", NULL);
  return rb_files_make_folder (folder, error)
         && rb_vehicle_seed_write (self->incident, seed, rb_publisher_root (self->incident->service, 1),
                                   self->pki->dealer_ca_pem, self->she, error)
         && rb_file_set_write_tar (self->bundle, bundle, self->incident->now, error)
         && (self->next_bundle == NULL || rb_file_set_write_tar (self->next_bundle, next, self->incident->now, error))
         && rb_file_set_write_folder (self->beside, folder, error) && keep_scope (self, folder, error);
}

/* Only a folder that is empty or not there is used, so that no other files are mixed in or lost. */
static gboolean
folder_is_free (const char *folder, GError **error)
{
  if (!rb_files_exists (folder))
    return TRUE;
  g_auto (GStrv) names = rb_files_list (folder, error);
  if (names == NULL || names[0] == NULL)
    return names != NULL;
  g_set_error (error, RB_OEM_ERROR, RB_REASON_EXISTS, "%s is not empty: name a new folder, or remove this one first",
               folder);
  return FALSE;
}

/* Files of pieces are made beside the bundle, and are in it alone afterwards. */
static gboolean
prepare_tables (Demo *self, RbFleet *fleet, const char *folder, GError **error)
{
  self->targets = table_new ();
  if (self->region == NULL && fleet->vehicles > LIST_MAX)
    self->region = g_strdup (REGION);
  self->work = self->region == NULL ? NULL : g_build_filename (folder, ".pieces", NULL);
  return self->work == NULL || rb_files_make_folder (self->work, error);
}

static gboolean
make_demo (Demo *self, RbScenario scenario, RbFleet *fleet, gboolean second_person, const char *folder, GError **error)
{
  gint64 now = rb_moment_now ();
  if (!prepare_tables (self, fleet, folder, error)) {
    rb_fleet_free (fleet);
    return FALSE;
  }
  self->incident = rb_demo_incident_new (scenario, fleet, now, error);
  if (self->incident == NULL)
    return FALSE;
  self->incident->second_person = second_person;
  if (self->relation != NULL && !rb_demo_incident_go_on (self->incident, error))
    return FALSE;
  g_autofree char *vin = rb_fleet_vin (1);
  self->pki = rb_pki_new (RB_DEMO_CAMPAIGN_OEM, vin, now, error);
  if (self->pki == NULL || !make_vin_packs (self, error) || !make_scope (self, error) || !publish_service (self, error))
    return FALSE;
  make_bundle (self);
  if (!make_next_bundle (self, error) || !make_files_beside (self, error))
    return FALSE;
  if (write_demo (self, folder, error) && (self->work == NULL || rb_files_remove_tree (self->work, error)))
    return TRUE;
  g_prefix_error (error, "the demonstration in %s is not usable, remove it: ", folder);
  return FALSE;
}

gboolean
rb_demo_write (RbScenario scenario, RbFleet *fleet, gboolean second_person, const char *folder, GError **error)
{
  g_auto (Demo) demo = { NULL };
  g_autoptr (RbFleet) owned = fleet;
  return folder_is_free (folder, error)
         && make_demo (&demo, scenario, g_steal_pointer (&owned), second_person, folder, error);
}

static void
say_what_is_there (RbCli *cli, const Demo *self, const char *folder)
{
  static const char *const lines[][2] = {
    { "campaign.recall", "the bundle: recallctl bundle import" },
    { "service-root.json", "the trust anchor: recallctl trust add" },
    { "vehicle.json, vehicle/", "the vehicle as it comes in: recall-sim --model" },
    { "technician.p12, second.p12", "two people; the passphrase of all identities is in passphrase" },
    { "workstation.pem", "the workstation's five keys" },
    { "vehicle-ca.pem", "the vehicles' authority: recallctl --vehicle-ca, for doips://" },
    { "answers.json", "the inspection, answered" },
    { "attack/", "the attacker's newest metadata: recall-sim offer" },
    { "expected.json", "the vehicle as it must leave" },
    { "repositories/", "the three repositories: recall-oem repo check" },
    { "intake.json, intake-ca.pem", "for the OEM's intake" },
    { "oem/", "the OEM's folder: recall-oem --data-dir, campaign pack" },
    { "vehicle/parts.json", "spare parts, each as seed.json has an ECU" },
    { "oem/people.json", "the OEM's register of who the technicians' pseudonyms are" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    if (self->incident->attack != NULL || !g_str_equal (lines[i][0], "attack/"))
      rb_cli_say (cli, "%s/%-26s  %s", folder, lines[i][0], lines[i][1]);
}

static int
report (RbCli *cli, const Demo *self, const char *folder)
{
  const RbDemoIncident *incident = self->incident;
  g_autofree char *vin = rb_fleet_vin (1);
  const char *scenario = rb_campaign_scenario_name (incident->scenario);
  const char *id = rb_demo_campaign_id (incident->scenario);
  g_autofree char *message = g_strdup_printf ("Scenario %s: campaign %s, vehicle %s with %u ECUs", scenario, id, vin,
                                              incident->fleet->ecus->len);
  json_t *extra
    = json_pack ("{s:s,s:s,s:s,s:s,s:i,s:i}", "dir", folder, "scenario", scenario, "campaign", id, "vin", vin, "ecus",
                 (int) incident->fleet->ecus->len, "vehicles", (int) incident->fleet->vehicles);
  say_what_is_there (cli, self, folder);
  return rb_cli_end (cli, RB_CLI_OK, rb_reason_word (RB_REASON_NONE), message, extra);
}

typedef struct {
  char *scenario, *region, *second_campaign;
  gint64 ecus, vehicles, image_size, tester;
  gboolean second_person;
} Options;

static void
clear_options (Options *self)
{
  g_free (self->scenario);
  g_free (self->region);
  g_free (self->second_campaign);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, clear_options)

static int
verb_demo (RbCli *cli, int argc, char **argv)
{
  g_auto (Options) options = { .ecus = 7, .vehicles = 1, .image_size = 65536 };
  RbScenario scenario = RB_SCENARIO_DIRECTOR;
  g_auto (Demo) demo = { NULL };
  g_autoptr (GError) error = NULL;
  int code = 0;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  if (options.scenario != NULL && !rb_campaign_scenario_from_name (options.scenario, &scenario))
    return rb_cli_usage (cli, "--scenario: %s", SCENARIOS);
  if (options.region != NULL && !rb_member_id_is_valid (options.region))
    return rb_cli_usage (cli, "--region: letters, digits, “.”, “_” and “-”");
  if (options.second_campaign != NULL && (options.region != NULL || options.vehicles > LIST_MAX))
    return rb_cli_usage (cli, "--second-campaign: of at most %d vehicles, without --region", LIST_MAX);
  demo.relation = options.second_campaign;
  demo.region = g_steal_pointer (&options.region);
  g_autoptr (RbFleet) fleet = rb_fleet_new ((guint) options.ecus, (guint) options.vehicles, (gsize) options.image_size);
  fleet->tester = (guint16) options.tester;
  if (!folder_is_free (argv[1], &error)
      || !make_demo (&demo, scenario, g_steal_pointer (&fleet), options.second_person, argv[1], &error))
    return rb_cli_fail (cli, error, NULL);
  return report (cli, &demo, argv[1]);
}

static const RbOption demo_options[] = {
  { "scenario", SCENARIOS, "what was compromised (director)", RB_OPTION_WORD (Options, scenario) },
  { "ecus", "N", "ECUs of a vehicle (7)", RB_OPTION_NUMBER (Options, ecus, RB_FLEET_ECUS_MIN, RB_FLEET_ECUS_MAX) },
  { "image-size", "BYTES", "bytes of an image (65536)",
    RB_OPTION_NUMBER (Options, image_size, RB_FLEET_IMAGE_MIN, RB_FLEET_IMAGE_MAX) },
  { "vehicles", "N", "vehicles of the OEM (1)", RB_OPTION_NUMBER (Options, vehicles, 1, RB_FLEET_VEHICLES_MAX) },
  { "region", "NAME", "VIN packs in one file of that region, the scope in a table (above 1000 vehicles: north)",
    RB_OPTION_TEXT (Options, region) },
  { "tester", "N", "the vehicles know only a tester with this logical address (any)",
    RB_OPTION_NUMBER (Options, tester, 1, G_MAXUINT16) },
  { "second-campaign", "after|supersedes|unordered", "a second open campaign, and what it says of the first (none)",
    RB_OPTION_WORD (Options, second_campaign) },
  { "second-person", NULL, "the campaign asks for a second person's signature",
    RB_OPTION_FLAG (Options, second_person) },
  { NULL },
};

const RbCliVerb rb_demo_verbs[] = {
  { "demo", "DIR", "make a demo OEM with a stolen key, its campaign and a vehicle, in DIR", verb_demo, demo_options, 1,
    1 },
  { NULL },
};
