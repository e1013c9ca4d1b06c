/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/campaign-verbs.h"

#include "authority/target-list.h"
#include "core/files.h"
#include "core/json.h"
#include "core/moment.h"
#include "crypto/secret.h"
#include "model/member.h"
#include "oem/campaign-bundle.h"
#include "oem/campaign-plan.h"
#include "oem/error.h"
#include "oem/publish.h"
#include "oem/secret-option.h"

#include <string.h>

#define MAX_VINS (1024 * 1024)

typedef struct {
  char *plan, *output, *region, *vins, *passphrase_file;
} Options;

static void
options_clear (Options *self)
{
  char *texts[] = { self->plan, self->output, self->region, self->vins, self->passphrase_file };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_free (texts[i]);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

/* The OEM's repositories while a campaign is made. */
typedef struct {
  RbOemFolder *folder;
  RbAuthoring *director, *image, *service;
  RbCampaignPlan *plan;
} Making;

static void
making_clear (Making *self)
{
  g_clear_pointer (&self->plan, rb_campaign_plan_free);
  g_clear_pointer (&self->director, rb_authoring_free);
  g_clear_pointer (&self->image, rb_authoring_free);
  g_clear_pointer (&self->service, rb_authoring_free);
  g_clear_pointer (&self->folder, rb_oem_folder_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Making, making_clear)

static gboolean
open_all (Making *self, const char *data_dir, const char *id, GError **error)
{
  g_autofree char *path = g_strdup_printf ("campaigns/%s.json", id);
  if (!rb_member_id_is_valid (id))
    return rb_reason_deny (error, RB_OEM_ERROR, RB_REASON_USAGE, "campaign “%s”: not an id", id);
  self->folder = rb_oem_folder_open (data_dir, error);
  self->director = self->folder == NULL ? NULL : rb_authoring_load (self->folder->path, "director", error);
  self->image = self->director == NULL ? NULL : rb_authoring_load (self->folder->path, "image", error);
  self->service = self->image == NULL ? NULL : rb_authoring_load (self->folder->path, "service", error);
  if (self->service == NULL)
    return FALSE;
  return rb_target_list_find (self->service, path) == NULL
         || rb_reason_deny (error, RB_OEM_ERROR, RB_REASON_EXISTS, "campaign %s: the Service repository lists it", id);
}

/* What the Director assigns to the campaign's vehicles, how they are built, and until when. */
static gboolean
direct (Making *self, GError **error)
{
  size_t i;
  json_t *vehicle;
  json_array_foreach (self->plan->vehicles, i, vehicle) {
    const char *vin = rb_json_string_or (vehicle, "vin", "");
    g_auto (GStrv) assignments = rb_campaign_plan_assignments (self->plan, vehicle);
    if (!rb_target_list_direct (self->director, self->image, vin, (const char *const *) assignments, error))
      return FALSE;
    json_t *directed = json_object_get (self->director->vehicles, vin);
    rb_json_set (directed, "custom", json_pack ("{s:O}", "asBuilt", json_object_get (vehicle, "ecus")));
    json_object_set (directed, "expires", json_object_get (self->plan->campaign, "expires"));
  }
  return TRUE;
}

/* The plan's vehicles and campaign as files of the folder. */
static gboolean
write_files (const Making *self, const char *id, GError **error)
{
  g_autofree char *campaign = rb_campaign_folder_file (self->folder, id, ".json");
  g_autofree char *vehicles = rb_campaign_folder_file (self->folder, id, ".vehicles.jsonl");
  g_autofree char *parent = g_path_get_dirname (campaign);
  g_autofree char *text = rb_json_to_pretty (self->plan->campaign);
  g_autoptr (GString) lines = g_string_new (NULL);
  size_t i;
  json_t *vehicle;
  json_array_foreach (self->plan->vehicles, i, vehicle) {
    g_autofree char *line = rb_json_to_text (vehicle);
    g_string_append_printf (lines, "%s\n", line);
  }
  return rb_files_make_folder (parent, error) && rb_files_write_private_text (vehicles, lines->str, error)
         && rb_files_write_private_text (campaign, text, error);
}

static gboolean
list_documents (Making *self, const char *id, GError **error)
{
  g_autofree char *campaign = rb_campaign_folder_file (self->folder, id, ".json");
  GHashTableIter iter;
  gpointer path, file;
  g_hash_table_insert (self->plan->documents, g_strdup_printf ("campaigns/%s.json", id), g_steal_pointer (&campaign));
  g_hash_table_iter_init (&iter, self->plan->documents);
  while (g_hash_table_iter_next (&iter, &path, &file)) {
    const RbTargetListImage document = { .path = path, .file = file, .release_counter = -1 };
    if (!rb_target_list_add (self->service, &document, error))
      return FALSE;
  }
  return TRUE;
}

/* The release counter of the image that a list of ECUs has for that hardware; -1: none. */
static gint64
counter_of (const Making *self, const json_t *ecus, const char *hardware_id)
{
  size_t i;
  json_t *ecu;
  json_array_foreach (ecus, i, ecu)
    if (strcmp (rb_json_string_or (ecu, "hardware_id", ""), hardware_id) == 0) {
      const json_t *listed = rb_target_list_find (self->image, rb_json_string_or (ecu, "image", ""));
      return rb_json_integer_or (json_object_get (listed, "custom"), "releaseCounter", -1);
    }
  return -1;
}

/* What a superseded campaign has installed is older than what takes its place: ECUs refuse a lower counter. */
static gboolean
check_newer (const Making *self, const char *superseded, GError **error)
{
  g_autoptr (RbCampaignFolder) before = rb_campaign_folder_load (self->folder, superseded, error);
  const json_t *ecus = json_object_get (self->plan->campaign, "ecus");
  for (guint i = 0; before != NULL && i < before->campaign->ecus->len; i++) {
    const RbCampaignEcu *ecu = before->campaign->ecus->pdata[i];
    const json_t *listed = rb_target_list_find (self->image, ecu->image);
    gint64 was = rb_json_integer_or (json_object_get (listed, "custom"), "releaseCounter", -1);
    gint64 is = counter_of (self, ecus, ecu->hardware_id);
    if (is >= 0 && is <= was)
      return rb_reason_deny (error, RB_OEM_ERROR, RB_REASON_RELEASE_COUNTER,
                             "hardware %s: release counter %" G_GINT64_FORMAT ", expected above %" G_GINT64_FORMAT
                             " of the superseded campaign %s",
                             ecu->hardware_id, is, was, superseded);
  }
  return before != NULL;
}

static gboolean
check_superseded (const Making *self, GError **error)
{
  size_t i;
  json_t *id;
  json_array_foreach (json_object_get (self->plan->campaign, "supersedes"), i, id)
    if (!check_newer (self, json_string_value (id), error))
      return FALSE;
  return TRUE;
}

static gboolean
make (Making *self, const char *id, const char *file, GError **error)
{
  const RbCampaignPlanOem oem = { self->folder, self->image, self->service, rb_moment_now () };
  self->plan = rb_campaign_plan_read (file, id, &oem, error);
  return self->plan != NULL && check_superseded (self, error) && direct (self, error) && write_files (self, id, error)
         && list_documents (self, id, error) && rb_authoring_save (self->director, error)
         && rb_authoring_save (self->service, error);
}

static int
verb_new (RbCli *cli, int argc, char **argv)
{
  g_auto (Options) options = { NULL };
  g_auto (Making) self = { NULL };
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  if (!open_all (&self, cli->data_dir, argv[1], &error) || !make (&self, argv[1], options.plan, &error))
    return rb_cli_fail (cli, error, NULL);
  size_t vehicles = json_array_size (self.plan->vehicles);
  g_autofree char *message = g_strdup_printf ("campaign %s, %zu vehicles; see campaign publish", argv[1], vehicles);
  return rb_cli_end (cli, RB_CLI_OK, "ok", message,
                     json_pack ("{s:s,s:I,s:O}", "campaign", argv[1], "vehicles", (json_int_t) vehicles, "expires",
                                json_object_get (self.plan->campaign, "expires")));
}

static int
verb_check (RbCli *cli, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, NULL, &argc, &argv, &code))
    return code;
  g_autoptr (RbOemFolder) folder = rb_oem_folder_open (cli->data_dir, &error);
  g_autoptr (RbCampaignFolder) campaign = folder == NULL ? NULL : rb_campaign_folder_load (folder, argv[1], &error);
  if (campaign == NULL || !rb_campaign_folder_check (campaign, rb_moment_now (), &error))
    return rb_cli_fail (cli, error, NULL);
  gboolean published = rb_campaign_folder_check_published (campaign, NULL);
  g_autofree char *message = g_strdup_printf ("campaign %s agrees with the repositories; %s", argv[1],
                                              published ? "it is published" : "it is not published yet");
  return rb_cli_end (cli, RB_CLI_OK, "ok", message,
                     json_pack ("{s:s,s:b,s:I}", "campaign", argv[1], "published", (int) published, "vehicles",
                                (json_int_t) json_array_size (campaign->vehicles)));
}

/* The Director's online keys sign for the vehicles; the Service repository's targets are signed by its people. */
static gboolean
publish (const RbOemFolder *folder, const char *secret, const char *output, char **draft, GError **error)
{
  static const char *const kinds[] = { "director", "service" };
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    g_autoptr (RbPublishing) publishing = rb_publishing_open (folder, kinds[i], secret, rb_moment_now (), error);
    if (publishing == NULL || !rb_publish_or_draft (folder, publishing, output, draft, error))
      return FALSE;
    if (*draft != NULL)
      return TRUE;
  }
  return TRUE;
}

static int
verb_publish (RbCli *cli, int argc, char **argv)
{
  g_auto (Options) options = { NULL };
  g_autoptr (GError) error = NULL;
  g_autofree char *draft = NULL;
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  g_autoptr (RbOemFolder) folder = rb_oem_folder_open (cli->data_dir, &error);
  g_autoptr (RbCampaignFolder) campaign = folder == NULL ? NULL : rb_campaign_folder_load (folder, argv[1], &error);
  char *secret = campaign != NULL && rb_campaign_folder_check (campaign, rb_moment_now (), &error)
                   ? rb_secret_option_of_folder (cli, options.passphrase_file, folder, &error)
                   : NULL;
  gboolean published = secret != NULL && publish (folder, secret, options.output, &draft, &error);
  rb_secret_free (secret);
  if (!published)
    return rb_cli_fail (cli, error, NULL);
  g_autofree char *message
    = draft == NULL ? g_strdup ("published") : g_strdup_printf ("draft for the offline keys: %s", draft);
  return rb_cli_end (cli, RB_CLI_OK, "ok", message, json_pack ("{s:s,s:s?}", "campaign", argv[1], "draft", draft));
}

/* VINs, one a line. (transfer full) */
static GStrv
read_vins (const char *file, GError **error)
{
  g_autoptr (GBytes) bytes = rb_files_read (file, MAX_VINS, error);
  if (bytes == NULL)
    return NULL;
  g_autofree char *text = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  return g_strsplit (g_strchomp (text), "\n", -1);
}

static gboolean
write_bundle (RbCli *cli, const Options *options, const char *id, guint *packs, GError **error)
{
  g_autoptr (RbOemFolder) folder = rb_oem_folder_open (cli->data_dir, error);
  g_autoptr (RbCampaignFolder) campaign = folder == NULL ? NULL : rb_campaign_folder_load (folder, id, error);
  g_auto (GStrv) vins = campaign == NULL || options->vins == NULL ? NULL : read_vins (options->vins, error);
  gint64 now = rb_moment_now ();
  const RbCampaignBundleFilter filter = { options->region, (const char *const *) vins };
  return campaign != NULL && (options->vins == NULL || vins != NULL) && rb_campaign_folder_check (campaign, now, error)
         && rb_campaign_folder_check_published (campaign, error)
         && rb_campaign_bundle_write (campaign, &filter, options->output, now, packs, error);
}

static int
verb_bundle (RbCli *cli, int argc, char **argv)
{
  g_auto (Options) options = { NULL };
  g_autoptr (GError) error = NULL;
  guint packs = 0;
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  if (!write_bundle (cli, &options, argv[1], &packs, &error))
    return rb_cli_fail (cli, error, NULL);
  g_autofree char *message = g_strdup_printf ("%s: campaign %s, %u VIN packs", options.output, argv[1], packs);
  return rb_cli_end (
    cli, RB_CLI_OK, "ok", message,
    json_pack ("{s:s,s:s,s:I}", "campaign", argv[1], "bundle", options.output, "packs", (json_int_t) packs));
}

static const RbOption new_options[] = {
  { "plan", "PLAN.json", "what the campaign is to do", RB_OPTION_FILE (Options, plan), .needed = TRUE },
  { NULL },
};

static const RbOption publish_options[] = {
  { "passphrase-file", "FILE", "passphrase of the online keys", RB_OPTION_FILE (Options, passphrase_file) },
  { "output", "FILE", "where a draft goes; default drafts/ in the folder", RB_OPTION_FILE (Options, output),
    .letter = 'o' },
  { NULL },
};

static const RbOption bundle_options[] = {
  { "region", "R", "VIN packs of vehicles of this region only", RB_OPTION_TEXT (Options, region) },
  { "vins", "FILE", "VIN packs of these vehicles only: a VIN a line", RB_OPTION_FILE (Options, vins) },
  { "output", "FILE", "where the bundle goes", RB_OPTION_FILE (Options, output), .needed = TRUE, .letter = 'o' },
  { NULL },
};

const RbCliVerb rb_campaign_verbs[] = {
  { "campaign new", "ID", "a campaign from its plan", verb_new, new_options, 1, 1 },
  { "campaign check", "ID", "does it agree with what is published?", verb_check, NULL, 1, 1 },
  { "campaign publish", "ID", "sign for its vehicles; a draft is left for the Service repository", verb_publish,
    publish_options, 1, 1 },
  { "campaign bundle", "ID", "one verified file for the workshops", verb_bundle, bundle_options, 1, 1 },
  { NULL },
};
