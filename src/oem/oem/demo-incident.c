/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/demo-incident.h"

#include "core/json.h"
#include "core/moment.h"

#include <string.h>

#define YEAR ((gint64) 365 * RB_MOMENT_DAY)
#define CAMPAIGN_DAYS 60

/* Versions and release counters: the attacker's are above the genuine ones, the campaign's above the attacker's. */
enum { GENUINE_VERSION = 1, ATTACKER_VERSION = 100, CAMPAIGN_VERSION = 200, NEXT_VERSION = 300 };
enum { GENUINE_COUNTER = 1, ATTACKER_COUNTER = 66, CAMPAIGN_COUNTER = 100 };

static const char *const own[] = { "Aurora Motors", NULL };
static const char *const supplier_a[] = { "Supplier A", NULL };
static const char *const supplier_b[] = { "Supplier B", NULL };
static const char *const attacker_holder[] = { "attacker", NULL };

static void
publication_free (RbDemoPublication *self)
{
  g_hash_table_unref (self->director);
  g_hash_table_unref (self->image);
  g_ptr_array_unref (self->software);
  g_free (self);
}

void
rb_demo_incident_free (RbDemoIncident *self)
{
  g_free (self->scope_sha256);
  g_clear_pointer (&self->director, rb_publisher_free);
  g_clear_pointer (&self->image, rb_publisher_free);
  g_clear_pointer (&self->service, rb_publisher_free);
  g_clear_pointer (&self->genuine, g_ptr_array_unref);
  g_clear_pointer (&self->attacker, g_ptr_array_unref);
  g_clear_pointer (&self->good, g_ptr_array_unref);
  g_clear_pointer (&self->next, g_ptr_array_unref);
  g_clear_pointer (&self->past, g_ptr_array_unref);
  g_clear_pointer (&self->attack, publication_free);
  g_clear_pointer (&self->image_files, g_hash_table_unref);
  g_clear_pointer (&self->next_image_files, g_hash_table_unref);
  g_clear_pointer (&self->fleet, rb_fleet_free);
  g_free (self);
}

gboolean
rb_demo_incident_is_compromised (const RbDemoIncident *self, const RbFleetEcu *ecu)
{
  gboolean by_supplier = self->scenario == RB_SCENARIO_IMAGE_SUPPLIER || self->scenario == RB_SCENARIO_IMAGE_OEM;
  return strcmp (ecu->name, "brake") == 0 || strcmp (ecu->name, by_supplier ? "steering" : "door") == 0;
}

/* With the Director's keys the attacker also addresses full verification ECUs, which reject the image. */
static gboolean
is_aimed_at (const RbDemoIncident *self, const RbFleetEcu *ecu)
{
  return rb_demo_incident_is_compromised (self, ecu) || (self->scenario == RB_SCENARIO_DIRECTOR && ecu->full);
}

gboolean
rb_demo_incident_in_scope (const RbDemoIncident *self, guint number)
{
  /* the last vehicle of several has another maker's steering and brakes */
  gboolean spared = self->scenario == RB_SCENARIO_IMAGE_SUPPLIER && number > 1 && number == self->fleet->vehicles;
  return number <= self->fleet->vehicles && !spared;
}

static GPtrArray *
software_mix (const RbDemoIncident *self, gboolean attacker)
{
  GPtrArray *mix = g_ptr_array_new ();
  for (guint i = 0; i < self->fleet->ecus->len; i++) {
    gboolean stolen = attacker && is_aimed_at (self, rb_fleet_ecu (self->fleet, i));
    g_ptr_array_add (mix, (stolen ? self->attacker : self->genuine)->pdata[i]);
  }
  return mix;
}

static gboolean
set_keys (RbPublisher *repository, const char *role, guint n, guint threshold, gboolean online,
          const char *const *organisations, GError **error)
{
  RbKeyring *keys = rb_keyring_new (role, n, threshold, online, organisations, error);
  if (keys == NULL)
    return FALSE;
  rb_publisher_set_keys (repository, keys);
  return TRUE;
}

static gboolean
set_director_online_keys (RbPublisher *director, GError **error)
{
  return set_keys (director, "timestamp", 1, 1, TRUE, own, error)
         && set_keys (director, "snapshot", 1, 1, TRUE, own, error)
         && set_keys (director, "targets", 1, 1, TRUE, own, error);
}

static gboolean
set_image_fresh_keys (RbPublisher *image, const char *const *holders, GError **error)
{
  return set_keys (image, "timestamp", 2, 1, TRUE, holders, error)
         && set_keys (image, "snapshot", 2, 1, TRUE, holders, error);
}

static gboolean
set_image_keys (RbPublisher *image, const char *const *holders, GError **error)
{
  return set_keys (image, "root", 8, 5, FALSE, holders, error) && set_image_fresh_keys (image, holders, error)
         && set_keys (image, "targets", 4, 3, FALSE, holders, error);
}

static gboolean
delegate (RbDemoIncident *self, const char *supplier, const char *const *holders, GError **error)
{
  RbKeyring *keys = rb_keyring_new (supplier, 2, 1, FALSE, holders, error);
  if (keys == NULL)
    return FALSE;
  g_autofree char *pattern = g_strconcat (supplier, "/*", NULL);
  const char *const paths[] = { pattern, NULL };
  g_autoptr (GPtrArray) hardware_ids = g_ptr_array_new ();
  for (guint i = 0; i < self->fleet->ecus->len; i++)
    if (strcmp (rb_fleet_ecu (self->fleet, i)->supplier, supplier) == 0)
      g_ptr_array_add (hardware_ids, rb_fleet_ecu (self->fleet, i)->hardware_id);
  g_ptr_array_add (hardware_ids, NULL);
  rb_publisher_delegate (self->image, keys, paths, (const char *const *) hardware_ids->pdata);
  return TRUE;
}

static gboolean
found_repositories (RbDemoIncident *self, GError **error)
{
  static const char *const authority[] = { "Aurora Motors Recall Authority", "Road Safety Institute", NULL };
  self->director = rb_publisher_new ("director");
  self->image = rb_publisher_new ("image");
  self->service = rb_publisher_new ("service");
  return set_keys (self->director, "root", 8, 5, FALSE, own, error) && set_director_online_keys (self->director, error)
         && set_image_keys (self->image, own, error) && delegate (self, "supplier-a", supplier_a, error)
         && delegate (self, "supplier-b", supplier_b, error)
         && set_keys (self->service, "root", 8, 5, FALSE, authority, error)
         && set_keys (self->service, "timestamp", 2, 1, TRUE, authority, error)
         && set_keys (self->service, "snapshot", 2, 1, TRUE, authority, error)
         && set_keys (self->service, "targets", 5, 3, FALSE, authority, error)
         && rb_publisher_publish_root (self->director, self->now + YEAR, TRUE, error)
         && rb_publisher_publish_root (self->image, self->now + YEAR, TRUE, error)
         && rb_publisher_publish_root (self->service, self->now + YEAR, TRUE, error);
}

/* The assignments of vehicle 1 when an ECU is forgotten. */
static void
forget_undirected (const RbDemoIncident *self, GPtrArray *software, json_t *targets)
{
  for (guint i = 0; i < self->fleet->ecus->len; i++)
    if (rb_fleet_ecu (self->fleet, i)->undirected)
      json_object_del (targets, ((RbFleetSoftware *) software->pdata[i])->path);
}

static GHashTable *
publish_director (const RbDemoIncident *self, guint number, GPtrArray *software, gint64 version, GError **error)
{
  g_autoptr (json_t) extra = rb_fleet_director_members (self->fleet, number);
  g_autoptr (json_t) targets = rb_fleet_director_targets (self->fleet, software, number);
  const RbPublisherPlan plan = { .version = version,
                                 .targets_version = version,
                                 .expires = self->expires,
                                 .targets_expires = self->expires,
                                 .targets = targets,
                                 .extra = extra };
  if (number == 1 && version == CAMPAIGN_VERSION)
    forget_undirected (self, software, targets);
  return rb_publisher_publish (self->director, &plan, error);
}

/* versions: of timestamp and snapshot, of the OEM's targets, of supplier-a's. */
static GHashTable *
publish_image (const RbDemoIncident *self, RbPublisher *image, GPtrArray *software, const gint64 versions[3],
               json_t *more_targets, GError **error)
{
  g_autoptr (json_t) targets = rb_fleet_image_targets (self->fleet, software, "");
  g_autoptr (json_t) a = rb_fleet_image_targets (self->fleet, software, "supplier-a");
  g_autoptr (json_t) b = rb_fleet_image_targets (self->fleet, software, "supplier-b");
  if (more_targets != NULL)
    json_object_update (targets, more_targets);
  rb_publisher_set_delegated (image, "supplier-a", versions[2], a);
  rb_publisher_set_delegated (image, "supplier-b", versions[1], b);
  const RbPublisherPlan plan = { .version = versions[0],
                                 .targets_version = versions[1],
                                 .expires = self->expires,
                                 .targets_expires = self->now + YEAR,
                                 .targets = targets };
  GHashTable *files = rb_publisher_publish (image, &plan, error);
  if (files != NULL)
    rb_publisher_add_roots (image, files);
  return files;
}

/* Takes image and software. */
static RbDemoPublication *
publication_new (RbDemoIncident *self, GHashTable *image, GPtrArray *software, gint64 director_version, GError **error)
{
  GHashTable *director = image == NULL ? NULL : publish_director (self, 1, software, director_version, error);
  if (director == NULL) {
    g_clear_pointer (&image, g_hash_table_unref);
    g_ptr_array_unref (software);
    return NULL;
  }
  rb_publisher_add_roots (self->director, director);
  RbDemoPublication *publication = g_new0 (RbDemoPublication, 1);
  *publication = (RbDemoPublication){ director, image, software };
  return publication;
}

static RbDemoPublication *
publish_genuine (RbDemoIncident *self, GError **error)
{
  const gint64 versions[3] = { GENUINE_VERSION, GENUINE_VERSION, GENUINE_VERSION };
  g_autoptr (GPtrArray) software = software_mix (self, FALSE);
  GHashTable *image = publish_image (self, self->image, software, versions, NULL, error);
  return publication_new (self, image, g_steal_pointer (&software), GENUINE_VERSION, error);
}

/* The attacker has the Director's online keys; the Image repository is the genuine one. */
static RbDemoPublication *
publish_attack_director (RbDemoIncident *self, guint step, GError **error)
{
  const RbDemoPublication *genuine = self->past->pdata[0];
  return publication_new (self, g_hash_table_ref (genuine->image), software_mix (self, TRUE), ATTACKER_VERSION + step,
                          error);
}

/* The attacker has supplier-a's keys: the OEM publishes the attacker's file and the Director directs its images. */
static RbDemoPublication *
publish_attack_supplier (RbDemoIncident *self, guint step, GError **error)
{
  const gint64 versions[3] = { GENUINE_VERSION + 1 + step, GENUINE_VERSION, ATTACKER_VERSION + step };
  g_autoptr (GPtrArray) software = software_mix (self, TRUE);
  GHashTable *image = publish_image (self, self->image, software, versions, NULL, error);
  return publication_new (self, image, g_steal_pointer (&software), GENUINE_VERSION + 1 + step, error);
}

/* The attacker has every key of the Image repository, not the suppliers', and makes another root. */
static RbDemoPublication *
publish_attack_image (RbDemoIncident *self, RbPublisher *stolen, guint step, GError **error)
{
  const gint64 versions[3] = { ATTACKER_VERSION + step, ATTACKER_VERSION + step, GENUINE_VERSION };
  g_autoptr (GPtrArray) genuine = software_mix (self, FALSE);
  g_autoptr (json_t) attacked = json_object ();
  for (guint i = 0; i < self->fleet->ecus->len; i++) {
    const RbFleetEcu *ecu = rb_fleet_ecu (self->fleet, i);
    g_autoptr (json_t) of_supplier = rb_fleet_image_targets (self->fleet, self->attacker, ecu->supplier);
    const RbFleetSoftware *software = self->attacker->pdata[i];
    if (is_aimed_at (self, ecu))
      json_object_set (attacked, software->path, json_object_get (of_supplier, software->path));
  }
  GHashTable *image = publish_image (self, stolen, genuine, versions, attacked, error);
  return publication_new (self, image, software_mix (self, TRUE), GENUINE_VERSION + 1 + step, error);
}

static RbDemoPublication *
publish_attack (RbDemoIncident *self, RbPublisher *stolen, guint step, GError **error)
{
  switch (self->scenario) {
  case RB_SCENARIO_DIRECTOR: return publish_attack_director (self, step, error);
  case RB_SCENARIO_IMAGE_SUPPLIER: return publish_attack_supplier (self, step, error);
  case RB_SCENARIO_IMAGE_OEM: return publish_attack_image (self, stolen, step, error);
  case RB_SCENARIO_ECU_KEYS: break;
  }
  return NULL;
}

static gboolean
publish_past (RbDemoIncident *self, GError **error)
{
  RbDemoPublication *genuine = publish_genuine (self, error);
  if (genuine == NULL)
    return FALSE;
  g_ptr_array_add (self->past, genuine);
  if (self->scenario == RB_SCENARIO_ECU_KEYS)
    return TRUE;
  g_autoptr (RbPublisher) stolen = rb_publisher_copy (self->image);
  if (self->scenario == RB_SCENARIO_IMAGE_OEM
      && (!set_image_keys (stolen, attacker_holder, error)
          || !rb_publisher_publish_root (stolen, self->now + YEAR, TRUE, error)))
    return FALSE;
  RbDemoPublication *believed = publish_attack (self, stolen, 0, error);
  if (believed == NULL)
    return FALSE;
  g_ptr_array_add (self->past, believed);
  self->attack = publish_attack (self, stolen, 1, error);
  return self->attack != NULL;
}

static gboolean
replace_keys (RbDemoIncident *self, GError **error)
{
  switch (self->scenario) {
  case RB_SCENARIO_DIRECTOR:
    return set_director_online_keys (self->director, error)
           && rb_publisher_publish_root (self->director, self->now + YEAR, TRUE, error);
  case RB_SCENARIO_IMAGE_SUPPLIER:
    return set_image_fresh_keys (self->image, own, error) && delegate (self, "supplier-a", supplier_a, error)
           && rb_publisher_publish_root (self->image, self->now + YEAR, TRUE, error);
  case RB_SCENARIO_IMAGE_OEM: /* the chain proves nothing: an attacker with the old keys could have made it */
    return set_image_keys (self->image, own, error)
           && rb_publisher_publish_root (self->image, self->now + YEAR, FALSE, error);
  case RB_SCENARIO_ECU_KEYS: break;
  }
  return TRUE;
}

/* Images that carry the Director root carry the newest. (transfer full) */
static GPtrArray *
make_software (const RbDemoIncident *self, const char *version, gint64 counter)
{
  GBytes *root = rb_publisher_root (self->director, rb_publisher_root_version (self->director));
  return rb_fleet_software (self->fleet, version, counter, root);
}

static gboolean
respond (RbDemoIncident *self, GError **error)
{
  const gint64 versions[3] = { CAMPAIGN_VERSION, CAMPAIGN_VERSION, CAMPAIGN_VERSION };
  if (!replace_keys (self, error))
    return FALSE;
  self->good = make_software (self, "2.0", CAMPAIGN_COUNTER);
  self->image_files = publish_image (self, self->image, self->good, versions, NULL, error);
  return self->image_files != NULL;
}

GHashTable *
rb_demo_incident_director_files (const RbDemoIncident *self, guint number, GError **error)
{
  return publish_director (self, number, self->good, CAMPAIGN_VERSION, error);
}

gint64
rb_demo_incident_director_version (void)
{
  return CAMPAIGN_VERSION;
}

gboolean
rb_demo_incident_go_on (RbDemoIncident *self, GError **error)
{
  const gint64 versions[3] = { NEXT_VERSION, NEXT_VERSION, NEXT_VERSION };
  self->next = make_software (self, "2.1", CAMPAIGN_COUNTER + 1);
  self->next_image_files = publish_image (self, self->image, self->next, versions, NULL, error);
  return self->next_image_files != NULL;
}

GHashTable *
rb_demo_incident_next_director_files (const RbDemoIncident *self, guint number, GError **error)
{
  return publish_director (self, number, self->next, NEXT_VERSION, error);
}

RbDemoIncident *
rb_demo_incident_new (RbScenario scenario, RbFleet *fleet, gint64 now, GError **error)
{
  g_autoptr (RbDemoIncident) self = g_new0 (RbDemoIncident, 1);
  self->scenario = scenario;
  self->fleet = fleet;
  self->now = now;
  self->expires = now + (gint64) CAMPAIGN_DAYS * RB_MOMENT_DAY;
  self->past = g_ptr_array_new_with_free_func ((GDestroyNotify) publication_free);
  if (!found_repositories (self, error))
    return NULL;
  self->genuine = make_software (self, "1.0", GENUINE_COUNTER);
  self->attacker = make_software (self, "1.9", ATTACKER_COUNTER);
  if (!publish_past (self, error) || !respond (self, error))
    return NULL;
  return g_steal_pointer (&self);
}
