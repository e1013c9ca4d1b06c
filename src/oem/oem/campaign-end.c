/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/campaign-end.h"

#include "core/json.h"
#include "core/moment.h"
#include "model/member.h"
#include "oem/campaign-folder.h"
#include "oem/error.h"
#include "oem/trust-target.h"
#include "pki/people.h"

#define MAX_DAYS 60
#define MAX_REASON 500

typedef struct {
  char *reason;
  gint64 days; /* 0: as many as before */
} Options;

static void
options_clear (Options *self)
{
  g_free (self->reason);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

static int
verb_renew (RbCli *cli, int argc, char **argv)
{
  g_auto (Options) options = { NULL };
  g_autoptr (GError) error = NULL;
  gint64 now = rb_moment_now ();
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  g_autoptr (RbOemFolder) folder = rb_oem_folder_open (cli->data_dir, &error);
  g_autoptr (RbCampaignFolder) self = folder == NULL ? NULL : rb_campaign_folder_load (folder, argv[1], &error);
  if (self == NULL)
    return rb_cli_fail (cli, error, NULL);
  gint64 lasts = options.days > 0 ? options.days * RB_MOMENT_DAY : self->campaign->expires - self->campaign->issued;
  if (!rb_campaign_folder_renew (self, now, now + lasts, &error))
    return rb_cli_fail (cli, error, NULL);
  g_autofree char *message = g_strdup_printf ("campaign %s, version %" G_GINT64_FORMAT "; see campaign publish",
                                              argv[1], self->campaign->version + 1);
  json_t *said = json_pack ("{s:s,s:I}", "campaign", argv[1], "version", (json_int_t) self->campaign->version + 1);
  rb_json_set_moment (said, "expires", now + lasts);
  return rb_cli_end (cli, RB_CLI_OK, "ok", message, said);
}

/* The register has it before the trust list that says it. */
static gboolean
withdraw (const RbOemFolder *folder, const char *id, const char *reason, gint64 now, GError **error)
{
  g_autoptr (RbCampaignFolder) self = rb_campaign_folder_load (folder, id, error);
  if (self == NULL || !rb_people_withdraw (folder->path, id, reason, now, error))
    return FALSE;
  g_autoptr (json_t) list = rb_trust_target_make (folder, RB_TRUST_TARGET_DAYS, NULL, now, error);
  return list != NULL;
}

static int
verb_withdraw (RbCli *cli, int argc, char **argv)
{
  g_auto (Options) options = { NULL };
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  g_autoptr (json_t) said = json_pack ("{s:s}", "reason", options.reason);
  g_autofree char *text = NULL;
  if (!rb_member_text (said, "reason", MAX_REASON, &text, "--reason", &error))
    return rb_cli_usage (cli, "%s", error->message);
  g_autoptr (RbOemFolder) folder = rb_oem_folder_open (cli->data_dir, &error);
  if (folder == NULL || !withdraw (folder, argv[1], text, rb_moment_now (), &error))
    return rb_cli_fail (cli, error, NULL);
  g_autofree char *message
    = g_strdup_printf ("campaign %s is withdrawn by the next trust list; see repo publish service", argv[1]);
  return rb_cli_end (cli, RB_CLI_OK, "ok", message, json_pack ("{s:s}", "campaign", argv[1]));
}

static const RbOption renew_options[] = {
  { "days", "N", "it expires so many days from now; default: as many as before",
    RB_OPTION_NUMBER (Options, days, 1, MAX_DAYS) },
  { NULL },
};

static const RbOption withdraw_options[] = {
  { "reason", "TEXT", "why, for people at workstations", RB_OPTION_TEXT (Options, reason), .needed = TRUE },
  { NULL },
};

const RbCliVerb rb_campaign_end_verbs[] = {
  { "campaign renew", "ID", "its next version, with a later expiry", verb_renew, renew_options, 1, 1 },
  { "campaign withdraw", "ID", "no vehicle is begun by it any more", verb_withdraw, withdraw_options, 1, 1 },
  { NULL },
};
