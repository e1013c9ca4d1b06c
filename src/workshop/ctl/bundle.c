/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/bundle.h"

#include "core/json.h"
#include "core/moment.h"
#include "library/anchor-scope.h"
#include "library/authority.h"
#include "library/import.h"
#include "recovery/journal.h"

#include <glib/gi18n-lib.h>
#include <inttypes.h>

typedef struct {
  RbCli *cli;
  const char *label;
  gint64 told; /* monotonic time */
} Progress;

static void
tell (guint64 done, guint64 total, gpointer data)
{
  Progress *self = data;
  gint64 now = g_get_monotonic_time ();
  if (now - self->told < G_USEC_PER_SEC / 10)
    return;
  self->told = now;
  rb_cli_progress (self->cli, self->label, done, MAX (total, 1));
  json_t *event = json_object ();
  rb_json_set_string (event, "event", "progress");
  rb_json_set_integer (event, "done", (gint64) done);
  rb_json_set_integer (event, "total", (gint64) total);
  rb_cli_event (self->cli, event);
}

json_t *
rb_bundle_row (RbContents *contents)
{
  const RbCampaign *campaign = rb_contents_campaign (contents);
  json_t *row = json_object ();
  rb_json_set_string (row, "campaign", campaign->id);
  rb_json_set_integer (row, "version", campaign->version);
  rb_json_set_string (row, "title", campaign->title);
  rb_json_set_string (row, "oem", campaign->oem);
  rb_json_set_string (row, "oem_number", campaign->oem_number);
  rb_json_set_string (row, "scenario", rb_campaign_scenario_name (campaign->scenario));
  rb_json_set_string (row, "anchor", rb_contents_anchor (contents));
  rb_json_set_moment (row, "issued", campaign->issued);
  rb_json_set_moment (row, "expires", campaign->expires);
  rb_json_set_moment (row, "valid_until", rb_contents_valid_until (contents));
  rb_json_set_string (row, "campaign_sha256", rb_contents_campaign_sha256 (contents));
  rb_json_set_integer (row, "vin_packs", (gint64) rb_contents_packs (contents));
  return row;
}

static json_t *
scope_json (const RbAuthority *authority)
{
  json_t *list = json_array ();
  for (guint i = 0; authority->wmis[i] != NULL; i++)
    json_array_append_new (list, json_string (authority->wmis[i]));
  return list;
}

static int
end_with (RbCli *cli, RbContents *contents, const char *what)
{
  const RbCampaign *campaign = rb_contents_campaign (contents);
  g_autoptr (GError) error = NULL;
  g_autoptr (RbAuthority) authority = rb_authority_of (cli->data_dir, contents, &error);
  if (authority == NULL)
    return rb_cli_fail (cli, error, NULL);
  g_autofree char *until = rb_moment_to_text (rb_contents_valid_until (contents));
  g_autofree char *scope = rb_anchor_scope_text ((const char *const *) authority->wmis);
  g_autofree char *message = g_strdup_printf (
    "%s: campaign %s, “%s” by %s, good until %s\nTrust anchor “%s” may speak for VINs that begin with: %s", what,
    campaign->id, campaign->title, campaign->oem, until, authority->anchor, scope);
  json_t *row = rb_bundle_row (contents);
  rb_json_set (row, "wmi", scope_json (authority));
  return rb_cli_end (cli, RB_CLI_OK, "ok", message, row);
}

static int
verb_verify (RbCli *cli, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, NULL, &argc, &argv, &code))
    return code;
  g_autoptr (RbLibrary) library = rb_library_new (cli->data_dir);
  Progress progress = { .cli = cli, .label = "Verifying" };
  g_autoptr (RbContents) contents = rb_import_verify (library, argv[1], rb_moment_now (), tell, &progress, &error);
  rb_cli_progress (cli, "", 0, 0);
  return contents == NULL ? rb_cli_fail (cli, error, NULL) : end_with (cli, contents, "Verified");
}

typedef struct {
  gboolean in_place;
} ImportOptions;

static int
verb_import (RbCli *cli, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  ImportOptions options = { FALSE };
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  g_autoptr (RbLibrary) library = rb_library_new (cli->data_dir);
  Progress progress = { .cli = cli, .label = "Importing" };
  g_autoptr (RbContents) contents
    = rb_import_bundle (library, argv[1], options.in_place, rb_moment_now (), tell, &progress, &error);
  rb_cli_progress (cli, "", 0, 0);
  return contents == NULL ? rb_cli_fail (cli, error, NULL) : end_with (cli, contents, "Imported");
}

static json_t *
entry_row (RbCli *cli, const RbLibraryEntry *entry)
{
  json_t *row = json_object ();
  rb_json_set_string (row, "campaign", entry->id);
  rb_json_set_string (row, "name", entry->name);
  rb_json_set_string (row, "anchor", entry->anchor);
  rb_json_set_boolean (row, "damaged", entry->damaged);
  if (entry->damaged) {
    rb_cli_say (cli, _ ("%-16s  cannot be read; import its bundle again"), entry->name);
    return row;
  }
  g_autofree char *until = rb_moment_to_text (entry->valid_until);
  rb_cli_say (cli, _ ("%-16s  version %-3" PRId64 " until %s  %-14s %s: %s"), entry->name, entry->version, until,
              entry->scenario, entry->oem, entry->title);
  rb_json_set_integer (row, "version", entry->version);
  rb_json_set_string (row, "title", entry->title);
  rb_json_set_string (row, "oem", entry->oem);
  rb_json_set_string (row, "scenario", entry->scenario);
  rb_json_set_moment (row, "issued", entry->issued);
  rb_json_set_moment (row, "expires", entry->expires);
  rb_json_set_moment (row, "valid_until", entry->valid_until);
  rb_json_set_moment (row, "imported", entry->imported);
  rb_json_set_integer (row, "vin_packs", (gint64) entry->n_packs);
  rb_json_set_string (row, "in_place", entry->in_place);
  return row;
}

static int
verb_list (RbCli *cli, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, NULL, &argc, &argv, &code))
    return code;
  g_autoptr (RbLibrary) library = rb_library_new (cli->data_dir);
  g_autoptr (GPtrArray) entries = rb_library_list (library, &error);
  if (entries == NULL)
    return rb_cli_fail (cli, error, NULL);
  json_t *extra = json_object (), *rows = json_array ();
  for (guint i = 0; i < entries->len; i++)
    json_array_append_new (rows, entry_row (cli, entries->pdata[i]));
  rb_json_set (extra, "campaigns", rows);
  return rb_cli_end (cli, RB_CLI_OK, "ok", entries->len == 0 ? "No campaigns" : "", extra);
}

static json_t *
root_row (RbCli *cli, const char *name, const RbCampaignRoot *root)
{
  json_t *row = json_object ();
  rb_json_set_integer (row, "version", root->version);
  rb_json_set_string (row, "sha256", root->sha256);
  rb_json_set_boolean (row, "pinned", root->pinned);
  rb_cli_say (cli, _ ("%-10s version %" PRId64 " %.16s%s"), name, root->version, root->sha256,
              root->pinned ? _ ("  (pinned by two organisations, its chain is broken)") : "");
  return row;
}

static void
show_details (RbCli *cli, RbContents *contents, json_t *extra)
{
  const RbCampaign *campaign = rb_contents_campaign (contents);
  json_t *ecus = json_array (), *roots = json_object ();
  rb_cli_say (cli, _ ("%s, version %" PRId64 ": %s"), campaign->id, campaign->version, campaign->title);
  rb_cli_say (cli, _ ("OEM        %s, %s"), campaign->oem, campaign->oem_number);
  rb_cli_say (cli, _ ("Scenario   %s"), rb_campaign_scenario_name (campaign->scenario));
  rb_json_set (roots, "director", root_row (cli, "Director", &campaign->director_root));
  rb_json_set (roots, "image", root_row (cli, "Image", &campaign->image_root));
  for (guint i = 0; i < campaign->ecus->len; i++) {
    const RbCampaignEcu *ecu = campaign->ecus->pdata[i];
    json_t *row = json_object ();
    rb_json_set_string (row, "hardware_id", ecu->hardware_id);
    rb_json_set_string (row, "image", ecu->image);
    rb_json_set_string (row, "image_sha256", ecu->image_sha256);
    rb_json_set_boolean (row, "new_key", ecu->new_key);
    json_array_append_new (ecus, row);
    rb_cli_say (cli, _ ("ECU        %-20s %s%s"), ecu->hardware_id, ecu->image, ecu->new_key ? _ (", new key") : "");
  }
  rb_json_set (extra, "roots", roots);
  rb_json_set (extra, "ecus", ecus);
}

static int
verb_show (RbCli *cli, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, NULL, &argc, &argv, &code))
    return code;
  g_autoptr (RbLibrary) library = rb_library_new (cli->data_dir);
  g_autoptr (RbContents) contents = rb_library_open (library, argv[1], rb_moment_now (), &error);
  if (contents == NULL)
    return rb_cli_fail (cli, error, NULL);
  json_t *extra = rb_bundle_row (contents);
  show_details (cli, contents, extra);
  g_autofree char *until = rb_moment_to_text (rb_contents_valid_until (contents));
  g_autofree char *message = g_strdup_printf ("Good until %s", until);
  return rb_cli_end (cli, RB_CLI_OK, "ok", message, extra);
}

static gboolean
in_use (const char *anchor, const char *id, gpointer data)
{
  return rb_journal_is_open (data, anchor, id);
}

static int
verb_remove (RbCli *cli, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, NULL, &argc, &argv, &code))
    return code;
  g_autoptr (RbLibrary) library = rb_library_new (cli->data_dir);
  g_autoptr (RbJournal) journal = rb_journal_open (cli->data_dir, &error);
  if (journal == NULL || !rb_library_remove (library, argv[1], in_use, journal, &error))
    return rb_cli_fail (cli, error, NULL);
  g_autofree char *message = g_strdup_printf ("Removed: campaign %s", argv[1]);
  json_t *extra = json_object ();
  rb_json_set_string (extra, "campaign", argv[1]);
  return rb_cli_end (cli, RB_CLI_OK, "ok", message, extra);
}

static const RbOption import_options[] = {
  { "in-place", NULL, "leave the images where they are and verify them at each use",
    RB_OPTION_FLAG (ImportOptions, in_place) },
  { NULL },
};

const RbCliVerb rb_bundle_verbs[] = {
  { "bundle verify", "FILE", "check a bundle without storing anything", verb_verify, NULL, 1, 1 },
  { "bundle import", "FILE", "check a bundle and put it into the library", verb_import, import_options, 1, 1 },
  { "bundle list", "", "the campaigns in the library", verb_list },
  { "bundle show", "CAMPAIGN", "one campaign, verified again", verb_show, NULL, 1, 1 },
  { "bundle remove", "CAMPAIGN", "remove a campaign; refused while a recovery of it is open", verb_remove, NULL, 1, 1 },
  { NULL },
};
