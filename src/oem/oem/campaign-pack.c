/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/campaign-pack.h"

#include "campaign/pack-file.h"
#include "core/bytes.h"
#include "core/files.h"
#include "core/json.h"
#include "core/moment.h"
#include "crypto/digest.h"
#include "keystore/identity.h"
#include "crypto/secret.h"
#include "oem/office.h"
#include "oem/file-set.h"
#include "oem/vehicle-pack.h"

#include <glib/gstdio.h>
#include <string.h>

#define MAX_REQUEST (1024 * 1024)
#define APPROVAL "recallbay-replacement-v1"

typedef struct {
  GStrv replaces;
  char *approved_by, *output, *passphrase_file, *request;
} Options;

static void
options_clear (Options *self)
{
  g_strfreev (self->replaces);
  g_free (self->approved_by);
  g_free (self->output);
  g_free (self->passphrase_file);
  g_free (self->request);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

/* One pack in the making. */
typedef struct {
  RbOffice *office;
  RbOemFolder *folder; /* locked: versions are given out once */
  RbVehiclePack *authored; /* NULL: the plan and keys of the office direct */
  RbCampaign *campaign;
  GBytes *campaign_json;
  json_t *plan, *vehicle, *packs;
  json_t *present; /* ECUs of the vehicle now: [{"serial", "hardware_id", "built", "old"?, "approvedBy"?}] */
  json_t *approvals; /* of this pack, for the ledger */
  RbPublisher *director;
  RbPrivateKey *approver; /* NULL: nothing is replaced */
  const char *vin;
  gint64 version, now;
} Making;

static void
making_clear (Making *self)
{
  g_clear_pointer (&self->office, rb_office_free);
  g_clear_pointer (&self->authored, rb_vehicle_pack_free);
  g_clear_pointer (&self->folder, rb_oem_folder_free);
  g_clear_pointer (&self->campaign, rb_campaign_free);
  g_clear_pointer (&self->campaign_json, g_bytes_unref);
  g_clear_pointer (&self->director, rb_publisher_free);
  g_clear_pointer (&self->approver, rb_key_private_unref);
  json_decref (self->plan);
  json_decref (self->vehicle);
  json_decref (self->packs);
  json_decref (self->present);
  json_decref (self->approvals);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Making, making_clear)

static gboolean
campaign_pack_error (GError **error, RbReason reason, const char *vin, const char *serial, const char *text)
{
  return rb_reason_deny (error, RB_OEM_ERROR, reason, "vehicle %s: ECU %s: %s", vin, serial, text);
}

static json_t *
find (const json_t *list, const char *serial)
{
  size_t i;
  json_t *entry;
  json_array_foreach ((json_t *) list, i, entry)
    if (strcmp (rb_json_string_or (entry, "serial", ""), serial) == 0)
      return entry;
  return NULL;
}

/* The part takes the place of the ECU. */
static gboolean
replace (Making *self, const char *old, const char *part, const char *approved_by, GError **error)
{
  json_t *place = find (self->present, old);
  if (place == NULL)
    return campaign_pack_error (error, RB_REASON_ECU_UNKNOWN, self->vin, old, "not in the vehicle as the OEM knows it");
  if (find (self->present, part) != NULL)
    return campaign_pack_error (error, RB_REASON_ECU_REPEATED, self->vin, part,
                                "in the vehicle already, as the OEM knows it");
  rb_json_set_string (place, "serial", part);
  rb_json_set_string (place, "old", old);
  rb_json_set_string (place, "approvedBy", approved_by);
  return TRUE;
}

/* As built, then what earlier packs have replaced. */
static gboolean
read_present (Making *self, GError **error)
{
  size_t i, j;
  json_t *ecu, *pack, *entry;
  self->present = json_array ();
  json_array_foreach (json_object_get (self->vehicle, "ecus"), i, ecu)
    json_array_append_new (self->present,
                           json_pack ("{s:O,s:O,s:O}", "serial", json_object_get (ecu, "serial"), "hardware_id",
                                      json_object_get (ecu, "hardware_id"), "built", json_object_get (ecu, "serial")));
  json_array_foreach (self->packs, i, pack) {
    self->version = MAX (self->version, rb_json_integer_or (pack, "version", 0));
    json_array_foreach (json_object_get (pack, "replaced"), j, entry)
      if (!replace (self, rb_json_string_or (entry, "old", ""), rb_json_string_or (entry, "serial", ""),
                    rb_json_string_or (entry, "approvedBy", ""), error))
        return FALSE;
  }
  return TRUE;
}

/* How it was built, and who directs it: the Director that the folder authors, or the office's plan. */
static json_t *
read_vehicle (Making *self, const char *id, GError **error)
{
  if (rb_vehicle_pack_is_authored (self->folder)) {
    self->authored = rb_vehicle_pack_open (self->folder, id, self->now, error);
    return self->authored == NULL ? NULL : rb_vehicle_pack_vehicle (self->authored, self->vin, error);
  }
  self->plan = rb_office_plan (self->office, id, error);
  self->version = rb_json_integer_or (self->plan, "version", 0);
  return self->plan == NULL ? NULL : rb_office_vehicle (self->office, self->vin, error);
}

static gboolean
open_all (Making *self, const char *folder, const char *id, GError **error)
{
  self->office = rb_office_open (folder, error);
  self->folder = self->office == NULL ? NULL : rb_oem_folder_open (folder, error);
  self->campaign_json = self->folder == NULL ? NULL : rb_office_campaign (self->office, id, &self->campaign, error);
  if (self->campaign_json == NULL)
    return FALSE;
  if (!rb_campaign_vin_is_valid (self->vin))
    return rb_reason_deny (error, RB_OEM_ERROR, RB_REASON_VIN_INVALID, "“%s” is not a VIN", self->vin);
  if (!rb_campaign_check_vin (self->campaign, self->vin, error))
    return FALSE;
  if (self->now >= self->campaign->expires)
    return rb_reason_deny (error, RB_OEM_ERROR, RB_REASON_CAMPAIGN_EXPIRED, "campaign %s: expired", id);
  self->vehicle = read_vehicle (self, id, error);
  self->packs = self->vehicle == NULL ? NULL : rb_office_packs (self->office, self->vin, error);
  self->approvals = json_array ();
  return self->packs != NULL && read_present (self, error);
}

/* The statement that the approver signs: this part, in this ECU's place, in this vehicle, for this campaign. */
static char *
sign_approval (Making *self, const char *old, const char *part, const char *hardware_id, GError **error)
{
  g_autoptr (json_t) said = json_pack ("{s:s,s:s,s:s,s:s,s:s,s:s}", "type", APPROVAL, "vin", self->vin, "campaign",
                                       self->campaign->id, "old", old, "serial", part, "hardware_id", hardware_id);
  g_autoptr (GBytes) bytes = rb_json_to_bytes (said);
  g_autoptr (GBytes) signature
    = rb_key_sign (self->approver, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), error);
  return signature == NULL ? NULL : rb_bytes_to_base64 (signature);
}

static gboolean
approve (Making *self, const char *old, const char *part, GError **error)
{
  const char *key_id = rb_key_public_id (rb_key_private_public (self->approver));
  if (!replace (self, old, part, key_id, error))
    return FALSE;
  const char *hardware_id = rb_json_string_or (find (self->present, part), "hardware_id", "");
  g_autoptr (json_t) registered = rb_office_part (self->office, part);
  if (registered != NULL && strcmp (rb_json_string_or (registered, "hardware_id", ""), hardware_id) != 0)
    return campaign_pack_error (error, RB_REASON_HARDWARE_MISMATCH, self->vin, part,
                                "the register of parts gives it other hardware");
  g_autofree char *signature = sign_approval (self, old, part, hardware_id, error);
  if (signature == NULL)
    return FALSE;
  json_array_append_new (self->approvals, json_pack ("{s:s,s:s,s:s,s:s,s:s}", "old", old, "serial", part, "hardware_id",
                                                     hardware_id, "approvedBy", key_id, "signature", signature));
  return TRUE;
}

/* A request names what was read at the vehicle: nothing else is replaced by it. */
static gboolean
check_request (Making *self, const Options *options, GError **error)
{
  g_autoptr (json_t) request
    = options->request == NULL ? json_object () : rb_json_load (options->request, MAX_REQUEST, error);
  if (request == NULL)
    return FALSE;
  if (options->request != NULL && strcmp (rb_json_string_or (request, "vin", ""), self->vin) != 0)
    return rb_reason_deny (error, RB_OEM_ERROR, RB_REASON_VIN_MISMATCH, "%s: expected a request of vehicle %s",
                           options->request, self->vin);
  for (guint i = 0; options->request != NULL && options->replaces != NULL && options->replaces[i] != NULL; i++) {
    g_auto (GStrv) pair = g_strsplit (options->replaces[i], "=", 2);
    if (find (json_object_get (request, "ecus"), pair[1]) == NULL)
      return campaign_pack_error (error, RB_REASON_ECU_UNKNOWN, self->vin, pair[1], "the request does not name it");
  }
  return TRUE;
}

/* A key whose card in the folder says that it is retired approves nothing. */
static gboolean
check_not_retired (const Making *self, const char *name, GError **error)
{
  if (!rb_key_card_exists (self->folder->path, name))
    return TRUE;
  g_autoptr (RbKeyCard) card = rb_key_card_load (self->folder->path, name, error);
  if (card == NULL)
    return FALSE;
  return card->retired == 0
         || rb_reason_deny (error, RB_OEM_ERROR, RB_REASON_KEY_RETIRED, "--approved-by: key %s is retired", name);
}

static gboolean
approve_all (Making *self, const Options *options, const char *passphrase, GError **error)
{
  if (options->replaces == NULL)
    return TRUE;
  if (!check_not_retired (self, options->approved_by, error))
    return FALSE;
  self->approver = rb_office_key (self->office, options->approved_by, passphrase, error);
  if (self->approver == NULL || !rb_office_check_approver (self->office, rb_key_private_public (self->approver), error))
    return FALSE;
  for (guint i = 0; options->replaces[i] != NULL; i++) {
    g_auto (GStrv) pair = g_strsplit (options->replaces[i], "=", 2);
    if (!approve (self, pair[0], pair[1], error))
      return FALSE;
  }
  return TRUE;
}

/* Takes nothing; NULL with error where the campaign directs nothing to one of the ECUs. */
static json_t *
director_targets (Making *self, GError **error)
{
  g_autoptr (json_t) targets = json_object ();
  size_t i;
  json_t *ecu;
  json_array_foreach (self->present, i, ecu) {
    const char *serial = rb_json_string_or (ecu, "serial", ""),
               *hardware_id = rb_json_string_or (ecu, "hardware_id", "");
    const json_t *planned = json_object_get (json_object_get (self->plan, "targets"), hardware_id);
    const char *path = rb_json_string_or (planned, "path", NULL);
    if (path == NULL) {
      campaign_pack_error (error, RB_REASON_ECU_NOT_DIRECTED, self->vin, serial,
                           "the campaign directs nothing to its hardware");
      return NULL;
    }
    json_t *entry = json_copy (json_object_get (planned, "entry"));
    rb_json_set (entry, "custom",
                 json_pack ("{s:{s:{s:s}},s:O}", "ecuIdentifiers", serial, "hardwareId", hardware_id, "releaseCounter",
                            json_object_get (planned, "releaseCounter")));
    rb_json_set (targets, path, entry);
  }
  return g_steal_pointer (&targets);
}

static json_t *
director_members (Making *self)
{
  json_t *built = json_array (), *replaced = json_array ();
  size_t i;
  json_t *ecu;
  json_array_foreach (self->present, i, ecu) {
    json_t *serial = json_object_get (ecu, "serial"), *hardware_id = json_object_get (ecu, "hardware_id");
    json_array_append_new (built, json_pack ("{s:O,s:O}", "serial", serial, "hardware_id", hardware_id));
    if (json_object_get (ecu, "old") != NULL)
      json_array_append_new (replaced,
                             json_pack ("{s:O,s:O,s:O,s:O}", "old", json_object_get (ecu, "old"), "serial", serial,
                                        "hardware_id", hardware_id, "approvedBy", json_object_get (ecu, "approvedBy")));
  }
  json_t *custom = json_pack ("{s:o}", "asBuilt", built);
  if (json_array_size (replaced) > 0)
    rb_json_set (custom, "replaced", json_incref (replaced));
  json_decref (replaced);
  return json_pack ("{s:s,s:o}", "vin", self->vin, "custom", custom);
}

static GHashTable *
publish (Making *self, const char *secret, GError **error)
{
  g_autoptr (json_t) extra = director_members (self);
  if (self->authored != NULL)
    return rb_vehicle_pack_sign (self->authored, self->vin, self->present, json_object_get (extra, "custom"), secret,
                                 &self->version, error);
  g_autoptr (json_t) targets = director_targets (self, error);
  const RbPublisherPlan plan = { .version = self->version,
                                 .targets_version = self->version,
                                 .expires = self->campaign->expires,
                                 .targets_expires = self->campaign->expires,
                                 .targets = targets,
                                 .extra = extra };
  return targets == NULL ? NULL : rb_publisher_publish (self->director, &plan, error);
}

/* The register has the update of a part; one that it does not have carries the keys of the ECU whose place it takes, or
 * refuses. */
static json_t *
she_update (Making *self, const json_t *ecu)
{
  const char *serial = rb_json_string_or (ecu, "serial", "");
  g_autoptr (json_t) part = rb_office_part (self->office, serial);
  const json_t *own = json_object_get (part, "she");
  const json_t *built = find (json_object_get (self->vehicle, "she"), rb_json_string_or (ecu, "built", ""));
  json_t *update = json_is_object (own) ? json_deep_copy (own) : built != NULL ? json_deep_copy (built) : NULL;
  if (update != NULL)
    rb_json_set_string (update, "serial", serial);
  return update;
}

/* NULL: no ECU of it has a SHE key. */
static GBytes *
she_file (Making *self)
{
  g_autoptr (json_t) updates = json_array ();
  size_t i;
  json_t *ecu;
  json_array_foreach (self->present, i, ecu) {
    json_t *update = she_update (self, ecu);
    if (update != NULL)
      json_array_append_new (updates, update);
  }
  if (json_array_size (updates) == 0)
    return NULL;
  g_autoptr (json_t) file = json_pack ("{s:s,s:O}", "format", "recallbay-she-2", "updates", updates);
  return rb_json_to_bytes (file);
}

static gboolean
note (Making *self, GError **error)
{
  g_autoptr (json_t) line = json_pack ("{s:s,s:s,s:I,s:O}", "vin", self->vin, "campaign", self->campaign->id, "version",
                                       (json_int_t) self->version, "replaced", self->approvals);
  rb_json_set_moment (line, "at", self->now);
  return rb_office_note_pack (self->office, line, error);
}

static gboolean
make (Making *self, const char *output, const char *secret, GError **error)
{
  g_autoptr (RbFileSet) pack = rb_file_set_new ();
  g_autofree char *sha256 = rb_digest_sha256_hex_of (self->campaign_json);
  g_autofree char *director = g_strdup_printf ("vins/%s/director", self->vin);
  self->version++;
  g_autoptr (GBytes) head = rb_pack_file_new (self->campaign->id, sha256, self->vin);
  g_autoptr (GHashTable) files = publish (self, secret, error);
  g_autoptr (GBytes) she = files == NULL ? NULL : she_file (self);
  if (files == NULL || !note (self, error)
      || (self->authored != NULL && !rb_vehicle_pack_commit (self->authored, error)))
    return FALSE;
  rb_file_set_add (pack, head, "%s", RB_PACK_FILE);
  rb_file_set_add_table (pack, files, director);
  if (she != NULL)
    rb_file_set_add (pack, she, "vins/%s/she.json", self->vin);
  return rb_file_set_write_tar (pack, output, self->now, error);
}

static gboolean
check_options (RbCli *cli, const Options *options, int *code)
{
  for (guint i = 0; options->replaces != NULL && options->replaces[i] != NULL; i++) {
    const char *equals = strchr (options->replaces[i], '=');
    if (equals == NULL || equals == options->replaces[i] || equals[1] == '\0') {
      *code = rb_cli_usage (cli, "--replace: OLD=NEW, two serial numbers");
      return FALSE;
    }
  }
  if ((options->replaces == NULL) == (options->approved_by == NULL))
    return TRUE;
  *code = rb_cli_usage (cli, options->replaces == NULL ? "--approved-by: without --replace"
                                                       : "--replace: --approved-by KEY is missing");
  return FALSE;
}

static char *
passphrase (RbCli *cli, Making *self, const Options *options, GError **error)
{
  const char *file
    = options->passphrase_file != NULL ? options->passphrase_file : rb_office_passphrase_file (self->office);
  return rb_cli_passphrase (cli, file, "Passphrase of the keys", error);
}

static gboolean
make_all (RbCli *cli, Making *self, const Options *options, const char *id, GError **error)
{
  g_autoptr (GError) problem = NULL;
  if (!open_all (self, cli->data_dir, id, error) || !check_request (self, options, error))
    return FALSE;
  char *secret = passphrase (cli, self, options, &problem);
  if (problem != NULL) {
    g_propagate_error (error, g_steal_pointer (&problem));
    return FALSE;
  }
  self->director = self->authored != NULL ? NULL : rb_office_director (self->office, secret, error);
  gboolean made = (self->authored != NULL || self->director != NULL) && approve_all (self, options, secret, error)
                  && make (self, options->output, secret, error);
  rb_secret_free (secret);
  return made;
}

static int
verb_pack (RbCli *cli, int argc, char **argv)
{
  g_auto (Options) options = { NULL };
  g_auto (Making) self = { .now = rb_moment_now () };
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code) || !check_options (cli, &options, &code))
    return code;
  self.vin = argv[2];
  if (!make_all (cli, &self, &options, argv[1], &error))
    return rb_cli_fail (cli, error, NULL);
  g_autofree char *message = g_strdup_printf ("VIN pack of %s, version %" G_GINT64_FORMAT ", %zu ECUs replaced: %s",
                                              self.vin, self.version, json_array_size (self.approvals), options.output);
  return rb_cli_end (cli, RB_CLI_OK, "ok", message,
                     json_pack ("{s:s,s:s,s:I,s:O}", "vin", self.vin, "campaign", argv[1], "version",
                                (json_int_t) self.version, "replaced", self.approvals));
}

static const RbOption pack_options[] = {
  { "replace", "OLD=NEW", "a part takes an ECU's place, by serial numbers; may be repeated",
    RB_OPTION_TEXTS (Options, replaces) },
  { "approved-by", "KEY", "who approves that: name of a key in the OEM's folder, or a file",
    RB_OPTION_TEXT (Options, approved_by) },
  { "request", "FILE", "the workstation's request: only what it names is replaced", RB_OPTION_FILE (Options, request) },
  { "passphrase-file", "FILE", "passphrase of the keys", RB_OPTION_FILE (Options, passphrase_file) },
  { "output", "FILE", "where the pack goes", RB_OPTION_FILE (Options, output), .needed = TRUE, .letter = 'o' },
  { NULL },
};

const RbCliVerb rb_campaign_pack_verbs[] = {
  { "campaign pack", "ID VIN", "a VIN pack for one vehicle, also with parts in it", verb_pack, pack_options, 2, 2 },
  { NULL },
};
