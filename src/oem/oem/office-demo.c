/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/office-demo.h"

#include "core/json.h"
#include "keymaker/keygen.h"
#include "oem/demo-campaign.h"

#include <string.h>

#define PART_NUMBER 9001 /* serial numbers of spare parts end with it: no vehicle has that number */

struct _RbOfficeDemo {
  const RbDemoIncident *incident;
  const RbPki *pki;
  GString *vehicles; /* lines */
};

RbOfficeDemo *
rb_office_demo_new (const RbDemoIncident *incident, const RbPki *pki)
{
  RbOfficeDemo *self = g_new0 (RbOfficeDemo, 1);
  self->incident = incident;
  self->pki = pki;
  self->vehicles = g_string_new (NULL);
  return self;
}

void
rb_office_demo_free (RbOfficeDemo *self)
{
  if (self == NULL)
    return;
  g_string_free (self->vehicles, TRUE);
  g_free (self);
}

static void
add_line (GString *lines, const json_t *value)
{
  g_autofree char *text = rb_json_to_text (value);
  g_string_append_printf (lines, "%s\n", text);
}

void
rb_office_demo_add_vehicle (RbOfficeDemo *self, guint number, RbShePlan *she)
{
  const RbFleet *fleet = self->incident->fleet;
  g_autofree char *vin = rb_fleet_vin (number);
  json_t *ecus = json_array (), *updates = json_array ();
  for (guint i = 0; i < fleet->ecus->len; i++) {
    const RbFleetEcu *ecu = rb_fleet_ecu (fleet, i);
    g_autofree char *serial = rb_fleet_serial (ecu, number);
    json_array_append_new (ecus, json_pack ("{s:s,s:s}", "serial", serial, "hardware_id", ecu->hardware_id));
  }
  if (she != NULL)
    json_array_append_new (updates, rb_she_plan_update (she));
  g_autoptr (json_t) line = json_pack ("{s:s,s:o,s:o}", "vin", vin, "ecus", ecus, "she", updates);
  add_line (self->vehicles, line);
}

static void
add_private (RbFileSet *pack, const char *name, const char *text)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
  rb_file_set_add_private (pack, bytes, name);
}

/* Takes value. */
static void
add_private_json (RbFileSet *pack, const char *name, json_t *value)
{
  g_autofree char *text = rb_json_to_pretty (value);
  add_private (pack, name, text);
  json_decref (value);
}

static void
add_key (RbOfficeDemo *self, RbFileSet *pack, const char *name, RbPrivateKey *key)
{
  g_autofree char *pem = rb_key_private_pem (key, self->pki->passphrase);
  g_autofree char *path = g_strdup_printf ("oem/keys/%s.pem", name);
  add_private (pack, path, pem);
}

static void
add_director_keys (RbOfficeDemo *self, RbFileSet *pack)
{
  static const char *const roles[] = { "timestamp", "snapshot", "targets" };
  for (guint i = 0; i < G_N_ELEMENTS (roles); i++) {
    GPtrArray *keys = rb_keyring_private (rb_publisher_keys (self->incident->director, roles[i]));
    for (guint j = 0; j < keys->len; j++) {
      g_autofree char *name = g_strdup_printf ("director-%s-%u", roles[i], j + 1);
      add_key (self, pack, name, keys->pdata[j]);
    }
  }
}

static gboolean
add_config (RbOfficeDemo *self, RbFileSet *pack, GError **error)
{
  g_autoptr (RbPrivateKey) approver = rb_keygen_new (RB_KEY_ED25519, error);
  if (approver == NULL)
    return FALSE;
  add_key (self, pack, "approver-1", approver);
  add_private_json (pack, "oem/oem.json",
                    json_pack ("{s:s,s:s,s:[s],s:[s],s:s}", "format", "recallbay-oem-1", "name", RB_DEMO_CAMPAIGN_OEM,
                               "wmi", RB_FLEET_WMI, "approvers", rb_key_public_id (rb_key_private_public (approver)),
                               "passphrase_file", "../passphrase"));
  return TRUE;
}

static json_t *
director_plan (const RbDemoIncident *incident)
{
  json_t *targets = json_object ();
  for (guint i = 0; i < incident->fleet->ecus->len; i++) {
    const RbFleetSoftware *good = incident->good->pdata[i];
    rb_json_set (targets, rb_fleet_ecu (incident->fleet, i)->hardware_id,
                 json_pack ("{s:s,s:O,s:I}", "path", good->path, "entry", good->entry, "releaseCounter",
                            (json_int_t) good->counter));
  }
  return json_pack ("{s:s,s:I,s:o}", "format", "recallbay-director-plan-1", "version",
                    (json_int_t) rb_demo_incident_director_version (), "targets", targets);
}

static void
add_parts (RbOfficeDemo *self, RbFileSet *pack)
{
  g_autoptr (GString) lines = g_string_new (NULL);
  json_t *shelf = json_array ();
  for (guint i = 0; i < self->incident->fleet->ecus->len; i++) {
    const RbFleetEcu *ecu = rb_fleet_ecu (self->incident->fleet, i);
    g_autofree char *serial = rb_fleet_serial (ecu, PART_NUMBER);
    g_autoptr (RbShePlan) she = ecu->she ? rb_she_plan_new ("", serial) : NULL;
    g_autoptr (json_t) part
      = json_pack ("{s:s,s:s,s:s,s:o}", "serial", serial, "hardware_id", ecu->hardware_id, "part_number",
                   ecu->part_number, "she", she == NULL ? json_null () : rb_she_plan_update (she));
    add_line (lines, part);
    json_array_append_new (shelf, json_pack ("{s:s,s:s,s:s,s:s,s:o}", "name", ecu->name, "serial", serial,
                                             "hardware_id", ecu->hardware_id, "part_number", ecu->part_number, "she",
                                             she == NULL ? json_null () : rb_she_plan_stored (she)));
  }
  add_private (pack, "oem/parts.jsonl", lines->str);
  add_private_json (pack, "vehicle/parts.json", shelf);
}

gboolean
rb_office_demo_add_files (RbOfficeDemo *self, GBytes *campaign, RbFileSet *pack, GError **error)
{
  const char *id = rb_demo_campaign_id (self->incident->scenario);
  g_autofree char *campaign_path = g_strdup_printf ("oem/campaigns/%s.json", id);
  g_autofree char *plan_path = g_strdup_printf ("oem/campaigns/%s.director.json", id);
  add_director_keys (self, pack);
  add_private (pack, "oem/key-agreement.pem", self->pki->key_agreement_pem);
  rb_file_set_add_private (pack, campaign, campaign_path);
  add_private_json (pack, plan_path, director_plan (self->incident));
  add_private (pack, "oem/vehicles.jsonl", self->vehicles->str);
  add_parts (self, pack);
  return add_config (self, pack, error);
}
