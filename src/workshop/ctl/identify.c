/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/identify.h"

#include "cansetup/can-setup.h"
#include "link/can-preset.h"

#include "core/json.h"
#include "core/moment.h"
#include "ctl/identities.h"
#include "library/library.h"
#include "recovery/findings.h"
#include "recovery/hold.h"
#include "recovery/journal.h"
#include "recovery/swapped.h"
#include "recovery/vehicle-link.h"
#include "vehicle/search.h"
#include "vehicle/ecu-claims.h"

#include <glib/gi18n-lib.h>
#include <inttypes.h>
#include <string.h>

#define DISCOVERY_MS 1000
#define VIN_LENGTH 17

static void
set_root (json_t *object, const char *number, const char *digest, const RbEcuRoot *root)
{
  gboolean has = root->sha256[0] != '\0';
  rb_json_set (object, number, has ? json_integer (root->version) : json_null ());
  rb_json_set_string (object, digest, has ? root->sha256 : NULL);
}

static json_t *
claims_json (const char *name, const RbEcuClaims *claims, const char *part_number)
{
  json_t *object = json_object ();
  rb_json_set_string (object, "name", name);
  rb_json_set_string (object, "part_number", part_number);
  rb_json_set_string (object, "serial", claims->serial);
  rb_json_set_string (object, "hardware_id", claims->hardware_id);
  rb_json_set_string (object, "image_sha256", claims->claimed_sha256[0] == '\0' ? NULL : claims->claimed_sha256);
  rb_json_set_string (object, "software", claims->software);
  set_root (object, "director_root", "director_root_sha256", &claims->director);
  set_root (object, "image_root", "image_root_sha256", &claims->image);
  rb_json_set_string (object, "key_id", claims->key_id);
  rb_json_set_string (object, "boot", claims->application ? "application" : "bootloader");
  return object;
}

static void
say_claims (RbCli *cli, const char *name, const RbEcuClaims *claims)
{
  rb_cli_say (cli, _ ("  %-20s %-18s %-16s image %.12s  Director root %" PRId64 "  key %.12s  %s"), name,
              claims->serial, claims->software, claims->claimed_sha256, claims->director.version, claims->key_id,
              claims->application ? "" : _ ("in its bootloader"));
}

static RbContents *
contents_for (RbCli *cli, const char *vin)
{
  g_autoptr (RbLibrary) library = rb_library_new (cli->data_dir);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) list = rb_library_for_vin (library, vin, rb_moment_now (), NULL, &error);
  return list != NULL && list->len > 0 ? rb_contents_ref (list->pdata[0]) : NULL;
}

/* Findings: the lists hold everything that was seen, the first problem decides the verdict. */
typedef struct {
  json_t *ecus, *vins, *replaced;
  char *vin; /* NULL: no ECU reports one */
  GError *problem;
} Survey;

static void
survey_clear (Survey *self)
{
  json_decref (self->ecus);
  json_decref (self->vins);
  json_decref (self->replaced);
  g_free (self->vin);
  g_clear_error (&self->problem);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Survey, survey_clear)

static json_t *
unread_json (const char *name, const GError *failure)
{
  return json_pack ("{s:s,s:n,s:n,s:s,s:s}", "name", name, "serial", "hardware_id", "reason",
                    rb_reason_word (rb_reason_of (failure)), "message", failure->message);
}

/* The ECU is listed also without a VIN. FALSE: the link is lost, no further request is possible. */
static gboolean
note_unread (RbCli *cli, Survey *survey, const RbModelEcu *ecu, gboolean may_be_absent, GError *failure, GError **error)
{
  g_autoptr (GError) mine = failure;
  RbReason reason = rb_reason_of (mine);
  if (rb_reason_is_link_lost (reason)) {
    g_propagate_error (error, g_steal_pointer (&mine));
    return FALSE;
  }
  rb_cli_say (cli, "  %-20s %s", ecu->label, mine->message);
  json_array_append_new (survey->ecus, unread_json (ecu->label, mine));
  if (survey->problem == NULL && !(may_be_absent && reason == RB_REASON_NO_ANSWER))
    survey->problem = g_steal_pointer (&mine);
  return TRUE;
}

/* may_be_absent: a model names ECUs that not every vehicle has; one that the search found responded to it. */
static gboolean
identify_one (RbCli *cli, RbLink *link, const RbModelEcu *model, const RbProfile *profile, gboolean may_be_absent,
              Survey *survey, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (RbEcuClient) unit = rb_ecu_client_new (link, model, profile, &failure);
  g_autoptr (RbEcuClaims) claims = unit == NULL ? NULL : rb_ecu_claims_read (unit, NULL, &failure);
  if (claims == NULL)
    return note_unread (cli, survey, model, may_be_absent, g_steal_pointer (&failure), error);
  say_claims (cli, model->label, claims);
  g_autofree char *part_number = rb_swapped_part_number (unit, profile, NULL);
  json_array_append_new (survey->ecus, claims_json (model->label, claims, part_number));
  return TRUE;
}

static gboolean
identify_by_model (RbCli *cli, RbLink *link, RbContents *contents, Survey *survey, GError **error)
{
  const RbVehicleModel *model = rb_contents_model (contents);
  for (guint i = 0; i < model->ecus->len; i++) {
    const RbModelEcu *ecu = model->ecus->pdata[i];
    if (!identify_one (cli, link, ecu, rb_contents_profile (contents, ecu->hardware_id), TRUE, survey, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
identify_by_asking (RbCli *cli, RbLink *link, GPtrArray *present, Survey *survey, GError **error)
{
  for (guint i = 0; i < present->len; i++)
    if (!identify_one (cli, link, present->pdata[i], NULL, FALSE, survey, error))
      return FALSE;
  return TRUE;
}

/* As long as a VIN and of its characters. I, O and Q are accepted: simulated and pre-series vehicles have them. */
static gboolean
looks_like_a_vin (const char *text)
{
  return strlen (text) == VIN_LENGTH && strspn (text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == VIN_LENGTH;
}

static void
set_problem (Survey *survey, GError *problem)
{
  if (survey->problem == NULL)
    survey->problem = problem;
  else
    g_error_free (problem);
}

static void
note_vin (RbCli *cli, Survey *survey, const char *name, const char *vin)
{
  gboolean good = looks_like_a_vin (vin);
  gboolean other = good && survey->vin != NULL && strcmp (survey->vin, vin) != 0;
  json_array_append_new (survey->vins,
                         json_pack ("{s:s,s:s,s:b}", "ecu", name, "vin", vin, "valid", rb_campaign_vin_is_valid (vin)));
  if (vin[0] == '\0')
    return;
  if (!good || other)
    rb_cli_say (cli, "  %-20s VIN %s", name, vin);
  if (!good)
    set_problem (survey,
                 g_error_new (RB_VEHICLE_ERROR, RB_REASON_VIN_INVALID, "%s: DID F190: “%s” is not a VIN", name, vin));
  else if (other)
    set_problem (survey,
                 g_error_new (RB_VEHICLE_ERROR, RB_REASON_VIN_MISMATCH,
                              "%s: DID F190: VIN %s, another ECU of this vehicle has %s", name, vin, survey->vin));
  else if (survey->vin == NULL)
    survey->vin = g_strdup (vin);
}

/* Many ECUs have no VIN and reject the request. */
static gboolean
read_vin (RbCli *cli, RbLink *link, const RbModelEcu *ecu, Survey *survey, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (RbEcuClient) unit = rb_ecu_client_new (link, ecu, NULL, &failure);
  g_autofree char *vin = unit == NULL ? NULL : rb_ecu_client_read_text (unit, 0xf190, NULL, &failure);
  if (vin != NULL) {
    note_vin (cli, survey, ecu->label, vin);
    return TRUE;
  }
  RbReason reason = rb_reason_of (failure);
  if (rb_reason_is_link_lost (reason)) {
    g_propagate_error (error, g_steal_pointer (&failure));
    return FALSE;
  }
  json_array_append_new (survey->vins, json_pack ("{s:s,s:n,s:s,s:s}", "ecu", ecu->label, "vin", "reason",
                                                  rb_reason_word (reason), "message", failure->message));
  if (reason != RB_REASON_REFUSED && reason != RB_REASON_ECU_LOCKED)
    set_problem (survey, g_steal_pointer (&failure));
  return TRUE;
}

static gboolean
read_vins (RbCli *cli, RbLink *link, GPtrArray *present, Survey *survey, GError **error)
{
  for (guint i = 0; i < present->len; i++)
    if (!read_vin (cli, link, present->pdata[i], survey, error))
      return FALSE;
  if (survey->vin == NULL)
    set_problem (survey, g_error_new (RB_VEHICLE_ERROR, RB_REASON_VIN_MISSING,
                                      "vehicle: none of its %u ECUs that respond has a VIN", present->len));
  return TRUE;
}

typedef struct {
  char *uri, *vehicle_ca, *workstation, *passphrase_file, *vin;
} Settings;

static void
settings_clear (Settings *self)
{
  g_free (self->uri);
  g_free (self->vehicle_ca);
  g_free (self->workstation);
  g_free (self->passphrase_file);
  g_free (self->vin);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Settings, settings_clear)

/* (RbLinkWait) From another thread, while the caller waits. */
static void
say_wait (const char *text, gpointer user_data)
{
  rb_cli_say (user_data, _ ("waiting: %s"), text);
}

/* Some vehicles accept only one tester address; the models of the imported campaigns have it. NULL: none of them is
 * this vehicle's. */
static RbLink *
open_by_models (RbCli *cli, RbVehicleLinkOptions way)
{
  g_autoptr (RbLibrary) library = rb_library_new (cli->data_dir);
  g_autoptr (GPtrArray) list = rb_library_list (library, NULL);
  for (guint i = 0; list != NULL && i < list->len; i++) {
    const RbLibraryEntry *entry = list->pdata[i];
    g_autoptr (RbContents) contents
      = entry->damaged ? NULL : rb_library_open (library, entry->id, rb_moment_now (), NULL);
    way.model = contents == NULL ? NULL : rb_contents_model (contents);
    gboolean special = way.model != NULL && (way.model->tester != 0 || way.model->activation_type != 0);
    RbLink *link = special ? rb_vehicle_link_open (&way, NULL, NULL) : NULL;
    if (link != NULL)
      return link;
  }
  return NULL;
}

static RbLink *
open_link (RbCli *cli, const Settings *settings, GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autoptr (RbIdentitySet) workstation
    = settings->workstation == NULL
        ? NULL
        : rb_identities_load (cli, settings->workstation, settings->passphrase_file, &problem);
  if (problem != NULL) {
    g_propagate_error (error, g_steal_pointer (&problem));
    return NULL;
  }
  const RbVehicleLinkOptions way = { .uri = settings->uri,
                                     .data_dir = cli->data_dir,
                                     .vehicle_ca = settings->vehicle_ca,
                                     .workstation = workstation,
                                     .wait = say_wait,
                                     .wait_data = cli };
  g_autoptr (GError) refusal = NULL;
  RbLink *link = rb_vehicle_link_open (&way, NULL, &refusal);
  if (link == NULL && rb_reason_of (refusal) == RB_REASON_LINK_REFUSED)
    link = open_by_models (cli, way);
  if (link == NULL)
    g_propagate_error (error, g_steal_pointer (&refusal));
  return link;
}

/* ECUs that were exchanged for a part which the vehicle's VIN pack does not name. */
static void
find_replaced (RbCli *cli, GPtrArray *assignments, Survey *survey)
{
  size_t i;
  json_t *row;
  rb_swapped_add (survey->replaced, assignments, survey->ecus);
  json_array_foreach (survey->replaced, i, row)
    rb_cli_say (cli, _ ("  %s: expected serial number %s, actual %s"), rb_json_string_or (row, "name", ""),
                rb_json_string_or (row, "old", ""), rb_json_string_or (row, "new", ""));
}

static gboolean
survey_vehicle (RbCli *cli, RbLink *link, Survey *survey, GError **error)
{
  g_autoptr (GPtrArray) present = rb_search_ecus (link, NULL, error);
  if (present == NULL || !read_vins (cli, link, present, survey, error))
    return FALSE;
  g_autoptr (RbContents) contents = survey->vin == NULL ? NULL : contents_for (cli, survey->vin);
  const RbVehicleModel *model = contents == NULL ? NULL : rb_contents_model (contents);
  if (survey->vin != NULL && !rb_vehicle_link_check_vin (link, survey->vin, model, error))
    return FALSE;
  rb_cli_say (cli, _ ("vehicle %s"), survey->vin == NULL ? _ ("without a VIN") : survey->vin);
  if (contents == NULL)
    return identify_by_asking (cli, link, present, survey, error);
  if (!identify_by_model (cli, link, contents, survey, error))
    return FALSE;
  g_autoptr (GPtrArray) assignments = rb_contents_assignments (contents, survey->vin, rb_moment_now (), NULL, 0, NULL);
  if (assignments != NULL)
    find_replaced (cli, assignments, survey);
  return TRUE;
}

/* For a request to the OEM; identify does without. */
static void
keep_findings (RbCli *cli, const Survey *survey)
{
  g_autoptr (GError) unsaved = NULL;
  if (survey->vin != NULL && !rb_findings_save (cli->data_dir, survey->vin, survey->ecus, rb_moment_now (), &unsaved))
    g_debug ("what was read is not kept: %s", unsaved->message);
}

static int
identify (RbCli *cli, const Settings *settings)
{
  g_autoptr (GError) error = NULL;
  g_auto (Survey) survey = { .ecus = json_array (), .vins = json_array (), .replaced = json_array () };
  g_autoptr (RbHold) hold = rb_hold_take (settings->uri, NULL, NULL, &error);
  g_autoptr (RbLink) link = hold == NULL ? NULL : open_link (cli, settings, &error);
  if (link == NULL || !rb_hold_add_link (hold, link, NULL, &error) || !survey_vehicle (cli, link, &survey, &error))
    return rb_cli_fail (cli, error, NULL);
  keep_findings (cli, &survey);
  json_t *extra = json_pack ("{s:s?,s:O,s:O,s:O}", "vin", survey.vin, "ecus", survey.ecus, "vins", survey.vins,
                             "replaced", survey.replaced);
  if (survey.problem != NULL)
    return rb_cli_fail (cli, survey.problem, extra);
  return rb_cli_end (cli, RB_CLI_OK, "ok", "", extra);
}

static int
verb_identify (RbCli *cli, int argc, char **argv)
{
  g_auto (Settings) settings = { 0 };
  int code;
  if (!rb_cli_parse (cli, &settings, &argc, &argv, &code))
    return code;
  return identify (cli, &settings);
}

/* An interface that a recovery uses keeps its bit rate. */
static gboolean
set_up_interface (const char *interface, const char *preset, GError **error)
{
  g_autofree char *uri = g_strconcat ("can:", interface, NULL);
  g_autoptr (RbHold) hold = rb_hold_take (uri, NULL, NULL, error);
  return hold != NULL && rb_can_setup_ask (interface, preset, NULL, error);
}

static int
verb_links_set (RbCli *cli, int argc, char **argv)
{
  int exit_code;
  g_autoptr (GError) error = NULL;
  if (!rb_cli_parse (cli, NULL, &argc, &argv, &exit_code))
    return exit_code;
  if (!set_up_interface (argv[1], argv[2], &error))
    return rb_cli_fail (cli, error, NULL);
  rb_cli_say (cli, _ ("%s is up at %s."), argv[1], argv[2]);
  return rb_cli_end (cli, RB_CLI_OK, "ok", "", json_pack ("{s:s,s:s}", "interface", argv[1], "preset", argv[2]));
}

static int
verb_links_restart (RbCli *cli, int argc, char **argv)
{
  int exit_code;
  g_autoptr (GError) error = NULL;
  if (!rb_cli_parse (cli, NULL, &argc, &argv, &exit_code))
    return exit_code;
  if (!set_up_interface (argv[1], NULL, &error))
    return rb_cli_fail (cli, error, NULL);
  rb_cli_say (cli, _ ("%s is restarted."), argv[1]);
  return rb_cli_end (cli, RB_CLI_OK, "ok", "", json_pack ("{s:s}", "interface", argv[1]));
}

static int
verb_links (RbCli *cli, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, NULL, &argc, &argv, &code))
    return code;
  g_autoptr (GPtrArray) found = rb_link_discover (DISCOVERY_MS, NULL, &error);
  if (found == NULL)
    return rb_cli_fail (cli, error, NULL);
  json_t *list = json_array ();
  for (guint i = 0; i < found->len; i++) {
    const RbLinkEntry *entry = found->pdata[i];
    rb_cli_say (cli, "%-32s %-24s %-16s %s %s", entry->uri, entry->name, entry->serial, entry->state, entry->vin);
    json_array_append_new (list,
                           json_pack ("{s:s,s:s,s:s,s:s,s:s,s:s}", "uri", entry->uri, "kind", entry->kind, "name",
                                      entry->name, "serial", entry->serial, "state", entry->state, "vin", entry->vin));
  }
  return rb_cli_end (cli, RB_CLI_OK, "ok", found->len == 0 ? "No adapter or vehicle was found." : "",
                     json_pack ("{s:o}", "links", list));
}

static json_t *
journal_json (const RbJournalRow *row)
{
  json_t *object = json_object ();
  rb_json_set_integer (object, "recovery", row->recovery);
  rb_json_set_string (object, "vin", row->vin);
  rb_json_set_string (object, "campaign", row->campaign);
  rb_json_set_string (object, "serial", row->serial);
  rb_json_set_string (object, "step", row->step);
  rb_json_set_moment (object, "intended", row->intended);
  if (row->finished > 0)
    rb_json_set_moment (object, "finished", row->finished);
  else
    rb_json_set (object, "finished", json_null ());
  rb_json_set_string (object, "reason", row->reason);
  rb_json_set_string (object, "detail", row->detail);
  rb_json_set_integer (object, "bytes", (gint64) row->done);
  return object;
}

static int
verb_journal (RbCli *cli, int argc, char **argv)
{
  g_auto (Settings) settings = { 0 };
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, &settings, &argc, &argv, &code))
    return code;
  g_autoptr (RbJournal) journal = rb_journal_open (cli->data_dir, &error);
  g_autoptr (GPtrArray) rows = journal == NULL ? NULL : rb_journal_list (journal, settings.vin, &error);
  if (rows == NULL)
    return rb_cli_fail (cli, error, NULL);
  json_t *list = json_array ();
  for (guint i = 0; i < rows->len; i++) {
    const RbJournalRow *row = rows->pdata[i];
    g_autofree char *when = rb_moment_to_text (row->intended);
    g_autofree char *bytes = row->done > 0 ? g_strdup_printf (_ ("  %" PRIu64 " bytes"), row->done) : g_strdup ("");
    rb_cli_say (cli, "%s  %s  %-20s %-14s %s%s", when, row->vin, row->serial, row->step,
                row->reason == NULL ? _ ("interrupted") : row->reason, bytes);
    json_array_append_new (list, journal_json (row));
  }
  return rb_cli_end (cli, RB_CLI_OK, "ok", "", json_pack ("{s:o}", "steps", list));
}

static const RbOption identify_options[] = {
  { "link", "URI", "connection to the vehicle", RB_OPTION_LINK (Settings, uri), .needed = TRUE },
  { "vehicle-ca", "FILE", "authority of vehicles' certificates, for doips://", RB_OPTION_FILE (Settings, vehicle_ca) },
  { "workstation", "FILE", "the workstation's identities, for doips://", RB_OPTION_FILE (Settings, workstation) },
  { "passphrase-file", "FILE", "passphrase of the workstation's identities",
    RB_OPTION_FILE (Settings, passphrase_file) },
  { NULL },
};

static const RbOption journal_options[] = {
  { "vin", "VIN", "only this vehicle", RB_OPTION_TEXT (Settings, vin) },
  { NULL },
};

const RbCliVerb rb_identify_verbs[] = {
  { "links", "", "adapters and vehicles found now", verb_links },
  { "links set", "INTERFACE " RB_CAN_PRESET_WORDS,
    "set the bit rate of a CAN interface and put it up, by recall-can-setup", verb_links_set, NULL, 2, 2 },
  { "links restart", "INTERFACE", "bring a CAN interface back after bus-off", verb_links_restart, NULL, 1, 1 },
  { "identify", "--link URI", "the VIN and the state of every ECU", verb_identify, identify_options },
  { NULL },
};

const RbCliVerb rb_identify_journal_verbs[] = {
  { "journal", "[--vin VIN]", "what was done, step by step", verb_journal, journal_options },
  { NULL },
};
